//! What a session tells and wants.

use std::{fmt, time::Duration};

use super::{Contradiction, Defect, FramingError};
use crate::{Response, compression::CompressionError, response::Status};

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
    /// The server waits for more of a message that is sent in pieces: give it to
    /// [`Session::feed`](super::Session::feed). This may come even after the command has been
    /// refused, since what was announced must be sent; who can't must close the connection.
    ContentWanted {
        /// The command's tag.
        tag: Tag,
        /// How many bytes of the message are missing; never 0.
        rest: u64,
    },
    /// The server has agreed to IDLE: from now on it tells news as they come.
    Idling {
        /// IDLE must be ended with [`Session::done`](super::Session::done) and begun anew within
        /// this time: servers may hang up on a client that is silent for half an hour.
        renew_within: Duration,
    },
    /// A command has ended.
    Completed {
        /// The tag that [`Session::start`](super::Session::start) gave.
        tag: Tag,
        /// How it ended.
        status: Status,
    },
    /// The server is about to hang up, and says why; nobody asked for it. Commands that are in
    /// flight may still be answered, and no other will be sent.
    Goodbye(Status),
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
    /// What is compressed can't be read.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// The first line is no IMAP greeting.
    #[error("the server does not speak IMAP")]
    NoGreeting,
    /// It says that we are logged in, when only TLS could have begun: someone in between may want
    /// to keep the connection unprotected.
    #[error("the server skips the secure connection")]
    PreAuthBeforeTls,
    /// Bytes arrived between the go-ahead for TLS and the handshake: someone may have put them
    /// there.
    #[error("unprotected bytes arrived behind the go-ahead for TLS")]
    BytesBeforeTls,
    /// The server let us in before it had proven that it knows the password, or failed to prove it.
    #[error("the server could not prove that it knows the password")]
    Unverified,
    /// It sends responses without end that end no command.
    #[error("the server keeps sending what nobody asked for")]
    Flood,
}

/// Why a piece of a message can't be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FeedError {
    /// The server does not wait for a piece of a message of this command.
    #[error("the server does not wait for a piece of a message")]
    NotWanted,
    /// It is longer than what is missing.
    #[error("the message is longer than was announced")]
    TooMuch,
    /// It has a NUL byte, and the message was not announced as one that may.
    #[error("a message with a NUL byte can't be sent as text")]
    Nul,
}

/// Tells one command from the others.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(pub(super) u32);

impl Tag {
    /// Whether these are the bytes that it was sent as.
    pub(super) fn is(self, text: &[u8]) -> bool {
        self.to_string().as_bytes() == text
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A{}", self.0)
    }
}

impl From<Contradiction> for Event {
    fn from(contradiction: Contradiction) -> Self {
        Self::Defect(Defect::Contradiction(contradiction))
    }
}
