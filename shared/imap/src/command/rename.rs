//! RENAME (RFC 9051 section 6.3.6).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Renames a mailbox, and those under it; names are in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if a name holds one.
    pub fn rename(from: &[u8], to: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("RENAME", Encoder::new("RENAME").string(from)?.string(to)?.finish()))
    }
}
