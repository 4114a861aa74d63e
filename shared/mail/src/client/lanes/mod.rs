//! Which connection does which work, in which order.
//!
//! Each account has up to four lanes; a lane is one task with one queue and, on IMAP, one
//! connection that is kept while it is useful:
//!
//! - **reading**: what the person waits for: bodies, parts, and changes, one at a time;
//! - **sync**: bringing mailboxes up to date, filing copies; on POP3, the download;
//! - **searching**: what the person looks for on the server, which may take long; only on IMAP;
//! - **sending**: the outbox.
//!
//! So a click never waits behind a long sync. A server that allows fewer connections gets fewer: the
//! searching lane and then the reading lane lend their work to the sync lane, which does it between
//! two windows (`sharing`).

mod ahead;
mod appointment;
mod changes;
mod download;
mod filing;
mod imap_sync;
mod link;
mod queue;
mod reading;
mod report;
mod searching;
mod sending;
mod sharing;
mod turns;

use std::{cell::Cell, time::Duration};

use futures_channel::{mpsc, oneshot};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Either, abortable, select},
};
use postern_bridge::{AccountId, MailboxId, MessageId, Protocol, Role};

pub(super) use link::Link;
pub(super) use searching::Searching;
pub(super) use turns::Asked;

use self::{
    ahead::Allowance,
    searching::Look,
    sharing::{Lent, Sharing},
};
use super::{Client, lists::Change};
use crate::{
    Host, MailError,
    imap::Fetched,
    record::{Account, Mailbox},
};

/// An account's lanes; dropping it stops them where they wait.
pub(super) struct Lanes {
    reading: mpsc::UnboundedSender<Reading>,
    prefetch: mpsc::UnboundedSender<MessageId>,
    sync: mpsc::UnboundedSender<Sync>,
    searching: mpsc::UnboundedSender<Searching>,
    sending: mpsc::UnboundedSender<Asked>,
    /// What the sync lane is to do for other lanes.
    lent: mpsc::UnboundedSender<Lent>,
    sharing: Sharing,
    /// How much may be fetched ahead.
    allowance: Cell<Allowance>,
    /// Whether a job for the queue of changes waits.
    changing: Cell<bool>,
    tasks: Vec<AbortHandle>,
}

/// What a person waits for; only on IMAP.
pub(super) enum Reading {
    /// Fetch and store what is needed to show a message.
    Body { message: MessageId, done: oneshot::Sender<Result<(), MailError>> },
    /// Fetch and store one part, window by window: what else is waited for goes between two of them.
    Part {
        message: MessageId,
        section: String,
        so_far: Option<Fetched>,
        done: oneshot::Sender<Result<(), MailError>>,
    },
    /// Fetch the message as it is.
    Whole { message: MessageId, done: oneshot::Sender<Result<Vec<u8>, MailError>> },
    /// Tell the server the next change of the queue.
    Changes,
    /// Give up the connection, which the sync lane needs.
    HangUp,
}

impl Reading {
    /// Fetch and store one part, of which nothing may be stored yet.
    pub(super) fn part(
        message: MessageId,
        section: &str,
        done: oneshot::Sender<Result<(), MailError>>,
    ) -> Self {
        Self::Part { message, section: section.to_owned(), so_far: None, done }
    }
}

/// What the reading and the searching lane do, over whichever connection.
enum Work {
    /// What a person waits for.
    Asked(Reading),
    /// What is likely to be read next.
    Ahead(MessageId),
    /// What a person looks for.
    Look(Look),
}

/// What keeps the store up to date.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Sync {
    /// Everything: the list of mailboxes, and those that people look at.
    All,
    /// One mailbox.
    Mailbox(MailboxId),
    /// What the server told about a mailbox while it was watched.
    News(MailboxId),
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
    /// Lanes of an account that does nothing for now: what is asked of them is not done.
    pub(super) fn stopped() -> Self {
        Self {
            reading: mpsc::unbounded().0,
            prefetch: mpsc::unbounded().0,
            sync: mpsc::unbounded().0,
            searching: mpsc::unbounded().0,
            sending: mpsc::unbounded().0,
            lent: mpsc::unbounded().0,
            sharing: Sharing::default(),
            allowance: Cell::default(),
            changing: Cell::new(false),
            tasks: Vec::new(),
        }
    }

    pub(super) fn start<H: Host>(client: &Client<H>, account: &Account) -> Self {
        let (reading, reading_jobs) = mpsc::unbounded();
        let (prefetch, prefetch_jobs) = mpsc::unbounded();
        let (sync, sync_jobs) = mpsc::unbounded();
        let (searching, searching_jobs) = mpsc::unbounded();
        let (sending, sending_jobs) = mpsc::unbounded();
        let (lent, lent_jobs) = mpsc::unbounded();
        let id = account.id;
        let mut tasks = vec![client.run_lane(client.clone().sending_lane(id, sending_jobs))];
        match account.protocol {
            Protocol::Imap => {
                let reading = client.clone().reading_lane(id, reading_jobs, prefetch_jobs);
                tasks.push(client.run_lane(reading));
                tasks
                    .push(client.run_lane(client.clone().imap_sync_lane(id, sync_jobs, lent_jobs)));
                tasks.push(client.run_lane(client.clone().searching_lane(id, searching_jobs)));
            }
            Protocol::Pop3 => {
                tasks.push(client.run_lane(client.clone().download_lane(id, sync_jobs)));
            }
        }
        let (sharing, allowance, changing) =
            (Sharing::default(), Cell::default(), Cell::new(false));
        Self {
            reading,
            prefetch,
            sync,
            searching,
            sending,
            lent,
            sharing,
            allowance,
            changing,
            tasks,
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

    /// Has the server told what is queued.
    pub(super) fn queue_changes(&self, account: AccountId) {
        if let Some(running) = self.inner.accounts.borrow().get(&account)
            && !running.lanes.changing.replace(true)
        {
            let _ = running.lanes.reading.unbounded_send(Reading::Changes);
        }
    }

    /// A job for the queue of changes is being done: the next one may wait.
    fn changes_taken(&self, account: AccountId) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            running.lanes.changing.set(false);
        }
    }

    /// Has a mailbox brought up to date that has what is not stored here.
    pub(super) fn ask_for(&self, account: AccountId, mailbox: MailboxId) {
        self.queue_sync(account, Sync::Mailbox(mailbox));
    }

    /// Has a message fetched that is likely to be read next, when nobody waits for anything.
    pub(super) fn queue_prefetch(&self, account: AccountId, message: MessageId) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.prefetch.unbounded_send(message);
        }
    }

    /// Has the server look for messages; on POP3 nobody hears of it.
    pub(super) fn queue_search(&self, account: AccountId, search: Searching) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.searching.unbounded_send(search);
        }
    }

    /// Has an outbox entry sent.
    pub(super) fn queue_sending(&self, account: AccountId, asked: Asked) {
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.sending.unbounded_send(asked);
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
    pub(super) async fn next_job<J>(
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

    pub(super) async fn inbox(&self, account: AccountId) -> Result<MailboxId, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
        Ok(inbox.ok_or(MailError::Gone("inbox"))?.id)
    }

    /// The account of a mailbox.
    pub(super) async fn account_of(&self, mailbox: MailboxId) -> Result<Account, MailError> {
        self.account(self.mailbox(mailbox).await?.account)
    }
}
