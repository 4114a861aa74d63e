//! A command on its way out: in one go, or in pieces with the server's go-ahead between them.

use std::{collections::VecDeque, fmt};

use postern_sasl::{Mechanism, encode};

use super::{FeedError, Finish, Tag};
use crate::{
    Command,
    command::{Effect, Part},
    response::Capabilities,
};

/// Larger literals ask first even where the server takes them unasked (RFC 7888 section 4), so that
/// a refusal costs no upload.
const UNASKED_MAX: u64 = 64 << 10;

/// What LITERAL- allows unasked (RFC 7888 section 5).
const LITERAL_MINUS_MAX: u64 = 4096;

/// What ends an IDLE.
const DONE: &[u8] = b"DONE\r\n";

/// What to do next with a command.
pub(super) enum Step {
    /// Send these bytes, then ask again.
    Send(Vec<u8>),
    /// Ask for more of a message, of which so many bytes are missing.
    Want(u64),
    /// Wait for the server's go-ahead, for more of a message, or for the command's end.
    Wait,
    /// All is sent.
    Done,
}

/// What to do at the server's go-ahead.
pub(super) enum Reply {
    /// Send these bytes, then go on.
    Send(Vec<u8>),
    /// Go on.
    Proceed,
    /// Wait for news.
    Idle,
    /// Say no more: the server could not prove that it knows the password.
    HangUp,
}

/// A command on its way out. `Debug` does not show its bytes.
pub(super) struct Outgoing {
    tag: Tag,
    name: &'static str,
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
    /// The same of a message that comes in pieces.
    ContentAnnounced(Content),
    /// Pieces of a message may be sent.
    Content(Content),
    /// A SASL exchange goes on until the tagged response.
    Exchange,
    /// IDLE goes on until DONE, which may follow the server's go-ahead.
    Idle {
        permitted: bool,
        done: bool,
    },
}

/// A message that is sent in pieces.
#[derive(Clone, Copy, Debug)]
struct Content {
    /// Bytes that are missing.
    rest: u64,
    /// Whether any byte may be in it.
    binary: bool,
    /// Whether the next piece was asked for.
    asked: bool,
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
        let (name, parts) = (command.name, command.parts.into());
        Self { tag, name, finish, parts, mechanism, idles, state: State::Fresh }
    }

    pub(super) fn tag(&self) -> Tag {
        self.tag
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn finish(&self) -> Finish {
        self.finish
    }

    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Fresh)
    }

    /// Whether it is an IDLE that was not ended.
    pub(super) fn is_idling(&self) -> bool {
        matches!(self.state, State::Idle { done: false, .. })
    }

    /// Sends as much as may be sent now.
    pub(super) fn advance(&mut self, capabilities: Option<&Capabilities>) -> Step {
        let mut bytes = match &mut self.state {
            State::Fresh => format!("{} ", self.tag).into_bytes(),
            State::Flowing | State::Content(Content { rest: 0, .. }) => Vec::new(),
            State::Content(content) if !content.asked => {
                content.asked = true;
                return Step::Want(content.rest);
            }
            State::Content(_)
            | State::LiteralAnnounced(_)
            | State::ContentAnnounced(_)
            | State::Exchange
            | State::Idle { .. } => return Step::Wait,
        };
        if self.parts.is_empty() {
            return Step::Done;
        }
        self.state = State::Flowing;
        let offers = |name| capabilities.is_some_and(|offered| offered.has(name));
        let goes_unasked = |size: u64| {
            size <= LITERAL_MINUS_MAX && offers("LITERAL-")
                || size <= UNASKED_MAX && offers("LITERAL+")
        };
        while let Some(part) = self.parts.pop_front() {
            match part {
                Part::Text(text) => bytes.extend(text),
                Part::Literal(literal) => {
                    let unasked = goes_unasked(literal.len() as u64);
                    bytes.extend(announcement(literal.len() as u64, unasked).bytes());
                    if !unasked {
                        self.state = State::LiteralAnnounced(literal);
                        return Step::Send(bytes);
                    }
                    bytes.extend(literal);
                }
                Part::Content { size, binary } => {
                    let unasked = goes_unasked(size);
                    bytes.extend(announcement(size, unasked).bytes());
                    let content = Content { rest: size, binary, asked: false };
                    self.state = match unasked {
                        true => State::Content(content),
                        false => State::ContentAnnounced(content),
                    };
                    return Step::Send(bytes);
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

    /// Takes note of a piece of a message that is about to be sent.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), FeedError> {
        let State::Content(content) = &mut self.state else { return Err(FeedError::NotWanted) };
        let rest = content.rest.checked_sub(piece.len() as u64).ok_or(FeedError::TooMuch)?;
        if !content.binary && memchr::memchr(0, piece).is_some() {
            return Err(FeedError::Nul);
        }
        *content = Content { rest, asked: false, ..*content };
        Ok(())
    }

    /// The command was answered before all of it was sent. Whether something of it must be sent all
    /// the same: a server that was promised so many bytes takes what comes next for them.
    pub(super) fn cut_short(&mut self) -> bool {
        let promised = matches!(self.state, State::Content(Content { rest: 1.., .. }));
        self.parts.clear();
        if promised {
            self.parts.push_back(Part::Text(Vec::new()));
        }
        promised
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

    /// Answers the server's go-ahead; `None` if nobody waits for one.
    pub(super) fn go_ahead(&mut self, text: &[u8]) -> Option<Reply> {
        match std::mem::replace(&mut self.state, State::Flowing) {
            State::LiteralAnnounced(literal) if literal.is_empty() => Some(Reply::Proceed),
            State::LiteralAnnounced(literal) => Some(Reply::Send(literal)),
            State::ContentAnnounced(content) => {
                self.state = State::Content(content);
                Some(Reply::Proceed)
            }
            State::Exchange => {
                self.state = State::Exchange;
                Some(match self.mechanism.as_mut()?.answer(text) {
                    Ok(line) => Reply::Send(format!("{line}\r\n").into_bytes()),
                    Err(_) => Reply::HangUp,
                })
            }
            State::Idle { permitted: false, done } => {
                self.state = State::Idle { permitted: true, done };
                Some(if done { Reply::Send(DONE.to_vec()) } else { Reply::Idle })
            }
            other => {
                self.state = other;
                None
            }
        }
    }
}

fn announcement(size: u64, unasked: bool) -> String {
    let plus = if unasked { "+" } else { "" };
    format!("{{{size}{plus}}}\r\n")
}
