//! The sync lane of a POP3 account: the download.

use std::time::Duration;

use futures_channel::mpsc;
use postern_bridge::{AccountId, Connection, Delta, Progress, Role, ServerRole};

use super::{super::pop3::waiting, Change, Client, Sync, appointment::Appointment};
use crate::{
    Host, MailError, outbox,
    pop3::{self, DownloadStep, Job, Safety},
};

/// How often a POP3 server is asked for news: each time is a log-in, and servers ration those.
const POLL_POP3: Duration = Duration::from_secs(300);

impl<H: Host> Client<H> {
    pub(super) async fn download_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Sync>,
    ) {
        // Whether the inbox holds what the server had when it was asked last.
        let mut complete = false;
        let mut next = Appointment::after(POLL_POP3, self.inner.host.now());
        loop {
            let wait = next.wait(self.inner.host.now());
            // Other jobs, however many, do not put it off.
            let job =
                if wait.is_zero() { Some(None) } else { self.next_job(&mut jobs, wait).await };
            let Some(job) = job else { break };
            let result = match job {
                Some(Sync::File { outbox }) => self.file_locally(account, outbox).await,
                Some(Sync::Mailbox(mailbox) | Sync::News(mailbox)) => {
                    let is_inbox = self.inbox(account).await == Ok(mailbox);
                    if complete || !is_inbox { self.mailbox_fresh(mailbox).await } else { Ok(()) }
                }
                Some(Sync::All) | None if self.may_download().await => {
                    let result = self.download(account).await;
                    let seconds = waiting(&result);
                    let pause = seconds.map_or(POLL_POP3, |wait| Duration::from_secs(wait.into()));
                    next = Appointment::after(pause, self.inner.host.now());
                    if seconds.is_none() {
                        complete = result.is_ok();
                    }
                    self.report_download(account, result);
                    Ok(())
                }
                Some(Sync::All) | None => {
                    next = Appointment::after(POLL_POP3, self.inner.host.now());
                    complete = false;
                    Ok(())
                }
            };
            if let Err(error) = result {
                self.tell_problem(account, self.problem(account, &error));
            }
        }
    }

    fn report_download(&self, account: AccountId, result: Result<(), MailError>) {
        match &result {
            Err(error) if waiting(&result).is_some() => self.show_waiting(account, error),
            _ => self.report(account, result),
        }
    }

    async fn download(&self, id: AccountId) -> Result<(), MailError> {
        let account = self.account(id)?;
        let inbox = self.inbox(id).await?;
        self.set_connection(id, Connection::Connecting);
        let host = &*self.inner.host;
        let password = account.password(host).await?;
        let mut step = |step: DownloadStep| {
            let (what, done, total) = match step {
                DownloadStep::LoggedIn { session } => {
                    let used = &account.incoming.endpoint;
                    return self.connected(id, ServerRole::Incoming, used, session);
                }
                DownloadStep::Found { new } => ("Downloading", 0, new),
                DownloadStep::Stored { done, new } => ("Downloading", done, new),
                DownloadStep::Completed { moved } => return self.show_completed(moved),
                DownloadStep::Deleting { .. } => ("Deleting on the server", 0, 0),
            };
            let progress = Progress { what: what.into(), done, total };
            self.tell(None, Delta::Progress { account: id, progress: Some(progress) });
            self.note_change(inbox, Change::Order);
        };
        let safety = Safety::of(&*self.inner.host).await;
        let job = Job { account: &account, password: &password, inbox, safety };
        let result = pop3::download(host, job, &mut step).await;
        self.tell(None, Delta::Progress { account: id, progress: None });
        self.mailbox_changed(inbox, Change::Order).await?;
        match result {
            Ok(_) => self.note_download(&account).await?,
            Err(error) => {
                let used = &account.incoming.endpoint;
                self.not_connected(id, ServerRole::Incoming, used, &error).await?;
                return Err(error);
            }
        }
        self.wake_filing(id);
        self.mailbox_fresh(inbox).await
    }

    async fn file_locally(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let sent = mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent));
        let sent = sent.ok_or(MailError::Gone("mailbox for sent messages"))?;
        outbox::file_locally(&*self.inner.host, id, sent.id).await?;
        self.mailbox_changed(sent.id, Change::Order).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use postern_bridge::Protocol;

    use super::*;
    use crate::{
        Store,
        client::tests::still_at,
        pop3::{create_local_mailboxes, tests::scripted::Maildrop},
        record::{self, Account, Message, Record},
        store::{Durability, KeyRange},
        testing::{FailingStore, TestHost, account, block_on},
    };

    type Downloading = Client<TestHost<Maildrop, FailingStore>>;

    /// A client that downloads when it is told to, and its store.
    fn downloading(server: Maildrop) -> (Downloading, FailingStore) {
        let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Pop3) };
        let store = FailingStore::default();
        let (client, _) = still_at(server, store.clone(), own.clone());
        let mut batch = vec![own.put()];
        batch.extend(block_on(create_local_mailboxes(&*client.inner.host, own.id)).unwrap());
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        (client, store)
    }

    /// Five minutes later: a round.
    fn round(client: &Downloading) {
        let id = AccountId(1);
        client.inner.host.advance(POLL_POP3);
        if block_on(client.may_download()) {
            let result = block_on(client.download(id));
            client.report_download(id, result);
        }
    }

    #[test]
    fn where_nobody_tells_how_much_room_there_is_tries_are_spaced_out() {
        let all: Vec<Vec<u8>> =
            (0..3).map(|number| format!("Subject: {number}\r\n\r\n{number}\r\n").into()).collect();
        let (client, store) = downloading(Maildrop::new(&all));
        let log_ins = || client.inner.host.server.borrow().heard.matches("UIDL").count();
        let day = 24 * 60 / 5;
        store.room.set(Some(0));
        (0..day).for_each(|_| round(&client));
        let tries = log_ins();
        assert!((6..=12).contains(&tries), "{tries}");
        // The person wants it tried again, and it is full still: from then on it is as in the
        // beginning.
        block_on(client.try_storage_again());
        round(&client);
        assert_eq!(log_ins(), tries + 1);
        (0..3).for_each(|_| round(&client));
        assert_eq!(log_ins(), tries + 3);
        // What the person removes may have been enough.
        block_on(client.room_was_made());
        store.room.set(None);
        round(&client);
        round(&client);
        let here: Vec<Message> = block_on(record::all(&store, &KeyRange::all())).unwrap();
        let here: BTreeSet<String> = here.into_iter().map(|own| own.subject).collect();
        assert_eq!(here.into_iter().collect::<Vec<_>>(), ["0", "1", "2"]);
        assert_eq!(client.inner.host.server.borrow().messages.len(), 3);
    }

    #[test]
    fn mail_that_a_person_removes_has_a_paused_download_tried_again() {
        let (client, store) = downloading(Maildrop::new(&[b"Subject: 1\r\n\r\n1\r\n".to_vec()]));
        round(&client);
        let all: Vec<Message> = block_on(record::all(&store, &KeyRange::all())).unwrap();
        block_on(client.storage_is_full());
        assert!(!block_on(client.may_download()));
        let messages = postern_bridge::Selection::Messages(vec![all[0].id]);
        let change = postern_bridge::Change::DeleteForGood { messages };
        let origin = (postern_bridge::ClientId(1), 1);
        block_on(client.change(origin, change)).unwrap();
        assert!(block_on(client.may_download()));
    }
}
