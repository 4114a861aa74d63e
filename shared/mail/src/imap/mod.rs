//! IMAP: mailboxes, sync, bodies, flags.
//!
//! | Module | Job |
//! |---|---|
//! | `login` | greeting, TLS, log-in |
//! | `exchange` | commands and what came back for them |
//! | `overheard` | what a server wants a person to be told; what it says that makes no sense |
//! | `refusal` | what a refusal means |
//! | `mailboxes` | the list of mailboxes, reconciled with the stored one |
//! | `rights`, `permanent` | what this account may do with their messages; which marks they keep |
//! | `namespace` | where new mailboxes are made |
//! | `spelling` | their names in UTF-8 and in modified UTF-7 |
//! | `search` | which messages the open mailbox has, and which match |
//! | `messages` | one mailbox's messages brought up to date |
//! | `missing` | those that are not stored here, fetched in windows |
//! | `together` | what belongs together, asked before all of them are here |
//! | `follow` | the same of a mailbox that is watched, by what the server tells |
//! | `batch` | what the server told, applied to the store in batches |
//! | `news` | what the server tells about the open mailbox, asked or not |
//! | `refresh` | the flags of those that were stored before |
//! | `newcomers` | what comes while the older messages are fetched |
//! | `halves`, `refused` | messages that a server refuses to list in one go; which those were |
//! | `plan` | which messages to fetch, drop and look at again, and in which windows |
//! | `listing` | a message's record from what the server tells about it |
//! | `labels` | Gmail's labels, which are its tags |
//! | `body`, `partial` | what is needed to show a message; large ones without their attachments |
//! | `part` | one attachment |
//! | `whole` | a large message without parts, fetched as it is |
//! | `changes` | the queue of changes, told to the server |
//! | `migrate` | local messages, copied to the server |
//! | `append` | copies of sent messages, filed on the server |
//! | `find` | messages that the server finds |
//! | `idle` | waiting for news |
//! | `lookout` | new mail in one mailbox, while another is brought up to date |
//!
//! What `postern_imap` can say and nothing here does:
//!
//! | What | Why not |
//! |---|---|
//! | EXAMINE, but to leave a mailbox | what is read is soon marked or moved; to open it once costs less |
//! | CLOSE | it expunges what other programs have marked as deleted |
//! | SORT | lists are in the order of arrival, and all of a mailbox is here |
//! | BINARY, to fetch | what a server can't decode it refuses; to decode here works with all of them |
//! | MODSEQ of FETCH, and VANISHED with CHANGEDSINCE | QRESYNC tells what they are for with the mailbox |
//! | MIN and MAX of a search, and PARTIAL from the first on | all that match are wanted, the newest first |
//! | STORE with UNCHANGEDSINCE, or of all flags | a mark is given or taken by itself: others keep theirs |
//! | APPEND of a message that is held whole | its bytes come from the store in pieces |
//! | SAVEDATE | nothing is shown or done by when a message came into its mailbox |
//! | GETQUOTA | GETQUOTAROOT of the inbox tells the figures at once |
//! | SEARCHRES without PARTIAL | what is found is wanted here; kept there, all of it would be told all the same |
//! | SIZE and DELETED of STATUS | a server may have to look at each message for them |
//! | selection and patterns of LIST | all mailboxes are listed at once, each with what it is |
//! | ENABLE IMAP4rev2 | see `login` |
//!
//! An [`ImapClient`] is one connection. It does one thing at a time and keeps nothing that the
//! store does not have, apart from which mailbox is selected.

mod append;
mod batch;
mod body;
mod changes;
mod exchange;
mod find;
mod follow;
mod halves;
mod idle;
mod labels;
pub mod limits;
mod listing;
mod login;
mod lookout;
mod mailboxes;
mod messages;
mod migrate;
mod missing;
mod namespace;
mod newcomers;
mod news;
mod overheard;
mod part;
mod partial;
mod permanent;
mod plan;
mod previews;
mod quota;
mod refresh;
mod refusal;
mod refused;
mod rights;
mod search;
mod select;
mod session;
mod spelling;
mod stored;
mod stored_part;
#[cfg(test)]
mod tests;
mod together;
mod unread;
mod whole;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

pub use batch::{ListChange, SyncStep};
pub use body::Raw;
pub(crate) use body::bytes_to_show;
pub use changes::Outcome;
pub use find::{Found, Reach};
pub(crate) use limits::PART_WINDOW;
use limits::PATIENCE;
use lookout::Lookout;
pub(crate) use mailboxes::forget_messages;
use news::News;
use overheard::Alerts;
pub use overheard::Defects;
pub use part::Fetched;
use postern_bridge::{MessageId, TlsSession};
use postern_imap::{Command, Session, mailbox_name::Spelling, response::Status, session::Tag};
use select::Selected;
pub(crate) use stored_part::read_part;

use crate::{
    Host, MailError, Transport,
    connection::{Connection, GOODBYE},
    host::within,
};

/// A connection to an IMAP server, logged in.
pub struct ImapClient<T: Transport> {
    connection: Connection<T, Session>,
    enabled: Enabled,
    selected: Option<Selected>,
    /// What the server told about the selected mailbox, if that is watched.
    news: Option<News>,
    /// Since when that has been told, in milliseconds since 1970 (UTC).
    heard: i64,
    /// When it was last asked to count the unread messages of a mailbox, in milliseconds since 1970 (UTC).
    counted: i64,
    /// What the paths of a person's own mailboxes begin with, once that was asked.
    own_prefix: Option<Vec<u8>>,
    /// Whether the server was told who we are.
    introduced: bool,
    /// Whether the server waits for the rest of a message that does not come.
    half_said: bool,
    /// Whether the server was asked to tell of all mailboxes.
    watches_all: bool,
    /// How often that was too much for it.
    overflows: u32,
    /// Whether it has told of others than the selected one.
    told_of_others: bool,
    /// Mailboxes of which the server was asked for an identifier and told none, by their stored paths,
    /// with the UIDVALIDITY that they had.
    nameless: BTreeMap<Vec<u8>, Option<u32>>,
    /// Messages of which the server was asked how they begin.
    asked_previews: BTreeSet<MessageId>,
    /// What is looked at beside the selected mailbox.
    lookout: Lookout,
    /// The mailbox that was counted last, where not all are in one go.
    counted_to: Vec<u8>,
    /// What the server wants the person to be told.
    alerts: Alerts,
    /// What it has said that makes no sense.
    defects: Defects,
    /// How commands ended that nobody has asked for yet.
    ended: BTreeMap<Tag, Status>,
}

/// Extensions in use that change what the server tells.
#[derive(Clone, Copy, Debug, Default)]
struct Enabled {
    /// Mod-sequences (RFC 7162 section 3.1).
    condstore: bool,
    /// What has changed is told when a mailbox is opened (RFC 7162 section 3.2).
    qresync: bool,
    /// How mailboxes are named (RFC 6855 section 3).
    spelling: Spelling,
    /// Messages with UTF-8 in their header are sent as such (RFC 6855 section 4).
    utf8_append: bool,
}

impl<T: Transport> ImapClient<T> {
    /// What protects the connection.
    pub fn tls(&self) -> Option<TlsSession> {
        self.connection.tls()
    }

    /// Whether the connection can be used for something else after an error. What is still under way would
    /// come in between, and be taken for the answer to that.
    pub fn is_usable(&self, error: &MailError) -> bool {
        let is_busy = self.connection.session.is_busy();
        !(self.half_said || is_busy || error.breaks_connection())
    }

    /// A stored path as the server wants it.
    fn named<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        spelling::to_server(path, self.enabled.spelling)
    }

    /// Keeps the connection alive, and finds out whether it still is.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn noop<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        self.run(host, Command::noop(), "keep the connection").await.map(drop)
    }

    /// Waits until nothing is under way any more that broke off here: what the server says from then on
    /// answers what it is asked next.
    ///
    /// # Errors
    ///
    /// If the server does not come to an end with it: the connection is of no more use.
    async fn come_to_rest<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        if self.connection.session.is_busy() {
            self.noop(host).await?;
        }
        match self.connection.session.is_busy() {
            true => Err(MailError::TimedOut("the rest of an answer")),
            false => Ok(()),
        }
    }

    /// Says goodbye and closes the connection.
    pub async fn logout<H: Host<Transport = T>>(mut self, host: &H) {
        let goodbye = self.run(host, Command::logout(), "say goodbye");
        // A server that does not answer is left without.
        let _ = within(host, GOODBYE, goodbye).await;
        self.connection.close(host).await;
    }
}
