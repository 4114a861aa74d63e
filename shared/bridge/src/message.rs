//! Mailboxes, list rows and opened messages, in the shape that views draw.

use serde::{Deserialize, Serialize};

use crate::AccountId;

/// A mailbox's number, unique over all accounts of this browser.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MailboxId(pub u32);

/// A message's place: its mailbox and its UID there.
///
/// On IMAP the UID is the server's (RFC 9051 section 2.3.1.1); in a local mailbox the store
/// assigns it, ascending and never reused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct MessageId {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The UID in that mailbox.
    pub uid: u32,
}

/// What a mailbox is for (RFC 6154).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Role {
    /// Where new mail arrives.
    Inbox,
    /// Unfinished messages.
    Drafts,
    /// Copies of what was sent.
    Sent,
    /// Kept mail.
    Archive,
    /// Unwanted mail.
    Junk,
    /// Deleted mail.
    Trash,
}

/// A mailbox as the folder list shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MailboxView {
    /// Its number.
    pub id: MailboxId,
    /// Its account.
    pub account: AccountId,
    /// The last part of its name, decoded.
    pub name: String,
    /// How deep it is nested; 0 is the top.
    pub depth: u8,
    /// The mailbox that it is nested in.
    pub parent: Option<MailboxId>,
    /// What it is for, if it has a role.
    pub role: Option<Role>,
    /// False for a name that only holds other mailboxes.
    pub selectable: bool,
    /// Whether it is kept in this browser alone, on no server.
    pub local: bool,
    /// Whether the person is subscribed to it; local ones always are.
    pub subscribed: bool,
    /// Whether its list shows conversations.
    pub conversations: bool,
    /// Whether the tags of its messages are labels (Gmail), which may have spaces and accents.
    pub labels: bool,
    /// What may be done with it.
    pub may: MailboxRights,
    /// Unread messages.
    pub unread: u32,
    /// All messages.
    pub total: u32,
}

/// What may be done with a mailbox.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct MailboxRights {
    /// Others may be made in it.
    pub have_children: bool,
    /// It may get another name or place.
    pub be_moved: bool,
    /// It may be deleted; not while others are nested in it.
    pub be_deleted: bool,
    /// Messages may be moved and copied to it.
    pub take_messages: bool,
    /// It is of a kind that is emptied for good, if it may lose messages.
    pub be_emptied: bool,
    /// Messages may be taken out of it: moved, or deleted.
    pub lose_messages: bool,
    /// Its messages may be marked as read and as unread.
    pub mark_read: bool,
    /// Its messages may get and lose other marks: stars and tags.
    pub mark: bool,
}

/// A name and an address from a header.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Address {
    /// The display name, decoded; may be empty.
    pub name: String,
    /// `local@domain`; may be empty in broken mail.
    pub address: String,
}

impl Address {
    /// The name if there is one, else the address.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }
}

/// The system flags (RFC 9051 section 2.3.2) that the page shows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Flags {
    /// `\Seen`
    pub seen: bool,
    /// `\Answered`
    pub answered: bool,
    /// `\Flagged`
    pub flagged: bool,
    /// `\Deleted`
    pub deleted: bool,
    /// `\Draft`
    pub draft: bool,
}

/// One line of the message list: a message, or a conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Row {
    /// The message; of a conversation the newest in the listed mailbox.
    pub id: MessageId,
    /// What the row goes by: the message, or one of the conversation that stays the same one when
    /// others come. When it must be another one, [`Delta::Rekeyed`](crate::Delta::Rekeyed) says so.
    pub key: MessageId,
    /// How many messages it stands for, sent ones included; each once, in how many mailboxes it may be.
    pub messages: u32,
    /// How many of those in the listed mailbox are unread.
    pub unread: u32,
    /// Who the list names: the sender, or the recipients in a Sent mailbox; of a conversation the
    /// first to the last.
    pub correspondents: String,
    /// The subject, decoded; may be empty.
    pub subject: String,
    /// The first words of the text; empty while it is not known.
    pub preview: String,
    /// When it arrived, in milliseconds since 1970 (UTC); 0 if nobody knows.
    pub date: i64,
    /// Its flags. A conversation is seen if all of its messages in the listed mailbox are, and flagged
    /// if one is.
    pub flags: Flags,
    /// Its keywords, as they are spelled on the server.
    pub keywords: Vec<String>,
    /// Whether it has attachments.
    pub has_attachments: bool,
}

/// The messages of an opened conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConversationView {
    /// The message that it was opened by.
    pub message: MessageId,
    /// What its row goes by; see [`Row::key`].
    pub key: MessageId,
    /// The messages, oldest first, each once: the latest of a very long one.
    pub messages: Vec<Row>,
    /// How many more belong to it: older ones, and those that are not here yet.
    pub more: u32,
}

/// A message, opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MessageView {
    /// The message.
    pub id: MessageId,
    /// The subject, decoded.
    pub subject: String,
    /// `From`.
    pub from: Vec<Address>,
    /// `Reply-To`, empty when answers go to `from`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// When it was sent (`Date`), in milliseconds since 1970 (UTC); `None` if the header is broken.
    pub date: Option<i64>,
    /// `Message-ID` without its angle brackets; may be empty.
    pub message_id: String,
    /// The `References` that an answer carries: those of this message and its own id.
    pub references: Vec<String>,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords, as they are spelled on the server.
    pub keywords: Vec<String>,
    /// What to show.
    pub body: BodyView,
    /// The same as text, for quoting and for people who want no HTML.
    pub text: String,
    /// Attachments, in the order of the message.
    pub attachments: Vec<AttachmentView>,
    /// The part whose text is here only with its beginning, because it is very long.
    pub cut: Option<String>,
    /// What was not downloaded, if only the header was.
    pub withheld: Option<Withheld>,
}

/// A message of which only the header was downloaded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Withheld {
    /// Whether not even the header was.
    pub nothing: bool,
    /// The whole message's size in bytes, as the server says.
    pub size: u64,
    /// Whether it will be downloaded, as soon as the server can be asked.
    pub wanted: bool,
    /// Whether the server has it no more.
    pub gone: bool,
}

/// What the reading pane shows of a message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum BodyView {
    /// A complete, sanitised HTML document for the sandboxed frame.
    ///
    /// It refers to nothing outside itself: inline images are `data:` URLs, remote ones are gone.
    Html {
        /// The document.
        document: String,
        /// How many remote resources were left out.
        remote_blocked: u32,
    },
    /// Plain text, to be shown as text.
    Text(String),
}

/// An attachment as the reading pane lists it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AttachmentView {
    /// The part's number (RFC 9051 section 6.4.5), such as `2` or `1.3`.
    pub section: String,
    /// A file name that is safe to save under.
    pub name: String,
    /// The media type, such as `image/png`, lower case.
    pub media_type: String,
    /// The size in bytes, decoded; an estimate while it is not downloaded.
    pub size: u64,
}
