//! What the app and the engine say to each other: [`Intent`]s up, [`Delta`]s down.
//!
//! Both sides are Wasm programs of the same page, on two threads; what passes between them is
//! bytes (see [`to_bytes`] and [`from_bytes`]), transferred, never shared. The types here are the
//! page's vocabulary: the client's logic uses the same identifiers and the same account settings,
//! so that nothing is spelled twice.
//!
//! Invariant: this crate knows neither browser, protocol nor storage.

mod access;
mod account;
mod backup;
mod certificate;
mod change;
mod delta;
mod discovery;
mod draft;
mod intent;
mod message;
mod pop3;
mod quota;
mod search;
mod storage;
mod wire;

pub use access::{Access, AccessKey};
pub use account::{
    AccountChange, AccountDraft, AccountId, AccountView, Connection, Endpoint, Identity, Oddity,
    Proof, Protocol, Security, ServerLogin, ServerRole, ServerState, TestReport, TlsEnd,
    is_same_mailbox, is_same_site,
};
pub use backup::{
    BackupsView, CopyState, ExportFormat, ExportScope, Exported, ImportTarget, Imported,
    LastBackup, Reminder,
};
pub use certificate::{
    Certificate, CertificateDetails, CertificateProblem, Fingerprint, FingerprintError,
    RefusedCertificate, TlsSession,
};
pub use change::{Change, ChangeId, Done, LABEL_RULE, Mark, Moved, Refused, Selection, is_label};
pub use delta::{Delta, Problem, ProblemKind, Progress, SendState};
pub use discovery::{Authentication, Candidate, Discovery, Protection, Service, Source, UserName};
pub use draft::SavedDraft;
pub use intent::{Attachment, Intent, OutgoingMessage};
pub use message::{
    Address, AttachmentView, BodyView, ConversationView, Flags, MailboxId, MailboxRights,
    MailboxView, MessageId, MessageView, Role, Row, Withheld,
};
pub use pop3::{DeletionHold, DeletionPreview, Extent, Pop3View, Retention};
pub use quota::{Quota, Share};
pub use search::{SearchScope, SearchState, SearchView};
pub use storage::{StorageView, StoredBytes};
pub use wire::{ClientId, Down, Up, WireError, from_bytes, to_bytes};
