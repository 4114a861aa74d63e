//! The steps of setting up an account.

use postern_bridge::{Discovery, Problem, Service};

/// Where the person is in setting up an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Step {
    /// Address and password; and what was in the way of looking the settings up, if it was tried.
    #[default]
    Start,
    /// The same, after it could not be looked for settings.
    Again(Problem),
    /// It is looked for settings; the request's number.
    Looking(u32),
    /// Settings were found.
    Found,
    /// All settings by hand, and why.
    ByHand(Trouble),
}

/// Why settings are entered by hand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// The person wants it so.
    None,
    /// No server was found that mail comes from.
    NothingFound,
    /// No server was found that mail is sent through; the other one was.
    NoOutgoing,
    /// No server was found that mail comes from; one to send through was.
    NoIncoming,
}

impl Step {
    /// Whether nothing was looked for yet.
    pub(crate) fn is_first(&self) -> bool {
        matches!(self, Self::Start | Self::Again(_))
    }

    /// Takes over the answer to a request; what was found, unless nobody waits for it any more.
    #[must_use]
    pub(crate) fn answered(
        &mut self,
        request: u32,
        result: Result<Discovery, Problem>,
    ) -> Option<Discovery> {
        if *self != Self::Looking(request) {
            return None;
        }
        match result {
            Ok(found) => {
                *self = match trouble(&found) {
                    Trouble::None => Self::Found,
                    trouble => Self::ByHand(trouble),
                };
                Some(found)
            }
            Err(problem) => {
                *self = Self::Again(problem);
                None
            }
        }
    }
}

fn trouble(found: &Discovery) -> Trouble {
    let has = |service| found.best(service).is_some();
    let incoming = has(Service::Imap) || has(Service::Pop3);
    match (incoming, has(Service::Submission)) {
        (true, true) => Trouble::None,
        (true, false) => Trouble::NoOutgoing,
        (false, true) => Trouble::NoIncoming,
        (false, false) => Trouble::NothingFound,
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Candidate, ProblemKind, Protection, Source, UserName};

    use super::*;

    fn found(services: &[Service]) -> Discovery {
        let candidate = |service: &Service| Candidate {
            service: *service,
            host: "mail.example.org".into(),
            port: 993,
            protection: Protection::Tls,
            username: UserName::Address,
            authentication: Vec::new(),
            source: Source::Dns,
            offers: None,
        };
        Discovery { candidates: services.iter().map(candidate).collect() }
    }

    #[test]
    fn what_was_found_decides_the_next_step() {
        use Service::{Imap, Pop3, Submission};
        for (services, expected) in [
            (&[Imap, Submission][..], Step::Found),
            (&[Pop3, Submission], Step::Found),
            (&[Imap, Pop3], Step::ByHand(Trouble::NoOutgoing)),
            (&[Submission], Step::ByHand(Trouble::NoIncoming)),
            (&[], Step::ByHand(Trouble::NothingFound)),
        ] {
            let mut step = Step::Looking(1);
            assert_eq!(step.answered(1, Ok(found(services))), Some(found(services)));
            assert_eq!(step, expected);
        }
    }

    #[test]
    fn a_problem_leads_back_to_the_start() {
        let problem = Problem::new(ProblemKind::Offline, "Away.");
        let mut step = Step::Looking(1);
        assert_eq!(step.answered(1, Err(problem.clone())), None);
        assert_eq!(step, Step::Again(problem));
    }

    #[test]
    fn an_answer_that_nobody_waits_for_changes_nothing() {
        for step in [Step::Start, Step::Looking(2), Step::ByHand(Trouble::None), Step::Found] {
            let mut later = step.clone();
            assert_eq!(later.answered(1, Ok(found(&[Service::Imap]))), None);
            assert_eq!(later, step);
        }
    }
}
