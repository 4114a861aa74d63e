//! A host in its one spelling.
//!
//! Addresses have many spellings (`127.1`, `0x7f.0.0.1`, `2130706433`), and libraries disagree on
//! what they mean. Whatever looks like an address but isn't written as one is not a host here.
//!
//! Names may be written in any script (`bücher.example`, RFC 5890): each label that is not ASCII
//! becomes its A-label. A label that would become plain ASCII is a disguise, such as full-width
//! digits, and not taken; nor are dots of other scripts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use rustls_pki_types::{DnsName, ServerName};

/// The longest name, in bytes (RFC 1035, section 2.3.4), without the last dot.
const MAX_NAME: usize = 253;

/// The longest label, in bytes.
const MAX_LABEL: usize = 63;

/// A host in its one spelling.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Host {
    /// A DNS name: lower case, with A-labels, without a dot at the end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// The text is not a host as it should be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("“{0}” is not the name or address of a mail server.")]
pub struct BadHost(String);

impl Host {
    /// The addresses of a host that needs no look-up: an address, or this machine (RFC 6761,
    /// section 6.3).
    pub(super) fn addresses(&self) -> Option<Vec<IpAddr>> {
        match self {
            Self::Address(ip) => Some(vec![*ip]),
            Self::Name(name) if name == "localhost" || name.ends_with(".localhost") => {
                Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
            }
            Self::Name(_) => None,
        }
    }

    /// The name that the host's certificate must have.
    pub(crate) fn server_name(&self) -> ServerName<'static> {
        match self {
            // Checked when the name was parsed.
            Self::Name(name) => ServerName::DnsName(
                DnsName::try_from(name.clone()).expect("host names are valid DNS names"),
            ),
            Self::Address(ip) => ServerName::IpAddress((*ip).into()),
        }
    }
}

impl FromStr for Host {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let bad = || BadHost::new(text);
        if text.contains(':') {
            // No brackets, no zone: `Ipv6Addr` takes neither.
            return text.parse().map(|ip: Ipv6Addr| Self::Address(ip.into())).map_err(|_| bad());
        }
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(ip.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // A label has at most four bytes for each of its A-label's.
        if name.len() > 4 * MAX_NAME {
            return Err(bad());
        }
        let labels: Option<Vec<_>> = name.split('.').map(a_label).collect();
        let name = labels.ok_or_else(bad)?.join(".");
        let shape = name.len() <= MAX_NAME && name.split('.').all(is_label);
        if !shape || ends_in_number(&name) || DnsName::try_from_str(&name).is_err() {
            return Err(bad());
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(ip) => ip.fmt(f),
        }
    }
}

impl BadHost {
    /// The text shortened and without characters that could disturb a log or a screen.
    pub(super) fn new(text: &str) -> Self {
        let shown = |c: &char| c.is_ascii_graphic() || c.is_alphanumeric();
        Self(text.chars().filter(shown).take(MAX_NAME).collect())
    }
}

/// The label in lower case and ASCII (RFC 5890, section 2.3.2.1; UTS 46).
fn a_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_ascii_lowercase());
    }
    let ascii = Uts46::new().to_ascii(
        label.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Check,
        DnsLength::Verify,
    );
    // Dots of other scripts have become dots.
    let plain = |ascii: &str| ascii.starts_with("xn--") && !ascii.contains('.');
    ascii.ok().filter(|ascii| plain(ascii)).map(Into::into)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether the last label is a number, decimal or hexadecimal: some library would take such a name
/// for an IPv4 address.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_have_one_spelling() {
        for (text, host) in [
            ("imap.example.org", "imap.example.org"),
            ("IMAP.Example.ORG", "imap.example.org"),
            ("imap.example.org.", "imap.example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.Example.", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("почта.рф", "xn--80a1acny.xn--p1ai"),
            ("imap.例え.jp", "imap.xn--r8jz45g.jp"),
            ("straße.example", "xn--strae-oqa.example"),
            ("localhost", "localhost"),
            ("1and1.example", "1and1.example"),
            ("_imaps.example.org", "_imaps.example.org"),
            ("9.9.9.9", "9.9.9.9"),
            ("2620:00fe::0009", "2620:fe::9"),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), host);
        }
    }

    #[test]
    fn odd_spellings_are_refused() {
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "example.org..",
            ".example.org",
            "127.1",
            "127.0.1",
            "0x7f.1",
            "0x7f.0.0.0x1",
            "0x7f000001",
            "0X7F000001",
            "2130706433",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.01",
            "127.0.0.1.",
            "1.2.3.4.5",
            "256.256.256.256",
            "example.0x",
            "[::1]",
            "[::1",
            "::1%lo",
            "fe80::1%25eth0",
            "::1::",
            "127.0.0.1:993",
            "user@example.org",
            "example.org/x",
            "example.org\0",
            "example org",
            " example.org",
            "example.org\r\n",
            "-example.org",
            "example-.org",
            "①②⑦.0.0.1",
            "１２７.0.0.1",
            "127.0.0.１",
            "127。0。0。1",
            "2130706433１",
            "０x7f000001",
            "١٢٧.٠.٠.١",
            "ｌｏｃａｌｈｏｓｔ",
            "local\u{ad}host",
            "loc\u{200b}alhost",
            "localhoﬆ",
            "ⓛocalhost",
            "bü。example",
            "bücher．example",
            "bü\u{200d}cher.example",
            "\u{202e}example.org",
            "bü cher.example",
            "-bü.example",
            "bü/x.example",
            "a..bü",
            "127%2e0%2e0%2e1",
            "example%2eorg",
            "%31%32%37.0.0.1",
            "127.0.0.1%00",
            "0177.0x0.0.1",
            "00000177.0.0.1",
            "0x.example.0x0",
            "127.0.0.0x1",
            "127.0.0.1..",
            "1.2.3",
            "0",
            "4294967295",
            "[127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "::ffff:127.1",
            "::ffff:0x7f.0.0.1",
            "::1.",
            "::1/128",
            ":::1",
            "::1%1",
            "example.org:993",
            "imaps://example.org",
            "*.example.org",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_longest_names_are_read_and_one_byte_more_is_not() {
        let label = "a".repeat(MAX_LABEL);
        assert!(label.parse::<Host>().is_ok());
        assert!(format!("{label}a").parse::<Host>().is_err());
        let name = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(name.len(), MAX_NAME);
        assert!(name.parse::<Host>().is_ok());
        assert!(format!("{name}.").parse::<Host>().is_ok());
        assert!(format!("{name}a").parse::<Host>().is_err());
    }

    #[test]
    fn every_host_is_a_name_for_certificates() {
        for text in
            ["imap.example.org", "_imaps.example.org", "9.9.9.9", "::1", "localhost", "a-b.c"]
        {
            let _ = text.parse::<Host>().unwrap().server_name();
        }
    }
}
