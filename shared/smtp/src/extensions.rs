//! What a server can do.

/// The answer to EHLO (RFC 5321 section 4.1.1.1); empty after HELO.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Extensions {
    /// STARTTLS: the connection can be upgraded to TLS (RFC 3207).
    pub starttls: bool,
    /// AUTH: mechanisms, as the server spells them (RFC 4954).
    pub auth: Vec<String>,
    /// SIZE: may be declared (RFC 1870).
    pub size: bool,
    /// The largest message in bytes, if the server names one.
    pub max_size: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtp_utf8: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
}

impl Extensions {
    /// Reads the lines of the answer; the first one is the server's name.
    pub(crate) fn parse(lines: &[String]) -> Self {
        let mut extensions = Self::default();
        for line in lines.iter().skip(1) {
            extensions.add(line);
        }
        extensions
    }

    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            "STARTTLS" => self.starttls = true,
            "AUTH" => self.add_mechanisms(words),
            "SIZE" => {
                self.size = true;
                self.max_size =
                    words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
            }
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtp_utf8 = true,
            "PIPELINING" => self.pipelining = true,
            // Servers of before RFC 4954 wrote an equals sign.
            _ => {
                if let Some(first) = keyword.strip_prefix("AUTH=") {
                    self.add_mechanisms(std::iter::once(first).chain(words));
                }
            }
        }
    }

    fn add_mechanisms<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            if !self.auth.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                self.auth.push(name.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_offer_is_read_in_any_case_and_spelling() {
        let lines = [
            "mail.example.org at your service",
            "size 35882577",
            "8BITMIME",
            "AUTH LOGIN PLAIN XOAUTH2",
            "AUTH=LOGIN CRAM-MD5",
            "ENHANCEDSTATUSCODES",
            "PIPELINING",
            "SMTPUTF8",
            "STARTTLS",
        ];
        assert_eq!(
            Extensions::parse(&lines.map(String::from)),
            Extensions {
                starttls: true,
                auth: ["LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5"].map(String::from).into(),
                size: true,
                max_size: Some(35_882_577),
                eight_bit_mime: true,
                smtp_utf8: true,
                pipelining: true,
            }
        );
    }

    #[test]
    fn a_server_named_like_an_extension_offers_nothing() {
        assert_eq!(Extensions::parse(&["STARTTLS".into()]), Extensions::default());
    }

    #[test]
    fn a_size_of_zero_is_no_limit() {
        let extensions = Extensions::parse(&["x".into(), "SIZE 0".into()]);
        assert_eq!((extensions.size, extensions.max_size), (true, None));
    }
}
