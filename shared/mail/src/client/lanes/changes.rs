//! The queue of changes, told to the server one entry at a time, by the reading lane: what a person
//! waits for goes between two entries.

use postern_bridge::AccountId;

use super::{Client, link::Link};
use crate::{
    Host, MailError,
    changes::{self, Entry},
};

impl<H: Host> Client<H> {
    /// Tells the server the next change. What it refuses is taken back here and told; what fails for
    /// another reason stays queued, and is tried again once the account is connected.
    pub(super) async fn make_next_change(
        &self,
        account: AccountId,
        link: &mut Link<H>,
    ) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Ok(());
        }
        let Some(entry) = changes::next(self.store(), account).await? else { return Ok(()) };
        let result = link.work(async |imap, host| imap.make_change(host, &entry).await).await;
        let told = match result {
            Ok(outcome) => self.tell_outcome(&entry, outcome).await,
            Err(error) if self.is_refusal(&entry, &error) => {
                self.take_back_refused(&entry, &error).await
            }
            Err(error) => Err(error),
        };
        if told.is_ok() {
            self.inner.tries.borrow_mut().remove(&(account, entry.number));
            self.queue_changes(account);
        }
        told
    }

    /// Whether an error is the server's word on this entry. One that breaks the connection again and
    /// again, for no other reason, is one as well.
    fn is_refusal(&self, entry: &Entry, error: &MailError) -> bool {
        match error {
            MailError::Refused { .. }
            | MailError::Denied { .. }
            | MailError::Unsupported(_)
            | MailError::Input(_)
            | MailError::Gone(_) => true,
            MailError::Protocol(_) => {
                let mut tries = self.inner.tries.borrow_mut();
                let tries = tries.entry((entry.account, entry.number)).or_default();
                *tries += 1;
                *tries >= changes::limits::TRIES
            }
            MailError::Transport(_)
            | MailError::Unavailable(_)
            | MailError::Closed(_)
            | MailError::TooManyConnections(_)
            | MailError::TimedOut(_)
            | MailError::Login(_)
            | MailError::Store(_)
            | MailError::Vault(_) => false,
        }
    }
}
