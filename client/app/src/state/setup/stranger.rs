//! Hosts that are not under the address's domain.

use postern_bridge::{Candidate, Source};

/// A host that would get the password though it is not under the address's domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stranger {
    /// The host.
    pub(crate) host: String,
    /// Who names it.
    pub(crate) source: Source,
}

impl Stranger {
    /// Those among some servers, each host once. `domain` is the address's, in lower case.
    pub(super) fn among<'a>(
        servers: impl Iterator<Item = &'a Candidate>,
        domain: &str,
    ) -> Vec<Self> {
        let mut strangers: Vec<Self> = Vec::new();
        for server in servers {
            let known = strangers.iter().any(|stranger| stranger.host == server.host);
            if !known && !is_under(&server.host, domain) {
                strangers.push(Self { host: server.host.clone(), source: server.source.clone() });
            }
        }
        strangers
    }
}

/// Whether a host is a domain or below it.
fn is_under(host: &str, domain: &str) -> bool {
    let host = host.to_lowercase();
    let below =
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !domain.is_empty() && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_under_a_domain_by_whole_labels() {
        for (host, under) in [
            ("example.org", true),
            ("imap.example.org", true),
            ("IMAP.Example.org", true),
            ("badexample.org", false),
            ("example.org.evil.example", false),
            ("org", false),
            ("9.9.9.9", false),
            ("", false),
        ] {
            assert_eq!(is_under(host, "example.org"), under, "{host}");
        }
        assert!(!is_under("example.org", ""));
    }
}
