//! What has changed.

use serde::{Deserialize, Serialize};

use crate::{
    Access, AccountId, AccountView, AttachmentView, BackupsView, ChangeId, Connection,
    ConversationView, CopyState, DeletionPreview, Discovery, Done, Exported, Imported, MailboxId,
    MailboxView, MessageId, MessageView, Moved, Refused, RefusedCertificate, Row, SavedDraft,
    SearchView, StorageView, StoredBytes, TestReport,
};

/// What has changed; the engine sends it, the app applies it to what it shows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Delta {
    /// Whether the proxy lets this browser in.
    Access(Access),
    /// The answer to `EnterAccessKey`.
    AccessKeyTried {
        /// The request's number.
        request: u32,
        /// Whether it is the key, or what is wrong.
        result: Result<(), Problem>,
    },
    /// All accounts, whenever one is added, changed or removed.
    Accounts(Vec<AccountView>),
    /// All mailboxes of one account, in the order to show them.
    Mailboxes {
        /// The account.
        account: AccountId,
        /// Its mailboxes.
        mailboxes: Vec<MailboxView>,
    },
    /// The counts of one mailbox changed.
    Counts {
        /// The mailbox.
        mailbox: MailboxId,
        /// Unread messages.
        unread: u32,
        /// All messages.
        total: u32,
    },
    /// The state of an account's connection changed.
    Connection {
        /// The account.
        account: AccountId,
        /// Its state.
        state: Connection,
    },
    /// Long work goes on, or has ended (`None`).
    Progress {
        /// The account.
        account: AccountId,
        /// How far it is.
        progress: Option<Progress>,
    },
    /// Rows of an opened list: the answer to `ShowRows`, and again whenever they change.
    Rows {
        /// The mailbox.
        mailbox: MailboxId,
        /// How many rows the whole list has.
        total: u32,
        /// The first row's number.
        start: u32,
        /// The rows.
        rows: Vec<Row>,
        /// True once the server has been asked since the mailbox was opened, so that an empty list
        /// means an empty mailbox.
        fresh: bool,
        /// What was searched for, if these are rows of what was found.
        search: Option<SearchView>,
        /// Whether each row is a conversation.
        conversations: bool,
    },
    /// The messages of an opened conversation: the answer to `OpenConversation`, and again whenever
    /// they change until `CloseConversation`; without any once all of them have left the mailbox.
    Conversation(Box<ConversationView>),
    /// Rows of conversations go by another key now, since the message that it was has gone, or since
    /// two conversations have become one; whoever keeps the old key takes the new one.
    Rekeyed(Vec<Moved>),
    /// The answer to `NameMessages`.
    Named {
        /// The request's number.
        request: u32,
        /// The messages, or what is wrong.
        result: Result<Vec<MessageId>, Problem>,
    },
    /// An opened message.
    Message(Box<MessageView>),
    /// A message could not be opened.
    MessageFailed {
        /// The message.
        message: MessageId,
        /// Why.
        problem: Problem,
    },
    /// The answer to `Discover`.
    Discovered {
        /// The request's number.
        request: u32,
        /// What was found, which may be nothing, or why nobody could look.
        result: Result<Discovery, Problem>,
    },
    /// The answer to `TestAccount`.
    AccountTested {
        /// The request's number.
        request: u32,
        /// What the servers said, or what is wrong.
        result: Result<TestReport, Problem>,
    },
    /// The answer to `AddAccount`.
    AccountAdded {
        /// The request's number.
        request: u32,
        /// The new account's number, or what is wrong.
        result: Result<AccountId, Problem>,
    },
    /// The answer to `ChangeAccount`.
    AccountChanged {
        /// The request's number.
        request: u32,
        /// Nothing, or what is wrong: then nothing was changed.
        result: Result<(), Problem>,
    },
    /// The answer to `PreviewRetention`.
    RetentionPreview {
        /// The request's number.
        request: u32,
        /// What would be deleted, or what is wrong.
        result: Result<DeletionPreview, Problem>,
    },
    /// The next bytes of the attachment that was asked for.
    AttachmentData {
        /// The request's number.
        request: u32,
        /// Where they belong, in bytes from its start; 0 begins it anew, whatever came before.
        offset: u64,
        /// The bytes.
        bytes: serde_bytes::ByteBuf,
    },
    /// The answer to `FetchAttachment`, when all of it has come.
    Attachment {
        /// The request's number.
        request: u32,
        /// The attachment with its true size, or what is wrong: then what came is of no use.
        result: Result<AttachmentView, Problem>,
    },
    /// The answer to `Change`: it is made here, or could not be.
    Changed {
        /// The request's number.
        request: u32,
        /// What was done, or what is wrong: then nothing was changed.
        result: Result<Done, Problem>,
    },
    /// The answer to `Undo`.
    Undone {
        /// The request's number.
        request: u32,
        /// The change.
        change: ChangeId,
        /// What was done, such as "3 messages moved back to Inbox", or what is wrong: then nothing
        /// was changed.
        result: Result<String, Problem>,
    },
    /// The server has refused a change.
    Refused(Box<Refused>),
    /// Messages have another place or number now; whoever keeps the old one takes the new one.
    Moved(Vec<Moved>),
    /// How many changes of an account the server has not been told yet, whenever that changes.
    Pending {
        /// The account.
        account: AccountId,
        /// How many.
        changes: u32,
    },
    /// The answer to `SaveDraft`.
    DraftSaved {
        /// The request's number.
        request: u32,
        /// Where it is saved, or what is wrong: then the earlier one is still there.
        result: Result<MessageId, Problem>,
    },
    /// The answer to `OpenDraft`.
    Draft {
        /// The request's number.
        request: u32,
        /// The draft, or what is wrong.
        result: Result<Box<SavedDraft>, Problem>,
    },
    /// The answer to `Send`: the message is stored and will be sent, or could not be taken.
    Queued {
        /// The request's number.
        request: u32,
        /// The outbox entry's number, or what is wrong.
        result: Result<u32, Problem>,
    },
    /// An outbox entry changed.
    Outbox {
        /// The entry.
        outbox: u32,
        /// The account.
        account: AccountId,
        /// The subject.
        subject: String,
        /// Its state.
        state: SendState,
    },
    /// The next bytes of a file that is written; answered with `ExportTaken`.
    ExportData {
        /// The request's number.
        request: u32,
        /// Where they belong, in bytes from the file's start.
        offset: u64,
        /// The bytes; empty at the file's end: answered with `ExportSaved` then.
        bytes: serde_bytes::ByteBuf,
    },
    /// A piece of a file is wanted; answered with `ImportData`.
    ImportWants {
        /// The request's number.
        request: u32,
        /// Where it begins, in bytes from the file's start.
        offset: u64,
        /// Its length in bytes; it ends within the file.
        length: u32,
    },
    /// How far the writing or reading of a file is.
    TransferProgress {
        /// The request's number.
        request: u32,
        /// How far.
        progress: Progress,
    },
    /// The answer to `Export`.
    Exported {
        /// The request's number.
        request: u32,
        /// What was written, or what is wrong: then the file is of no use.
        result: Result<Exported, Problem>,
    },
    /// The answer to `Import`.
    Imported {
        /// The request's number.
        request: u32,
        /// What was read, or what is wrong: what was read before it stays, and is recognised when
        /// the same file is read again.
        result: Result<Imported, Problem>,
    },
    /// How far the copy of local folders to an IMAP account is, whenever that changes.
    Copying {
        /// The POP3 account.
        from: AccountId,
        /// The IMAP account.
        to: AccountId,
        /// How far; `None` if it was stopped or forgotten.
        state: Option<CopyState>,
    },
    /// How old the backups are, whenever that changes.
    Backups(BackupsView),
    /// What is stored can't be used, so that nothing can be shown.
    StorageFailed {
        /// What is wrong and what to do.
        sentence: String,
        /// Whether removing it may help.
        erasable: bool,
    },
    /// How this browser keeps what is stored, whenever that is looked at.
    Storage(StorageView),
    /// What is stored of each account.
    StoredByAccount(Vec<StoredBytes>),
    /// Something went wrong that belongs to no request.
    Problem(Problem),
}

/// How far long work is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// What is being done, such as "Downloading".
    pub what: String,
    /// Steps done.
    pub done: u32,
    /// All steps; 0 while unknown.
    pub total: u32,
}

impl Progress {
    /// Progress in bytes, counted in kibibytes.
    pub fn of_bytes(what: &str, done: u64, total: u64) -> Self {
        let kibibytes = |bytes: u64| u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        Self { what: what.into(), done: kibibytes(done), total: kibibytes(total) }
    }
}

/// The state of a message on its way out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SendState {
    /// Stored, waits for its turn, for another try or for a network.
    Queued,
    /// On its way.
    Sending,
    /// The server has it.
    Sent,
    /// The server did not take it; the sentence says why.
    Failed(String),
    /// The link died after the last byte: it may have been sent. Only the person can decide.
    Uncertain,
    /// The server has it, and the copy in Sent was refused; the sentence says why.
    Unfiled(String),
    /// It was dropped.
    Discarded,
}

/// What went wrong, for a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// What kind, so that the page can point to the right field.
    pub kind: ProblemKind,
    /// What is wrong and what to do, as one or two sentences.
    pub sentence: String,
    /// The certificate that was refused, if that is what went wrong.
    pub certificate: Option<Box<RefusedCertificate>>,
    /// The account in whose settings it is mended, if it is there.
    pub settings: Option<AccountId>,
}

impl Problem {
    /// A problem that is neither about a certificate nor about settings.
    pub fn new(kind: ProblemKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), certificate: None, settings: None }
    }
}

/// Kinds of problems, by who can mend them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ProblemKind {
    /// The page has no network or can't reach the proxy.
    Offline,
    /// The server can't be reached: its name, its port, or it does not answer.
    Unreachable,
    /// The proxy is private: an access key is missing or wrong.
    AccessKey,
    /// The proxy does not allow this destination.
    NotAllowed,
    /// The server's certificate does not verify.
    Certificate,
    /// User name or password is wrong.
    Login,
    /// The server said something that it must not say, or refused.
    Server,
    /// This browser's storage failed or is full.
    Storage,
    /// What the person entered can't be used.
    Input,
    /// What was asked for is no longer there.
    Gone,
}
