//! The sending lane of an account: the outbox.

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{AccountId, ServerRole};

use super::{Client, turns::Turns};
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
        mut jobs: mpsc::UnboundedReceiver<u32>,
    ) {
        let mut turns = Turns::default();
        loop {
            // What was asked for before a try is told from what is asked for after it began.
            while let Ok(id) = jobs.try_recv() {
                turns.ask(id);
            }
            let Some((id, wait)) = turns.next(self.inner.host.now()) else {
                let Some(id) = jobs.next().await else { return };
                turns.ask(id);
                continue;
            };
            let asked =
                if wait.is_zero() { Some(None) } else { self.next_job(&mut jobs, wait).await };
            match asked {
                Some(Some(id)) => turns.ask(id),
                Some(None) => {
                    let result = self.transmit(account, id).await;
                    turns.tried(id, &result, self.inner.host.now());
                    self.report_sending(account, result);
                }
                None => return,
            }
        }
    }

    fn report_sending(&self, account: AccountId, result: Result<(), MailError>) {
        // That there is no network is shown anyway.
        if let Err(error) = result
            && self.inner.online.get()
            && !matches!(error, MailError::Gone(_))
        {
            let problem = self.problem_with(account, ServerRole::Outgoing, &error);
            self.tell_problem(account, problem);
        }
    }

    async fn transmit(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Err(TransportError::Offline.into());
        }
        let account = self.account(account)?;
        let host = &*self.inner.host;
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
