//! Why a session had to end.

use crate::limits::{MAX_CHALLENGES, MAX_LINE, MAX_REPLY_LINES};

/// The server broke the protocol; the session takes no more input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// A line is longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} bytes")]
    LineTooLong,
    /// A reply has more than [`MAX_REPLY_LINES`] lines.
    #[error("a reply of more than {MAX_REPLY_LINES} lines")]
    ReplyTooLong,
    /// A line that is not part of a reply.
    #[error("a line without a reply code")]
    NoCode,
    /// The lines of one reply have different codes.
    #[error("a reply with two codes")]
    TwoCodes,
    /// A reply came that answers no command, or whose code can't answer this one.
    #[error("a reply with code {0} that does not fit")]
    Unfitting(u16),
    /// Bytes came between the go-ahead for TLS and the handshake: someone may have put them there.
    #[error("unprotected bytes in front of the TLS handshake")]
    BytesBeforeTls,
    /// An authentication has more than [`MAX_CHALLENGES`] challenges.
    #[error("more than {MAX_CHALLENGES} challenges")]
    TooManyChallenges,
    /// The server let us in before it had proven that it knows the password, or failed to prove it.
    #[error("a log-in without the server's proof that it knows the password")]
    Unverified,
}
