//! The accounts and what goes on in them.

use std::collections::BTreeMap;

use postern_bridge::{
    AccountId, AccountView, Connection, Progress, RefusedCertificate, ServerRole,
};

/// All accounts, in the order to show them.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// `None` until the engine has answered.
    list: Option<Vec<AccountView>>,
    progress: BTreeMap<AccountId, Progress>,
    pending: BTreeMap<AccountId, u32>,
}

impl Accounts {
    /// Takes over the engine's list.
    pub(crate) fn set(&mut self, accounts: Vec<AccountView>) {
        self.progress.retain(|id, _| accounts.iter().any(|account| account.id == *id));
        self.pending.retain(|id, _| accounts.iter().any(|account| account.id == *id));
        self.list = Some(accounts);
    }

    /// Takes over the state of one connection.
    pub(crate) fn set_connection(&mut self, id: AccountId, state: Connection) {
        let accounts = self.list.iter_mut().flatten();
        for account in accounts.filter(|account| account.id == id) {
            account.connection = state.clone();
        }
    }

    /// Takes over how far long work is; `None` ends it.
    pub(crate) fn set_progress(&mut self, id: AccountId, progress: Option<Progress>) {
        match progress {
            Some(progress) => self.progress.insert(id, progress),
            None => self.progress.remove(&id),
        };
    }

    /// Takes over how many changes an account's server has not been told yet.
    pub(crate) fn set_pending(&mut self, id: AccountId, changes: u32) {
        self.pending.insert(id, changes);
    }

    /// How many changes an account's server has not been told yet.
    pub(crate) fn pending(&self, id: AccountId) -> u32 {
        self.pending.get(&id).copied().unwrap_or(0)
    }

    /// Whether the engine has told the accounts yet.
    pub(crate) fn known(&self) -> bool {
        self.list.is_some()
    }

    /// All accounts; none while they are not known.
    pub(crate) fn all(&self) -> &[AccountView] {
        self.list.as_deref().unwrap_or_default()
    }

    /// One account.
    pub(crate) fn get(&self, id: AccountId) -> Option<&AccountView> {
        self.all().iter().find(|account| account.id == id)
    }

    /// The account that has a server whose certificate was refused, if it is this one.
    pub(crate) fn refused(&self, refused: &RefusedCertificate) -> Option<AccountId> {
        let has = |account: &&AccountView| {
            [ServerRole::Incoming, ServerRole::Outgoing]
                .iter()
                .any(|role| account.server_state(*role).refused.as_ref() == Some(refused))
        };
        self.all().iter().find(has).map(|account| account.id)
    }

    /// How far long work in an account is.
    pub(crate) fn progress(&self, id: AccountId) -> Option<&Progress> {
        self.progress.get(&id)
    }
}

/// How much of some work is done, from 0 to 1; `None` while its size is unknown.
pub(crate) fn fraction(progress: &Progress) -> Option<f64> {
    (progress.total > 0)
        .then(|| (f64::from(progress.done) / f64::from(progress.total)).clamp(0.0, 1.0))
}

#[cfg(test)]
pub(super) mod tests {
    use postern_bridge::{
        Endpoint, Extent, Identity, Proof, Protocol, Quota, Retention, Security, ServerLogin,
        ServerState, TlsEnd,
    };

    use super::*;

    pub(crate) fn account(id: u32, address: &str) -> AccountView {
        let login = |host: &str, port| ServerLogin {
            endpoint: Endpoint {
                host: host.into(),
                port,
                security: Security::Tls,
                tls_end: TlsEnd::Browser,
                trusted: None,
            },
            username: address.into(),
        };
        AccountView {
            id: AccountId(id),
            identity: Identity { name: String::new(), address: address.into() },
            protocol: Protocol::Imap,
            incoming: login("imap.example.org", 993),
            outgoing: login("smtp.example.org", 465),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
            pop3: None,
            incoming_state: ServerState::default(),
            outgoing_state: ServerState::default(),
            quota: Quota::default(),
            oddities: Vec::new(),
            connection: Connection::Offline,
        }
    }

    fn progress(done: u32, total: u32) -> Progress {
        Progress { what: "Downloading".into(), done, total }
    }

    #[test]
    fn an_empty_list_is_known_and_no_list_is_not() {
        let mut accounts = Accounts::default();
        assert!(!accounts.known());
        accounts.set(vec![]);
        assert!(accounts.known());
    }

    #[test]
    fn a_connection_changes_its_account_alone() {
        let mut accounts = Accounts::default();
        accounts.set(vec![account(1, "a@b"), account(2, "c@d")]);
        accounts.set_connection(AccountId(2), Connection::Online);
        assert_eq!(accounts.all()[0].connection, Connection::Offline);
        assert_eq!(accounts.all()[1].connection, Connection::Online);
    }

    #[test]
    fn progress_ends_with_its_work_and_with_its_account() {
        let mut accounts = Accounts::default();
        accounts.set(vec![account(1, "a@b"), account(2, "c@d")]);
        accounts.set_progress(AccountId(1), Some(progress(1, 2)));
        accounts.set_progress(AccountId(2), Some(progress(1, 2)));
        accounts.set_progress(AccountId(1), None);
        assert_eq!(accounts.progress(AccountId(1)), None);
        accounts.set(vec![account(1, "a@b")]);
        assert_eq!(accounts.progress(AccountId(2)), None);
    }

    #[test]
    fn a_fraction_needs_a_size_and_stays_in_bounds() {
        assert_eq!(fraction(&progress(1, 4)), Some(0.25));
        assert_eq!(fraction(&progress(5, 4)), Some(1.0));
        assert_eq!(fraction(&progress(5, 0)), None);
    }
}
