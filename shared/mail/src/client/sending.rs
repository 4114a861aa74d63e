//! The outbox's life: from `Send` to the copy in Sent.

use std::time::Duration;

use postern_bridge::{
    AccountId, ClientId, Delta, Mark, MessageId, OutgoingMessage, Problem, SendState, ServerRole,
};

use super::{Client, lanes::Asked};
use crate::{
    Host, MailError,
    outbox::{self, Entry, State},
    recovery,
};

/// How long to wait before the outbox is read again that could not be.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

impl<H: Host> Client<H> {
    /// Takes a message: when this returns it is stored and will be sent.
    ///
    /// The same request again, as after a change of the leading page, is the same message.
    pub(super) async fn send(
        &self,
        page: ClientId,
        request: u32,
        message: OutgoingMessage,
        draft: Option<MessageId>,
    ) -> Result<u32, Problem> {
        let account = self.account(message.account).map_err(|error| error.problem(""))?;
        if account.has_lost_its_settings() {
            let error = MailError::SettingsLost;
            return Err(self.problem_with(account.id, ServerRole::Outgoing, &error));
        }
        if recovery::is_made_up(&account.identity) {
            let sentence = "This account's address was lost with its settings, and its user name is \
                            not one. Save a backup of it; then add the account again with its address \
                            to write from there.";
            return Err(MailError::Input(sentence.into()).problem(""));
        }
        let host = &*self.inner.host;
        let queued = outbox::enqueue(host, &account, &message, Some((page, request))).await;
        let problem = |error| self.problem_with(account.id, ServerRole::Outgoing, &error);
        let id = queued.map_err(problem)?;
        self.queue_sending(account.id, Asked { id, unless_refused: false });
        if !self.inner.online.get() {
            // Nothing is tried that would tell it.
            let (account, subject) = (account.id, message.subject.clone());
            let state = SendState::Queued;
            self.tell(None, Delta::Outbox { outbox: id, account, subject, state });
        }
        // The message is taken: what else follows from it is told apart if it fails.
        let after = async {
            if let Some(draft) = draft {
                self.forget_draft(draft).await?;
            }
            match message.in_reply_to {
                Some(answered) => self.mark_one(self.current(answered), &Mark::Answered).await,
                None => Ok(()),
            }
        };
        match after.await {
            Ok(()) | Err(MailError::Gone(_)) => {}
            Err(error) => self.tell_problem(account.id, self.problem(account.id, &error)),
        }
        Ok(id)
    }

    /// Goes on with what an earlier life left in the outbox.
    pub(super) async fn resume_outbox(&self) -> Result<(), MailError> {
        let host = &*self.inner.host;
        let entries = outbox::entries(host).await?;
        // All at once: where the log-in is refused, one is tried and not one after the other.
        entries.iter().for_each(|entry| self.queue_entry(entry, false));
        for entry in entries.iter().filter(|entry| entry.state == State::Sent && entry.filed) {
            // One that stays is of no harm, and the next life tries to drop it again.
            let _ = outbox::discard(host, entry.id).await;
        }
        Ok(())
    }

    /// There is a reason to try again what waits: to be sent, or to be filed.
    pub(super) fn wake_outbox(&self, account: AccountId) {
        self.wake(account, false, |_| true);
    }

    /// The same, where the reason says nothing of a log-in that was refused.
    pub(super) fn wake_unless_refused(&self, account: AccountId) {
        self.wake(account, true, |_| true);
    }

    /// Tries again what waits to be filed. That the incoming server can be reached is no reason to
    /// log in to the outgoing one.
    pub(super) fn wake_filing(&self, account: AccountId) {
        self.wake(account, true, |entry| entry.state == State::Sent);
    }

    fn wake(&self, account: AccountId, unless_refused: bool, is_meant: fn(&Entry) -> bool) {
        let client = self.clone();
        self.inner.host.spawn(async move {
            let host = &*client.inner.host;
            let entries = loop {
                match outbox::entries(host).await {
                    Ok(entries) => break entries,
                    // Nobody gives the reason once more.
                    Err(_) if client.account(account).is_ok() => host.sleep(AFTER_FAILURE).await,
                    Err(_) => return,
                }
            };
            let own = entries.iter().filter(|entry| entry.account == account && is_meant(entry));
            own.for_each(|entry| client.queue_entry(entry, unless_refused));
        });
    }

    /// Has an entry sent, or its copy filed, if that is what it waits for.
    pub(super) fn queue_entry(&self, entry: &Entry, unless_refused: bool) {
        let asked = Asked { id: entry.id, unless_refused };
        match entry.state {
            // What was left in the middle is put right before it is tried.
            State::Queued | State::Sending | State::Committing => {
                self.queue_sending(entry.account, asked);
            }
            State::Sent if !entry.filed => self.queue_filing(entry.account, entry.id),
            _ => {}
        }
    }

    /// The person wants a message tried again, knowing that it may then arrive twice; or at once,
    /// if it waits; or its copy filed.
    pub(super) async fn retry_send(&self, id: u32) -> Result<(), MailError> {
        let entry = outbox::retry(&*self.inner.host, id).await?;
        self.tell_entry(None, &entry);
        self.queue_entry(&entry, false);
        Ok(())
    }

    /// The person drops a message that was not sent, or the copy of one that was.
    pub(super) async fn discard_send(&self, id: u32) -> Result<(), MailError> {
        let entry = outbox::discard(&*self.inner.host, id).await?;
        self.tell_discarded(entry);
        Ok(())
    }

    pub(super) fn tell_discarded(&self, entry: Entry) {
        let state = match entry.state {
            State::Unfiled(_) => SendState::Sent,
            _ => SendState::Discarded,
        };
        let Entry { id, account, subject, .. } = entry;
        self.tell(None, Delta::Outbox { outbox: id, account, subject, state });
    }

    /// Tells a page, or all, what is in the outbox.
    pub(super) async fn tell_outbox(&self, page: Option<ClientId>) -> Result<(), MailError> {
        for entry in outbox::entries(&*self.inner.host).await? {
            if entry.state != State::Sent {
                self.tell_entry(page, &entry);
            }
        }
        Ok(())
    }

    /// The person wants it tried again: has what waits sent. Where the outgoing server's
    /// certificate was refused, the server itself is tried first: nothing else connects to it
    /// before there is something to send.
    pub(super) async fn try_outgoing(&self, id: AccountId) -> Result<(), MailError> {
        let refused = {
            let accounts = self.inner.accounts.borrow();
            accounts.get(&id).is_some_and(|running| running.outgoing.refused.is_some())
        };
        if !refused || !self.inner.online.get() {
            self.wake_outbox(id);
            return Ok(());
        }
        let account = self.account(id)?;
        let host = &*self.inner.host;
        let password = account.password(host).await?;
        let used = &account.outgoing.endpoint;
        match outbox::test(host, &account.outgoing, &password).await {
            Ok(tested) => {
                self.connected(id, ServerRole::Outgoing, used, tested.session);
                self.wake_outbox(id);
            }
            Err(error) => {
                self.not_connected(id, ServerRole::Outgoing, used, &error).await?;
                let problem = self.problem_with(id, ServerRole::Outgoing, &error);
                self.tell_problem(id, problem);
            }
        }
        Ok(())
    }

    pub(super) fn tell_entry(&self, page: Option<ClientId>, entry: &Entry) {
        let (account, subject, state) = (entry.account, entry.subject.clone(), entry.send_state());
        self.tell(page, Delta::Outbox { outbox: entry.id, account, subject, state });
    }
}
