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
    /// RESP-CODES: what is in brackets behind `-ERR` is for programs.
    pub resp_codes: bool,
    /// AUTH-RESP-CODE: a log-in refused for its user name or password says so (RFC 3206).
    pub auth_resp_code: bool,
    /// EXPIRE: when the server deletes messages by itself.
    pub expire: Option<Expire>,
    /// LOGIN-DELAY: how many seconds must pass between two log-ins.
    pub login_delay: Option<u32>,
    /// UTF8: messages may come with headers in UTF-8 (RFC 6856).
    pub utf8: bool,
    /// IMPLEMENTATION: the server's name for itself.
    pub implementation: Option<String>,
}

/// When a server deletes messages by itself (RFC 2449 section 6.7). What it says before the log-in
/// may differ from what it says after it, which is about the user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expire {
    /// It does not.
    Never,
    /// After so many days; 0 means at the end of the session that has fetched them.
    Days(u32),
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
            "RESP-CODES" => self.resp_codes = true,
            "AUTH-RESP-CODE" => self.auth_resp_code = true,
            "EXPIRE" => self.expire = words.next().and_then(expire),
            "LOGIN-DELAY" => {
                self.login_delay = words.next().and_then(|seconds| seconds.parse().ok());
            }
            "UTF8" => self.utf8 = true,
            "IMPLEMENTATION" => {
                self.implementation = Some(words.collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }
}

fn expire(word: &str) -> Option<Expire> {
    if word.eq_ignore_ascii_case("NEVER") {
        return Some(Expire::Never);
    }
    word.parse().ok().map(Expire::Days)
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
                resp_codes: true,
                auth_resp_code: false,
                expire: Some(Expire::Days(60)),
                login_delay: Some(900),
                utf8: false,
                implementation: Some("Shlemazle-Plotz-v302".into()),
            }
        );
    }

    #[test]
    fn what_depends_on_the_user_is_read_as_far_as_it_is_known() {
        for (line, expire) in [
            ("EXPIRE NEVER", Some(Expire::Never)),
            ("expire never user", Some(Expire::Never)),
            ("EXPIRE 30 USER", Some(Expire::Days(30))),
            ("EXPIRE 0", Some(Expire::Days(0))),
            ("EXPIRE soon", None),
            ("EXPIRE", None),
        ] {
            let mut capabilities = Capabilities::default();
            capabilities.add(line.as_bytes());
            assert_eq!(capabilities.expire, expire, "{line}");
        }
        let mut capabilities = Capabilities::default();
        for line in ["LOGIN-DELAY 1800 USER", "AUTH-RESP-CODE", "UTF8 USER"] {
            capabilities.add(line.as_bytes());
        }
        assert_eq!(capabilities.login_delay, Some(1800));
        assert!(capabilities.auth_resp_code && capabilities.utf8);
        capabilities.add(b"LOGIN-DELAY -1");
        assert_eq!(capabilities.login_delay, None, "no number, no delay");
    }
}
