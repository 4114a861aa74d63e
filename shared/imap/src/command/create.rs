//! CREATE (RFC 9051 section 6.3.4).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Makes a mailbox; its name is in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in the name.
    pub fn create(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("CREATE", Encoder::new("CREATE").string(mailbox)?.finish()))
    }
}
