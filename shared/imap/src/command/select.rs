//! SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Opens a mailbox for reading and writing; `mailbox` as the server spells it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in the name.
    pub fn select(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("SELECT", Encoder::new("SELECT").string(mailbox)?.finish()))
    }

    /// Opens a mailbox for reading only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in the name.
    pub fn examine(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("EXAMINE", Encoder::new("EXAMINE").string(mailbox)?.finish()))
    }
}
