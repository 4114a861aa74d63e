//! The sending lane of an account: the outbox.

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{AccountId, ServerRole};

use super::{
    Client,
    turns::{Asked, Turns},
};
use crate::{
    Host, MailError, TransportError,
    outbox::{self, Entry, State},
};

impl<H: Host> Client<H> {
    /// Sends what is asked for, and what could not be sent when its time has come.
    ///
    /// *If this ends*, what waits is in the outbox still: the next lane is asked for all of it.
    pub(super) async fn sending_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Asked>,
    ) {
        let mut turns = Turns::default();
        loop {
            // What was asked for before a try is told from what is asked for after it began.
            while let Ok(asked) = jobs.try_recv() {
                turns.ask(asked);
            }
            let Some((id, wait)) = turns.next(self.inner.host.now()) else {
                let Some(asked) = jobs.next().await else { return };
                turns.ask(asked);
                continue;
            };
            let asked =
                if wait.is_zero() { Some(None) } else { self.next_job(&mut jobs, wait).await };
            match asked {
                Some(Some(asked)) => turns.ask(asked),
                Some(None) => {
                    let result = self.transmit(account, id).await;
                    turns.tried(id, &result, self.inner.host.now());
                    self.report_sending(account, id, result).await;
                }
                None => return,
            }
        }
    }

    async fn report_sending(&self, account: AccountId, id: u32, result: Result<(), MailError>) {
        // That there is no network is shown anyway.
        if let Err(error) = result
            && self.inner.online.get()
            && !matches!(error, MailError::Gone(_))
        {
            self.tell_left(account, id, error.refuses_log_in()).await;
            let problem = self.problem_with(account, ServerRole::Outgoing, &error);
            self.tell_problem(account, problem);
        }
    }

    /// Tells how a message stands after a try that failed: one that could not even be begun, or of which a
    /// write failed and took effect, was told by nothing else. Where the log-in was refused, so were the
    /// others that wait.
    async fn tell_left(&self, account: AccountId, id: u32, all_wait: bool) {
        for entry in outbox::entries(&*self.inner.host).await.unwrap_or_default() {
            let waits = all_wait && entry.account == account && entry.state == State::Queued;
            let is_on_its_way = matches!(entry.state, State::Sending | State::Committing);
            if waits || entry.id == id && !is_on_its_way {
                self.tell_entry(None, &entry);
            }
            if entry.id == id && entry.state == State::Sent {
                self.queue_entry(&entry, true);
            }
        }
    }

    /// Tries one message. What an earlier try has left in the middle, since the store could not be written,
    /// is put right before: no other lane hands over for this account.
    async fn transmit(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Err(TransportError::Offline.into());
        }
        let account = self.account(account)?;
        let host = &*self.inner.host;
        for entry in outbox::recover(host, Some(account.id)).await? {
            self.tell_entry(None, &entry);
            if entry.id != id {
                self.queue_entry(&entry, true);
            }
        }
        let password = account.password(host).await?;
        let mut sent = false;
        let mut changed = |entry: &Entry| {
            sent = entry.state == State::Sent;
            self.tell_entry(None, entry);
        };
        let outcome = outbox::transmit(host, &account, &password, id, &mut changed).await;
        let used = &account.outgoing.endpoint;
        match outcome {
            Ok(session @ Some(_)) => {
                self.connected(account.id, ServerRole::Outgoing, used, session);
            }
            Ok(None) => {}
            Err(error) => {
                self.not_connected(account.id, ServerRole::Outgoing, used, &error).await?;
                return Err(error);
            }
        }
        if sent {
            self.queue_filing(account.id, id);
            // What was sent to oneself has arrived by now.
            self.refresh(account.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
