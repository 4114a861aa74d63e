//! The best first.

use postern_bridge::{Candidate, Protection, Service, Source};

use crate::limits::CANDIDATES;

/// Orders candidates, drops what is named twice, and leaves a few of each service.
///
/// A server that has answered goes before one that has not, one that takes passwords before one that
/// does not; then counts who names it, and then TLS from the first byte (RFC 8314, section 3).
pub(super) fn rank(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|candidate| {
        (
            service(candidate.service),
            candidate.offers.is_none(),
            candidate.refuses_passwords(),
            source(&candidate.source),
            candidate.protection != Protection::Tls,
        )
    });
    let mut best: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let same = |other: &&Candidate| other.service == candidate.service;
        let known = best.iter().any(|other| place(other) == place(&candidate));
        if !known && best.iter().filter(same).count() < CANDIDATES {
            best.push(candidate);
        }
    }
    best
}

/// Whether mail can be received and sent with servers that have answered.
pub(super) fn is_complete(candidates: &[Candidate]) -> bool {
    let answered = |service| answers(candidates, service);
    (answered(Service::Imap) || answered(Service::Pop3)) && answered(Service::Submission)
}

/// Whether a server for this service has answered.
pub(super) fn answers(candidates: &[Candidate], service: Service) -> bool {
    candidates.iter().any(|candidate| candidate.service == service && candidate.offers.is_some())
}

fn place(candidate: &Candidate) -> (Service, &str, u16, Protection) {
    (candidate.service, &candidate.host, candidate.port, candidate.protection)
}

fn service(service: Service) -> u8 {
    match service {
        Service::Imap => 0,
        Service::Pop3 => 1,
        Service::Submission => 2,
    }
}

fn source(source: &Source) -> u8 {
    match source {
        Source::Proxy => 0,
        Source::Autoconfig => 1,
        Source::Dns => 2,
        Source::Provider(_) => 3,
        Source::Probe => 4,
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Authentication, UserName};

    use super::*;

    fn candidate(host: &str, source: Source) -> Candidate {
        Candidate {
            service: Service::Imap,
            host: host.into(),
            port: 993,
            protection: Protection::Tls,
            username: UserName::Address,
            authentication: Vec::new(),
            source,
            offers: Some(Vec::new()),
        }
    }

    fn hosts(candidates: Vec<Candidate>) -> Vec<String> {
        rank(candidates).into_iter().map(|candidate| candidate.host).collect()
    }

    #[test]
    fn what_answers_goes_first_then_who_names_it_then_tls() {
        let silent = Candidate { offers: None, ..candidate("silent", Source::Autoconfig) };
        let token = Candidate {
            authentication: vec![Authentication::OAuth2],
            ..candidate("token", Source::Autoconfig)
        };
        let later =
            Candidate { protection: Protection::StartTls, ..candidate("later", Source::Dns) };
        let given = vec![
            silent,
            token,
            candidate("guessed", Source::Probe),
            candidate("hosted", Source::Provider("example.net".into())),
            later,
            candidate("named", Source::Dns),
        ];
        let given = [given, vec![candidate("published", Source::Autoconfig)]].concat();
        assert_eq!(hosts(given[2..].to_vec()), ["published", "named", "later", "hosted"]);
        assert_eq!(hosts(given[..3].to_vec()), ["guessed", "token", "silent"]);
    }

    #[test]
    fn services_keep_together_and_nothing_is_there_twice() {
        let mut sending = candidate("a", Source::Dns);
        sending.service = Service::Submission;
        let twice = [candidate("a", Source::Probe), candidate("a", Source::Dns)];
        let ranked = rank(vec![sending.clone(), twice[0].clone(), twice[1].clone()]);
        assert_eq!(ranked, [twice[1].clone(), sending]);
    }

    #[test]
    fn a_service_has_so_many_candidates_and_no_more() {
        let names = (0..=CANDIDATES).map(|number| candidate(&number.to_string(), Source::Dns));
        assert_eq!(rank(names.collect()).len(), CANDIDATES);
    }

    #[test]
    fn receiving_and_sending_is_complete() {
        let of = |service| Candidate { service, ..candidate("a", Source::Dns) };
        let silent = Candidate { offers: None, ..of(Service::Submission) };
        assert!(is_complete(&[of(Service::Pop3), of(Service::Submission)]));
        assert!(is_complete(&[of(Service::Imap), of(Service::Submission)]));
        assert!(!is_complete(&[of(Service::Imap), of(Service::Pop3)]));
        assert!(!is_complete(&[of(Service::Imap), silent]));
    }
}
