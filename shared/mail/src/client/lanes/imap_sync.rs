//! The sync lane of an IMAP account.

use std::{ops::ControlFlow, pin::pin, time::Duration};

use futures_channel::mpsc;
use postern_bridge::{AccountId, Connection, MailboxId, Mark, Role};

use super::{
    Client, Sync,
    link::Link,
    queue::{Queue, take_next},
    sharing::Lent,
};
use crate::{
    Host, MailError,
    host::within,
    imap::{ImapClient, SyncStep},
    record::Mailbox,
};

/// How often an IMAP server is asked for news.
const POLL: Duration = Duration::from_secs(60);
/// How long to wait before a lost connection is made again.
pub(super) const AFTER_LOSS: Duration = Duration::from_secs(5);

/// The longest time between two tries.
const LONGEST: Duration = Duration::from_secs(600);

/// What the lane does when it has nothing to do.
enum Next {
    /// It is time for this.
    Due(Sync),
    /// Something was asked for, and is in the queue.
    Asked,
    /// Nothing any more.
    Over,
}

impl<H: Host> Client<H> {
    pub(super) async fn imap_sync_lane(
        self,
        account: AccountId,
        jobs: mpsc::UnboundedReceiver<Sync>,
        lent_jobs: mpsc::UnboundedReceiver<Lent>,
    ) {
        let mut link = Link::new(&self, account);
        let mut queue = Queue::new(jobs, lent_jobs);
        let mut failures = 0;
        loop {
            queue.gather();
            if let Some(Lent { work, done }) = queue.next_lent() {
                let _ = done.send(self.do_work(account, &mut link, work).await);
                continue;
            }
            if queue.waiting.is_empty() {
                queue.waiting.append(&mut queue.paused);
            }
            if queue.waiting.is_empty() {
                match self.next_or_news(account, &mut queue, &mut link, failures).await {
                    Next::Due(job) => queue.waiting.push(job),
                    Next::Asked => continue,
                    Next::Over => return,
                }
                queue.gather();
            }
            let job = take_next(&mut queue.waiting);
            if !self.inner.online.get() {
                link.connection = None;
                continue;
            }
            if job == Sync::All && self.is_paused().await {
                continue;
            }
            if link.connection.is_none() {
                self.set_connection(account, Connection::Connecting);
            }
            let result = match job {
                Sync::All => self.sync_all(account, &mut link, &mut queue).await,
                Sync::Mailbox(mailbox) | Sync::News(mailbox) => {
                    self.sync_one(account, &mut link, &mut queue, mailbox, job).await
                }
                Sync::File { outbox } => {
                    let filed = self.file_on_server(account, outbox, &mut link, &mut queue).await;
                    filed.map(ControlFlow::Continue)
                }
            };
            if result == Ok(ControlFlow::Break(())) {
                queue.paused.push(job);
                continue;
            }
            if matches!(result, Err(MailError::TooManyConnections(_))) {
                self.share_connections(account);
            }
            failures = match &result {
                Ok(_) => 0,
                // A refused log-in is not repeated soon: it may lock the account.
                Err(MailError::Login(_) | MailError::Token(_) | MailError::LogInOnPage { .. }) => {
                    u32::MAX
                }
                Err(_) => failures.saturating_add(1),
            };
            self.report(account, result.map(drop));
        }
    }

    /// What to do next: what is asked for, or that the server has news of the inbox, or that it is
    /// time to look at everything.
    async fn next_or_news(
        &self,
        account: AccountId,
        queue: &mut Queue,
        link: &mut Link<H>,
        failures: u32,
    ) -> Next {
        let inbox = self.inbox(account).await;
        let (Some(connection), Ok(inbox), 0) = (&mut link.connection, inbox, failures) else {
            return self.asked_within(queue, patience(failures)).await;
        };
        let host = &*self.inner.host;
        let (asked, news) = {
            let mut asked = pin!(queue.wait());
            connection.wait_for_news(host, inbox, POLL, &mut asked).await
        };
        self.tell_overheard(account, connection).await;
        if news.is_err() {
            link.connection = None;
        }
        match (asked, news) {
            (Some(true), _) => Next::Asked,
            (Some(false), _) => Next::Over,
            (None, Ok(true)) => Next::Due(Sync::News(inbox)),
            (None, Ok(false)) => Next::Due(Sync::All),
            // A server that hangs up again and again is not called again at once.
            (None, Err(_)) => self.asked_within(queue, AFTER_LOSS).await,
        }
    }

    /// What is asked for within this time; after it, it is time to look at everything.
    async fn asked_within(&self, queue: &mut Queue, patience: Duration) -> Next {
        match within(&*self.inner.host, patience, queue.wait()).await {
            Some(true) => Next::Asked,
            Some(false) => Next::Over,
            None => Next::Due(Sync::All),
        }
    }

    /// Brings the list of mailboxes up to date, and those of them that have changed: the inbox, what
    /// people look at, what they have looked at before, and where conversations go on.
    async fn sync_all(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        queue: &mut Queue,
    ) -> Result<ControlFlow<()>, MailError> {
        let mailboxes = self.sync_list(account, link).await?;
        self.set_connection(account, Connection::Online);
        self.wake_filing(account);
        self.queue_changes(account);
        let mut refused = Ok(ControlFlow::Continue(()));
        for mailbox in due(mailboxes, &self.shown_mailboxes()) {
            let job = Sync::Mailbox(mailbox.id);
            match self.sync_one(account, link, queue, mailbox.id, job).await {
                // One folder that can't be opened does not hold up the others; without its inbox the
                // account does not work.
                Err(error @ (MailError::Refused { .. } | MailError::Denied { .. })) => {
                    if mailbox.role == Some(Role::Inbox) {
                        refused = Err(error);
                    } else {
                        self.tell_problem(account, self.problem(account, &error));
                    }
                }
                Ok(ControlFlow::Continue(())) => {}
                paused_or_failed => return paused_or_failed,
            }
        }
        let quota = link.work(async |imap, host| imap.quota(host).await).await?;
        self.set_quota(account, quota);
        refused
    }

    /// Brings the list of mailboxes up to date, and tells the pages if it is another one.
    pub(super) async fn sync_list(
        &self,
        account: AccountId,
        link: &mut Link<H>,
    ) -> Result<Vec<Mailbox>, MailError> {
        let before = self.mailboxes(account).await?;
        let mailboxes =
            link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
        if mailboxes != before {
            self.tell_mailboxes(None, account).await?;
        }
        Ok(mailboxes)
    }

    /// Brings one mailbox up to date, unless something more urgent comes up: as a whole, or by what
    /// the server told while it was watched.
    pub(super) async fn sync_one(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        queue: &mut Queue,
        mailbox: MailboxId,
        job: Sync,
    ) -> Result<ControlFlow<()>, MailError> {
        let mut changed = |step: SyncStep| {
            if let Some(change) = step.change {
                self.list_changed(mailbox, change);
            }
            if queue.is_urgent(mailbox) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let inbox = match self.inbox(account).await {
            Ok(inbox) => Some(self.mailbox(inbox).await?),
            Err(_) => None,
        };
        let is_inbox = inbox.as_ref().is_some_and(|inbox| inbox.id == mailbox);
        let elsewhere = inbox.as_ref().filter(|_| !is_inbox);
        let before = shown(&self.mailbox(mailbox).await?);
        let done = link
            .work(async |imap, host| {
                imap.look_out_for(elsewhere);
                match job {
                    Sync::News(_) => imap.catch_up(host, mailbox, &mut changed).await,
                    _ => imap.sync_messages(host, mailbox, &mut changed).await,
                }
            })
            .await?;
        if done.is_continue() {
            self.mailbox_fresh(mailbox).await?;
            if shown(&self.mailbox(mailbox).await?) != before {
                self.tell_mailboxes(None, account).await?;
            }
            if is_inbox || self.shown_mailboxes().contains(&mailbox) {
                self.ask_for_newest(account, mailbox).await?;
            }
        }
        let has_new_mail = link.connection.as_mut().is_some_and(ImapClient::take_new_mail);
        queue.waiting.extend(elsewhere.filter(|_| has_new_mail).map(|own| Sync::Mailbox(own.id)));
        Ok(done)
    }
}

/// What pages show of a mailbox that is learnt with its messages.
fn shown(mailbox: &Mailbox) -> [bool; 4] {
    let [seen, flagged] = [&Mark::Seen, &Mark::Flagged].map(|mark| mailbox.may_mark(mark));
    [mailbox.synced.labelled, seen, flagged, mailbox.may_remove()]
}

/// The mailboxes to bring up to date, in order: the inbox, those that people look at, then those
/// that were looked at before and those that the other side of a conversation is in.
fn due(mailboxes: Vec<Mailbox>, shown: &[MailboxId]) -> Vec<Mailbox> {
    let rank = |mailbox: &Mailbox| match mailbox.role {
        Some(Role::Inbox) => Some(0),
        _ if shown.contains(&mailbox.id) => Some(1),
        Some(Role::Sent) => Some(2),
        _ if mailbox.uid_validity != 0 => Some(3),
        _ => None,
    };
    // Without mod-sequences, flags that are not counted change without a word.
    let is_due = |(rank, own): &(u8, Mailbox)| {
        let is_unsure = own.synced.stale || !own.doubts.is_empty();
        let may_differ = is_unsure || own.uid_validity == 0 || !own.synced.linked;
        own.selectable && (may_differ || *rank < 2 && own.synced.mod_seq == 0)
    };
    let mut due: Vec<(u8, Mailbox)> = mailboxes
        .into_iter()
        .filter_map(|mailbox| Some((rank(&mailbox)?, mailbox)))
        .filter(is_due)
        .collect();
    due.sort_by_key(|(rank, _)| *rank);
    due.into_iter().map(|(_, mailbox)| mailbox).collect()
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
    use crate::record::SyncPoint;

    #[test]
    fn what_changed_is_looked_at_in_the_order_of_who_waits_for_it() {
        let mailbox = |id, role, uid_validity, stale| Mailbox {
            role,
            selectable: id != 6,
            uid_validity,
            uid_next: 1,
            // An earlier version did not ask which messages the eighth's follow.
            synced: SyncPoint { stale, linked: id != 8, ..SyncPoint::default() },
            ..Mailbox::new(MailboxId(id), AccountId(1))
        };
        let mailboxes = vec![
            mailbox(1, None, 7, true),
            mailbox(2, Some(Role::Sent), 0, false),
            mailbox(3, None, 7, false),
            mailbox(4, None, 0, true),
            mailbox(5, None, 7, true),
            mailbox(6, None, 7, true),
            mailbox(7, Some(Role::Inbox), 7, true),
            mailbox(8, None, 7, false),
        ];
        let order: Vec<_> =
            due(mailboxes, &[MailboxId(5)]).iter().map(|mailbox| mailbox.id.0).collect();
        assert_eq!(order, [7, 5, 2, 1, 8]);
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_limit() {
        let seconds = |failures| patience(failures).as_secs();
        assert_eq!([0, 1, 2, 3, 100, u32::MAX].map(seconds), [60, 10, 20, 40, 600, 600]);
    }
}
