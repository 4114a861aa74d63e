//! SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3, RFC 7162).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::SequenceSet;

/// What to be told of changes when a mailbox is opened.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Resync {
    /// Nothing.
    #[default]
    None,
    /// Mod-sequences from now on (CONDSTORE).
    CondStore,
    /// All that changed since a mod-sequence, at once (QRESYNC, after it was enabled).
    Since(KnownState),
}

/// What is known of a mailbox from before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownState {
    /// Its UIDVALIDITY; if it is another now, the server ignores all of this.
    pub uid_validity: u32,
    /// Its HIGHESTMODSEQ.
    pub mod_seq: u64,
    /// The UIDs that are known, so that the server names no others as vanished.
    pub uids: Option<SequenceSet>,
    /// Sequence numbers, and the UIDs that they had: the server then need not look for vanished
    /// ones below the last that still fits.
    pub places: Option<(SequenceSet, SequenceSet)>,
}

impl Command {
    /// Opens a mailbox for reading and writing; `mailbox` as the server spells it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn select(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Self::select_with(mailbox, &Resync::None)
    }

    /// Opens a mailbox for reading and writing, and asks what changed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn select_with(mailbox: &[u8], resync: &Resync) -> Result<Self, InvalidArgument> {
        open("SELECT", mailbox, resync)
    }

    /// Opens a mailbox for reading only.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn examine(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Self::examine_with(mailbox, &Resync::None)
    }

    /// Opens a mailbox for reading only, and asks what changed.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn examine_with(mailbox: &[u8], resync: &Resync) -> Result<Self, InvalidArgument> {
        open("EXAMINE", mailbox, resync)
    }
}

fn open(name: &'static str, mailbox: &[u8], resync: &Resync) -> Result<Command, InvalidArgument> {
    let encoder = Encoder::new(name).string(mailbox)?;
    let encoder = match resync {
        Resync::None => encoder,
        Resync::CondStore => encoder.text(" (CONDSTORE)"),
        Resync::Since(known) => encoder.text(&format!(" (QRESYNC ({}))", known.parameters())),
    };
    Ok(Command::new(name, encoder.finish()))
}

impl KnownState {
    fn parameters(&self) -> String {
        let mut text = format!("{} {}", self.uid_validity, self.mod_seq);
        if let Some(uids) = &self.uids {
            text.push_str(&format!(" {uids}"));
        }
        if let Some((sequence, uids)) = &self.places {
            text.push_str(&format!(" ({sequence} {uids})"));
        }
        text
    }
}
