//! The sync lane of an IMAP account.

use std::time::Duration;

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{AccountId, Connection, Flags, MailboxId, Role};

use super::{Client, Sync, link::Link};
use crate::{Host, MailError, outbox};

/// How often an IMAP server is asked for news.
const POLL: Duration = Duration::from_secs(60);
/// How long to wait before a lost connection is made again.
const AFTER_LOSS: Duration = Duration::from_secs(5);

impl<H: Host> Client<H> {
    pub(super) async fn imap_sync_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Sync>,
    ) {
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
        id: u32,
        link: &mut Link<H>,
    ) -> Result<(), MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let sent = mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent));
        if let Some(sent) = sent {
            let (entry, raw) = outbox::to_file(&*self.inner.host, id).await?;
            let flags = Flags { seen: true, ..Flags::default() };
            link.work(async |imap, host| {
                imap.append_once(host, &sent, &entry.message_id, flags, &raw).await
            })
            .await?;
            self.sync_one(link, sent.id).await?;
        }
        outbox::mark_filed(&*self.inner.host, id).await
    }
}
