//! UID STORE (RFC 9051 sections 6.4.6 and 6.4.9, RFC 7162, and Gmail's labels).

use super::{
    Command, InvalidArgument,
    encoder::{Encoder, is_flag},
    uids::Uids,
};
use crate::response::Flag;

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

/// How to change flags.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StoreOptions {
    /// Only of messages that did not change since this mod-sequence (CONDSTORE); the others are
    /// named by [`Code::Modified`](crate::response::Code::Modified).
    pub unchanged_since: Option<u64>,
    /// The server is to tell the flags that each message has then.
    pub tell: bool,
}

impl StoreMode {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Remove => "-",
            Self::Replace => "",
        }
    }
}

impl Command {
    /// Changes flags; the server does not tell the result.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Flag`] if a flag's name can't be sent.
    pub fn uid_store<'a>(
        uids: impl Into<Uids<'a>>,
        mode: StoreMode,
        flags: &[Flag],
    ) -> Result<Self, InvalidArgument> {
        Self::uid_store_with(uids, mode, flags, StoreOptions::default())
    }

    /// Changes flags, perhaps only of messages that nobody else changed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Flag`] if a flag's name can't be sent.
    pub fn uid_store_with<'a>(
        uids: impl Into<Uids<'a>>,
        mode: StoreMode,
        flags: &[Flag],
        options: StoreOptions,
    ) -> Result<Self, InvalidArgument> {
        let encoder = begin(uids.into(), mode, "FLAGS", options);
        Ok(Self::new("UID STORE", encoder.flags(flags)?.finish()))
    }

    /// Changes labels on Gmail; those of one's own are spelled like mailbox names.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if a label holds one.
    pub fn uid_store_labels<'a>(
        uids: impl Into<Uids<'a>>,
        mode: StoreMode,
        labels: &[Vec<u8>],
    ) -> Result<Self, InvalidArgument> {
        let mut encoder = begin(uids.into(), mode, "X-GM-LABELS", StoreOptions::default());
        for (index, label) in labels.iter().enumerate() {
            encoder = encoder.text(if index == 0 { " (" } else { " " });
            // Gmail's own labels, such as \Inbox, must stand without quotes.
            encoder = match std::str::from_utf8(label) {
                Ok(own) if own.starts_with('\\') && is_flag(own) => encoder.text(own),
                _ => encoder.unspaced(label)?,
            };
        }
        let end = if labels.is_empty() { " ()" } else { ")" };
        Ok(Self::new("UID STORE", encoder.text(end).finish()))
    }
}

fn begin(uids: Uids<'_>, mode: StoreMode, item: &str, options: StoreOptions) -> Encoder {
    let unchanged = match options.unchanged_since {
        Some(mod_seq) => format!(" (UNCHANGEDSINCE {mod_seq})"),
        None => String::new(),
    };
    let silent = if options.tell { "" } else { ".SILENT" };
    Encoder::new(&format!("UID STORE {uids}{unchanged} {}{item}{silent}", mode.sign()))
}
