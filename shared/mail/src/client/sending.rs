//! The outbox's life: from `Send` to the copy in Sent.

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{AccountId, ClientId, Delta, OutgoingMessage, Problem, SendState};

use super::Client;
use crate::{
    Host, MailError,
    outbox::{self, Entry, State},
};

impl<H: Host> Client<H> {
    /// Takes a message: when this returns it is stored and will be sent.
    pub(super) async fn send(&self, message: OutgoingMessage) -> Result<u32, Problem> {
        let account = self.account(message.account).map_err(|error| error.problem(""))?;
        let queued = outbox::enqueue(&*self.inner.host, &account, &message).await;
        let id = queued.map_err(|error| error.problem(&account.outgoing.endpoint.host))?;
        self.queue_sending(account.id, id);
        Ok(id)
    }

    /// Goes on with what an earlier life left in the outbox.
    pub(super) async fn resume_outbox(&self) -> Result<(), MailError> {
        let host = &*self.inner.host;
        for entry in outbox::entries(host).await? {
            match entry.state {
                State::Queued => self.queue_sending(entry.account, entry.id),
                State::Sent if entry.filed => drop(outbox::discard(host, entry.id).await?),
                State::Sent => self.queue_filing(entry.account, entry.id),
                _ => {}
            }
        }
        Ok(())
    }

    /// Tries again what waits for a network.
    pub(super) fn wake_outbox(&self, account: AccountId) {
        let client = self.clone();
        self.inner.host.spawn(async move {
            let entries = outbox::entries(&*client.inner.host).await.unwrap_or_default();
            for entry in entries {
                if entry.account == account && entry.state == State::Queued {
                    client.queue_sending(account, entry.id);
                }
            }
        });
    }

    /// The person wants a message tried again, knowing that it may then arrive twice.
    pub(super) async fn retry_send(&self, id: u32) -> Result<(), MailError> {
        let entry = outbox::retry(&*self.inner.host, id).await?;
        self.tell_entry(None, &entry);
        self.queue_sending(entry.account, id);
        Ok(())
    }

    /// The person drops a message that was not sent.
    pub(super) async fn discard_send(&self, id: u32) -> Result<(), MailError> {
        let entry = outbox::discard(&*self.inner.host, id).await?;
        let (account, subject) = (entry.account, entry.subject);
        let state = SendState::Discarded;
        self.tell(None, Delta::Outbox { outbox: id, account, subject, state });
        Ok(())
    }

    /// Tells a new page what is in the outbox.
    pub(super) async fn tell_outbox(&self, page: ClientId) -> Result<(), MailError> {
        for entry in outbox::entries(&*self.inner.host).await? {
            if entry.state != State::Sent {
                self.tell_entry(Some(page), &entry);
            }
        }
        Ok(())
    }

    pub(super) async fn sending_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<u32>,
    ) {
        while let Some(id) = jobs.next().await {
            if let Err(error) = self.transmit(account, id).await
                && !error.is_passing()
                && !matches!(error, MailError::Gone(_))
            {
                let host = self.account(account).map(|account| account.outgoing.endpoint.host);
                let problem = error.problem(&host.unwrap_or_default());
                self.tell(None, Delta::Problem(problem));
            }
        }
    }

    async fn transmit(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Ok(());
        }
        let account = self.account(account)?;
        let host = &*self.inner.host;
        let password = host.unseal(&account.sealed_password).await?;
        let mut sent = false;
        let mut changed = |entry: &Entry| {
            sent = entry.state == State::Sent;
            self.tell_entry(None, entry);
        };
        outbox::transmit(host, &account, &password, id, &mut changed).await?;
        if sent {
            self.queue_filing(account.id, id);
            // What was sent to oneself has arrived by now.
            self.refresh(account.id)?;
        }
        Ok(())
    }

    fn tell_entry(&self, page: Option<ClientId>, entry: &Entry) {
        let (account, subject, state) = (entry.account, entry.subject.clone(), entry.send_state());
        self.tell(page, Delta::Outbox { outbox: entry.id, account, subject, state });
    }
}
