//! What a page can do wrong.

use super::CloseCode;

/// How a page broke the protocol, or a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// A reserved bit is set, and no extension was agreed on (RFC 6455, section 5.2).
    #[error("a reserved bit is set")]
    ReservedBit,
    /// The opcode means nothing (section 5.2).
    #[error("the opcode is reserved")]
    ReservedOpcode,
    /// Frames from a page must be masked (section 5.1).
    #[error("the frame is not masked")]
    Unmasked,
    /// Control frames can't be fragmented (section 5.5).
    #[error("the control frame is fragmented")]
    FragmentedControl,
    /// Control frames carry 125 bytes at most (section 5.5).
    #[error("the control frame is too long")]
    LongControl,
    /// A length must take as few bytes as it can, and its first bit must be 0 (section 5.2).
    #[error("the length is not encoded as it must be")]
    Length,
    /// A frame continues a message that has not begun (section 5.4).
    #[error("there is no message to continue")]
    NothingToContinue,
    /// A message begins before another has ended (section 5.4).
    #[error("the message before has not ended")]
    Interrupted,
    /// A close frame has half a status code, or one that can't be sent (section 7.4).
    #[error("the status code of the close frame can't be used")]
    CloseStatus,
    /// Text is not UTF-8 (section 8.1).
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A message is longer than it may be.
    #[error("the message is too long")]
    TooLong,
    /// A message has more fragments than it may have.
    #[error("the message has too many fragments")]
    TooManyFragments,
    /// Too many frames carried nothing.
    #[error("too many frames that carry nothing")]
    Flood,
}

impl Violation {
    /// The code that a connection is closed with for it (section 7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 => CloseCode::NOT_UTF8,
            Self::TooLong => CloseCode::TOO_LONG,
            Self::TooManyFragments | Self::Flood => CloseCode::POLICY,
            _ => CloseCode::PROTOCOL,
        }
    }
}
