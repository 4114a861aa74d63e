//! What the person wants.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    AccessKey, AccountChange, AccountDraft, AccountId, Address, Change, ChangeId, ExportFormat,
    ExportScope, Fingerprint, ImportTarget, MailboxId, MessageId, Reminder, Retention, SearchScope,
    Selection, ServerRole,
};

/// What the person wants; the app sends it, the engine answers with [`Delta`](crate::Delta)s.
///
/// A `request` number comes back in the answer that belongs to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Intent {
    /// A page has opened: answer with accounts and mailboxes.
    Hello,
    /// The browser says that there is (or is not) a network.
    Network {
        /// Whether there is one.
        online: bool,
    },
    /// Find out which servers an address has.
    Discover {
        /// Comes back in `Delta::Discovered`.
        request: u32,
        /// The mail address.
        address: String,
    },
    /// Nobody waits for the answer to `Discover` any more; there will be none.
    StopDiscovery {
        /// That of `Discover`.
        request: u32,
    },
    /// Try the access key of a private proxy, and keep it if it is the one.
    EnterAccessKey {
        /// Comes back in `Delta::AccessKeyTried`.
        request: u32,
        /// The key.
        key: AccessKey,
    },
    /// Forget the access key that is kept in this browser.
    ForgetAccessKey,
    /// Try the settings of an account without keeping anything.
    TestAccount {
        /// Comes back in `Delta::AccountTested`.
        request: u32,
        /// The settings.
        draft: AccountDraft,
    },
    /// Keep an account and fetch its mail.
    AddAccount {
        /// Comes back in `Delta::AccountAdded`.
        request: u32,
        /// The settings.
        draft: AccountDraft,
    },
    /// Test an account's new settings, and keep them if they work.
    ChangeAccount {
        /// Comes back in `Delta::AccountChanged`.
        request: u32,
        /// The account.
        account: AccountId,
        /// The settings.
        change: AccountChange,
    },
    /// Say what a POP3 account would delete on the server with another setting.
    PreviewRetention {
        /// Comes back in `Delta::RetentionPreview`.
        request: u32,
        /// The account.
        account: AccountId,
        /// The setting.
        retention: Retention,
    },
    /// Trust a certificate for one of an account's servers, and no other from now on; or trust
    /// none, so that a public authority has to vouch for it. The account connects again.
    TrustCertificate {
        /// The account.
        account: AccountId,
        /// The server.
        server: ServerRole,
        /// The host that the person has decided about; nothing is changed if the server has
        /// another one by now.
        host: String,
        /// Its port.
        port: u16,
        /// The certificate.
        trusted: Option<Fingerprint>,
    },
    /// Forget an account and everything stored for it in this browser.
    RemoveAccount {
        /// The account.
        account: AccountId,
    },
    /// Fetch what is new, and send what waits; and try the outgoing server again, if its certificate was
    /// refused.
    Refresh {
        /// The account.
        account: AccountId,
    },
    /// Show a mailbox: answered at once from the store, then brought up to date.
    OpenMailbox {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// The rows that the list shows now; newest first, row 0 at the top.
    ShowRows {
        /// The mailbox.
        mailbox: MailboxId,
        /// Which rows; at most [`Intent::ROWS_AT_ONCE`].
        rows: Range<u32>,
    },
    /// Show only messages that match, of a mailbox or of all of its account: answered by `Rows` at
    /// once with what is found among those stored, and again with what the server finds. From then
    /// on `ShowRows` of this mailbox is about what was found, until the mailbox is opened anew or
    /// something else is searched for.
    Search {
        /// Comes back in `Rows`.
        request: u32,
        /// The mailbox that is open.
        mailbox: MailboxId,
        /// Where to look.
        scope: SearchScope,
        /// What was typed; nothing shows the whole mailbox again.
        query: String,
    },
    /// Show conversations in the list of a mailbox rather than messages, or no longer. That is
    /// remembered.
    GroupConversations {
        /// The mailbox.
        mailbox: MailboxId,
        /// Whether to.
        on: bool,
        /// The message that the person is at: `Rekeyed` says by which key its conversation goes.
        at: Option<MessageId>,
    },
    /// Tell which messages are of the conversation of a message, whenever that changes, until it is
    /// closed, or another one or a mailbox is opened.
    OpenConversation {
        /// The message, of the mailbox that is open.
        message: MessageId,
    },
    /// No conversation is shown any more.
    CloseConversation,
    /// Say which messages a selection means at this moment, so that what is asked about is what is done.
    NameMessages {
        /// Comes back in `Delta::Named`.
        request: u32,
        /// The selection.
        messages: Selection,
    },
    /// Show a message and mark it as read.
    OpenMessage {
        /// The message.
        message: MessageId,
    },
    /// Download the whole of a message of which only the header is here, as soon as the server can
    /// be asked.
    DownloadWhole {
        /// The message.
        message: MessageId,
    },
    /// Change messages or mailboxes: here at once, on the server when it can be reached.
    Change {
        /// Comes back in `Delta::Changed`.
        request: u32,
        /// The change.
        change: Change,
    },
    /// Take a change back: one that the server has not heard of never happens, another is reversed.
    Undo {
        /// Comes back in `Delta::Undone`.
        request: u32,
        /// The change.
        change: ChangeId,
    },
    /// Fetch and decode one attachment.
    FetchAttachment {
        /// Comes back in `Delta::AttachmentData` and `Delta::Attachment`.
        request: u32,
        /// The message.
        message: MessageId,
        /// The part's number.
        section: String,
    },
    /// Send a message.
    Send {
        /// Comes back in `Delta::Queued`.
        request: u32,
        /// The message.
        message: OutgoingMessage,
        /// The saved draft that it was; deleted as soon as the message is stored for sending.
        draft: Option<MessageId>,
    },
    /// Save an unfinished message among the drafts.
    SaveDraft {
        /// Comes back in `Delta::DraftSaved`.
        request: u32,
        /// What was written; recipients may be missing.
        message: OutgoingMessage,
        /// The draft that it replaces.
        draft: Option<MessageId>,
    },
    /// Fetch a saved draft, its attachments included, to write on.
    OpenDraft {
        /// Comes back in `Delta::Draft`.
        request: u32,
        /// The draft.
        message: MessageId,
    },
    /// Try a message again that could not be sent, or whose fate is unknown: the person decided. One that
    /// waits is tried at once. Of one that was sent, file the copy again.
    RetrySend {
        /// The outbox entry.
        outbox: u32,
    },
    /// Drop an outbox entry that was not sent, or a copy that could not be filed.
    DiscardSend {
        /// The outbox entry.
        outbox: u32,
    },
    /// Remove everything that is stored, because it can't be used any more. Done only where nothing
    /// could be read; everything begins afresh then.
    EraseStorage,
    /// Find out how this browser keeps what is stored: the page has asked it to keep it, or shows
    /// how much room there is. Answered with `Delta::Storage`.
    LookAtStorage,
    /// Write mail to a file. Its bytes come in `Delta::ExportData`.
    Export {
        /// Comes back in `Delta::ExportData` and `Delta::Exported`.
        request: u32,
        /// What is written.
        scope: ExportScope,
        /// The kind of file.
        format: ExportFormat,
    },
    /// So much of a file is written that more may come.
    ExportTaken {
        /// That of `Export`.
        request: u32,
        /// How many bytes of the file are written.
        bytes: u64,
    },
    /// The file is complete and closed, where the person keeps it. Answered with `Delta::Exported`.
    ExportSaved {
        /// That of `Export`.
        request: u32,
    },
    /// Read mail from a file. Its bytes are asked for by `Delta::ImportWants`.
    Import {
        /// Comes back in `Delta::ImportWants` and `Delta::Imported`.
        request: u32,
        /// The file's name.
        name: String,
        /// The file's size in bytes.
        size: u64,
        /// Where the mail goes.
        target: ImportTarget,
        /// Whether another file follows into the same place.
        more: bool,
    },
    /// A piece of a file that is read.
    ImportData {
        /// That of `Import`.
        request: u32,
        /// Where it begins, in bytes from the file's start.
        offset: u64,
        /// The bytes; `None` if the file can't be read any more.
        bytes: Option<serde_bytes::ByteBuf>,
    },
    /// Stop writing or reading a file; there will be no answer. What was read so far stays.
    StopTransfer {
        /// That of `Export` or `Import`.
        request: u32,
    },
    /// Copy the local folders of a POP3 account to an IMAP account.
    CopyToImap {
        /// The POP3 account.
        from: AccountId,
        /// The IMAP account.
        to: AccountId,
    },
    /// Stop copying, or forget what came of it. What was copied stays on the server.
    StopCopy {
        /// The POP3 account.
        from: AccountId,
    },
    /// How often to remind of a backup.
    RemindOfBackup(Reminder),
    /// Note whether this is a public computer, on which what is downloaded may not stay. Answered with
    /// `Delta::Storage`.
    PublicComputer(bool),
    /// Add up what is stored of each account. Answered with `Delta::StoredByAccount`.
    MeasureStorage,
}

impl Intent {
    /// The most rows that one [`Intent::ShowRows`] may ask for.
    pub const ROWS_AT_ONCE: u32 = 500;
}

/// A message as it was written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OutgoingMessage {
    /// The account that sends; its identity is `From`.
    pub account: AccountId,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// Recipients that no header names.
    pub bcc: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The message that this one answers.
    pub in_reply_to: Option<MessageId>,
    /// `References`, oldest first, ending with the message that this one answers.
    pub references: Vec<String>,
    /// Attachments.
    pub attachments: Vec<Attachment>,
}

impl OutgoingMessage {
    /// One in which nothing is written yet.
    pub fn empty(account: AccountId) -> Self {
        Self {
            account,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            text: String::new(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
        }
    }
}

/// A file to send.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attachment {
    /// Its file name.
    pub name: String,
    /// Its media type; empty means `application/octet-stream`.
    pub media_type: String,
    /// Its content.
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
}
