//! What can go wrong in an exchange.

/// An authentication exchange can't go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SaslError {
    /// The server sent a challenge that the mechanism does not have.
    #[error("the server sent a challenge that does not belong to this log-in method")]
    UnexpectedChallenge,
    /// The server's challenge is not base64.
    #[error("the server sent a challenge that is not base64")]
    NotBase64,
    /// The server's challenge does not have its form.
    #[error("the server sent a challenge that makes no sense")]
    Malformed,
    /// The server's nonce does not continue ours: it answers someone else.
    #[error("the server answered another log-in than this one")]
    ForeignNonce,
    /// The server asks for too few rounds of key derivation to be safe, or for too many to be done.
    #[error("the server asks for {0} rounds of key derivation, which is not acceptable")]
    Iterations(u32),
    /// The server could not prove that it knows the password.
    #[error("the server could not prove that it knows the password")]
    ServerUnproven,
}

impl SaslError {
    /// Whether the server is not the one that knows the password: then nothing more is to be told to it.
    pub(crate) fn is_of_impostor(self) -> bool {
        matches!(self, Self::ForeignNonce | Self::ServerUnproven)
    }
}
