//! A conversation with an IMAP server in which whatever the server offers is used, and what each answer
//! must mean. The tests of `tests/servers` have it with real servers, and write down what was said; the
//! replay here has it with what was written down.
//!
//! It is about a user `ada` who has no mail yet.

mod answer;
mod steps;

use std::{array, iter::Flatten};

use answer::Answer;
use postern_imap::{Event, Limits, Output, Response, Session, response::StatusKind};
use steps::{STEPS, Step};

/// Who logs in.
pub(crate) const USER: &str = "ada";

/// With what.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// What is to be done next.
pub(crate) enum Turn {
    /// These bytes are to be sent.
    Say(Vec<u8>),
    /// Another client of the same user has its turn with these commands.
    Elsewhere(&'static [&'static str]),
    /// More of what the server says is to be heard.
    Listen,
    /// All is said.
    Over,
}

/// What later steps need of the answers to earlier ones.
#[derive(Default)]
pub(crate) struct Known {
    /// What the names of the user's own folders begin with.
    prefix: Vec<u8>,
    /// The inbox's UIDVALIDITY.
    uid_validity: u32,
    /// The inbox's HIGHESTMODSEQ when it was opened first; zero where the server has none.
    mod_seq: u64,
}

/// The client's side of it.
pub(crate) struct Conversation {
    session: Session,
    known: Known,
    rest: Flatten<array::IntoIter<&'static [Step], 3>>,
    /// The step before which another client has its turn.
    waiting: Option<&'static Step>,
    /// Whether the server has said its first words.
    is_greeted: bool,
    /// The step that it has not answered yet.
    open: Option<&'static Step>,
    answer: Answer,
}

impl Conversation {
    /// On a fresh connection.
    pub(crate) fn new() -> Self {
        Self {
            session: Session::new(Limits::default()),
            known: Known::default(),
            rest: STEPS.into_iter().flatten(),
            waiting: None,
            is_greeted: false,
            open: None,
            answer: Answer::default(),
        }
    }

    /// Takes bytes from the server.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.session.handle_input(bytes);
    }

    /// What is next. Panics if an answer does not mean what it must.
    pub(crate) fn turn(&mut self) -> Turn {
        loop {
            match self.session.poll_output() {
                Some(Output::Send(bytes)) => return Turn::Say(bytes),
                Some(Output::Event(event)) => self.take(event),
                None if self.open.is_some() || !self.is_greeted => return Turn::Listen,
                None => {
                    let Some(step) = self.next() else { return Turn::Over };
                    if !step.elsewhere.is_empty() && self.waiting.is_none() {
                        self.waiting = Some(step);
                        return Turn::Elsewhere(step.elsewhere);
                    }
                    self.waiting = None;
                    self.open = Some(step);
                    self.session.start((step.command)(&self.known));
                }
            }
        }
    }

    /// The next step for which the server has what it needs.
    fn next(&mut self) -> Option<&'static Step> {
        let offers = |name: &str| self.session.capabilities().is_some_and(|own| own.has(name));
        let is_met = |need: &&str| match need.strip_prefix('!') {
            Some(lacking) => !offers(lacking),
            None => offers(need),
        };
        let has_all = |step: &&Step| step.needs.iter().all(&is_met);
        self.waiting.or_else(|| self.rest.find(has_all))
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Greeting(status) => {
                assert_eq!(status.kind, StatusKind::Ok);
                self.is_greeted = true;
            }
            Event::Response(response) => self.answer.responses.push(response),
            Event::Completed { status, .. } => {
                let step = self.open.take().expect("a step is open");
                assert_eq!(status.kind, StatusKind::Ok, "{}: {status:?}", step.what);
                self.answer.responses.push(Response::Status(status));
                // So that the output of a failure ends with it.
                println!("{}", step.what);
                (step.check)(&mut self.known, &self.answer);
                self.answer.responses.clear();
            }
            Event::Goodbye(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
