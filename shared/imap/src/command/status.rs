//! STATUS (RFC 9051 section 6.3.11).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::response::Capabilities;

/// What to ask of a mailbox that is not selected: all that RFC 9051 and these extensions know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StatusItem {
    /// How many messages there are.
    Messages,
    /// How many are unread.
    Unseen,
    /// The UID that the next message will get.
    UidNext,
    /// UIDVALIDITY.
    UidValidity,
    /// HIGHESTMODSEQ (CONDSTORE).
    HighestModSeq,
    /// How many bytes all messages have (STATUS=SIZE).
    Size,
    /// How many are marked as deleted (IMAP4rev2).
    Deleted,
    /// The mailbox's identifier (OBJECTID). Best asked for without anything that has to be counted:
    /// some servers (Cyrus 3.6) then have bytes of freed memory in its place.
    MailboxId,
    /// How large a message may be that is put into it (APPENDLIMIT without a value).
    AppendLimit,
}

impl StatusItem {
    /// What every server tells.
    pub const ALWAYS: [Self; 4] = [Self::Messages, Self::Unseen, Self::UidNext, Self::UidValidity];

    /// What tells a mailbox from all others, whatever its name is and whatever was made anew.
    pub const IDENTITY: [Self; 2] = [Self::UidValidity, Self::MailboxId];

    /// What this server tells by which a mailbox shows that it has changed. Sizes don't: a server may have
    /// to look at each message for them.
    pub fn offered(capabilities: &Capabilities) -> Vec<Self> {
        let has_mod_seqs = ["CONDSTORE", "QRESYNC"].iter().any(|name| capabilities.has(name));
        Self::ALWAYS.into_iter().chain(has_mod_seqs.then_some(Self::HighestModSeq)).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Unseen => "UNSEEN",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::Size => "SIZE",
            Self::Deleted => "DELETED",
            Self::MailboxId => "MAILBOXID",
            Self::AppendLimit => "APPENDLIMIT",
        }
    }

    /// The names of these, with spaces between them.
    pub(super) fn names(items: &[Self]) -> String {
        items.iter().map(|item| item.name()).collect::<Vec<_>>().join(" ")
    }
}

impl Command {
    /// Asks for the counts of a mailbox that is not selected.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one.
    pub fn status(mailbox: &[u8]) -> Result<Self, InvalidArgument> {
        Self::status_of(mailbox, &StatusItem::ALWAYS)
    }

    /// Asks for some of what a server tells of a mailbox that is not selected.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the name holds one,
    /// [`InvalidArgument::Empty`] if nothing is asked.
    pub fn status_of(mailbox: &[u8], items: &[StatusItem]) -> Result<Self, InvalidArgument> {
        if items.is_empty() {
            return Err(InvalidArgument::Empty);
        }
        let encoder = Encoder::new("STATUS").string(mailbox)?;
        let encoder = encoder.text(&format!(" ({})", StatusItem::names(items)));
        Ok(Self::new("STATUS", encoder.finish()))
    }
}
