//! The sync lane of an IMAP account.

use std::{ops::ControlFlow, pin::pin, time::Duration};

use futures_channel::mpsc;
use postern_bridge::{AccountId, Connection, Flags, MailboxId, Role};

use super::{
    Client, Sync,
    changes::is_final,
    link::Link,
    queue::{Queue, take_next},
    sharing::Lent,
};
use crate::{
    Host, MailError,
    host::within,
    imap::{ImapClient, SyncStep},
    outbox::{self, State},
    pieces::Pieces,
    record::{self, Mailbox},
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
                Err(MailError::Login(_) | MailError::Token(_)) => u32::MAX,
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
        let before = self.mailboxes(account).await?;
        let mailboxes =
            link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
        self.set_connection(account, Connection::Online);
        self.wake_outbox(account);
        self.queue_changes(account);
        if mailboxes != before {
            self.tell_mailboxes(None, account).await?;
        }
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

    /// Brings one mailbox up to date, unless something more urgent comes up: as a whole, or by what
    /// the server told while it was watched.
    async fn sync_one(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        queue: &mut Queue,
        mailbox: MailboxId,
        job: Sync,
    ) -> Result<ControlFlow<()>, MailError> {
        let mut changed = |step: SyncStep| {
            self.list_changed(mailbox, step.change);
            if queue.is_urgent(mailbox) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let inbox = match self.inbox(account).await {
            Ok(inbox) => Some(record::mailbox(self.store(), inbox).await?),
            Err(_) => None,
        };
        let is_inbox = inbox.as_ref().is_some_and(|inbox| inbox.id == mailbox);
        let elsewhere = inbox.as_ref().filter(|_| !is_inbox);
        let labelled = record::mailbox(self.store(), mailbox).await?.synced.labelled;
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
            if record::mailbox(self.store(), mailbox).await?.synced.labelled != labelled {
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

    /// Files the copy of a sent message in the mailbox for such. Until the copy is there, the outbox keeps
    /// the message. What is refused is left to the person: asked again and again the server would refuse
    /// it each time.
    async fn file_on_server(
        &self,
        account: AccountId,
        id: u32,
        link: &mut Link<H>,
        queue: &mut Queue,
    ) -> Result<(), MailError> {
        let (entry, content) = outbox::to_file(&*self.inner.host, id).await?;
        if entry.state != State::Sent || entry.filed {
            return Ok(());
        }
        // A server that can't be reached, or refuses the log-in, says nothing about the copy.
        link.open().await?;
        let sent = match self.file_copy(account, &entry, &content, link).await {
            Err(error) if is_final(&error) => {
                let why = self.problem(account, &error).sentence;
                let entry = outbox::mark_unfiled(&*self.inner.host, id, why).await?;
                self.tell_entry(None, &entry);
                return Ok(());
            }
            filed => filed?,
        };
        outbox::mark_filed(&*self.inner.host, id).await?;
        // What could not be listed now is listed with the next look.
        self.sync_one(account, link, queue, sent, Sync::Mailbox(sent)).await.map(drop)
    }

    /// Puts the copy of a sent message into the mailbox for such, which is made if there is none; returns
    /// that.
    async fn file_copy(
        &self,
        account: AccountId,
        entry: &outbox::Entry,
        content: &Pieces,
        link: &mut Link<H>,
    ) -> Result<MailboxId, MailError> {
        let sent = match self.sent_mailbox(account).await? {
            Some(sent) => sent,
            None => {
                let delimiter = self.mailboxes(account).await?.iter().find_map(|own| own.delimiter);
                link.work(async |imap, host| {
                    imap.make_mailbox(host, b"Sent", Some(delimiter), Some(Role::Sent)).await
                })
                .await?;
                link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
                self.tell_mailboxes(None, account).await?;
                let made = self.sent_mailbox(account).await?;
                made.ok_or(MailError::Unsupported("a folder for sent messages"))?
            }
        };
        let flags = Flags { seen: true, ..Flags::default() };
        link.work(async |imap, host| {
            imap.append_once(host, &sent, &entry.message_id, flags, content).await
        })
        .await?;
        Ok(sent.id)
    }

    async fn sent_mailbox(&self, account: AccountId) -> Result<Option<Mailbox>, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        Ok(mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent)))
    }
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
        let may_differ = own.synced.stale || own.uid_validity == 0 || !own.synced.linked;
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
    use postern_bridge::{Address, Delta, OutgoingMessage, Protocol, SendState};

    use super::*;
    use crate::{
        changes::tests::mailbox,
        client::tests::{Told, still_at},
        record::{Account, Record, SyncPoint},
        store::{Durability, MemoryStore, Store},
        testing::{Server, TestHost, account, block_on},
    };

    /// A server with an empty mailbox for sent messages, which takes none.
    struct Refusing {
        offers: &'static str,
        /// What it says to a log-in.
        login: &'static str,
    }

    impl Server for Refusing {
        fn connected(&mut self) -> Vec<u8> {
            b"* OK hello\r\n".to_vec()
        }

        fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
            let line = String::from_utf8_lossy(bytes);
            let (tag, command) = line.split_once(' ').unwrap();
            let said = match command.split_ascii_whitespace().next().unwrap() {
                "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 {}\r\n", self.offers),
                "SELECT" => "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n".into(),
                "UID" => "* SEARCH\r\n".into(),
                "LOGIN" => return format!("{tag} {}\r\n", self.login).into_bytes(),
                "APPEND" => return format!("{tag} NO not here\r\n").into_bytes(),
                _ => String::new(),
            };
            format!("{said}{tag} OK done\r\n").into_bytes()
        }

        fn disconnected(&mut self) {}
    }

    /// A client of that server, which has sent a message of which the copy is still to be filed: its account
    /// and its number.
    fn sent(server: Refusing) -> (Client<TestHost<Refusing, MemoryStore>>, Told, Account, u32) {
        let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
        let (client, told) = still_at(server, MemoryStore::new(), own.clone());
        let host = &*client.inner.host;
        let message = OutgoingMessage {
            account: own.id,
            to: vec![Address { name: String::new(), address: "bob@example.org".into() }],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: "Figs".into(),
            text: String::new(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
        };
        block_on(host.store.apply(vec![own.put()], Durability::Strict)).unwrap();
        let id = block_on(outbox::enqueue(host, &own, &message, None)).unwrap();
        let queued = block_on(outbox::entries(host)).unwrap().pop().unwrap();
        let sent = outbox::Entry { state: State::Sent, ..queued };
        let folder = Mailbox { role: Some(Role::Sent), path: b"Sent".to_vec(), ..mailbox(2) };
        block_on(host.store.apply(vec![sent.put(), folder.put()], Durability::Strict)).unwrap();
        (client, told, own, id)
    }

    #[test]
    fn a_log_in_that_is_refused_says_nothing_about_a_copy() {
        let server = Refusing { offers: "", login: "NO [EXPIRED] choose another password" };
        let (client, _, own, id) = sent(server);
        let mut link = Link::new(&client, own.id);
        let mut queue = Queue::new(mpsc::unbounded().1, mpsc::unbounded().1);
        let filed = block_on(client.file_on_server(own.id, id, &mut link, &mut queue));
        assert!(matches!(filed, Err(MailError::Denied { .. })), "{filed:?}");
        let entry = block_on(outbox::entries(&*client.inner.host)).unwrap().pop().unwrap();
        assert_eq!(entry.state, State::Sent);
    }

    #[test]
    fn a_copy_that_the_server_refuses_is_no_failure_and_is_left_to_the_person() {
        for (offers, why) in [("APPENDLIMIT=9", "of more than 0 kB"), ("", "to file the copy")] {
            let (client, told, own, id) = sent(Refusing { offers, login: "OK done" });
            let host = &*client.inner.host;
            let entry = || block_on(outbox::entries(host)).unwrap().pop();
            let mut link = Link::new(&client, own.id);
            let mut queue = Queue::new(mpsc::unbounded().1, mpsc::unbounded().1);
            let mut file = || block_on(client.file_on_server(own.id, id, &mut link, &mut queue));
            // Asked once more, there is nothing to be done.
            assert_eq!([file(), file()], [Ok(()), Ok(())]);
            let last = || match told.borrow().last() {
                Some(Delta::Outbox { state, .. }) => state.clone(),
                other => panic!("{other:?}"),
            };
            let SendState::Unfiled(sentence) = last() else { panic!("{:?}", last()) };
            assert!(sentence.contains(why), "{sentence}");
            assert!(!sentence.contains("not sent"), "{sentence}");
            let is_told = |delta: &&Delta| matches!(delta, Delta::Outbox { .. });
            assert_eq!(told.borrow().iter().filter(is_told).count(), 1);
            assert!(!block_on(outbox::raw(host, id)).unwrap().is_empty());

            block_on(client.retry_send(id)).unwrap();
            assert_eq!((last(), file()), (SendState::Sent, Ok(())));
            assert_eq!(last(), SendState::Unfiled(sentence));
            block_on(client.discard_send(id)).unwrap();
            assert_eq!((last(), entry()), (SendState::Sent, None), "it was sent");
        }
    }

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
