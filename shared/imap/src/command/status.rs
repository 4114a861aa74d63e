//! STATUS (RFC 9051 section 6.3.11).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Asks for the counts of a mailbox that is not selected.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in the name.
    pub fn status(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        let encoder = Encoder::new("STATUS").string(mailbox)?;
        let parts = encoder.text(" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)").finish();
        Ok(Self::new("STATUS", parts))
    }
}
