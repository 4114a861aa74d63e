//! GETQUOTA and GETQUOTAROOT (RFC 9208 section 4.1).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Asks how much of a quota root is used.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn get_quota(root: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("GETQUOTA", Encoder::new("GETQUOTA").string(root)?.finish()))
    }

    /// Asks for the quota roots of a mailbox, and how much of them is used.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn get_quota_root(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("GETQUOTAROOT", Encoder::new("GETQUOTAROOT").string(mailbox)?.finish()))
    }
}
