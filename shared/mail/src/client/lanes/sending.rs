//! The sending lane of an account: the outbox.

use std::time::Duration;

use futures_channel::mpsc;
use postern_bridge::{AccountId, ServerRole};

use super::Client;
use crate::{
    Host, MailError,
    outbox::{self, Entry, State},
};

/// How often what waits in the outbox is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// The same at most, where a server puts it off again and again (RFC 5321 section 4.5.4.1).
const RETRY_AT_MOST: Duration = Duration::from_secs(30 * 60);

impl<H: Host> Client<H> {
    pub(super) async fn sending_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<u32>,
    ) {
        // A refused log-in is not repeated without a reason: it may lock the account.
        let mut waits_for_person = false;
        let mut pause = RETRY;
        let mut is_put_off = false;
        while let Some(job) = self.next_job(&mut jobs, pause).await {
            let Some(id) = job else {
                pause = if is_put_off { RETRY_AT_MOST.min(pause * 2) } else { RETRY };
                is_put_off = false;
                if !waits_for_person {
                    self.wake_outbox(account);
                }
                continue;
            };
            let result = self.transmit(account, id).await;
            waits_for_person = matches!(&result, Err(error) if !error.is_passing());
            match &result {
                Err(MailError::Unavailable(_)) => is_put_off = true,
                // Nobody has put this one off.
                Err(error) if error.is_passing() => pause = RETRY,
                _ => {}
            }
            if let Err(error) = result
                && !matches!(error, MailError::Gone(_))
            {
                let problem = self.problem_with(account, ServerRole::Outgoing, &error);
                self.tell_problem(account, problem);
            }
        }
    }

    async fn transmit(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Ok(());
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
