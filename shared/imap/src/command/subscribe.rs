//! SUBSCRIBE and UNSUBSCRIBE (RFC 9051 sections 6.3.7 and 6.3.8).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Puts a mailbox among those that are subscribed to; its name is in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn subscribe(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("SUBSCRIBE", Encoder::new("SUBSCRIBE").string(mailbox)?.finish()))
    }

    /// Takes a mailbox from those that are subscribed to.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn unsubscribe(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("UNSUBSCRIBE", Encoder::new("UNSUBSCRIBE").string(mailbox)?.finish()))
    }
}
