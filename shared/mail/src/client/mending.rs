//! What is stored and was damaged meanwhile: messages of which bytes are missing are fetched again, where
//! a server has them; records of accounts and mailboxes are written anew. Whose a mailbox is can then be a
//! guess: no account is removed before the person has looked at it.

use postern_bridge::{AccountId, Delta, MailboxId, MessageId, Protocol};

use super::{Client, mailboxes};
use crate::{
    Host, MailError, Store,
    changes::is_provisional,
    pop3,
    record::{self, Account, Mailbox, Owner, Record},
    recovery,
    store::{Durability, KeyRange, StoreError},
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

    /// Refuses to remove an account while it is a guess whose a mailbox is: where it counts as another
    /// account's it may have been this one's, and the other way round. Not under the lock for editing.
    ///
    /// *If this ends before the page shows it*, the account stays all the same until the mailbox is opened.
    pub(super) async fn check_owners(&self, id: AccountId) -> Result<(), MailError> {
        let store = self.store();
        let _editing = store.editing().lock().await;
        let (accounts, _) = record::readable::<Account>(store, &KeyRange::all()).await?;
        if accounts.iter().all(|own| own.id == id) {
            return Ok(());
        }
        let mailboxes: Vec<Mailbox> = record::all(store, &KeyRange::all()).await?;
        let guessed = mailboxes.into_iter().find(|own| own.owner != Owner::Known);
        let Some(guessed) = guessed else { return Ok(()) };
        let name = guessed.names.join("/");
        let whose = match accounts.into_iter().find(|own| own.id == guessed.account) {
            Some(owner) if owner.id != id => {
                let address = owner.identity.address;
                format!("“{name}” of {address} now, and may have mail of this account")
            }
            _ => format!("“{name}” of this account now, and may have mail of another one"),
        };
        let told = Mailbox { owner: Owner::Told, ..guessed };
        store.apply(vec![told.put()], Durability::Strict).await?;
        Err(MailError::Input(format!(
            "Nothing was removed yet. A folder was damaged, and it can't be told whose it was: it is \
             {whose}. Open it to look at it, then remove the account again."
        )))
    }

    /// The person looks at a mailbox: what was told of it holds up nothing any more.
    pub(super) async fn looked_at(&self, id: MailboxId) -> Result<(), MailError> {
        let store = self.store();
        let _editing = store.editing().lock().await;
        let own = record::mailbox(store, id).await?;
        if own.owner == Owner::Told {
            let known = Mailbox { owner: Owner::Known, ..own };
            store.apply(vec![known.put()], Durability::Relaxed).await?;
        }
        Ok(())
    }
}
