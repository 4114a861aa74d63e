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
//! | `certificates` | TLS sessions seen, certificates refused, certificates trusted |
//! | `changing` | changes of messages and mailboxes, and how they end |
//! | `drafts` | unfinished messages |
//! | `lanes` | which connection does which work, in which order |
//! | `lists` | the rows that pages show |
//! | `mailboxes` | the folders that pages show |
//! | `mending` | what was damaged since it was stored |
//! | `places` | messages that pages still know by an earlier number |
//! | `pop3` | what a POP3 server is known for, and what is downloaded and deleted there |
//! | `probe` | tests of POP3 servers that want time between two log-ins |
//! | `reading` | opened messages |
//! | `rows` | what a list shows of a message |
//! | `search` | what pages search for |
//! | `selecting` | which messages a change is about |
//! | `sending` | the outbox's life |
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
mod lanes;
mod lists;
mod mailboxes;
mod mending;
mod places;
mod pop3;
mod probe;
mod reading;
mod rows;
mod search;
mod selecting;
mod sending;
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
    Access, AccountId, ClientId, Connection, Delta, Down, Intent, MailboxId, Pop3View, Problem,
    Quota, ServerRole, ServerState, Up,
};

use crate::{
    Host, MailError, Secret, carry, changes, outbox,
    record::{self, Account, Mailbox},
    recovery,
    store::{KeyRange, StoreError},
};
use backup::Transfer;
use conversations::Grouped;
use copying::Copying;
use lanes::Lanes;
use lists::{Change, List, Window};
use places::Places;
use search::Held;

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
    /// Whether nothing is downloaded because there is no room.
    paused: Cell<bool>,
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
    /// What is known of a POP3 server.
    pop3: Option<Pop3View>,
    connection: Connection,
    /// What was last told to be wrong; not told again until something worked.
    told: Option<String>,
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
                paused: Cell::default(),
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

    async fn serve(&self, page: ClientId, intent: Intent) -> Result<(), MailError> {
        match intent {
            Intent::Hello => self.greet(page).await,
            Intent::Network { online } => self.network(online),
            Intent::Discover { request, address } => {
                self.discover(page, request, &address).await;
                Ok(())
            }
            Intent::StopDiscovery { request } => {
                self.stop_discovery(page, request);
                Ok(())
            }
            Intent::EnterAccessKey { request, key } => {
                let result = self.enter_access_key(key).await;
                self.tell(Some(page), Delta::AccessKeyTried { request, result });
                Ok(())
            }
            Intent::ForgetAccessKey => self.forget_access_key().await,
            Intent::TestAccount { request, draft } => {
                let result = self.test_account(draft).await;
                self.tell(Some(page), Delta::AccountTested { request, result });
                Ok(())
            }
            Intent::AddAccount { request, draft } => {
                let result = self.add_account(draft).await;
                self.tell(Some(page), Delta::AccountAdded { request, result });
                Ok(())
            }
            Intent::ChangeAccount { request, account, change } => {
                let result = self.change_account(account, change).await;
                self.tell(Some(page), Delta::AccountChanged { request, result });
                Ok(())
            }
            Intent::PreviewRetention { request, account, retention } => {
                let result = self.preview_retention(account, retention).await;
                self.tell(Some(page), Delta::RetentionPreview { request, result });
                Ok(())
            }
            Intent::TrustCertificate { account, server, host, port, trusted } => {
                self.trust(account, server, (&host, port), trusted).await
            }
            Intent::RemoveAccount { account } => self.remove_account(account).await,
            Intent::Refresh { account } => {
                self.try_storage_again().await;
                self.refresh(account)?;
                self.try_refused_outgoing(account).await
            }
            Intent::OpenMailbox { mailbox } => self.open_mailbox(page, mailbox).await,
            Intent::ShowRows { mailbox, rows } => self.show_rows(page, mailbox, rows).await,
            Intent::Search { request, mailbox, scope, query } => {
                self.search_messages(page, request, mailbox, scope, &query).await
            }
            Intent::GroupConversations { mailbox, on, at } => {
                self.group_conversations(page, mailbox, on, at).await
            }
            Intent::OpenConversation { message } => self.open_conversation(page, message).await,
            Intent::CloseConversation => {
                self.close_conversation(page);
                Ok(())
            }
            Intent::NameMessages { request, messages } => {
                let result = self.named(page, messages).await;
                self.tell(Some(page), Delta::Named { request, result });
                Ok(())
            }
            Intent::OpenMessage { message } => self.open_message(page, message).await,
            Intent::DownloadWhole { message } => self.download_whole(page, message).await,
            Intent::Change { request, change } => {
                let result = self.change((page, request), change).await;
                self.tell(Some(page), Delta::Changed { request, result });
                Ok(())
            }
            Intent::Undo { request, change } => {
                let result = self.undo(change).await;
                self.tell(Some(page), Delta::Undone { request, change, result });
                Ok(())
            }
            Intent::SaveDraft { request, message, draft } => {
                let result = self.save_draft((page, request), message, draft).await;
                self.tell(Some(page), Delta::DraftSaved { request, result });
                Ok(())
            }
            Intent::OpenDraft { request, message } => {
                let result = self.open_draft(message).await;
                self.tell(Some(page), Delta::Draft { request, result });
                Ok(())
            }
            Intent::FetchAttachment { request, message, section } => {
                self.send_attachment(page, request, message, &section).await;
                Ok(())
            }
            Intent::Send { request, message, draft } => {
                let result = self.send(page, request, message, draft).await;
                self.tell(Some(page), Delta::Queued { request, result });
                Ok(())
            }
            Intent::RetrySend { outbox } => self.retry_send(outbox).await,
            Intent::DiscardSend { outbox } => self.discard_send(outbox).await,
            Intent::Export { request, scope, format } => {
                self.start_export(page, request, scope, format);
                Ok(())
            }
            Intent::ExportTaken { request, bytes } => {
                self.export_taken(page, request, bytes);
                Ok(())
            }
            Intent::ExportSaved { request } => {
                self.export_saved(page, request);
                Ok(())
            }
            Intent::Import { request, name, size, target } => {
                self.start_import(page, request, (name, size), target);
                Ok(())
            }
            Intent::ImportData { request, offset, bytes } => {
                self.import_data(page, request, offset, bytes);
                Ok(())
            }
            Intent::StopTransfer { request } => {
                self.stop_transfer(page, request);
                Ok(())
            }
            Intent::CopyToImap { from, to } => self.copy_to_imap(from, to).await,
            Intent::StopCopy { from } => self.stop_copy(from).await,
            Intent::RemindOfBackup(reminder) => self.remind_of_backup(reminder).await,
            // There is a client, so what is stored can be used.
            Intent::EraseStorage => Ok(()),
            Intent::LookAtStorage => {
                self.look_at_storage().await;
                self.go_on_if_there_is_room().await
            }
            Intent::PublicComputer(is_public) => self.set_public_computer(is_public).await,
            Intent::MeasureStorage => self.measure_storage(page).await,
        }
    }

    /// Tells a new page everything that it shows first.
    async fn greet(&self, page: ClientId) -> Result<(), MailError> {
        // A page that another client has told more keeps what it knows.
        let access = self.inner.access.get();
        if access != Access::Unknown {
            self.tell(Some(page), Delta::Access(access));
        }
        self.tell(Some(page), Delta::Accounts(self.account_views()));
        for account in self.account_ids() {
            self.tell_mailboxes(Some(page), account).await?;
            self.tell_pending(account).await?;
        }
        self.tell_outbox(Some(page)).await?;
        self.tell_backups(Some(page)).await?;
        self.tell_copies(page);
        self.look_at_storage().await;
        // With accounts their connections find it out.
        if self.inner.accounts.borrow().is_empty() {
            self.learn_access().await;
        }
        Ok(())
    }

    fn network(&self, online: bool) -> Result<(), MailError> {
        if self.inner.online.replace(online) == online {
            return Ok(());
        }
        for account in self.account_ids() {
            if online {
                self.refresh(account)?;
                self.queue_changes(account);
                self.wake_outbox(account);
            } else {
                self.set_connection(account, Connection::Offline);
            }
        }
        Ok(())
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
