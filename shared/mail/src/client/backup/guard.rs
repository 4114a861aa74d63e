//! What has to happen when a file is read no longer, whoever stopped it.

use postern_bridge::{AccountId, MailboxId};

use super::Client;
use crate::{
    Host, MailError,
    client::{lanes::Lanes, lists::Change},
};

/// A mailbox that a file is read into. However that ends, no half message is left, and pages are told
/// what has come.
pub(super) struct Filling<'a, H: Host> {
    pub(super) client: &'a Client<H>,
    pub(super) mailbox: MailboxId,
}

impl<H: Host> Drop for Filling<'_, H> {
    fn drop(&mut self) {
        let (client, mailbox) = (self.client.clone(), self.mailbox);
        self.client.spawn_told(async move {
            client.discard_partial().await?;
            client.mailbox_changed(mailbox, Change::Order).await
        });
    }
}

/// Accounts that do nothing while they are restored. They go on when it ends, in whatever way.
pub(super) struct Pause<H: Host> {
    client: Client<H>,
    accounts: Option<Vec<AccountId>>,
}

impl<H: Host> Pause<H> {
    pub(super) fn of(client: &Client<H>, accounts: Vec<AccountId>) -> Self {
        for id in &accounts {
            if let Some(running) = client.inner.accounts.borrow_mut().get_mut(id) {
                running.lanes = Lanes::stopped();
            }
        }
        Self { client: client.clone(), accounts: Some(accounts) }
    }

    pub(super) async fn end(mut self) -> Result<(), MailError> {
        let accounts = self.accounts.take().unwrap_or_default();
        self.client.resume_accounts(&accounts).await
    }
}

impl<H: Host> Drop for Pause<H> {
    fn drop(&mut self) {
        let Some(accounts) = self.accounts.take() else { return };
        let client = self.client.clone();
        self.client.spawn_told(async move {
            client.discard_partial().await?;
            client.resume_accounts(&accounts).await
        });
    }
}
