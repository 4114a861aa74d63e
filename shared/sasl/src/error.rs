//! What can go wrong in an exchange.

/// An authentication exchange can't go on. Cancel it in the protocol's own way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SaslError {
    /// The server sent a challenge that the mechanism does not have.
    #[error("the server sent a challenge that does not belong to this log-in method")]
    UnexpectedChallenge,
    /// The server's challenge is not base64.
    #[error("the server sent a challenge that is not base64")]
    NotBase64,
}
