//! Usual names and ports of mail servers, for domains that publish nothing.

use postern_bridge::{Candidate, Protection, Service, Source, UserName};

/// What usually stands before the domain; nothing is the domain itself.
const NAMES: [(Service, &[&str]); 3] = [
    (Service::Imap, &["imap.", "mail.", ""]),
    (Service::Pop3, &["pop.", "pop3.", "mail.", ""]),
    (Service::Submission, &["smtp.", "mail.", ""]),
];

/// The places where a domain's server for a service would usually be, with this protection.
pub(super) fn guesses(
    domain: &str,
    service: Service,
    protection: Protection,
) -> impl Iterator<Item = Candidate> {
    let names = NAMES.iter().find(|(of, _)| *of == service).map_or(&[][..], |(_, names)| names);
    names.iter().map(move |name| Candidate {
        service,
        host: format!("{name}{domain}"),
        port: port(service, protection),
        protection,
        username: UserName::Address,
        authentication: Vec::new(),
        source: Source::Probe,
        offers: None,
    })
}

/// The standard port (RFC 8314, RFC 9051, RFC 1939, RFC 6409).
fn port(service: Service, protection: Protection) -> u16 {
    match (service, protection) {
        (Service::Imap, Protection::Tls) => 993,
        (Service::Imap, Protection::StartTls) => 143,
        (Service::Pop3, Protection::Tls) => 995,
        (Service::Pop3, Protection::StartTls) => 110,
        (Service::Submission, Protection::Tls) => 465,
        (Service::Submission, Protection::StartTls) => 587,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_names_come_first_and_the_domain_last() {
        let places = |service, protection| -> Vec<_> {
            let guesses = guesses("example.org", service, protection);
            guesses.map(|guess| format!("{}:{}", guess.host, guess.port)).collect()
        };
        assert_eq!(
            places(Service::Imap, Protection::Tls),
            ["imap.example.org:993", "mail.example.org:993", "example.org:993"]
        );
        assert_eq!(
            places(Service::Pop3, Protection::StartTls),
            [
                "pop.example.org:110",
                "pop3.example.org:110",
                "mail.example.org:110",
                "example.org:110"
            ]
        );
        assert_eq!(
            places(Service::Submission, Protection::Tls),
            ["smtp.example.org:465", "mail.example.org:465", "example.org:465"]
        );
    }
}
