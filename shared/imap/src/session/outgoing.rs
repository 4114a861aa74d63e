//! A command on its way out: in one go, or in pieces with the server's go-ahead between them.

use std::{collections::VecDeque, fmt};

use postern_sasl::{Mechanism, decode, encode};

use super::{Finish, Tag};
use crate::{
    Command,
    command::{Effect, Part},
    response::Capabilities,
};

/// Larger literals ask first even where the server takes them unasked (RFC 7888 section 4), so that
/// a refusal costs no upload.
const UNASKED_MAX: usize = 64 << 10;

/// What LITERAL- allows unasked (RFC 7888 section 5).
const LITERAL_MINUS_MAX: usize = 4096;

/// What ends an IDLE.
const DONE: &[u8] = b"DONE\r\n";

/// What to do next with a command.
pub(super) enum Step {
    /// Send these bytes, then ask again.
    Send(Vec<u8>),
    /// Wait for the server's go-ahead, or for the command's end.
    Wait,
    /// All is sent.
    Done,
}

/// A command on its way out. `Debug` does not show its bytes.
pub(super) struct Outgoing {
    tag: Tag,
    finish: Finish,
    parts: VecDeque<Part>,
    mechanism: Option<Mechanism>,
    idles: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Fresh,
    /// Parts may be sent.
    Flowing,
    /// The announced literal may be sent at the server's go-ahead.
    LiteralAnnounced(Vec<u8>),
    /// A SASL exchange goes on until the tagged response.
    Exchange,
    /// IDLE goes on until DONE, which may follow the server's go-ahead.
    Idle {
        permitted: bool,
        done: bool,
    },
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("tag", &self.tag).finish_non_exhaustive()
    }
}

impl Outgoing {
    pub(super) fn new(tag: Tag, command: Command) -> Self {
        let finish = Finish::from(&command.effect);
        let idles = matches!(command.effect, Effect::Idle);
        let mechanism = match command.effect {
            Effect::Authenticate(mechanism) => Some(mechanism),
            _ => None,
        };
        Self { tag, finish, parts: command.parts.into(), mechanism, idles, state: State::Fresh }
    }

    pub(super) fn tag(&self) -> Tag {
        self.tag
    }

    pub(super) fn finish(&self) -> Finish {
        self.finish
    }

    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Fresh)
    }

    /// Sends as much as may be sent now.
    pub(super) fn advance(&mut self, capabilities: Option<&Capabilities>) -> Step {
        let mut bytes = match self.state {
            State::Fresh => format!("{} ", self.tag).into_bytes(),
            State::Flowing => Vec::new(),
            State::LiteralAnnounced(_) | State::Exchange | State::Idle { .. } => {
                return Step::Wait;
            }
        };
        if self.parts.is_empty() {
            return Step::Done;
        }
        self.state = State::Flowing;
        let offers = |name| capabilities.is_some_and(|offered| offered.has(name));
        while let Some(part) = self.parts.pop_front() {
            match part {
                Part::Text(text) => bytes.extend(text),
                Part::Literal(literal) => {
                    let unasked = literal.len() <= LITERAL_MINUS_MAX && offers("LITERAL-")
                        || literal.len() <= UNASKED_MAX && offers("LITERAL+");
                    let plus = if unasked { "+" } else { "" };
                    bytes.extend(format!("{{{}{plus}}}\r\n", literal.len()).bytes());
                    if !unasked {
                        self.state = State::LiteralAnnounced(literal);
                        return Step::Send(bytes);
                    }
                    bytes.extend(literal);
                }
            }
        }
        if let Some(mechanism) = &self.mechanism {
            if let Some(response) = mechanism.initial_response().filter(|_| offers("SASL-IR")) {
                // An empty response is not the same as none (RFC 4959 section 3).
                let response = if response.is_empty() { "=".into() } else { encode(response) };
                bytes.extend(format!(" {response}").bytes());
            }
            self.state = State::Exchange;
        }
        if self.idles {
            self.state = State::Idle { permitted: false, done: false };
        }
        bytes.extend(b"\r\n");
        Step::Send(bytes)
    }

    /// Ends an IDLE: what to send now, if anything.
    pub(super) fn done(&mut self) -> Option<Vec<u8>> {
        let State::Idle { permitted, done } = &mut self.state else { return None };
        let first = !std::mem::replace(done, true);
        (*permitted && first).then(|| DONE.to_vec())
    }

    /// Whether the server may say now that it succeeded.
    pub(super) fn is_verified(&self) -> bool {
        self.mechanism.as_ref().is_none_or(Mechanism::is_verified)
    }

    /// Answers the server's go-ahead; empty if there is nothing to say, `None` if nobody waits for
    /// one.
    pub(super) fn go_ahead(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        match std::mem::replace(&mut self.state, State::Flowing) {
            State::LiteralAnnounced(literal) => Some(literal),
            State::Exchange => {
                self.state = State::Exchange;
                let mechanism = self.mechanism.as_mut()?;
                let response = decode(text).and_then(|challenge| mechanism.respond(&challenge));
                // An asterisk ends the exchange; the server then refuses the command.
                let line = response.map_or_else(|_| "*".into(), encode);
                Some(format!("{line}\r\n").into_bytes())
            }
            State::Idle { permitted: false, done } => {
                self.state = State::Idle { permitted: true, done };
                Some(if done { DONE.to_vec() } else { Vec::new() })
            }
            other => {
                self.state = other;
                None
            }
        }
    }
}
