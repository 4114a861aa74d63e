//! A mail address, as far as its servers depend on it.

use crate::policy::Host;

/// The longest address, in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS: usize = 254;

/// A mail address, taken apart. It is never logged, so it has no `Debug`.
pub(super) struct Address {
    local: String,
    domain: Host,
    name: String,
}

/// Why a text is not an address whose servers can be looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BadAddress {
    #[error("The parameter `address` is missing: /api/discover?address=name@example.org.")]
    Missing,
    #[error("The mail address is too long: it may have {MAX_ADDRESS} bytes.")]
    TooLong,
    #[error("The mail address must look like name@example.org.")]
    Shape,
    #[error("What follows the @ must be a domain such as example.org.")]
    Domain,
}

impl Address {
    /// Takes an address apart; a domain in another script becomes what the DNS knows it by.
    pub(super) fn parse(text: &str) -> Result<Self, BadAddress> {
        if text.len() > MAX_ADDRESS {
            return Err(BadAddress::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::Shape)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;@".contains(c);
        if local.is_empty() || domain.is_empty() || text.contains(char::is_control) {
            return Err(BadAddress::Shape);
        }
        let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
        if !quoted && local.contains(odd) {
            return Err(BadAddress::Shape);
        }
        let ascii = idna::domain_to_ascii(domain).map_err(|_| BadAddress::Domain)?;
        let domain: Host = ascii.parse().map_err(|_| BadAddress::Domain)?;
        match &domain {
            Host::Name(name) if name.contains('.') => {
                Ok(Self { local: local.to_owned(), name: name.clone(), domain })
            }
            _ => Err(BadAddress::Domain),
        }
    }

    /// The whole address.
    pub(super) fn whole(&self) -> String {
        format!("{}@{}", self.local, self.name)
    }

    /// What stands before the `@`.
    pub(super) fn local(&self) -> &str {
        &self.local
    }

    /// What follows it, as the DNS knows it.
    pub(super) fn domain(&self) -> &str {
        &self.name
    }

    /// Whether a host is the address's domain or below it.
    pub(super) fn owns(&self, host: &Host) -> bool {
        match host {
            Host::Name(name) => {
                host == &self.domain
                    || name.strip_suffix(&self.name).is_some_and(|rest| rest.ends_with('.'))
            }
            Host::Address(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        for (text, local, domain) in [
            ("ada@example.org", "ada", "example.org"),
            ("Ada.L+x@Mail.EXAMPLE.org", "Ada.L+x", "mail.example.org"),
            ("\"a b\"@example.org", "\"a b\"", "example.org"),
            ("ada@bücher.example", "ada", "xn--bcher-kva.example"),
            ("ü@example.org", "ü", "example.org"),
        ] {
            let address = Address::parse(text).ok().unwrap();
            assert_eq!((address.local(), address.domain()), (local, domain), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        use BadAddress::{Domain, Shape, TooLong};
        let long = format!("{}@example.org", "a".repeat(MAX_ADDRESS));
        for (text, expected) in [
            ("", Shape),
            ("ada", Shape),
            ("@example.org", Shape),
            ("ada@", Shape),
            ("a b@example.org", Shape),
            ("a@b@example.org", Shape),
            ("<ada@example.org", Shape),
            ("ada\r\n@example.org", Shape),
            ("ada@example.org\0", Shape),
            ("ada@localhost", Domain),
            ("ada@example..org", Domain),
            ("ada@example.org/x", Domain),
            ("ada@example.org:443", Domain),
            ("ada@127.0.0.1", Domain),
            ("ada@[127.0.0.1]", Domain),
            ("ada@0x7f.1", Domain),
            ("ada@::1", Domain),
            (&long, TooLong),
        ] {
            assert_eq!(Address::parse(text).err(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn the_longest_address_is_read_and_one_byte_more_is_not() {
        let local = "a".repeat(MAX_ADDRESS - "@example.org".len());
        assert!(Address::parse(&format!("{local}@example.org")).is_ok());
        assert!(Address::parse(&format!("{local}a@example.org")).is_err());
    }

    #[test]
    fn a_domain_owns_itself_and_what_is_below() {
        let address = Address::parse("ada@example.org").ok().unwrap();
        for (host, owned) in [
            ("example.org", true),
            ("imap.example.org", true),
            ("badexample.org", false),
            ("org", false),
            ("example.org.evil.example", false),
            ("9.9.9.9", false),
        ] {
            assert_eq!(address.owns(&host.parse().unwrap()), owned, "{host}");
        }
    }
}
