//! DELETE (RFC 9051 section 6.3.5).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Removes a mailbox and all its messages for good; its name is in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn delete(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("DELETE", Encoder::new("DELETE").string(mailbox)?.finish()))
    }
}
