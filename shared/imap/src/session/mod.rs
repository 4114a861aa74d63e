//! The session: tags, continuations, capabilities, the upgrade to TLS.

mod outgoing;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, fmt};

use outgoing::{Outgoing, Step};

use crate::{
    Command, Limits, Response,
    command::Effect,
    framer::{Frame, Framer},
    response::{self, Capabilities, Code, Parsed, Status, StatusKind},
    token::Arena,
};
pub use crate::{framer::FramingError, response::Defect};

/// What the session wants next.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Bytes to send.
    Send(Vec<u8>),
    /// Something that happened.
    Event(Event),
}

/// Something that happened.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// The server's first words: OK (log in), PREAUTH (already logged in) or BYE (go away).
    Greeting(Status),
    /// An untagged response.
    Response(Response),
    /// A large literal begins; the response that it belongs to follows when it is complete and
    /// names it by this number.
    LiteralStart {
        /// Its number.
        stream: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// More of a large literal.
    LiteralChunk {
        /// Its number.
        stream: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A large literal is complete.
    LiteralEnd {
        /// Its number.
        stream: u64,
    },
    /// A command has ended.
    Completed {
        /// The tag that [`Session::start`] gave.
        tag: Tag,
        /// How it ended.
        status: Status,
    },
    /// Something was wrong, and the session goes on.
    Defect(Defect),
    /// The session is over; close the connection. Nothing follows.
    Fatal(FatalError),
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FatalError {
    /// The stream is damaged.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The first line is no IMAP greeting.
    #[error("the server does not speak IMAP")]
    NoGreeting,
    /// Bytes arrived between the go-ahead for TLS and the handshake: someone may have put them
    /// there.
    #[error("unprotected bytes arrived behind the go-ahead for TLS")]
    BytesBeforeTls,
    /// The server let us in before it had proven that it knows the password.
    #[error("the server could not prove that it knows the password")]
    Unverified,
}

/// Tells one command from the others.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A{}", self.0)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nothing has come yet.
    Greeting,
    Open,
    /// The server gave its go-ahead for TLS; no byte may come before the handshake.
    Handshake,
    Over,
}

/// An IMAP session. See the crate's text for its use.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    framer: Framer,
    arena: Arena,
    phase: Phase,
    capabilities: Option<Capabilities>,
    /// Whether the server told its capabilities since the last log-in began.
    capabilities_fresh: bool,
    next_tag: u32,
    /// Commands that were not yet sent as a whole; only the first may be sent in part.
    queue: VecDeque<Outgoing>,
    /// Commands that wait for their tagged response.
    in_flight: Vec<InFlight>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct InFlight {
    tag: Tag,
    effect: Finish,
}

/// What the success of a command changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finish {
    Nothing,
    LogIn,
    StartTls,
}

impl Session {
    /// A session on a fresh connection: the server speaks first.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            framer: Framer::new(limits),
            arena: Arena::default(),
            phase: Phase::Greeting,
            capabilities: None,
            capabilities_fresh: false,
            next_tag: 1,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// What the server can do, as far as it told; forgotten when TLS starts, and when a log-in
    /// succeeds without telling it anew.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Gives a command. Several may be given at once; they go out in order, each as soon as the
    /// ones before it permit.
    pub fn start(&mut self, command: Command) -> Tag {
        let tag = Tag(self.next_tag);
        self.next_tag += 1;
        self.queue.push_back(Outgoing::new(tag, command));
        self.send_queued();
        tag
    }

    /// Ends an IDLE: says DONE, as soon as the server has given its go-ahead. Without one it does
    /// nothing.
    pub fn done(&mut self) {
        if let Some(bytes) = self.queue.front_mut().and_then(Outgoing::done) {
            self.outputs.push_back(Output::Send(bytes));
        }
    }

    /// Takes bytes from the server.
    pub fn handle_input(&mut self, mut input: &[u8]) {
        while self.phase != Phase::Over && !(input.is_empty() && self.phase == Phase::Handshake) {
            if self.phase == Phase::Handshake {
                return self.fail(FatalError::BytesBeforeTls);
            }
            match self.framer.next(&mut input) {
                Ok(Some(Frame::Response(raw))) => {
                    let parsed = response::parse(raw, &self.arena, &self.limits);
                    self.arena.clear();
                    self.handle_response(parsed);
                }
                // Before the greeting there can be no literal.
                Ok(Some(_)) if self.phase == Phase::Greeting => {
                    return self.fail(FatalError::NoGreeting);
                }
                Ok(Some(Frame::StreamStart(stream, size))) => {
                    self.emit(Event::LiteralStart { stream, size });
                }
                Ok(Some(Frame::StreamChunk(stream, bytes))) => {
                    let bytes = bytes.to_vec();
                    self.emit(Event::LiteralChunk { stream, bytes });
                }
                Ok(Some(Frame::StreamEnd(stream))) => self.emit(Event::LiteralEnd { stream }),
                Ok(None) => return,
                Err(error) => return self.fail(error.into()),
            }
        }
    }

    /// What the session wants next; to be called until `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The TLS handshake that STARTTLS asked for is done: the session goes on, and forgets what it
    /// was told without protection.
    pub fn tls_started(&mut self) {
        if self.phase == Phase::Handshake {
            self.phase = Phase::Open;
            self.send_queued();
        }
    }

    fn handle_response(&mut self, (parsed, defect): (Parsed, Option<Defect>)) {
        if self.phase == Phase::Greeting {
            return self.handle_greeting(parsed);
        }
        if let Some(defect) = defect {
            self.emit(Event::Defect(defect));
        }
        match parsed {
            Parsed::Untagged(response) => {
                match &response {
                    Response::Capability(capabilities) => {
                        self.learn(capabilities.clone());
                    }
                    Response::Status(status) => self.learn_from(status),
                    _ => {}
                }
                self.emit(Event::Response(response));
            }
            Parsed::Tagged(tag, status) => self.handle_tagged(&tag, status),
            Parsed::Continuation(text) => self.handle_continuation(&text),
        }
    }

    fn handle_greeting(&mut self, parsed: Parsed) {
        match parsed {
            Parsed::Untagged(Response::Status(status))
                if matches!(
                    status.kind,
                    StatusKind::Ok | StatusKind::PreAuth | StatusKind::Bye
                ) =>
            {
                self.phase = Phase::Open;
                self.learn_from(&status);
                self.emit(Event::Greeting(status));
                self.send_queued();
            }
            _ => self.fail(FatalError::NoGreeting),
        }
    }

    fn handle_tagged(&mut self, tag: &[u8], status: Status) {
        let Some(at) = self.in_flight.iter().position(|own| own.tag.to_string().as_bytes() == tag)
        else {
            return self.emit(Event::Defect(Defect::UnknownTag));
        };
        let InFlight { tag, effect } = self.in_flight.remove(at);
        // A refusal in the middle of a command: the rest of it is no longer wanted.
        let rest = self.queue.pop_front_if(|first| first.tag() == tag);
        if status.kind == StatusKind::Ok && rest.is_some_and(|rest| !rest.is_verified()) {
            return self.fail(FatalError::Unverified);
        }
        self.learn_from(&status);
        if status.kind == StatusKind::Ok {
            match effect {
                Finish::Nothing => {}
                Finish::LogIn if self.capabilities_fresh => {}
                Finish::LogIn => self.capabilities = None,
                Finish::StartTls => {
                    self.capabilities = None;
                    self.phase = Phase::Handshake;
                }
            }
        }
        self.emit(Event::Completed { tag, status });
        self.send_queued();
    }

    fn handle_continuation(&mut self, text: &[u8]) {
        match self.queue.front_mut().and_then(|first| first.go_ahead(text)) {
            Some(bytes) => {
                if !bytes.is_empty() {
                    self.outputs.push_back(Output::Send(bytes));
                }
                self.send_queued();
            }
            None => self.emit(Event::Defect(Defect::UnexpectedContinuation)),
        }
    }

    /// Sends what may be sent.
    fn send_queued(&mut self) {
        while self.phase == Phase::Open {
            // What changes the session stands alone: nothing may be pipelined behind it.
            if self.in_flight.iter().any(|command| command.effect != Finish::Nothing)
                && self.queue.front().is_some_and(|first| !first.has_begun())
            {
                return;
            }
            let Some(first) = self.queue.front_mut() else { return };
            if !first.has_begun() {
                if first.finish() != Finish::Nothing {
                    if !self.in_flight.is_empty() {
                        return;
                    }
                    self.capabilities_fresh = false;
                }
                self.in_flight.push(InFlight { tag: first.tag(), effect: first.finish() });
            }
            match first.advance(self.capabilities.as_ref()) {
                Step::Send(bytes) => self.outputs.push_back(Output::Send(bytes)),
                Step::Wait => return,
                Step::Done => {
                    self.queue.pop_front();
                }
            }
        }
    }

    fn learn_from(&mut self, status: &Status) {
        if let Some(Code::Capability(capabilities)) = &status.code {
            self.learn(capabilities.clone());
        }
    }

    fn learn(&mut self, capabilities: Capabilities) {
        self.capabilities = Some(capabilities);
        self.capabilities_fresh = true;
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn fail(&mut self, error: FatalError) {
        self.phase = Phase::Over;
        self.queue.clear();
        self.emit(Event::Fatal(error));
    }
}

impl From<&Effect> for Finish {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::None | Effect::Idle => Self::Nothing,
            Effect::LogIn | Effect::Authenticate(_) => Self::LogIn,
            Effect::StartTls => Self::StartTls,
        }
    }
}
