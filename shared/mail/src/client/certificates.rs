//! Certificates refused and trusted, per account and server.

use postern_bridge::{
    AccountId, Delta, Endpoint, Fingerprint, Security, ServerRole, ServerState, TlsSession,
};

use super::{
    Client, Running,
    sessions::{SeenSession, forget_session},
};
use crate::{
    Host, MailError, Store, TransportError,
    error::Closed,
    record::{Account, Record},
    store::{Durability, StoreError},
};

fn other(server: ServerRole) -> ServerRole {
    match server {
        ServerRole::Incoming => ServerRole::Outgoing,
        ServerRole::Outgoing => ServerRole::Incoming,
    }
}

/// The certificate that a server was refused for, if the person has trusted that very certificate
/// for the same host already: on the account's other server. So nobody is asked twice.
pub(super) fn vouched_for(
    error: &MailError,
    server: &Endpoint,
    other: &Endpoint,
) -> Option<Fingerprint> {
    let MailError::Transport(TransportError::Certificate(refused)) = error else { return None };
    let fingerprint = refused.trustable()?;
    let same_host = server.host.eq_ignore_ascii_case(&other.host);
    let trusted = server.trusted.is_none() && other.trusted == Some(fingerprint);
    (same_host && trusted).then_some(fingerprint)
}

/// Ends the trust in a server's certificate: on the account's other server as well, if it has the
/// same host and certificate, or that one would vouch for this one at once.
fn distrust(account: &mut Account, server: ServerRole) {
    let Some(trusted) = account.endpoint_mut(server).trusted.take() else { return };
    let host = account.endpoint(server).host.clone();
    let other = account.endpoint_mut(other(server));
    if other.trusted == Some(trusted) && other.host.eq_ignore_ascii_case(&host) {
        other.trusted = None;
    }
}

/// Whether an error can only come from a server whose certificate was accepted.
fn is_past_tls(error: &MailError, security: Security) -> bool {
    match error {
        MailError::Login(_)
        | MailError::Token(_)
        | MailError::LogInOnPage { .. }
        | MailError::TooManyConnections(_) => true,
        // With STARTTLS they may come before the upgrade.
        // Then it was not even asked.
        MailError::Closed(Closed::TooSoon { .. }) => false,
        MailError::Refused { .. }
        | MailError::Denied { .. }
        | MailError::TooLarge { .. }
        | MailError::Closed(_)
        | MailError::Unsupported(_)
        | MailError::Protocol(_) => security == Security::Tls,
        _ => false,
    }
}

impl Account {
    fn endpoint(&self, server: ServerRole) -> &Endpoint {
        match server {
            ServerRole::Incoming => &self.incoming.endpoint,
            ServerRole::Outgoing => &self.outgoing.endpoint,
        }
    }

    fn endpoint_mut(&mut self, server: ServerRole) -> &mut Endpoint {
        match server {
            ServerRole::Incoming => &mut self.incoming.endpoint,
            ServerRole::Outgoing => &mut self.outgoing.endpoint,
        }
    }
}

impl Running {
    pub(super) fn server_mut(&mut self, server: ServerRole) -> &mut ServerState {
        match server {
            ServerRole::Incoming => &mut self.incoming,
            ServerRole::Outgoing => &mut self.outgoing,
        }
    }
}

impl<H: Host> Client<H> {
    /// Notes that a server was reached at this endpoint, and what protects the connection. It
    /// counts only while the account has this endpoint.
    pub(super) fn connected(
        &self,
        account: AccountId,
        server: ServerRole,
        used: &Endpoint,
        session: Option<TlsSession>,
    ) {
        // Work over a connection that was there before says nothing of the proxy's door.
        self.note_admitted();
        if !self.still_uses(account, server, used) {
            return;
        }
        let state = ServerState { session: session.clone(), refused: None };
        if !self.set_server_state(account, server, |known| *known = state) {
            return;
        }
        let (client, used) = (self.clone(), used.clone());
        self.inner.host.spawn(async move {
            // It is for the person to look at; nothing depends on its being stored.
            let _ = client.store_session(account, server, &used, session).await;
        });
    }

    async fn store_session(
        &self,
        account: AccountId,
        server: ServerRole,
        used: &Endpoint,
        session: Option<TlsSession>,
    ) -> Result<(), StoreError> {
        let _editing = self.store().editing().lock().await;
        if !self.still_uses(account, server, used) {
            // Nothing is stored for what was removed or changed.
            return Ok(());
        }
        let write = match session {
            Some(session) => SeenSession { account, server, session }.put(),
            None => forget_session(account, server),
        };
        self.store().apply(vec![write], Durability::Relaxed).await
    }

    /// Whether an account's server still has this endpoint: what is learnt from another one says
    /// nothing of it.
    fn still_uses(&self, account: AccountId, server: ServerRole, used: &Endpoint) -> bool {
        let accounts = self.inner.accounts.borrow();
        accounts.get(&account).is_some_and(|running| running.account.endpoint(server) == used)
    }

    /// Notes why a server was not reached at this endpoint, if its certificate was refused. Where
    /// the person has trusted that certificate for the account's other server on the same host, it
    /// is trusted here as well.
    pub(super) async fn not_connected(
        &self,
        id: AccountId,
        server: ServerRole,
        used: &Endpoint,
        error: &MailError,
    ) -> Result<(), MailError> {
        if !self.still_uses(id, server, used) {
            return Ok(());
        }
        let MailError::Transport(TransportError::Certificate(refused)) = error else {
            if is_past_tls(error, used.security) {
                self.set_server_state(id, server, |state| state.refused = None);
            }
            return Ok(());
        };
        let vouched = |account: &Account| {
            vouched_for(error, account.endpoint(server), account.endpoint(other(server)))
        };
        if vouched(&self.account(id)?).is_some() {
            // Under the lock once more: the other server may be trusted no longer.
            let edit = |account: &mut Account| {
                let fingerprint = vouched(account).ok_or_else(|| error.clone())?;
                account.endpoint_mut(server).trusted = Some(fingerprint);
                Ok(())
            };
            return self.edit_trust(id, server, edit).await;
        }
        self.set_server_state(id, server, |state| state.refused = Some((**refused).clone()));
        Ok(())
    }

    /// Trusts a certificate for one of an account's servers, or none any more; then connects again.
    ///
    /// # Errors
    ///
    /// If the server is not at the host and port any more that the person has decided about.
    pub(super) async fn trust(
        &self,
        id: AccountId,
        server: ServerRole,
        (host, port): (&str, u16),
        trusted: Option<Fingerprint>,
    ) -> Result<(), MailError> {
        let edit = |account: &mut Account| {
            let endpoint = account.endpoint(server);
            if (endpoint.host.as_str(), endpoint.port) != (host, port) {
                let sentence = format!(
                    "The account does not connect to {host} on port {port} any more. Look at its \
                     present settings and decide again."
                );
                return Err(MailError::Input(sentence));
            }
            match trusted {
                Some(_) => account.endpoint_mut(server).trusted = trusted,
                None => distrust(account, server),
            }
            Ok(())
        };
        self.edit_trust(id, server, edit).await
    }

    async fn edit_trust(
        &self,
        id: AccountId,
        server: ServerRole,
        edit: impl FnOnce(&mut Account) -> Result<(), MailError>,
    ) -> Result<(), MailError> {
        self.edit_account(id, edit).await?;
        self.set_server_state(id, server, |state| state.refused = None);
        self.tell(None, Delta::Accounts(self.account_views()));
        self.connect_again(id)
    }

    /// Changes an account's settings in the store and for its lanes. What was known of the way to a
    /// server that is reached in another way now is forgotten.
    pub(super) async fn edit_account(
        &self,
        id: AccountId,
        edit: impl FnOnce(&mut Account) -> Result<(), MailError>,
    ) -> Result<(), MailError> {
        let _editing = self.store().editing().lock().await;
        let before = self.account(id)?;
        let mut account = before.clone();
        edit(&mut account)?;
        let moved: Vec<ServerRole> = [ServerRole::Incoming, ServerRole::Outgoing]
            .into_iter()
            .filter(|server| account.endpoint(*server) != before.endpoint(*server))
            .collect();
        let mut batch = vec![account.put()];
        batch.extend(moved.iter().map(|server| forget_session(id, *server)));
        self.store().apply(batch, Durability::Strict).await?;
        let mut accounts = self.inner.accounts.borrow_mut();
        let running = accounts.get_mut(&id).ok_or(MailError::Gone("account"))?;
        running.account = account;
        for server in moved {
            *running.server_mut(server) = ServerState::default();
        }
        Ok(())
    }

    /// Has the lanes connect with the account's present settings.
    pub(super) fn connect_again(&self, id: AccountId) -> Result<(), MailError> {
        if let Some(running) = self.inner.accounts.borrow_mut().get_mut(&id) {
            running.told = None;
        }
        self.refresh(id)?;
        self.wake_outbox(id);
        Ok(())
    }

    /// Changes what is known of the way to a server, and tells the pages if it is new.
    fn set_server_state(
        &self,
        account: AccountId,
        server: ServerRole,
        change: impl FnOnce(&mut ServerState),
    ) -> bool {
        let changed = {
            let mut accounts = self.inner.accounts.borrow_mut();
            let Some(running) = accounts.get_mut(&account) else { return false };
            let state = running.server_mut(server);
            let before = state.clone();
            change(state);
            *state != before
        };
        if changed {
            self.tell(None, Delta::Accounts(self.account_views()));
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Certificate, CertificateProblem, RefusedCertificate, TlsEnd};

    use super::*;

    fn endpoint(host: &str, trusted: Option<u8>) -> Endpoint {
        Endpoint {
            host: host.into(),
            port: 465,
            security: Security::Tls,
            tls_end: TlsEnd::Browser,
            trusted: trusted.map(fingerprint),
        }
    }

    fn fingerprint(byte: u8) -> Fingerprint {
        [byte; Fingerprint::SIZE].into()
    }

    fn refused(problem: CertificateProblem) -> MailError {
        let refused = RefusedCertificate {
            host: "mail.example.org".into(),
            port: 465,
            verifier: TlsEnd::Browser,
            problem,
            certificate: Some(Certificate { fingerprint: fingerprint(1), details: None }),
        };
        TransportError::Certificate(Box::new(refused)).into()
    }

    #[test]
    fn a_certificate_is_trusted_for_the_other_server_of_its_host_and_nowhere_else() {
        let unknown = refused(CertificateProblem::SelfSigned);
        let server = endpoint("mail.example.org", None);
        let trusts = |other| vouched_for(&unknown, &server, &other);
        assert_eq!(trusts(endpoint("MAIL.example.org", Some(1))), Some(fingerprint(1)));
        assert_eq!(trusts(endpoint("mail.example.org", Some(2))), None);
        assert_eq!(trusts(endpoint("mail.example.org", None)), None);
        assert_eq!(trusts(endpoint("imap.example.org", Some(1))), None);
    }

    #[test]
    fn a_server_with_a_trusted_certificate_of_its_own_gets_no_other() {
        let trusted = fingerprint(3);
        let changed = refused(CertificateProblem::Changed { trusted, verifies: false });
        let server = endpoint("mail.example.org", Some(3));
        let other = endpoint("mail.example.org", Some(1));
        assert_eq!(vouched_for(&changed, &server, &other), None);
    }

    #[test]
    fn only_what_comes_after_tls_proves_a_certificate_accepted() {
        let login = MailError::Login("no".into());
        let lacking = MailError::Unsupported("STARTTLS");
        assert!(is_past_tls(&login, Security::Tls) && is_past_tls(&login, Security::StartTls));
        assert!(is_past_tls(&lacking, Security::Tls) && !is_past_tls(&lacking, Security::StartTls));
        assert!(!is_past_tls(&TransportError::Lost.into(), Security::Tls));
    }

    #[test]
    fn another_failure_makes_nothing_trusted() {
        let server = endpoint("mail.example.org", None);
        let other = endpoint("mail.example.org", Some(1));
        assert_eq!(vouched_for(&TransportError::Lost.into(), &server, &other), None);
    }
}
