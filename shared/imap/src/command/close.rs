//! CLOSE and UNSELECT (RFC 9051 sections 6.4.1 and 6.4.2, RFC 3691).

use super::{Command, encoder::Encoder};

impl Command {
    /// Closes the selected mailbox, and removes for good all its messages that are marked as
    /// deleted, whoever marked them, unless it was opened for reading only.
    pub fn close() -> Self {
        Self::new("CLOSE", Encoder::new("CLOSE").finish())
    }

    /// Closes the selected mailbox and removes nothing; only where the server offers UNSELECT or
    /// IMAP4rev2.
    pub fn unselect() -> Self {
        Self::new("UNSELECT", Encoder::new("UNSELECT").finish())
    }
}
