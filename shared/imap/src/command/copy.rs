//! UID COPY (RFC 9051 sections 6.4.7 and 6.4.9) and UID MOVE (section 6.4.8, RFC 6851).

use super::{Command, InvalidArgument, encoder::Encoder, uids::Uids};

impl Command {
    /// Copies messages to another mailbox; its name is in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn uid_copy<'a>(
        uids: impl Into<Uids<'a>>,
        mailbox: &[u8],
    ) -> Result<Self, InvalidArgument> {
        let encoder = Encoder::new(&format!("UID COPY {}", uids.into()));
        Ok(Self::new("UID COPY", encoder.string(mailbox)?.finish()))
    }

    /// Moves messages to another mailbox, all or none of them; only where the server offers MOVE.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn uid_move<'a>(
        uids: impl Into<Uids<'a>>,
        mailbox: &[u8],
    ) -> Result<Self, InvalidArgument> {
        let encoder = Encoder::new(&format!("UID MOVE {}", uids.into()));
        Ok(Self::new("UID MOVE", encoder.string(mailbox)?.finish()))
    }
}
