//! CREATE (RFC 9051 section 6.3.4, RFC 6154).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::response::Flag;

impl Command {
    /// Makes a mailbox; its name is in the server's spelling.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn create(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("CREATE", Encoder::new("CREATE").string(mailbox)?.finish()))
    }

    /// Makes a mailbox for a special use, such as `\Archive`; only where the server offers
    /// CREATE-SPECIAL-USE. It refuses with [`Code::UseAttribute`](crate::response::Code) if it
    /// can't have one of that use.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one,
    /// [`InvalidArgument::Flag`] if the use is none.
    pub fn create_for(mailbox: &[u8], special_use: &str) -> Result<Self, InvalidArgument> {
        let encoder = Encoder::new("CREATE").string(mailbox)?.text(" (USE");
        let encoder = encoder.flags(&[Flag::Other(special_use.into())])?;
        Ok(Self::new("CREATE", encoder.text(")").finish()))
    }
}
