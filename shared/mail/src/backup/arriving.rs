//! A message that is arriving from a file: its bytes so far, and what its header says of flags.

use postern_archive::mbox::Status;
use postern_bridge::{Flags, MessageId};
use sha2::{Digest, Sha256};

use super::{known::Content, limits, manifest::Note, rows::SavedRow};
use crate::changes::{is_keyword, is_tag};

/// The message that is arriving.
#[derive(Default)]
pub(super) struct Arriving {
    pub(super) note: Option<Note>,
    /// What the backup's ledger says of it.
    pub(super) rows: Vec<SavedRow>,
    pub(super) status: Option<Status>,
    /// Whether its header has been looked at.
    pub(super) begun: bool,
    pub(super) refused: bool,
    pub(super) content: Content,
    pub(super) exact: Sha256,
    pub(super) size: u64,
    /// Bytes that are not stored yet.
    pub(super) bytes: Vec<u8>,
    pub(super) spilled: Option<Spilled>,
}

/// The stored part of a large message.
pub(super) struct Spilled {
    pub(super) id: MessageId,
    pub(super) chunks: u32,
    pub(super) head: Vec<u8>,
}

impl Arriving {
    /// Takes the flags from the header, as soon as it is there as a whole, and takes out what was
    /// added for them.
    pub(super) fn look_at_header(&mut self, is_end: bool) {
        const LONGEST: usize = postern_archive::limits::HEADER;
        let is_whole = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"\r\n\r\n");
        if self.begun || !(is_end || self.bytes.len() > LONGEST || is_whole(&self.bytes)) {
            return;
        }
        self.begun = true;
        let (status, added) = Status::of_header(&self.bytes);
        self.status = status;
        self.bytes.drain(..added);
        let bytes = std::mem::take(&mut self.bytes);
        self.count(&bytes);
        self.bytes = bytes;
    }

    pub(super) fn count(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
        self.exact.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Flags and keywords; what says nothing of them has been read.
    pub(super) fn flags(&self) -> (Flags, Vec<String>) {
        let kept = |names: &[String], is_kept: fn(&str) -> bool| -> Vec<String> {
            names.iter().filter(|name| is_kept(name)).cloned().collect()
        };
        let (flags, mut keywords) = match (&self.note, &self.status) {
            (Some(note), _) => (note.flags(), kept(&note.keywords, is_tag)),
            (None, Some(status)) => {
                let flags = Flags {
                    seen: status.seen,
                    answered: status.answered,
                    flagged: status.flagged,
                    deleted: status.deleted,
                    draft: status.draft,
                };
                (flags, kept(&status.keywords, is_keyword))
            }
            (None, None) => (Flags { seen: true, ..Flags::default() }, Vec::new()),
        };
        keywords.truncate(limits::KEYWORDS);
        (flags, keywords)
    }
}

pub(super) fn union(a: Flags, b: Flags) -> Flags {
    Flags {
        seen: a.seen || b.seen,
        answered: a.answered || b.answered,
        flagged: a.flagged || b.flagged,
        deleted: a.deleted || b.deleted,
        draft: a.draft || b.draft,
    }
}
