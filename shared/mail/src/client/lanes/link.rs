//! One IMAP connection of an account.

use postern_bridge::{AccountId, ServerLogin, ServerRole};

use super::Client;
use crate::{Host, MailError, imap::ImapClient, record::Account};

/// After how many milliseconds another connection may be left.
const LEAVE_EVERY: u64 = 60_000;

/// One IMAP connection of an account, made when it is needed and remade when it was lost.
pub(in crate::client) struct Link<H: Host> {
    client: Client<H>,
    account: AccountId,
    /// None before the first piece of work, and after it was lost.
    pub(super) connection: Option<ImapClient<H::Transport>>,
    /// The settings that the connection was made with.
    login: Option<ServerLogin>,
    /// When a connection was last left while the server was busy on it, in milliseconds since 1970
    /// (UTC).
    left: Option<i64>,
}

impl<H: Host> Link<H> {
    pub(in crate::client) fn new(client: &Client<H>, account: AccountId) -> Self {
        Self { client: client.clone(), account, connection: None, login: None, left: None }
    }

    /// Does a piece of work over the connection. A connection that was kept and turns out to be
    /// dead is replaced once; each piece of work can be done twice without harm. A connection that
    /// was made with other settings than the account's present ones is replaced.
    pub(in crate::client) async fn work<T>(
        &mut self,
        mut work: impl AsyncFnMut(&mut ImapClient<H::Transport>, &H) -> Result<T, MailError>,
    ) -> Result<T, MailError> {
        let host = self.client.inner.host.clone();
        let account = self.client.account(self.account)?;
        self.leave_other_settings(&account).await;
        let mut may_be_stale = self.connection.is_some();
        loop {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                None => {
                    let fresh = self.connect(&host, &account).await?;
                    self.connection.insert(fresh)
                }
            };
            let worked = work(connection, &host).await;
            self.client.tell_overheard(self.account, connection).await;
            match worked {
                Err(error) if !connection.is_usable(&error) => {
                    self.connection = None;
                    if !std::mem::take(&mut may_be_stale) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    /// Whether the connection may be left while the server is busy on it. It counts there until the
    /// server notices, and a server that allows few would let nobody in if many were left.
    pub(super) fn may_leave(&self) -> bool {
        let now = self.client.inner.host.now();
        self.left.is_none_or(|left| now.abs_diff(left) >= LEAVE_EVERY)
    }

    /// Leaves the connection, on which the server is busy with what nobody wants any more.
    pub(super) fn leave(&mut self) {
        self.left = Some(self.client.inner.host.now());
        self.connection = None;
    }

    /// Makes sure that there is a connection, which may turn out to be dead.
    pub(super) async fn open(&mut self) -> Result<(), MailError> {
        let host = self.client.inner.host.clone();
        let account = self.client.account(self.account)?;
        self.leave_other_settings(&account).await;
        if self.connection.is_none() {
            self.connection = Some(self.connect(&host, &account).await?);
        }
        Ok(())
    }

    async fn leave_other_settings(&mut self, account: &Account) {
        if self.connection.is_some() && self.login.as_ref() != Some(&account.incoming) {
            self.hang_up().await;
        }
    }

    async fn connect(
        &mut self,
        host: &H,
        account: &Account,
    ) -> Result<ImapClient<H::Transport>, MailError> {
        let password = account.password(host).await?;
        let used = &account.incoming.endpoint;
        match ImapClient::connect(host, &account.incoming, &password).await {
            Ok(fresh) => {
                self.login = Some(account.incoming.clone());
                self.client.connected(self.account, ServerRole::Incoming, used, fresh.tls());
                Ok(fresh)
            }
            Err(error) => {
                self.client.not_connected(self.account, ServerRole::Incoming, used, &error).await?;
                Err(error)
            }
        }
    }

    pub(in crate::client) async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.logout(&*self.client.inner.host).await;
        }
    }
}
