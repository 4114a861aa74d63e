//! What was changed here and is to be changed on the server, in order.

use std::ops::RangeInclusive;

use postern_bridge::{AccountId, ChangeId, ClientId, MailboxId, Mark, MessageId, Role};
use serde::{Deserialize, Serialize};

use super::{everything::Everything, pending::is_provisional};
use crate::{
    Store,
    record::{self, Mailbox, Message, Record},
    store::{Key, KeyRange, StoreError, Table},
};

/// One entry of the queue: a part of a change that one mailbox's messages have in common.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// Its number: entries are made on the server in this order.
    pub number: u32,
    /// The change that it is a part of: the number of its first part.
    pub change: ChangeId,
    /// Which request of which page it came with: the same request again is the same change.
    pub origin: Option<(ClientId, u32)>,
    /// Whether nobody has asked for it: it follows from something else, as a read mark does from
    /// opening a message. One that does not come about is told to nobody.
    #[serde(default)]
    pub unasked: bool,
    /// Of a change of all messages of a mailbox, which those were.
    #[serde(default)]
    pub all: Option<Everything>,
    /// How many of its messages were not found on the server, and have left it: told when it is
    /// done.
    #[serde(default)]
    pub lost: u32,
    /// What is to be done.
    pub task: Task,
    /// Where it stands.
    pub state: State,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum State {
    /// The server has not heard of it.
    Queued,
    /// The server may have heard of it.
    Tried,
    /// It is done; when, in milliseconds since 1970 (UTC). Kept to be taken back.
    Done(i64),
    /// The server refused it, and what it holds is in no other place, or hung up each time when it
    /// was told; tried again with the next start.
    Held,
}

/// What is to be done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Task {
    /// Give messages a mark or take it from them; all of them had it the other way.
    Mark {
        /// Their mailbox.
        mailbox: MailboxId,
        /// The messages.
        items: Vec<Item>,
        /// The mark.
        mark: Mark,
        /// Give or take.
        set: bool,
    },
    /// Move or copy messages.
    Transfer {
        /// The mailbox that they are in.
        from: MailboxId,
        /// The mailbox that they go to.
        to: MailboxId,
        /// The messages.
        items: Vec<Item>,
        /// Whether they stay where they were as well.
        copy: bool,
        /// How far it is, where it takes several steps.
        step: Step,
    },
    /// Delete messages for good.
    Expunge {
        /// Their mailbox.
        mailbox: MailboxId,
        /// The messages.
        items: Vec<Item>,
    },
    /// Delete everything in a mailbox for good, also what is not stored here.
    Empty {
        /// The mailbox.
        mailbox: MailboxId,
        /// UIDVALIDITY, and the first UID that the person could not know of: what has it or a later one
        /// stays. `None` if nothing was known of the mailbox, or an earlier version made the entry: then
        /// it is the UIDNEXT when the server was first asked to.
        until: Option<(u32, u32)>,
        /// Some of the messages that were known in it, by which it is told from another one that has its
        /// name and UIDVALIDITY by now. They go last.
        #[serde(default)]
        items: Vec<Item>,
    },
    /// Put a message that is stored here alone into a mailbox.
    Append {
        /// The mailbox.
        mailbox: MailboxId,
        /// The message; `Item::to` is its provisional UID.
        item: Item,
        /// UIDVALIDITY and UIDNEXT of the mailbox before the message was first put there under that
        /// UIDVALIDITY; `None` if it was not put there yet, or by an earlier version.
        #[serde(default)]
        since: Option<(u32, u32)>,
    },
    /// Make a mailbox.
    Create {
        /// Its record.
        mailbox: MailboxId,
        /// What it is for.
        role: Option<Role>,
    },
    /// Give a mailbox another path.
    Rename {
        /// Its record, which has the new names already.
        mailbox: MailboxId,
        /// Its names before.
        before: Vec<String>,
        /// Its names from now on.
        after: Vec<String>,
        /// Its path before.
        #[serde(with = "serde_bytes")]
        old: Vec<u8>,
        /// Its path from now on.
        #[serde(with = "serde_bytes")]
        new: Vec<u8>,
    },
    /// Delete a mailbox; its record is gone here.
    Remove {
        /// The record that it had.
        mailbox: Mailbox,
    },
    /// Subscribe to a mailbox, or no longer.
    Subscribe {
        /// Its record.
        mailbox: MailboxId,
        /// Whether to.
        subscribed: bool,
    },
}

/// How far a transfer without MOVE is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Step {
    /// Nothing has been copied.
    #[default]
    Begun,
    /// COPY may have been done; the destination's UIDVALIDITY and UIDNEXT before it.
    Copying {
        /// UIDVALIDITY, 0 if it was not told.
        uid_validity: u32,
        /// UIDNEXT, 1 if it was not told.
        uid_next: u32,
    },
    /// The copies are there: what is left is to remove the messages where they were.
    Copied {
        /// The destination's UIDVALIDITY, if the copies' UIDs are known.
        uid_validity: u32,
        /// The copies' UIDs in the order of the items; 0 is unknown.
        uids: Vec<u32>,
        /// How many others came back because they were not copied: told when it is done.
        #[serde(default)]
        left: u32,
    },
}

/// A message of an entry.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Item {
    /// Its UID in the mailbox that it is in, which may be provisional; 0 is unknown: it is found by
    /// its Message-ID.
    pub uid: u32,
    /// The UIDVALIDITY that the UID belongs to.
    pub uid_validity: u32,
    /// Its UID where it goes to; 0 if it goes nowhere.
    pub to: u32,
    /// Its Message-ID; may be empty.
    pub message_id: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it arrived, in milliseconds since 1970 (UTC).
    pub arrived: i64,
    /// Whether it was read when it left.
    pub seen: bool,
    /// Whether a mark may never have been as this is to change it back from: what was to change it
    /// first was refused. Were this refused as well, it would not be shown so again.
    #[serde(default)]
    pub doubtful: bool,
}

impl Item {
    pub(super) fn of(message: &Message, mailbox: &Mailbox) -> Self {
        Self {
            uid: message.id.uid,
            uid_validity: mailbox.uid_validity,
            to: 0,
            message_id: message.message_id.clone(),
            size: message.size,
            arrived: message.arrived,
            seen: message.flags.seen,
            doubtful: false,
        }
    }
}

impl Task {
    /// The mailbox whose messages it is about.
    pub fn mailbox(&self) -> Option<MailboxId> {
        match self {
            Self::Mark { mailbox, .. }
            | Self::Transfer { from: mailbox, .. }
            | Self::Expunge { mailbox, .. }
            | Self::Empty { mailbox, .. } => Some(*mailbox),
            Self::Append { .. }
            | Self::Create { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::Subscribe { .. } => None,
        }
    }

    /// Whether it is about messages that are, were or will be in a mailbox.
    pub(super) fn has_messages_of(&self, id: MailboxId) -> bool {
        match self {
            Self::Transfer { from, to, .. } => *from == id || *to == id,
            Self::Mark { mailbox, .. }
            | Self::Expunge { mailbox, .. }
            | Self::Empty { mailbox, .. }
            | Self::Append { mailbox, .. } => *mailbox == id,
            Self::Create { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::Subscribe { .. } => false,
        }
    }

    /// Every mailbox that it names.
    pub(crate) fn mailboxes(&self) -> Vec<MailboxId> {
        match self {
            Self::Transfer { from, to, .. } => vec![*from, *to],
            Self::Remove { mailbox } => vec![mailbox.id],
            Self::Mark { mailbox, .. }
            | Self::Expunge { mailbox, .. }
            | Self::Empty { mailbox, .. }
            | Self::Append { mailbox, .. }
            | Self::Create { mailbox, .. }
            | Self::Rename { mailbox, .. }
            | Self::Subscribe { mailbox, .. } => vec![*mailbox],
        }
    }

    /// Every message that it names.
    pub(crate) fn named(&self) -> &[Item] {
        match self {
            Self::Append { item, .. } => std::slice::from_ref(item),
            _ => self.items(),
        }
    }

    /// The messages that it changes where they are.
    pub fn items(&self) -> &[Item] {
        match self {
            Self::Mark { items, .. }
            | Self::Transfer { items, .. }
            | Self::Expunge { items, .. }
            | Self::Empty { items, .. } => items,
            _ => &[],
        }
    }

    /// The same, to be changed, where they are all that it is about.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Item>> {
        match self {
            Self::Mark { items, .. }
            | Self::Transfer { items, .. }
            | Self::Expunge { items, .. } => Some(items),
            _ => None,
        }
    }

    /// Whether it is about mailboxes rather than messages.
    pub(super) fn is_about_mailboxes(&self) -> bool {
        matches!(
            self,
            Self::Create { .. }
                | Self::Rename { .. }
                | Self::Remove { .. }
                | Self::Subscribe { .. }
        )
    }

    /// The place of one of its messages, after it is done.
    pub(super) fn place(&self, item: &Item) -> Option<MessageId> {
        match self {
            Self::Mark { mailbox, .. } => Some(MessageId { mailbox: *mailbox, uid: item.uid }),
            Self::Transfer { to, .. } => Some(MessageId { mailbox: *to, uid: item.to }),
            Self::Append { mailbox, .. } => Some(MessageId { mailbox: *mailbox, uid: item.to }),
            _ => None,
        }
    }
}

impl Entry {
    /// Whether the server is still to hear of it.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Done(_))
    }

    /// Whether it is about messages that are, were or will be in a mailbox.
    pub(crate) fn has_messages_of(&self, mailbox: MailboxId) -> bool {
        self.task.has_messages_of(mailbox)
    }

    /// Whether the server may have done it in a span of time, in milliseconds since 1970 (UTC). What was
    /// done later than that was, by a clock that has been set back.
    pub(crate) fn may_be_done_in(&self, span: &RangeInclusive<i64>) -> bool {
        match self.state {
            State::Tried => true,
            State::Done(at) => span.contains(&at),
            State::Queued | State::Held => false,
        }
    }

    /// Whether it tells that its mailboxes are a server's: changes of local ones are done at once, and
    /// their UIDVALIDITY is 1.
    pub(crate) fn is_of_server(&self) -> bool {
        let mut named = self.task.named().iter();
        self.is_open()
            || named.any(|item| item.uid_validity > 1 || is_provisional(item.uid.max(item.to)))
    }
}

impl Record for Entry {
    const TABLE: Table = Table::Changes;

    fn key(&self) -> Key {
        key(self.account, self.number)
    }
}

pub(super) fn key(account: AccountId, number: u32) -> Key {
    record::account_key(account).u32(number)
}

/// Whether some of an account's entries can't be read: what they were about is not known.
///
/// # Errors
///
/// If the store can't be read.
pub async fn is_damaged(store: &impl Store, account: AccountId) -> Result<bool, StoreError> {
    let range = KeyRange::prefix(record::account_key(account));
    let (_, damaged) = record::readable::<Entry>(store, &range).await?;
    Ok(!damaged.is_empty())
}

/// An account's entries that can be read, in order: one that can't must not keep all mail from the
/// person. Nothing that comes after it is told to the server.
///
/// # Errors
///
/// If the store can't be read.
pub async fn entries(store: &impl Store, account: AccountId) -> Result<Vec<Entry>, StoreError> {
    let range = KeyRange::prefix(record::account_key(account));
    Ok(record::readable(store, &range).await?.0)
}
