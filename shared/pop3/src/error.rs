//! Why a session had to end.

use crate::limits::{MAX_CAPABILITIES, MAX_CHALLENGES, MAX_LINE, MAX_MESSAGES, MAX_UNIQUE_IDS};

/// The server broke the protocol; the session takes no more input.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// A line is longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} bytes")]
    LineTooLong,
    /// An answer begins neither with `+OK` nor with `-ERR`.
    #[error("an answer that is neither +OK nor -ERR")]
    NoStatus,
    /// Bytes came that answer no command.
    #[error("an answer to a command that was not given")]
    Unasked,
    /// Bytes came between the go-ahead for TLS and the handshake: someone may have put them there.
    #[error("unprotected bytes in front of the TLS handshake")]
    BytesBeforeTls,
    /// An answer does not have its form; which one.
    #[error("an answer to {0} that can't be read")]
    Malformed(&'static str),
    /// CAPA has more than [`MAX_CAPABILITIES`] lines.
    #[error("more than {MAX_CAPABILITIES} capabilities")]
    TooManyCapabilities,
    /// A list names more than [`MAX_MESSAGES`] messages.
    #[error("more than {MAX_MESSAGES} messages")]
    TooManyMessages,
    /// The unique ids have more than [`MAX_UNIQUE_IDS`] bytes.
    #[error("unique ids of more than {MAX_UNIQUE_IDS} bytes")]
    UniqueIdsTooLong,
    /// An authentication has more than [`MAX_CHALLENGES`] challenges.
    #[error("more than {MAX_CHALLENGES} challenges")]
    TooManyChallenges,
    /// The server let us in before it had proven that it knows the password, or failed to prove it.
    #[error("a log-in without the server's proof that it knows the password")]
    Unverified,
}
