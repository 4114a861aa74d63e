//! Intents in, deltas out: the whole client behind the bridge.
//!
//! | Module | Job |
//! |---|---|
//! | `access` | the key of a private proxy |
//! | `accounts` | add, test, list, remove |
//! | `attachments` | the content of attachments, given to pages in pieces |
//! | `conversations` | lists whose rows are conversations |
//! | `copying` | local folders, copied to an IMAP account |
//! | `discovery` | which servers an address has |
//! | `settings` | change an account that is there |
//! | `backup` | files that pages write and read |
//! | `certificates` | certificates refused, certificates trusted |
//! | `changing` | changes of messages and mailboxes, and how they end |
//! | `drafts` | unfinished messages |
//! | `gather` | changes of mailboxes, gathered before pages are told |
//! | `lanes` | which connection does which work, in which order |
//! | `lists` | the rows that pages show |
//! | `mailboxes` | the folders that pages show |
//! | `marking` | marks that follow from something else |
//! | `mending` | what was damaged since it was stored |
//! | `overheard` | what servers want people to be told; what they say that makes no sense |
//! | `places` | messages that pages still know by an earlier number |
//! | `pop3` | what a POP3 server is known for, and what is downloaded and deleted there |
//! | `probe` | tests of POP3 servers that want time between two log-ins |
//! | `reading` | opened messages |
//! | `rows` | what a list shows of a message |
//! | `search` | what pages search for |
//! | `selecting` | which messages a change is about |
//! | `sending` | the outbox's life |
//! | `serve` | what is done for each intent |
//! | `sessions` | TLS sessions seen, as they are stored |
//! | `storage` | how safe what is stored is, and how much room there is |
//!
//! A [`Client`] answers from the store at once and leaves everything that needs a server to the
//! account's lanes; what they change comes back as deltas.

mod access;
mod accounts;
mod attachments;
mod backup;
mod certificates;
mod changing;
mod conversations;
mod copying;
mod discovery;
mod drafts;
mod gather;
mod lanes;
mod lists;
mod mailboxes;
mod marking;
mod mending;
mod overheard;
mod places;
mod pop3;
mod probe;
mod reading;
mod rows;
mod search;
mod selecting;
mod sending;
mod serve;
mod sessions;
mod settings;
mod storage;
#[cfg(test)]
mod tests;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use futures_util::{future::AbortHandle, lock::Mutex};
use postern_bridge::{
    Access, AccountId, ClientId, Connection, Delta, Down, MailboxId, Pop3View, Problem, Quota,
    ServerRole, ServerState, Up,
};

use crate::{
    Host, MailError, Secret, carry, changes,
    imap::Defects,
    outbox,
    record::{self, Account, Mailbox},
    recovery,
    store::{KeyRange, StoreError},
};
use backup::{Recognised, Transfer};
use conversations::Grouped;
use copying::Copying;
use lanes::Lanes;
use lists::{Change, List, Window};
use places::Places;
use search::Held;
use storage::Full;

/// The client: one for all pages of a browser profile. Clones are handles to the same one.
pub struct Client<H: Host> {
    inner: Rc<Inner<H>>,
}

impl<H: Host> Clone for Client<H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

struct Inner<H: Host> {
    host: Rc<H>,
    emit: Box<dyn Fn(Down)>,
    online: Cell<bool>,
    access: Cell<Access>,
    /// The access key that is kept in this browser.
    access_key: RefCell<Option<Secret>>,
    accounts: RefCell<BTreeMap<AccountId, Running>>,
    lists: RefCell<HashMap<MailboxId, List>>,
    windows: RefCell<HashMap<ClientId, Window>>,
    /// What is held of mailboxes whose lists show conversations.
    grouped: RefCell<Grouped>,
    /// What is held of mailboxes for the next search.
    held: RefCell<Held>,
    /// Searches for servers that run, by page and request.
    searches: RefCell<HashMap<(ClientId, u32), AbortHandle>>,
    /// Mailboxes whose changes pages will be told of in a moment.
    changed: RefCell<HashMap<MailboxId, Change>>,
    /// Where messages are now that pages may know by an earlier number.
    places: RefCell<Places>,
    /// Files that pages write and read, by page and request.
    transfers: RefCell<HashMap<(ClientId, u32), Transfer>>,
    /// Copies to IMAP accounts, by the account that is copied.
    copies: RefCell<BTreeMap<AccountId, Copying>>,
    /// Held while a file is read: one at a time.
    importing: Mutex<()>,
    /// What is held of a mailbox while several files are read into it.
    recognised: RefCell<Option<Recognised>>,
    /// Whether nothing is downloaded because there is no room.
    paused: Cell<bool>,
    /// When there was no room last.
    full: Cell<Full>,
    /// When it was last looked at how much room there is, in milliseconds since 1970 (UTC).
    looked: Cell<i64>,
    /// How often entries of the queue of changes have broken the connection.
    tries: RefCell<HashMap<(AccountId, u32), u32>>,
    /// The last test of a POP3 server.
    probe: RefCell<Option<probe::Probe>>,
}

/// An account at work.
struct Running {
    account: Account,
    incoming: ServerState,
    outgoing: ServerState,
    /// How much of its room on the server is used, as that told last.
    quota: Quota,
    /// What an IMAP server has said that makes no sense.
    defects: Defects,
    /// What is known of a POP3 server.
    pop3: Option<Pop3View>,
    connection: Connection,
    /// What was last told to be wrong; not told again until something worked.
    told: Option<String>,
    /// Whether it has gone on at once after room was made; not again until something worked.
    went_on: bool,
    lanes: Lanes,
}

impl<H: Host> Client<H> {
    /// Starts the client on a store whose lead has been taken: accounts get their lanes, and what
    /// an earlier life left in the outbox goes on.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn start(host: Rc<H>, emit: impl Fn(Down) + 'static) -> Result<Self, MailError> {
        recovery::recover(host.store()).await?;
        let accounts: Vec<Account> = record::all(host.store(), &KeyRange::all()).await?;
        outbox::recover(&*host, None).await?;
        changes::adopt_marks(&*host).await?;
        carry::recover(host.store()).await?;
        for account in &accounts {
            changes::retry_held(&*host, account.id).await?;
        }
        let client = Self {
            inner: Rc::new(Inner {
                host,
                emit: Box::new(emit),
                online: Cell::new(true),
                access: Cell::default(),
                access_key: RefCell::default(),
                accounts: RefCell::default(),
                lists: RefCell::default(),
                windows: RefCell::default(),
                grouped: RefCell::default(),
                held: RefCell::default(),
                searches: RefCell::default(),
                changed: RefCell::default(),
                places: RefCell::default(),
                transfers: RefCell::default(),
                copies: RefCell::default(),
                importing: Mutex::new(()),
                recognised: RefCell::default(),
                paused: Cell::default(),
                full: Cell::default(),
                looked: Cell::default(),
                tries: RefCell::default(),
                probe: RefCell::default(),
            }),
        };
        client.present_kept_key().await?;
        for account in accounts {
            let known = accounts::Known::of(client.store(), &account).await?;
            client.run_account(account, known);
        }
        client.resume_outbox().await?;
        client.resume_copies().await?;
        Ok(client)
    }

    /// Takes what a page wants; the answers are emitted.
    pub fn handle(&self, up: Up) {
        let client = self.clone();
        self.inner.host.spawn(async move {
            if let Err(error) = client.serve(up.client, up.intent).await {
                client.tell(Some(up.client), Delta::Problem(error.problem("The mail server")));
            }
        });
    }

    /// Forgets what a page was showing and looking for.
    pub fn leave(&self, page: ClientId) {
        self.inner.windows.borrow_mut().remove(&page);
        self.forget_hidden_lists();
        self.stop_discoveries(page);
        self.stop_transfers(page);
    }

    fn tell(&self, client: Option<ClientId>, delta: Delta) {
        (self.inner.emit)(Down { client, delta });
    }

    async fn tell_mailboxes(
        &self,
        page: Option<ClientId>,
        account: AccountId,
    ) -> Result<(), MailError> {
        let protocol = self.account(account)?.protocol;
        let mailboxes = mailboxes::views(&self.mailboxes(account).await?, protocol);
        self.tell(page, Delta::Mailboxes { account, mailboxes });
        Ok(())
    }

    /// A mailbox. One that can't be read any more is made anew first. Not under the lock for editing.
    async fn mailbox(&self, id: MailboxId) -> Result<Mailbox, MailError> {
        match record::mailbox(self.store(), id).await {
            Err(MailError::Store(StoreError::Damaged(_))) => {
                self.mend_records().await?;
                record::mailbox(self.store(), id).await
            }
            read => read,
        }
    }

    /// The account's mailboxes, in the order to show them. One that can't be read any more is made anew
    /// first. Not under the lock for editing.
    async fn mailboxes(&self, account: AccountId) -> Result<Vec<Mailbox>, StoreError> {
        match record::mailboxes(self.store(), account).await {
            Err(StoreError::Damaged(_)) => {
                self.mend_records().await?;
                record::mailboxes(self.store(), account).await
            }
            read => read,
        }
    }

    fn set_connection(&self, account: AccountId, state: Connection) {
        if let Some(running) = self.inner.accounts.borrow_mut().get_mut(&account) {
            if state == Connection::Online {
                running.told = None;
            }
            if running.connection == state {
                return;
            }
            running.connection = state.clone();
        }
        self.tell(None, Delta::Connection { account, state });
    }

    fn account(&self, id: AccountId) -> Result<Account, MailError> {
        let accounts = self.inner.accounts.borrow();
        accounts.get(&id).map(|running| running.account.clone()).ok_or(MailError::Gone("account"))
    }

    fn account_ids(&self) -> Vec<AccountId> {
        self.inner.accounts.borrow().keys().copied().collect()
    }

    fn store(&self) -> &H::Store {
        self.inner.host.store()
    }

    /// A problem with an account's incoming server.
    fn problem(&self, account: AccountId, error: &MailError) -> Problem {
        self.problem_with(account, ServerRole::Incoming, error)
    }

    /// A problem with one of an account's servers, with the way to the settings if it is mended there.
    fn problem_with(&self, account: AccountId, server: ServerRole, error: &MailError) -> Problem {
        match self.account(account) {
            Ok(account) => {
                let login = match server {
                    ServerRole::Incoming => &account.incoming,
                    ServerRole::Outgoing => &account.outgoing,
                };
                let settings = error.is_mended_in_settings().then_some(account.id);
                Problem { settings, ..error.problem(&login.endpoint.host) }
            }
            Err(_) => error.problem("The mail server"),
        }
    }
}
