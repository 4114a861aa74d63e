//! Which connection does which work, in which order.
//!
//! Each account has up to three lanes; a lane is one task with one queue and, on IMAP, one
//! connection that is kept while it is useful:
//!
//! - **reading**: what the person waits for: bodies, parts, the read mark;
//! - **sync**: bringing mailboxes up to date, filing copies; on POP3, the download;
//! - **sending**: the outbox.
//!
//! So a click never waits behind a long sync.

use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Either, abortable, select},
};
use postern_bridge::{
    AccountId, Connection, Delta, MailboxId, MessageId, Progress, Protocol, Role,
};

use super::Client;
use crate::{
    Host, MailError,
    imap::ImapClient,
    pop3::{self, DownloadStep},
    record::{self, Account, Body, Mailbox, Message},
    store::{KeyRange, Order, Store, Table},
};

/// How long an unused connection of the reading lane is kept.
const KEEP_IDLE: Duration = Duration::from_secs(120);
/// How often an IMAP server is asked for news.
const POLL: Duration = Duration::from_secs(60);
/// How often a POP3 server is asked for news: each time is a log-in, and servers ration those.
const POLL_POP3: Duration = Duration::from_secs(300);
/// How long to wait before a lost connection is made again.
const AFTER_LOSS: Duration = Duration::from_secs(5);
/// How many of the newest messages are fetched before anybody asks for them.
const PREFETCHED: usize = 20;
/// The largest message that is fetched before anybody asks for it, in bytes.
const PREFETCHED_SIZE: u64 = 256 * 1024;
/// How long changes of a mailbox are gathered before pages are told.
const GATHER: Duration = Duration::from_millis(30);

/// An account's lanes; dropping it stops them where they wait.
pub(super) struct Lanes {
    reading: mpsc::UnboundedSender<Reading>,
    sync: mpsc::UnboundedSender<Sync>,
    sending: mpsc::UnboundedSender<u32>,
    tasks: Vec<AbortHandle>,
}

/// What a person waits for; only on IMAP.
pub(super) enum Reading {
    /// Fetch and store what is needed to show a message.
    Body { message: MessageId, done: oneshot::Sender<Result<(), MailError>> },
    /// Fetch one part.
    Part { message: MessageId, section: String, done: oneshot::Sender<Result<Vec<u8>, MailError>> },
    /// Tell the server whether a message is read.
    Seen { message: MessageId, seen: bool },
    /// Fetch a message that is likely to be read next.
    Prefetch { message: MessageId },
}

/// What keeps the store up to date.
pub(super) enum Sync {
    /// Everything: the list of mailboxes, and those that people look at.
    All,
    /// One mailbox.
    Mailbox(MailboxId),
    /// File the copy of a sent message.
    File { outbox: u32 },
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Lanes {
    pub(super) fn start<H: Host>(client: &Client<H>, account: &Account) -> Self {
        let (reading, reading_jobs) = mpsc::unbounded();
        let (sync, sync_jobs) = mpsc::unbounded();
        let (sending, sending_jobs) = mpsc::unbounded();
        let id = account.id;
        let mut tasks = vec![client.run_lane(client.clone().sending_lane(id, sending_jobs))];
        match account.protocol {
            Protocol::Imap => {
                tasks.push(client.run_lane(client.clone().reading_lane(id, reading_jobs)));
                tasks.push(client.run_lane(client.clone().imap_sync_lane(id, sync_jobs)));
            }
            Protocol::Pop3 => {
                tasks.push(client.run_lane(client.clone().download_lane(id, sync_jobs)));
            }
        }
        Self { reading, sync, sending, tasks }
    }
}

/// One IMAP connection of an account, made when it is needed and remade when it was lost.
struct Link<H: Host> {
    client: Client<H>,
    account: AccountId,
    connection: Option<ImapClient<H::Transport>>,
}

impl<H: Host> Link<H> {
    fn new(client: &Client<H>, account: AccountId) -> Self {
        Self { client: client.clone(), account, connection: None }
    }

    /// Does a piece of work over the connection. A connection that was kept and turns out to be
    /// dead is replaced once; each piece of work can be done twice without harm.
    async fn work<T>(
        &mut self,
        mut work: impl AsyncFnMut(&mut ImapClient<H::Transport>, &H) -> Result<T, MailError>,
    ) -> Result<T, MailError> {
        let host = self.client.inner.host.clone();
        let mut may_be_stale = self.connection.is_some();
        loop {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                None => {
                    let account = self.client.account(self.account)?;
                    let password = host.unseal(&account.sealed_password).await?;
                    let fresh = ImapClient::connect(&*host, &account.incoming, &password).await?;
                    self.connection.insert(fresh)
                }
            };
            match work(connection, &host).await {
                Err(error) if error.breaks_connection() => {
                    self.connection = None;
                    if !std::mem::take(&mut may_be_stale) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.logout(&*self.client.inner.host).await;
        }
    }
}

impl<H: Host> Client<H> {
    /// Has everything of an account brought up to date.
    pub(super) fn refresh(&self, account: AccountId) -> Result<(), MailError> {
        let accounts = self.inner.accounts.borrow();
        let running = accounts.get(&account).ok_or(MailError::Gone("account"))?;
        // A queue that is gone belongs to an account that is being removed.
        let _ = running.lanes.sync.unbounded_send(Sync::All);
        Ok(())
    }

    /// Has one mailbox brought up to date.
    pub(super) fn sync_mailbox(&self, mailbox: &Mailbox) {
        self.queue_sync(mailbox.account, Sync::Mailbox(mailbox.id));
    }

    /// Has the copy of a sent message filed.
    pub(super) fn queue_filing(&self, account: AccountId, outbox: u32) {
        self.queue_sync(account, Sync::File { outbox });
    }

    fn queue_sync(&self, account: AccountId, job: Sync) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.sync.unbounded_send(job);
        }
    }

    /// Gives the reading lane work; on POP3 there is none to do.
    pub(super) fn queue_reading(&self, account: AccountId, job: Reading) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.reading.unbounded_send(job);
        }
    }

    /// Has an outbox entry sent.
    pub(super) fn queue_sending(&self, account: AccountId, outbox: u32) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.sending.unbounded_send(outbox);
        }
    }

    fn run_lane(&self, lane: impl Future<Output = ()> + 'static) -> AbortHandle {
        let (lane, handle) = abortable(lane);
        self.inner.host.spawn(async move {
            // Aborted when the account is removed: then there is nothing left to tell.
            let _ = lane.await;
        });
        handle
    }

    /// The next job; `None` after `patience` without one. Ends the lane when the queue is gone.
    async fn next_job<J>(
        &self,
        jobs: &mut mpsc::UnboundedReceiver<J>,
        patience: Duration,
    ) -> Option<Option<J>> {
        let sleep = std::pin::pin!(self.inner.host.sleep(patience));
        match select(jobs.next(), sleep).await {
            Either::Left((None, _)) => None,
            Either::Left((job, _)) => Some(job),
            Either::Right(_) => Some(None),
        }
    }

    async fn reading_lane(self, account: AccountId, mut jobs: mpsc::UnboundedReceiver<Reading>) {
        let mut link = Link::new(&self, account);
        while let Some(job) = self.next_job(&mut jobs, KEEP_IDLE).await {
            match job {
                // A receiver that is gone has stopped waiting.
                Some(Reading::Body { message, done }) => {
                    let body = link.work(async |imap, host| imap.fetch_body(host, message).await);
                    let _ = done.send(body.await);
                }
                Some(Reading::Part { message, section, done }) => {
                    let part = link
                        .work(async |imap, host| imap.fetch_part(host, message, &section).await);
                    let _ = done.send(part.await);
                }
                Some(Reading::Seen { message, seen }) => {
                    let stored =
                        link.work(async |imap, host| imap.store_seen(host, message, seen).await);
                    if let Err(error) = stored.await
                        && !error.is_passing()
                    {
                        self.tell(None, Delta::Problem(self.problem(account, &error)));
                    }
                }
                Some(Reading::Prefetch { message }) => {
                    // Nobody asked for it: when it is asked for, an error will be told.
                    let _ = self.prefetch(&mut link, message).await;
                }
                None => link.hang_up().await,
            }
        }
    }

    async fn prefetch(&self, link: &mut Link<H>, id: MessageId) -> Result<(), MailError> {
        let message: Option<Message> = record::get(self.store(), &record::message_key(id)).await?;
        if message.is_some_and(|message| message.body == Body::Absent) {
            link.work(async |imap, host| imap.fetch_body(host, id).await).await?;
            self.note_change(id.mailbox);
        }
        Ok(())
    }

    /// Has the newest messages of a mailbox fetched: they are likely to be read next.
    async fn prefetch_newest(
        &self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<(), MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let newest =
            self.store().scan(Table::Arrival, &range, Order::Descending, PREFETCHED).await?;
        for (key, _) in newest {
            let id = record::arrived_message(&key)?;
            let message: Option<Message> =
                record::get(self.store(), &record::message_key(id)).await?;
            if message.is_some_and(|own| own.body == Body::Absent && own.size <= PREFETCHED_SIZE) {
                self.queue_reading(account, Reading::Prefetch { message: id });
            }
        }
        Ok(())
    }

    async fn imap_sync_lane(self, account: AccountId, mut jobs: mpsc::UnboundedReceiver<Sync>) {
        let mut link = Link::new(&self, account);
        while let Some(job) = self.next_or_news(account, &mut jobs, &mut link).await {
            let Some(job) = self.worth_doing(account, job, &mut link).await else { continue };
            let result = match job {
                Sync::All => self.sync_all(account, &mut link).await,
                Sync::Mailbox(mailbox) => self.sync_shown(account, &mut link, mailbox).await,
                Sync::File { outbox } => self.file_on_server(account, outbox, &mut link).await,
            };
            self.report(account, result);
        }
    }

    /// The next job, which may be that the server has news of the inbox; `None` inside when it is
    /// time to look at everything.
    async fn next_or_news(
        &self,
        account: AccountId,
        jobs: &mut mpsc::UnboundedReceiver<Sync>,
        link: &mut Link<H>,
    ) -> Option<Option<Sync>> {
        let inbox = self.inbox(account).await;
        let (Some(connection), Ok(inbox)) = (&mut link.connection, inbox) else {
            return self.next_job(jobs, POLL).await;
        };
        let started = self.inner.host.now();
        let host = &*self.inner.host;
        let (job, result) = connection.wait_for_news(host, inbox, POLL, &mut jobs.next()).await;
        if result.is_err() {
            link.connection = None;
        }
        match (job, result) {
            (Some(None), _) => None,
            (Some(job), _) => Some(job),
            (None, Ok(())) if host.now() - started < POLL.as_millis() as i64 => {
                Some(Some(Sync::Mailbox(inbox)))
            }
            (None, Ok(())) => Some(None),
            // A server that hangs up again and again is not called again at once.
            (None, Err(_)) => self.next_job(jobs, AFTER_LOSS).await,
        }
    }

    async fn inbox(&self, account: AccountId) -> Result<MailboxId, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
        Ok(inbox.ok_or(MailError::Gone("inbox"))?.id)
    }

    /// What to do for a job, or for a minute without one; offline, nothing.
    async fn worth_doing(
        &self,
        account: AccountId,
        job: Option<Sync>,
        link: &mut Link<H>,
    ) -> Option<Sync> {
        if !self.inner.online.get() {
            link.connection = None;
            return None;
        }
        if link.connection.is_none() {
            self.set_connection(account, Connection::Connecting);
        }
        Some(job.unwrap_or(Sync::All))
    }

    /// Brings the list of mailboxes, the inbox and whatever people look at up to date.
    async fn sync_all(&self, account: AccountId, link: &mut Link<H>) -> Result<(), MailError> {
        let before = self.mailboxes(account).await?;
        let mailboxes =
            link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
        self.set_connection(account, Connection::Online);
        if mailboxes != before {
            self.tell_mailboxes(None, account).await?;
        }
        let shown = self.shown_mailboxes();
        for mailbox in mailboxes {
            let wanted = mailbox.role == Some(Role::Inbox) || shown.contains(&mailbox.id);
            if wanted && mailbox.selectable {
                self.sync_one(link, mailbox.id).await?;
            }
            if mailbox.role == Some(Role::Inbox) {
                self.prefetch_newest(account, mailbox.id).await?;
            }
        }
        Ok(())
    }

    /// Brings one mailbox up to date that somebody looks at, or that has news.
    async fn sync_shown(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        mailbox: MailboxId,
    ) -> Result<(), MailError> {
        self.sync_one(link, mailbox).await?;
        self.set_connection(account, Connection::Online);
        self.prefetch_newest(account, mailbox).await
    }

    async fn sync_one(&self, link: &mut Link<H>, mailbox: MailboxId) -> Result<(), MailError> {
        let mut changed = |_| self.note_change(mailbox);
        link.work(async |imap, host| imap.sync_messages(host, mailbox, &mut changed).await).await?;
        self.mailbox_fresh(mailbox).await
    }

    async fn file_on_server(
        &self,
        account: AccountId,
        outbox: u32,
        link: &mut Link<H>,
    ) -> Result<(), MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let sent = mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent));
        if let Some(sent) = sent {
            let (entry, raw) = crate::outbox::to_file(&*self.inner.host, outbox).await?;
            let flags = postern_bridge::Flags { seen: true, ..Default::default() };
            link.work(async |imap, host| {
                imap.append_once(host, &sent, &entry.message_id, flags, &raw).await
            })
            .await?;
            self.sync_one(link, sent.id).await?;
        }
        crate::outbox::mark_filed(&*self.inner.host, outbox).await
    }

    async fn download_lane(self, account: AccountId, mut jobs: mpsc::UnboundedReceiver<Sync>) {
        while let Some(job) = self.next_job(&mut jobs, POLL_POP3).await {
            let result = match job {
                Some(Sync::File { outbox }) => self.file_locally(account, outbox).await,
                // A local mailbox is up to date once the download before this job has ended.
                Some(Sync::Mailbox(mailbox)) => self.mailbox_fresh(mailbox).await,
                Some(Sync::All) | None if self.inner.online.get() => self.download(account).await,
                Some(Sync::All) | None => Ok(()),
            };
            self.report(account, result);
        }
    }

    async fn download(&self, id: AccountId) -> Result<(), MailError> {
        let account = self.account(id)?;
        let inbox = self.inbox(id).await?;
        self.set_connection(id, Connection::Connecting);
        let host = &*self.inner.host;
        let password = host.unseal(&account.sealed_password).await?;
        let mut step = |step: DownloadStep| {
            let (what, done, total) = match step {
                DownloadStep::Found { new } => ("Downloading", 0, new),
                DownloadStep::Stored { done, new } => ("Downloading", done, new),
                DownloadStep::Deleting { .. } => ("Deleting on the server", 0, 0),
            };
            let progress = Progress { what: what.into(), done, total };
            self.tell(None, Delta::Progress { account: id, progress: Some(progress) });
            self.note_change(inbox);
        };
        let result = pop3::download(host, &account, &password, inbox, &mut step).await;
        self.tell(None, Delta::Progress { account: id, progress: None });
        self.mailbox_fresh(inbox).await?;
        result?;
        self.set_connection(id, Connection::Online);
        Ok(())
    }

    async fn file_locally(&self, account: AccountId, outbox: u32) -> Result<(), MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let sent = mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent));
        let sent = sent.ok_or(MailError::Gone("mailbox for sent messages"))?;
        crate::outbox::file_locally(&*self.inner.host, outbox, sent.id).await?;
        self.mailbox_changed(sent.id).await
    }

    /// Shows how a job of a sync lane ended.
    fn report(&self, account: AccountId, result: Result<(), MailError>) {
        let Err(error) = result else { return };
        let problem = self.problem(account, &error);
        if matches!(error, MailError::Gone(_)) {
            return;
        }
        self.set_connection(account, Connection::Failed(problem.sentence.clone()));
        if !error.is_passing() {
            self.tell(None, Delta::Problem(problem));
        }
    }

    /// A mailbox changed in the store: pages are told in a moment, once for many changes.
    pub(super) fn note_change(&self, mailbox: MailboxId) {
        if !self.inner.changed.borrow_mut().insert(mailbox) {
            return;
        }
        let client = self.clone();
        self.inner.host.spawn(async move {
            client.inner.host.sleep(GATHER).await;
            client.inner.changed.borrow_mut().remove(&mailbox);
            // A mailbox that is gone by now needs no redrawing; the store's failures are told by
            // whoever writes.
            let _ = client.mailbox_changed(mailbox).await;
        });
    }

    /// The account of a mailbox.
    pub(super) async fn account_of(&self, mailbox: MailboxId) -> Result<Account, MailError> {
        self.account(record::mailbox(self.store(), mailbox).await?.account)
    }
}
