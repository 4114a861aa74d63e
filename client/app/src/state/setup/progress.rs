//! What the form waits for, and what came of it.

use postern_bridge::{AccountDraft, Problem, ProblemKind, RefusedCertificate, TestReport};

use super::Field;

/// What the form waits for and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// The request of a test that runs.
    pub(crate) testing: Option<u32>,
    /// The request that adds an account.
    pub(crate) adding: Option<u32>,
    /// What the last test or addition said.
    pub(crate) outcome: Option<Outcome>,
    /// The certificate that it failed for, and whether it was an addition.
    pub(crate) refused: Option<(Box<RefusedCertificate>, bool)>,
    /// The incoming and the outgoing host that were tried.
    pub(crate) hosts: (String, String),
}

/// What a test or an addition said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The settings work.
    Works(TestReport),
    /// They do not; the field to look at, if one is known.
    Fails(Option<Field>, String),
}

impl Progress {
    /// What is known before anything was asked about these settings.
    pub(crate) fn about(draft: &AccountDraft) -> Self {
        let hosts = (draft.incoming.endpoint.host.clone(), draft.outgoing.endpoint.host.clone());
        Self { hosts, ..Self::default() }
    }

    /// Whether an answer is awaited.
    pub(crate) fn is_busy(&self) -> bool {
        self.testing.is_some() || self.adding.is_some()
    }

    /// Notes that a field has to be mended before anything is asked.
    pub(crate) fn reject(&mut self, field: Field, sentence: &str) {
        self.outcome = Some(Outcome::Fails(Some(field), sentence.to_owned()));
    }

    /// Notes something that is about no field.
    pub(crate) fn tell(&mut self, sentence: &str) {
        self.outcome = Some(Outcome::Fails(None, sentence.to_owned()));
    }

    /// Takes over what a test found; an older test's answer is ignored.
    pub(crate) fn tested(&mut self, request: u32, result: Result<TestReport, Problem>) {
        if self.testing == Some(request) {
            self.testing = None;
            self.outcome = Some(match result {
                Ok(report) => Outcome::Works(report),
                Err(problem) => self.failure(problem, false),
            });
        }
    }

    /// Takes over that an account could not be added; an older request's answer is ignored.
    pub(crate) fn add_failed(&mut self, request: u32, problem: Problem) {
        if self.adding == Some(request) {
            self.adding = None;
            self.outcome = Some(self.failure(problem, true));
        }
    }

    fn failure(&mut self, problem: Problem, adding: bool) -> Outcome {
        self.refused = problem.certificate.map(|refused| (refused, adding));
        let field = match problem.kind {
            ProblemKind::Unreachable
            | ProblemKind::NotAllowed
            | ProblemKind::Certificate
            | ProblemKind::Server => self.server_in(&problem.sentence),
            ProblemKind::Login => Some(Field::Password),
            ProblemKind::Offline
            | ProblemKind::AccessKey
            | ProblemKind::Storage
            | ProblemKind::Input
            | ProblemKind::Gone => None,
        };
        Outcome::Fails(field, problem.sentence)
    }

    /// The server that a sentence names, unless it could be either.
    fn server_in(&self, sentence: &str) -> Option<Field> {
        let (incoming, outgoing) = &self.hosts;
        match (names(sentence, incoming), names(sentence, outgoing)) {
            (true, false) => Some(Field::IncomingHost),
            (false, true) => Some(Field::OutgoingHost),
            _ => None,
        }
    }
}

/// Whether a sentence has the host's whole name in it, and not only as the end of a longer one.
fn names(sentence: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    sentence
        .to_ascii_lowercase()
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-'))
        .any(|word| !host.is_empty() && word.trim_end_matches('.') == host)
}

#[cfg(test)]
mod tests {
    use super::{super::Form, *};

    #[test]
    fn a_problem_points_to_the_server_that_its_sentence_names() {
        let blamed = |incoming: &str, outgoing: &str, sentence: &str| {
            let mut form = Form::default();
            form.set_address("ada@example.org".into());
            form.password = "secret".into();
            form.incoming.host = Some(incoming.into());
            form.outgoing.host = Some(outgoing.into());
            let draft = form.draft().unwrap();
            let mut progress = Progress { testing: Some(1), ..Progress::about(&draft) };
            let kind = ProblemKind::Unreachable;
            progress.tested(1, Err(Problem::new(kind, sentence)));
            match progress.outcome {
                Some(Outcome::Fails(field, _)) => field,
                other => panic!("{other:?}"),
            }
        };
        let (imap, smtp) = ("imap.example.org", "SMTP.example.org");
        for (incoming, outgoing, sentence, expected) in [
            (imap, smtp, "No answer from imap.example.org.", Some(Field::IncomingHost)),
            (imap, smtp, "smtp.example.org:465 refused.", Some(Field::OutgoingHost)),
            (imap, smtp, "Nobody answered.", None),
            (imap, imap, "No answer from imap.example.org.", None),
            ("example.org", smtp, "No answer from smtp.example.org.", Some(Field::OutgoingHost)),
        ] {
            assert_eq!(blamed(incoming, outgoing, sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn an_older_tests_answer_is_ignored() {
        let mut progress = Progress { testing: Some(2), ..Progress::default() };
        let problem = Problem::new(ProblemKind::Login, "Wrong.");
        progress.tested(1, Err(problem.clone()));
        assert!(progress.is_busy());
        progress.tested(2, Err(problem));
        assert_eq!(progress.outcome, Some(Outcome::Fails(Some(Field::Password), "Wrong.".into())));
    }
}
