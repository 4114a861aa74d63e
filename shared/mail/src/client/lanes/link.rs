//! One IMAP connection of an account.

use postern_bridge::AccountId;

use super::Client;
use crate::{Host, MailError, imap::ImapClient};

/// One IMAP connection of an account, made when it is needed and remade when it was lost.
pub(super) struct Link<H: Host> {
    client: Client<H>,
    account: AccountId,
    /// None before the first piece of work, and after it was lost.
    pub(super) connection: Option<ImapClient<H::Transport>>,
}

impl<H: Host> Link<H> {
    pub(super) fn new(client: &Client<H>, account: AccountId) -> Self {
        Self { client: client.clone(), account, connection: None }
    }

    /// Does a piece of work over the connection. A connection that was kept and turns out to be
    /// dead is replaced once; each piece of work can be done twice without harm.
    pub(super) async fn work<T>(
        &mut self,
        mut work: impl AsyncFnMut(&mut ImapClient<H::Transport>, &H) -> Result<T, MailError>,
    ) -> Result<T, MailError> {
        let host = self.client.inner.host.clone();
        let mut may_be_stale = self.connection.is_some();
        loop {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                None => {
                    let account = self.client.account(self.account)?;
                    let password = host.unseal(&account.sealed_password).await?;
                    let fresh = ImapClient::connect(&*host, &account.incoming, &password).await?;
                    self.connection.insert(fresh)
                }
            };
            match work(connection, &host).await {
                Err(error) if error.breaks_connection() => {
                    self.connection = None;
                    if !std::mem::take(&mut may_be_stale) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    pub(super) async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.logout(&*self.client.inner.host).await;
        }
    }
}
