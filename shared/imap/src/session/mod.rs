//! The session: tags, pipelining, continuations, capabilities, TLS, compression.
//!
//! Commands go out in the order in which they are given, each as soon as those before it permit.
//! What a server sends before TLS is forgotten when TLS starts; what it sends between its go-ahead
//! and the handshake ends the session.

mod event;
mod input;
mod mailbox;
mod outgoing;
mod pipeline;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

pub use event::{Event, FatalError, FeedError, Output, Tag};
use input::Input;
pub use mailbox::Contradiction;
use mailbox::SelectedMailbox;
use outgoing::{Outgoing, Reply, Step};

use crate::{
    Command, Limits, Response,
    command::Effect,
    compression::Compression,
    framer::{Frame, Framer},
    quirks::Quirks,
    response::{self, Capabilities, Code, Parsed, Status, StatusKind, TokenDefect},
    token::Arena,
};
pub use crate::{compression::CompressionError, framer::FramingError, response::Defect};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nothing has come yet.
    Greeting,
    Open,
    /// The server gave its go-ahead for TLS; no byte may come before the handshake.
    Handshake,
    /// The server has said goodbye; nothing is sent any more.
    Leaving,
    Over,
}

/// An IMAP session. See the crate's text for its use.
#[derive(Debug)]
pub struct Session {
    limits: Limits,
    input: Input,
    framer: Framer,
    arena: Arena,
    compression: Option<Compression>,
    phase: Phase,
    /// Whether TLS must start before anybody is logged in.
    requires_tls: bool,
    capabilities: Option<Capabilities>,
    /// Whether the server told its capabilities since the last log-in began.
    capabilities_fresh: bool,
    /// The extensions that the server has enabled, in upper case.
    enabled: BTreeSet<String>,
    mailbox: SelectedMailbox,
    quirks: Quirks,
    next_tag: u32,
    /// Commands that were not yet sent as a whole; only the first may be sent in part.
    queue: VecDeque<Outgoing>,
    /// Commands that wait for their tagged response.
    in_flight: Vec<InFlight>,
    /// Untagged responses since a command ended.
    untagged: u64,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct InFlight {
    tag: Tag,
    name: &'static str,
    effect: Finish,
}

/// What the success of a command changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finish {
    Nothing,
    LogIn,
    StartTls,
    Compress,
}

impl Session {
    /// A session on a fresh connection: the server speaks first.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            input: Input::default(),
            framer: Framer::new(limits),
            arena: Arena::default(),
            compression: None,
            phase: Phase::Greeting,
            requires_tls: false,
            capabilities: None,
            capabilities_fresh: false,
            enabled: BTreeSet::new(),
            mailbox: SelectedMailbox::default(),
            quirks: Quirks::default(),
            next_tag: 1,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            untagged: 0,
            outputs: VecDeque::new(),
        }
    }

    /// The same on a connection that must be turned over to TLS by STARTTLS: a server that greets
    /// with PREAUTH, which leaves no room for that, ends the session.
    pub fn requiring_tls(limits: Limits) -> Self {
        Self { requires_tls: true, ..Self::new(limits) }
    }

    /// What the server can do, as far as it told; forgotten when TLS starts, and when a log-in
    /// succeeds without telling it anew.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Whether the server has enabled an extension, such as `"QRESYNC"` or `"UTF8=ACCEPT"`
    /// (RFC 5161).
    pub fn is_enabled(&self, extension: &str) -> bool {
        self.enabled.contains(&extension.to_ascii_uppercase())
    }

    /// What the server does otherwise than others, as far as it has shown.
    pub fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Gives a command. Several may be given at once; they go out in order, each as soon as the
    /// ones before it permit.
    pub fn start(&mut self, command: Command) -> Tag {
        // What the server said before it knew of the command does not answer it.
        while self.read() {}
        let tag = Tag(self.next_tag);
        self.next_tag += 1;
        self.queue.push_back(Outgoing::new(tag, command));
        self.send_queued();
        tag
    }

    /// Gives the next piece of a message that is sent in pieces, as
    /// [`Event::ContentWanted`] asks for; as long as one likes, up to what is missing. Nothing of a
    /// piece that is refused is sent.
    ///
    /// # Errors
    ///
    /// [`FeedError`] if the piece can't be sent.
    pub fn feed(&mut self, tag: Tag, piece: &[u8]) -> Result<(), FeedError> {
        let first = self.queue.front_mut().filter(|first| first.tag() == tag);
        first.ok_or(FeedError::NotWanted)?.feed(piece)?;
        if !piece.is_empty() {
            self.send(piece.to_vec());
        }
        self.send_queued();
        Ok(())
    }

    /// Ends an IDLE: says DONE, as soon as the server has given its go-ahead. Without one it does
    /// nothing.
    pub fn done(&mut self) {
        if let Some(bytes) = self.queue.front_mut().and_then(Outgoing::done) {
            self.send(bytes);
        }
    }

    /// Takes bytes from the server. They are read as the outputs are taken, so that no more is held
    /// of what they say than of themselves.
    pub fn handle_input(&mut self, input: &[u8]) {
        match &mut self.compression {
            _ if self.phase == Phase::Over => {}
            Some(compression) => compression.receive(input),
            None => self.input.add(input),
        }
    }

    /// What the session wants next; to be called until `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        loop {
            while self.outputs.is_empty() && self.read() {}
            if !self.outputs.is_empty() || self.phase == Phase::Over {
                return self.outputs.pop_front();
            }
            match self.compression.as_mut()?.inflate(self.input.refill()) {
                Ok(()) if self.input.rest().is_empty() => return None,
                Ok(()) => {}
                Err(error) => self.fail(error.into()),
            }
        }
    }

    /// The TLS handshake that STARTTLS asked for is done: the session goes on, and forgets what it
    /// was told without protection.
    pub fn tls_started(&mut self) {
        if self.phase != Phase::Handshake {
            return;
        }
        if !self.input.rest().is_empty() {
            return self.fail(FatalError::BytesBeforeTls);
        }
        self.phase = Phase::Open;
        self.send_queued();
    }

    /// Reads the next frame of what has come; says whether there was one.
    fn read(&mut self) -> bool {
        let mut input = std::mem::take(&mut self.input);
        let mut rest = input.rest();
        let found = self.phase != Phase::Over && self.read_frame(&mut rest);
        let rest = rest.len();
        input.keep(rest);
        self.input = input;
        found
    }

    fn read_frame(&mut self, rest: &mut &[u8]) -> bool {
        if self.phase == Phase::Handshake {
            if !rest.is_empty() {
                self.fail(FatalError::BytesBeforeTls);
            }
            return false;
        }
        match self.framer.next(rest) {
            Ok(Some(Frame::Response(raw))) => {
                let (parsed, defect) = response::parse(raw, &self.arena, &self.limits);
                let balanced = defect != Some(Defect::Tokens(TokenDefect::Unbalanced));
                // What was taken for its end was in the middle of a literal, or the other way
                // round: what follows may be anything, such as a message that looks like
                // responses.
                let misread = raw.has_literals() && !balanced;
                self.arena.clear();
                if misread {
                    self.fail(FramingError::WrongLiteralSize.into());
                    return true;
                }
                let was_compressed = self.compression.is_some();
                self.handle_response(parsed, defect);
                // The server compresses from the byte behind its OK.
                if let Some(compression) = self.compression.as_mut().filter(|_| !was_compressed) {
                    compression.receive(std::mem::take(rest));
                }
            }
            // Before the greeting there can be no literal.
            Ok(Some(_)) if self.phase == Phase::Greeting => self.fail(FatalError::NoGreeting),
            Ok(Some(Frame::StreamStart(stream, size))) => {
                self.emit(Event::LiteralStart { stream, size });
            }
            Ok(Some(Frame::StreamChunk(stream, bytes))) => {
                let bytes = bytes.to_vec();
                self.emit(Event::LiteralChunk { stream, bytes });
            }
            Ok(Some(Frame::StreamEnd(stream))) => self.emit(Event::LiteralEnd { stream }),
            Ok(None) => return false,
            Err(error) => self.fail(error.into()),
        }
        true
    }

    fn handle_response(&mut self, parsed: Parsed, defect: Option<Defect>) {
        if self.phase == Phase::Greeting {
            return self.handle_greeting(parsed);
        }
        if let Some(defect) = defect {
            self.emit(Event::Defect(defect));
        }
        match parsed {
            Parsed::Untagged(response) => self.handle_untagged(response),
            Parsed::Tagged(tag, status) => self.handle_tagged(&tag, status),
            Parsed::Continuation(text) => self.handle_continuation(&text),
        }
    }

    fn handle_greeting(&mut self, parsed: Parsed) {
        let Parsed::Untagged(Response::Status(status)) = parsed else {
            return self.fail(FatalError::NoGreeting);
        };
        match status.kind {
            StatusKind::Ok | StatusKind::Bye => {}
            StatusKind::PreAuth if self.requires_tls => {
                return self.fail(FatalError::PreAuthBeforeTls);
            }
            StatusKind::PreAuth => {}
            StatusKind::No | StatusKind::Bad => return self.fail(FatalError::NoGreeting),
        }
        self.phase = match status.kind {
            StatusKind::Bye => Phase::Leaving,
            _ => Phase::Open,
        };
        self.quirks.learn_from_greeting(&status.text);
        self.learn_from(&status);
        self.emit(Event::Greeting(status));
        self.send_queued();
    }

    fn handle_untagged(&mut self, response: Response) {
        self.untagged += 1;
        let limit =
            if self.in_flight.is_empty() { self.limits.unasked } else { self.limits.untagged };
        if self.untagged > limit {
            return self.fail(FatalError::Flood);
        }
        match &response {
            Response::Capability(capabilities) => self.learn(capabilities.clone()),
            Response::Enabled(names) => {
                let names = names.iter().map(|name| name.to_ascii_uppercase());
                self.enabled.extend(names.take(self.limits.capabilities));
            }
            Response::Id(fields) => self.quirks.learn_from_id(fields),
            Response::Status(status) => {
                self.learn_from(status);
                let asked = self.in_flight.iter().any(|command| command.name == "LOGOUT");
                if status.kind == StatusKind::Bye && !asked {
                    self.phase = Phase::Leaving;
                    self.emit(Event::Goodbye(status.clone()));
                    return;
                }
            }
            _ => {}
        }
        let (contradiction, response) = self.mailbox.observe(response);
        self.outputs.extend(contradiction.map(|found| Output::Event(found.into())));
        self.outputs.extend(response.map(|response| Output::Event(Event::Response(response))));
    }

    fn handle_tagged(&mut self, tag: &[u8], status: Status) {
        let Some(at) = self.in_flight.iter().position(|own| own.tag.is(tag)) else {
            return self.emit(Event::Defect(Defect::UnknownTag));
        };
        let InFlight { tag, name, effect } = self.in_flight.remove(at);
        self.untagged = 0;
        // A refusal in the middle of a command: the rest of it is no longer wanted, apart from
        // what was announced.
        if let Some(first) = self.queue.front_mut().filter(|first| first.tag() == tag) {
            if status.kind == StatusKind::Ok && !first.is_verified() {
                return self.fail(FatalError::Unverified);
            }
            self.quirks.learn_from_early_end(name, &status, first.is_idling());
            if !first.cut_short() {
                self.queue.pop_front();
            }
        }
        self.learn_from(&status);
        if status.kind == StatusKind::Ok {
            self.finish(effect);
        } else {
            self.quirks.learn_from_refusal(&status.text);
        }
        self.emit(Event::Completed { tag, status });
        self.send_queued();
    }

    fn finish(&mut self, effect: Finish) {
        match effect {
            Finish::Nothing => {}
            Finish::LogIn if self.capabilities_fresh => {}
            Finish::LogIn => self.capabilities = None,
            Finish::StartTls => {
                self.capabilities = None;
                self.enabled.clear();
                self.quirks = Quirks::default();
                self.mailbox.forget();
                self.phase = Phase::Handshake;
            }
            Finish::Compress => {
                self.compression.get_or_insert_with(Compression::new);
            }
        }
    }

    fn handle_continuation(&mut self, text: &[u8]) {
        match self.queue.front_mut().and_then(|first| first.go_ahead(text)) {
            Some(Reply::Send(bytes)) => self.send(bytes),
            Some(Reply::Proceed) => {}
            Some(Reply::Idle) => {
                self.emit(Event::Idling { renew_within: self.quirks.idle_renewal() });
            }
            None => return self.emit(Event::Defect(Defect::UnexpectedContinuation)),
        }
        self.send_queued();
    }

    /// Sends what may be sent.
    fn send_queued(&mut self) {
        while self.phase == Phase::Open {
            let Some(first) = self.queue.front_mut() else { return };
            if !first.has_begun() {
                let name = first.name();
                if !self.in_flight.iter().all(|other| pipeline::may_join(name, other.name)) {
                    return;
                }
                match (first.finish(), name) {
                    (Finish::LogIn, _) => self.capabilities_fresh = false,
                    (_, "SELECT" | "EXAMINE" | "CLOSE" | "UNSELECT") => self.mailbox.forget(),
                    _ => {}
                }
                let effect = first.finish();
                self.in_flight.push(InFlight { tag: first.tag(), name, effect });
            }
            match first.advance(self.capabilities.as_ref()) {
                Step::Send(bytes) => self.send(bytes),
                Step::Want(rest) => {
                    let tag = first.tag();
                    return self.emit(Event::ContentWanted { tag, rest });
                }
                Step::Wait => return,
                Step::Done => {
                    self.queue.pop_front();
                }
            }
        }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let bytes = match &mut self.compression {
            Some(compression) => compression.deflate(&bytes),
            None => bytes,
        };
        self.outputs.push_back(Output::Send(bytes));
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
        self.compression = None;
        self.emit(Event::Fatal(error));
    }
}

impl From<&Effect> for Finish {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::None | Effect::Idle => Self::Nothing,
            Effect::LogIn | Effect::Authenticate(_) => Self::LogIn,
            Effect::StartTls => Self::StartTls,
            Effect::Compress => Self::Compress,
        }
    }
}
