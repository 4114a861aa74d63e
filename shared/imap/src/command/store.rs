//! UID STORE (RFC 9051 sections 6.4.6 and 6.4.9).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::{SequenceSet, response::Flag};

/// What to do with the flags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreMode {
    /// Set these and leave the others.
    Add,
    /// Remove these and leave the others.
    Remove,
    /// Set these and remove the others.
    Replace,
}

impl Command {
    /// Changes flags; the server does not tell the result.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Flag`] if a flag's name can't be sent.
    pub fn uid_store(
        uids: &SequenceSet,
        mode: StoreMode,
        flags: &[Flag],
    ) -> Result<Self, InvalidArgument> {
        let sign = match mode {
            StoreMode::Add => "+",
            StoreMode::Remove => "-",
            StoreMode::Replace => "",
        };
        let encoder = Encoder::new(&format!("UID STORE {uids} {sign}FLAGS.SILENT"));
        Ok(Self::new("UID STORE", encoder.flags(flags)?.finish()))
    }
}
