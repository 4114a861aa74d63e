//! What a server can do (RFC 2449).

/// The answer to CAPA.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// STLS: the connection can be upgraded to TLS (RFC 2595).
    pub stls: bool,
    /// USER: user name and password without SASL.
    pub user: bool,
    /// SASL mechanisms, as the server spells them (RFC 5034).
    pub sasl: Vec<String>,
    /// UIDL: messages have unique ids.
    pub uidl: bool,
    /// TOP: headers alone can be had.
    pub top: bool,
    /// PIPELINING: several commands may be sent without waiting.
    pub pipelining: bool,
    /// EXPIRE: after how many days the server deletes messages by itself; 0 means at once.
    pub expire_days: Option<u32>,
    /// IMPLEMENTATION: the server's name for itself.
    pub implementation: Option<String>,
}

impl Capabilities {
    /// Takes one line of the answer; what is unknown is left out.
    pub(crate) fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "STLS" => self.stls = true,
            "USER" => self.user = true,
            "SASL" => self.sasl.extend(words.map(str::to_owned)),
            "UIDL" => self.uidl = true,
            "TOP" => self.top = true,
            "PIPELINING" => self.pipelining = true,
            "EXPIRE" => self.expire_days = words.next().and_then(|days| days.parse().ok()),
            "IMPLEMENTATION" => {
                self.implementation = Some(words.collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_2449_is_read() {
        let mut capabilities = Capabilities::default();
        for line in [
            "TOP",
            "USER",
            "SASL CRAM-MD5 PLAIN",
            "RESP-CODES",
            "LOGIN-DELAY 900",
            "PIPELINING",
            "EXPIRE 60",
            "uidl",
            "IMPLEMENTATION Shlemazle-Plotz-v302",
        ] {
            capabilities.add(line.as_bytes());
        }
        assert_eq!(
            capabilities,
            Capabilities {
                stls: false,
                user: true,
                sasl: vec!["CRAM-MD5".into(), "PLAIN".into()],
                uidl: true,
                top: true,
                pipelining: true,
                expire_days: Some(60),
                implementation: Some("Shlemazle-Plotz-v302".into()),
            }
        );
    }

    #[test]
    fn a_server_that_never_expires_mail_has_no_days() {
        let mut capabilities = Capabilities::default();
        capabilities.add(b"EXPIRE NEVER");
        assert_eq!(capabilities.expire_days, None);
    }
}
