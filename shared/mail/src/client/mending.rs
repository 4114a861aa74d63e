//! What is stored and was damaged meanwhile: messages of which bytes are missing are fetched again, where
//! a server has them; records of accounts and mailboxes are written anew.

use postern_bridge::{Delta, MessageId, Protocol};

use super::{Client, mailboxes};
use crate::{
    Host, MailError, Store,
    changes::is_provisional,
    pop3,
    record::{self, Account, Record},
    recovery,
    store::{Durability, StoreError},
};

impl<H: Host> Client<H> {
    /// What is stored of a message; `None` if it is not as much as its record says.
    pub(super) async fn intact_body(&self, id: MessageId) -> Result<Option<Vec<u8>>, MailError> {
        for settled in [false, true] {
            // Between the two reads it may have been moved or completed: then it is looked at again while
            // nobody changes anything.
            let _editing = match settled {
                true => Some(self.store().editing().lock().await),
                false => None,
            };
            let size = self.message(id).await?.body.stored_size();
            let raw = record::body(self.store(), id).await?;
            if raw.len() as u64 == size {
                return Ok(Some(raw));
            }
        }
        Ok(None)
    }

    /// Has a message fetched again of which bytes are missing: over IMAP at once, in one batch, over POP3
    /// with a download, which tells the pages. Until then what is left of it is returned, and it is told
    /// that this is not all.
    ///
    /// # Errors
    ///
    /// If nothing is left of it and it is not here yet: why.
    pub(super) async fn mend(&self, id: MessageId) -> Result<Vec<u8>, MailError> {
        let account = self.account_of(id.mailbox).await?;
        let mut error = MailError::Incomplete { comes_again: false };
        match account.protocol {
            Protocol::Imap if is_provisional(id.uid) => {}
            Protocol::Imap => match self.fetch_body(id).await {
                Ok(()) => {
                    if let Some(raw) = self.intact_body(id).await? {
                        return Ok(raw);
                    }
                }
                Err(why) => error = why,
            },
            Protocol::Pop3 => {
                if pop3::doubt(self.store(), account.id, id).await? {
                    error = MailError::Incomplete { comes_again: true };
                    self.refresh(account.id)?;
                }
            }
        }
        let left = record::body(self.store(), id).await?;
        if left.is_empty() {
            return Err(error);
        }
        self.tell(None, Delta::Problem(self.problem(account.id, &error)));
        Ok(left)
    }

    /// Mends records of accounts and mailboxes that can't be read any more, as each start does, and tells
    /// the pages; but an account that is at work is known. Not under the lock for editing.
    ///
    /// *If this ends early*, the accounts are whole, or nothing was written; see [`recovery`] for the
    /// mailboxes.
    pub(super) async fn mend_records(&self) -> Result<(), StoreError> {
        let store = self.store();
        let editing = store.editing().lock().await;
        let mut batch = Vec::new();
        let known = self.account_ids().into_iter().filter_map(|id| self.account(id).ok());
        for account in known {
            if let Err(StoreError::Damaged(_)) = record::get::<Account>(store, &account.key()).await
            {
                batch.push(account.put());
            }
        }
        if !batch.is_empty() {
            store.apply(batch, Durability::Strict).await?;
        }
        drop(editing);
        recovery::recover(store).await?;
        for account in self.account_ids().into_iter().filter_map(|id| self.account(id).ok()) {
            let stored = record::mailboxes(store, account.id).await?;
            let mailboxes = mailboxes::views(&stored, account.protocol);
            self.tell(None, Delta::Mailboxes { account: account.id, mailboxes });
        }
        Ok(())
    }
}
