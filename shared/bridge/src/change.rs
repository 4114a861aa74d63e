//! What the person changes: marks, places, mailboxes; and how it ends.
//!
//! Every change shows at once, also without a network, and is then made on the server. Its answer,
//! [`Delta::Changed`](crate::Delta::Changed), comes as soon as it is stored here. What the server
//! refuses later is told by [`Delta::Refused`](crate::Delta::Refused); the store then shows what
//! the server has.

use serde::{Deserialize, Serialize};

use crate::{AccountId, MailboxId, MessageId, Problem};

/// A change's number, by which it can be taken back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ChangeId(pub u32);

/// Characters of a label: what Gmail allows.
const LABEL: usize = 225;

/// What a label can be, for a person who has typed one that [can't](is_label).
pub const LABEL_RULE: &str =
    "A label needs 1 to 225 letters, and can't begin with a backslash or a dollar sign.";

/// Whether a tag can be one of a person's own labels on Gmail: not of Gmail itself, no keyword of
/// programs (RFC 5788), and spelled for certain.
pub fn is_label(name: &str) -> bool {
    let is_odd = |own: char| own.is_control() || own == char::REPLACEMENT_CHARACTER;
    let is_short = name.chars().nth(LABEL).is_none();
    is_short && !name.trim().is_empty() && !name.starts_with(['\\', '$']) && !name.contains(is_odd)
}

/// A change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Change {
    /// Give messages a mark, or take it from them.
    Mark {
        /// The messages.
        messages: Selection,
        /// The mark.
        mark: Mark,
        /// Give it, or take it.
        set: bool,
    },
    /// Move messages to another mailbox of their account.
    Move {
        /// The messages.
        messages: Selection,
        /// Where to.
        to: MailboxId,
    },
    /// Copy messages to a mailbox of their account.
    Copy {
        /// The messages.
        messages: Selection,
        /// Where to.
        to: MailboxId,
    },
    /// Move messages to the mailbox for kept mail, which is made if there is none.
    Archive {
        /// The messages.
        messages: Selection,
    },
    /// Mark messages as junk and move them to the mailbox for it, which is made if there is none.
    Junk {
        /// The messages.
        messages: Selection,
    },
    /// Take that back, wherever it was said: mark messages as wanted; those in the mailbox for junk
    /// move to the inbox.
    NotJunk {
        /// The messages.
        messages: Selection,
    },
    /// Move messages to the trash, which is made if there is none; messages in it are deleted for
    /// good.
    Delete {
        /// The messages.
        messages: Selection,
    },
    /// Delete messages without a way back.
    DeleteForGood {
        /// The messages.
        messages: Selection,
    },
    /// Delete everything in the trash or in the mailbox for junk without a way back; other
    /// mailboxes are refused.
    Empty {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// Make a mailbox; `Done::mailbox` is its number.
    CreateMailbox {
        /// The account.
        account: AccountId,
        /// The mailbox that it is nested in; `None` is the top.
        parent: Option<MailboxId>,
        /// Its name.
        name: String,
    },
    /// Give a mailbox another name, another place, or both; what is nested in it comes along.
    MoveMailbox {
        /// The mailbox.
        mailbox: MailboxId,
        /// The mailbox that it is nested in from now on; `None` is the top.
        parent: Option<MailboxId>,
        /// Its name from now on.
        name: String,
    },
    /// Delete a mailbox and its messages without a way back; one that others are nested in is
    /// refused.
    DeleteMailbox {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// Subscribe to a mailbox, or no longer.
    Subscribe {
        /// The mailbox.
        mailbox: MailboxId,
        /// Whether to.
        subscribed: bool,
    },
}

impl Change {
    /// The messages that it is about; none if it is about a mailbox.
    pub fn messages_mut(&mut self) -> Option<&mut Selection> {
        match self {
            Self::Mark { messages, .. }
            | Self::Move { messages, .. }
            | Self::Copy { messages, .. }
            | Self::Archive { messages }
            | Self::Junk { messages }
            | Self::NotJunk { messages }
            | Self::Delete { messages }
            | Self::DeleteForGood { messages } => Some(messages),
            Self::Empty { .. }
            | Self::CreateMailbox { .. }
            | Self::MoveMailbox { .. }
            | Self::DeleteMailbox { .. }
            | Self::Subscribe { .. } => None,
        }
    }
}

/// Which messages; all of one account.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Selection {
    /// These.
    Messages(Vec<MessageId>),
    /// All from one to another, in whichever direction, as the list of their mailbox has them; both
    /// included.
    Between(MessageId, MessageId),
    /// All of a mailbox but these.
    AllBut {
        /// The mailbox.
        mailbox: MailboxId,
        /// Those that are left out.
        except: Vec<MessageId>,
    },
    /// All of these messages' conversations that is in the same mailbox.
    Conversations(Vec<MessageId>),
    /// The same of all conversations from that of one message to that of another, in whichever
    /// direction, as the list of their mailbox has them; both included.
    ConversationsBetween(MessageId, MessageId),
    /// All of a mailbox but the conversations of these messages.
    ConversationsBut {
        /// The mailbox.
        mailbox: MailboxId,
        /// Messages of those that are left out.
        except: Vec<MessageId>,
    },
    /// All from one to another, in whichever direction, as the page's search has found them; both
    /// included.
    FoundBetween {
        /// The number of the search.
        search: u32,
        /// One end.
        one: MessageId,
        /// The other end.
        other: MessageId,
    },
    /// All that the page's search has found but these.
    FoundBut {
        /// The number of the search.
        search: u32,
        /// The mailbox that is open.
        mailbox: MailboxId,
        /// Those that are left out.
        except: Vec<MessageId>,
    },
}

impl Selection {
    /// Whether it names conversations, each of which may have many messages.
    pub fn names_conversations(&self) -> bool {
        matches!(
            self,
            Self::Conversations(_) | Self::ConversationsBetween(..) | Self::ConversationsBut { .. }
        )
    }
}

impl From<MessageId> for Selection {
    fn from(message: MessageId) -> Self {
        Self::Messages(vec![message])
    }
}

/// A mark on a message (RFC 9051 section 2.3.2).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Mark {
    /// Read.
    Seen,
    /// Answered.
    Answered,
    /// Starred.
    Flagged,
    /// A keyword: a tag of the person's own, or a common one such as `$Forwarded`. An IMAP atom:
    /// printable ASCII without spaces and `(){%*"\]`. Where tags are labels, nearly any text.
    Keyword(String),
}

/// A change that was made here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Done {
    /// Its number.
    pub change: ChangeId,
    /// What was done, such as "3 messages moved to Archive".
    pub sentence: String,
    /// How many messages were changed; of marks, those that did not have it so already.
    pub messages: u32,
    /// The mailbox that was made.
    pub mailbox: Option<MailboxId>,
    /// Whether [`Intent::Undo`](crate::Intent::Undo) can take it back.
    pub can_undo: bool,
}

/// A change that the server has refused: a conflict. What it had changed here is as it was before,
/// or as the server has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refused {
    /// The account.
    pub account: AccountId,
    /// The change's number.
    pub change: ChangeId,
    /// What was to be done and how many messages are left as they were, such as "3 messages were
    /// not moved to Archive".
    pub sentence: String,
    /// What is in the way, in the server's words if it gave any.
    pub problem: Problem,
}

/// A message that is in another place now, or under another number: it was moved, or the server has
/// told the UID of a message that was moved earlier.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Moved {
    /// Where it was.
    pub from: MessageId,
    /// Where it is.
    pub to: MessageId,
}
