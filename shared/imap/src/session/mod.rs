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
mod receive;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

pub use event::{Event, FatalError, FeedError, Output, Tag};
use input::Input;
pub use mailbox::Contradiction;
use mailbox::SelectedMailbox;
use outgoing::{Outgoing, Step};

use crate::{
    Command, Limits,
    command::Effect,
    compression::Compression,
    framer::Framer,
    quirks::{Quirk, Quirks},
    response::Capabilities,
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
    /// Responses since a command ended: untagged ones, go-aheads, answers to commands that were not
    /// given.
    untagged: u64,
    /// Bytes of responses and of streamed literals that were read.
    taken: u64,
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
            taken: 0,
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

    /// How many messages the selected mailbox has, as far as the server told up to the event that was
    /// taken last; `None` before it tells.
    pub fn exists(&self) -> Option<u32> {
        self.mailbox.exists()
    }

    /// How many bytes the server has said, as far as they were read for the event that was taken last:
    /// what grew from one event to the next is what that was made from. Line ends do not count.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// What the server does otherwise than others, as far as it has shown.
    pub fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Takes note of a quirk that shows only to who gives the commands.
    pub fn note_quirk(&mut self, quirk: Quirk) {
        self.quirks.add(quirk);
    }

    /// Whether commands were given that have not ended yet.
    pub fn is_busy(&self) -> bool {
        !(self.queue.is_empty() && self.in_flight.is_empty())
    }

    /// The names of the commands that the server works on: those that were begun to be sent, and
    /// have not ended.
    pub fn under_way(&self) -> impl Iterator<Item = &'static str> {
        self.in_flight.iter().map(|own| own.name)
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
