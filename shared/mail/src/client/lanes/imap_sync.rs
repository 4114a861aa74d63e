//! The sync lane of an IMAP account.

use std::time::Duration;

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{AccountId, Connection, Flags, MailboxId, Role};

use super::{Change, Client, Sync, link::Link};
use crate::{Host, MailError, outbox, record::Mailbox};

/// How often an IMAP server is asked for news.
const POLL: Duration = Duration::from_secs(60);
/// How long to wait before a lost connection is made again.
const AFTER_LOSS: Duration = Duration::from_secs(5);

/// The longest time between two tries.
const LONGEST: Duration = Duration::from_secs(600);

impl<H: Host> Client<H> {
    pub(super) async fn imap_sync_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Sync>,
    ) {
        let mut link = Link::new(&self, account);
        let mut waiting = Vec::new();
        let mut failures = 0;
        loop {
            if waiting.is_empty() {
                let next = self.next_or_news(account, &mut jobs, &mut link, failures).await;
                let Some(job) = next else { return };
                waiting.push(job);
            }
            while let Ok(job) = jobs.try_recv() {
                waiting.push(job);
            }
            let job = take_next(&mut waiting);
            if !self.inner.online.get() {
                link.connection = None;
                continue;
            }
            if link.connection.is_none() {
                self.set_connection(account, Connection::Connecting);
            }
            let result = match job {
                Sync::All => self.sync_all(account, &mut link).await,
                Sync::Mailbox(mailbox) => self.sync_shown(account, &mut link, mailbox).await,
                Sync::File { outbox } => self.file_on_server(account, outbox, &mut link).await,
            };
            failures = match &result {
                Ok(()) => 0,
                // A refused log-in is not repeated soon: it may lock the account.
                Err(MailError::Login(_)) => u32::MAX,
                Err(_) => failures.saturating_add(1),
            };
            self.report(account, result);
        }
    }

    /// The next job, which may be that the server has news of the inbox, or that it is time to look
    /// at everything. `None` ends the lane.
    async fn next_or_news(
        &self,
        account: AccountId,
        jobs: &mut mpsc::UnboundedReceiver<Sync>,
        link: &mut Link<H>,
        failures: u32,
    ) -> Option<Sync> {
        let inbox = self.inbox(account).await;
        let (Some(connection), Ok(inbox), 0) = (&mut link.connection, inbox, failures) else {
            let job = self.next_job(jobs, patience(failures)).await?;
            return Some(job.unwrap_or(Sync::All));
        };
        let host = &*self.inner.host;
        let (job, news) = connection.wait_for_news(host, inbox, POLL, &mut jobs.next()).await;
        if news.is_err() {
            link.connection = None;
        }
        match (job, news) {
            (Some(job), _) => job,
            (None, Ok(true)) => Some(Sync::Mailbox(inbox)),
            (None, Ok(false)) => Some(Sync::All),
            // A server that hangs up again and again is not called again at once.
            (None, Err(_)) => Some(self.next_job(jobs, AFTER_LOSS).await?.unwrap_or(Sync::All)),
        }
    }

    /// Brings the list of mailboxes, the inbox and whatever people look at up to date.
    async fn sync_all(&self, account: AccountId, link: &mut Link<H>) -> Result<(), MailError> {
        let before = self.mailboxes(account).await?;
        let mailboxes =
            link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
        self.set_connection(account, Connection::Online);
        self.wake_outbox(account);
        self.queue_changes(account);
        if mailboxes != before {
            self.tell_mailboxes(None, account).await?;
        }
        let shown = self.shown_mailboxes();
        for mailbox in mailboxes {
            let is_inbox = mailbox.role == Some(Role::Inbox);
            if !mailbox.selectable || !(is_inbox || shown.contains(&mailbox.id)) {
                continue;
            }
            match self.sync_one(link, mailbox.id).await {
                // One folder that can't be opened does not hold up the others.
                Err(error @ MailError::Refused { .. }) if !is_inbox => {
                    self.tell_problem(account, self.problem(account, &error));
                }
                result => result?,
            }
            if is_inbox {
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
        self.prefetch_newest(account, mailbox).await
    }

    async fn sync_one(&self, link: &mut Link<H>, mailbox: MailboxId) -> Result<(), MailError> {
        let mut changed = |_| self.note_change(mailbox, Change::Order);
        link.work(async |imap, host| imap.sync_messages(host, mailbox, &mut changed).await).await?;
        self.mailbox_fresh(mailbox).await
    }

    /// Files the copy of a sent message in the mailbox for such, which is made if there is none.
    /// Until the copy is there, the outbox keeps the message.
    async fn file_on_server(
        &self,
        account: AccountId,
        id: u32,
        link: &mut Link<H>,
    ) -> Result<(), MailError> {
        let (entry, raw) = outbox::to_file(&*self.inner.host, id).await?;
        if entry.filed {
            return Ok(());
        }
        let sent = match self.sent_mailbox(account).await? {
            Some(sent) => sent,
            None => {
                link.work(async |imap, host| imap.create_mailbox(host, b"Sent").await).await?;
                link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
                self.tell_mailboxes(None, account).await?;
                let made = self.sent_mailbox(account).await?;
                made.ok_or(MailError::Unsupported("a folder for sent messages"))?
            }
        };
        let flags = Flags { seen: true, ..Flags::default() };
        link.work(async |imap, host| {
            imap.append_once(host, &sent, &entry.message_id, flags, &raw).await
        })
        .await?;
        outbox::mark_filed(&*self.inner.host, id).await?;
        self.sync_one(link, sent.id).await
    }

    async fn sent_mailbox(&self, account: AccountId) -> Result<Option<Mailbox>, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        Ok(mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent)))
    }
}

/// Takes the job to do next, and its repetitions: what was asked for last is looked at now, so it
/// goes first; looking at everything comes last.
fn take_next(waiting: &mut Vec<Sync>) -> Sync {
    let opened = waiting.iter().rposition(|job| matches!(job, Sync::Mailbox(_)));
    let filing = || waiting.iter().position(|job| matches!(job, Sync::File { .. }));
    let job = waiting[opened.or_else(filing).unwrap_or(0)];
    waiting.retain(|other| *other != job);
    job
}

/// How long to wait for a job before everything is looked at again, after so many failures.
fn patience(failures: u32) -> Duration {
    match failures {
        0 => POLL,
        failures => AFTER_LOSS.saturating_mul(1 << failures.min(16)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_last_comes_first_and_nothing_is_done_twice() {
        let (one, two) = (Sync::Mailbox(MailboxId(1)), Sync::Mailbox(MailboxId(2)));
        let file = Sync::File { outbox: 1 };
        let mut waiting = vec![Sync::All, one, file, one, two, Sync::All];
        let mut order = Vec::new();
        while !waiting.is_empty() {
            order.push(take_next(&mut waiting));
        }
        assert!(order == [two, one, file, Sync::All]);
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_limit() {
        let seconds = |failures| patience(failures).as_secs();
        assert_eq!([0, 1, 2, 3, 100, u32::MAX].map(seconds), [60, 10, 20, 40, 600, 600]);
    }
}
