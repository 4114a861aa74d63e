//! How what a sync lane does is shown.

use postern_bridge::{AccountId, Connection, Delta, Problem};

use super::Client;
use crate::{Host, MailError};

impl<H: Host> Client<H> {
    /// Shows how a job of a sync lane ended.
    pub(super) fn report(&self, account: AccountId, result: Result<(), MailError>) {
        let Err(error) = result else {
            if let Some(running) = self.inner.accounts.borrow_mut().get_mut(&account) {
                running.went_on = false;
            }
            if self.inner.online.get() {
                self.set_connection(account, Connection::Online);
            }
            self.look_now_and_then();
            return;
        };
        self.note_access(&error);
        if error.is_full() {
            let client = self.clone();
            self.inner.host.spawn(async move {
                client.storage_is_full().await;
                if !client.inner.paused.get() && client.goes_on_at_once(account) {
                    // There is room by now; an account that was removed meanwhile needs none.
                    let _ = client.refresh(account);
                }
            });
        }
        if !self.inner.online.get() {
            return self.set_connection(account, Connection::Offline);
        }
        let problem = self.problem(account, &error);
        let (sentence, in_settings) = (problem.sentence.clone(), problem.settings.is_some());
        self.set_connection(account, Connection::Failed { sentence, in_settings });
        if !error.is_passing() {
            self.tell_problem(account, problem);
        }
    }

    /// Whether an account that met a full store goes on as soon as room is made: once, for what found
    /// no room in that does not find it the next moment either. It waits like after any other failure.
    fn goes_on_at_once(&self, account: AccountId) -> bool {
        let mut accounts = self.inner.accounts.borrow_mut();
        accounts.get_mut(&account).is_some_and(|own| !std::mem::replace(&mut own.went_on, true))
    }

    /// Tells a problem of an account, once: what is tried again and again fails again and again.
    pub(in crate::client) fn tell_problem(&self, account: AccountId, problem: Problem) {
        if let Some(running) = self.inner.accounts.borrow_mut().get_mut(&account) {
            if running.told.as_ref() == Some(&problem.sentence) {
                return;
            }
            running.told = Some(problem.sentence.clone());
        }
        self.tell(None, Delta::Problem(problem));
    }
}

#[cfg(test)]
mod tests {
    use futures_channel::mpsc;
    use postern_bridge::{MailboxId, MessageId, Protocol};

    use crate::{
        Store,
        changes::tests::{mailbox, message},
        client::tests::still,
        record::{Body, Message, Record},
        store::{Durability, MemoryStore, StoreError},
        testing::{account, block_on},
    };

    #[test]
    fn after_room_was_made_an_account_goes_on_once_until_something_works() {
        let own = account(Protocol::Imap);
        let (client, _) = still(MemoryStore::new(), own.clone());
        let (sync, mut jobs) = mpsc::unbounded();
        client.inner.accounts.borrow_mut().get_mut(&own.id).unwrap().lanes.sync = sync;
        // A message whose bytes make enough room, if there is one.
        let full = |size: Option<u64>| {
            let id = MessageId { mailbox: MailboxId(1), uid: 1 };
            let body = size.map_or(Body::Absent, |size| Body::Whole { size });
            let stored = Message { body, ..message(id) };
            let batch = [&[mailbox(1).put()][..], &stored.put_listed()].concat();
            block_on(client.store().apply(batch, Durability::Strict)).unwrap();
            client.inner.paused.set(false);
            client.report(own.id, Err(StoreError::QuotaExceeded.into()));
        };
        let mut goes_on = || std::iter::from_fn(|| jobs.try_recv().ok()).count();
        let enough = Some(1 << 30);
        full(None);
        assert_eq!((goes_on(), client.inner.paused.get()), (0, true), "no room could be made");
        full(enough);
        assert_eq!((goes_on(), client.inner.paused.get()), (1, false), "and now it could");
        full(enough);
        assert_eq!(goes_on(), 0, "that did not help");
        client.report(own.id, Ok(()));
        full(enough);
        assert_eq!(goes_on(), 1, "something worked in between");
    }
}
