//! Accounts: add, test, list, remove.

use postern_bridge::{
    AccountDraft, AccountId, AccountView, Connection, Delta, Endpoint, Pop3View, Problem, Proof,
    Protocol, Quota, Security, ServerLogin, ServerRole, ServerState, TestReport,
};

use super::{
    Client, Running,
    certificates::vouched_for,
    lanes::Lanes,
    overheard::{self, oddities},
    probe::Probe,
    sessions::{self, Sessions},
};
use crate::{
    Host, MailError, Secret, backup, changes,
    connection::Tested,
    imap::{self, ImapClient},
    outbox,
    pop3::{self, ServerNotes},
    record::{self, Account, Record, Series},
    recovery,
    store::{Durability, KeyRange, Store, StoreError, Table, Write},
};

/// What is stored of an account's servers.
pub(super) struct Known {
    sessions: Sessions,
    pop3: Option<Pop3View>,
}

impl Known {
    pub(super) async fn of(store: &impl Store, account: &Account) -> Result<Self, StoreError> {
        let sessions = sessions::sessions(store, account.id).await?;
        let pop3 = match account.protocol {
            Protocol::Imap => None,
            Protocol::Pop3 => Some(ServerNotes::load(store, account.id).await?.view()),
        };
        Ok(Self { sessions, pop3 })
    }
}

impl<H: Host> Client<H> {
    pub(super) fn account_views(&self) -> Vec<AccountView> {
        let accounts = self.inner.accounts.borrow();
        accounts.values().map(view).collect()
    }

    /// Logs in to both servers and out again.
    pub(super) async fn test_account(&self, draft: AccountDraft) -> Result<TestReport, Problem> {
        let (_, incoming, outgoing) = self.try_out(draft).await?;
        Ok(TestReport { incoming: incoming.found, outgoing: outgoing.found })
    }

    /// Logs in to both servers and out again; what they said, and the draft with the trust that
    /// one server has from the other.
    pub(super) async fn try_out(
        &self,
        mut draft: AccountDraft,
    ) -> Result<(AccountDraft, Tested, Tested), Problem> {
        check(&draft).map_err(|error| error.problem(""))?;
        let incoming = self.try_server(&mut draft, ServerRole::Incoming).await?;
        let outgoing = self.try_server(&mut draft, ServerRole::Outgoing).await?;
        Ok((draft, incoming, outgoing))
    }

    async fn try_server(
        &self,
        draft: &mut AccountDraft,
        role: ServerRole,
    ) -> Result<Tested, Problem> {
        let host = &*self.inner.host;
        let password = Secret::new(&*draft.password).proving_by(draft.proof);
        let (login, other) = match role {
            ServerRole::Incoming => (&mut draft.incoming, &draft.outgoing),
            ServerRole::Outgoing => (&mut draft.outgoing, &draft.incoming),
        };
        let is_pop3 = (role, draft.protocol) == (ServerRole::Incoming, Protocol::Pop3);
        if is_pop3 {
            let answer = |own: &Probe| own.answer(login, &password, host.now());
            let known = self.inner.probe.borrow().as_ref().and_then(answer);
            if let Some(answer) = known {
                return answer.map_err(|error| error.problem(&login.endpoint.host));
            }
            let waits = self.must_wait(login).await;
            waits.map_err(|error| error.problem(&login.endpoint.host))?;
        }
        loop {
            let tested = match (role, draft.protocol) {
                (ServerRole::Outgoing, _) => outbox::test(host, login, &password).await,
                (ServerRole::Incoming, Protocol::Imap) => test_imap(host, login, &password).await,
                (ServerRole::Incoming, Protocol::Pop3) => pop3::test(host, login, &password).await,
            };
            if is_pop3 && let Some(probe) = Probe::of(login, &password, &tested, host.now()) {
                self.inner.probe.replace(Some(probe));
            }
            let Err(error) = tested else { return tested.map_err(|error| error.problem("")) };
            self.note_access(&error);
            match vouched_for(&error, &login.endpoint, &other.endpoint) {
                Some(fingerprint) => login.endpoint.trusted = Some(fingerprint),
                None => return Err(error.problem(&login.endpoint.host)),
            }
        }
    }

    /// Tests the settings, keeps the account, and begins to fetch its mail.
    pub(super) async fn add_account(&self, draft: AccountDraft) -> Result<AccountId, Problem> {
        let (draft, incoming, outgoing) = self.try_out(draft).await?;
        let host = draft.incoming.endpoint.host.clone();
        let problem = |error: MailError| error.problem(&host);
        let account = self.keep_account(draft, incoming.pop3).await.map_err(problem)?;
        let id = account.id;
        let known = Known::of(self.store(), &account).await;
        let known = known.map_err(|error| problem(error.into()))?;
        self.run_account(account.clone(), known);
        self.begin_copies_anew();
        self.tell(None, Delta::Accounts(self.account_views()));
        let Account { incoming: to_incoming, outgoing: to_outgoing, .. } = account;
        self.connected(id, ServerRole::Incoming, &to_incoming.endpoint, incoming.session);
        self.connected(id, ServerRole::Outgoing, &to_outgoing.endpoint, outgoing.session);
        let told = async {
            self.tell_mailboxes(None, id).await?;
            self.tell_backups(None).await
        };
        told.await.map_err(problem)?;
        Ok(id)
    }

    async fn keep_account(
        &self,
        draft: AccountDraft,
        server: Option<ServerNotes>,
    ) -> Result<Account, MailError> {
        let host = &*self.inner.host;
        let sealed_password = host.seal(&Secret::new(draft.password)).await?;
        let _editing = host.store().editing().lock().await;
        let (number, numbered) = record::next_number(host.store(), Series::Account).await?;
        let account = Account {
            id: AccountId(number),
            identity: draft.identity,
            protocol: draft.protocol,
            incoming: draft.incoming,
            outgoing: draft.outgoing,
            retention: draft.retention,
            extent: draft.extent,
            proof: draft.proof,
            sealed_password,
        };
        let mut batch = vec![numbered, account.put()];
        if account.protocol == Protocol::Pop3 {
            batch.extend(pop3::create_local_mailboxes(host, account.id).await?);
            batch.extend(server.map(|notes| notes.begin(account.id)));
        }
        host.store().apply(batch, Durability::Strict).await?;
        Ok(account)
    }

    /// Gives the account its lanes and fetches what is new.
    pub(super) fn run_account(&self, account: Account, known: Known) {
        let id = account.id;
        let lanes = Lanes::start(self, &account);
        let Known { sessions, pop3 } = known;
        let running = Running {
            account,
            incoming: ServerState { session: sessions.incoming, refused: None },
            outgoing: ServerState { session: sessions.outgoing, refused: None },
            quota: Quota::default(),
            defects: imap::Defects::default(),
            pop3,
            connection: Connection::Offline,
            told: None,
            went_on: false,
            lanes,
        };
        self.inner.accounts.borrow_mut().insert(id, running);
        if self.inner.online.get() {
            self.refresh(id).expect("the account has just been inserted");
        }
    }

    /// Has an account go on whose lanes were stopped. What they were about to send is put right first.
    pub(super) async fn rerun_account(&self, account: Account, known: Known) {
        let id = account.id;
        let recovered = outbox::recover(&*self.inner.host, Some(id)).await;
        self.run_account(account, known);
        self.wake_outbox(id);
        // What could not be put right is, before the next try.
        for entry in recovered.unwrap_or_default() {
            self.tell_entry(None, &entry);
        }
    }

    /// Forgets an account and everything stored for it.
    ///
    /// Its lanes are stopped first, so that nothing is written for it any more; then one strict
    /// batch removes it: a crash before leaves the account whole, a crash after leaves nothing.
    pub(super) async fn remove_account(&self, id: AccountId) -> Result<(), MailError> {
        let removed = self.inner.accounts.borrow_mut().remove(&id);
        let Some(running) = removed else { return Ok(()) };
        let Running { account, incoming, outgoing, pop3, lanes, .. } = running;
        drop(lanes);
        self.stop_copies_of(id).await?;
        if let Err(error) = self.forget_account(&account).await {
            // It is all there still, and goes on.
            let sessions = Sessions { incoming: incoming.session, outgoing: outgoing.session };
            self.rerun_account(account, Known { sessions, pop3 }).await;
            return Err(error);
        }
        self.tell(None, Delta::Accounts(self.account_views()));
        self.room_was_made().await;
        Ok(())
    }

    pub(super) async fn forget_account(&self, account: &Account) -> Result<(), MailError> {
        let host = &*self.inner.host;
        // One that can't be read must not be what is left of it.
        self.mailboxes(account.id).await?;
        self.check_owners(account.id).await?;
        let _editing = host.store().editing().lock().await;
        let mut batch = vec![
            account.delete(),
            sessions::forget_sessions(account.id),
            overheard::forget(account.id),
            ServerNotes::forget(account.id),
            recovery::forget(account.id),
        ];
        for mailbox in record::mailboxes(host.store(), account.id).await? {
            batch.push(mailbox.delete());
            batch.extend(imap::forget_messages(mailbox.id));
            self.inner.lists.borrow_mut().remove(&mailbox.id);
        }
        batch.push(changes::forget_changes(account.id));
        batch.push(backup::forget_backup(account.id));
        batch.push(backup::forget_origin(account.id));
        let ledger = KeyRange::prefix(record::account_key(account.id));
        batch.push(Write::DeleteRange { table: Table::Ledger, range: ledger });
        let entries = outbox::entries_of(host, account.id).await?;
        batch.extend(entries.iter().flat_map(outbox::Entry::delete_whole));
        host.store().apply(batch, Durability::Strict).await?;
        for entry in entries {
            self.tell_discarded(entry);
        }
        Ok(())
    }
}

async fn test_imap<H: Host>(
    host: &H,
    login: &ServerLogin,
    password: &Secret,
) -> Result<Tested, MailError> {
    let imap = ImapClient::connect(host, login, password).await?;
    let session = imap.tls();
    imap.logout(host).await;
    Ok(Tested { found: "The IMAP log-in works.".into(), session, pop3: None })
}

fn view(running: &Running) -> AccountView {
    let Running { account, incoming, outgoing, quota, defects, pop3, connection, .. } = running;
    AccountView {
        id: account.id,
        identity: account.identity.clone(),
        protocol: account.protocol,
        incoming: account.incoming.clone(),
        outgoing: account.outgoing.clone(),
        proof: account.proof,
        retention: account.retention,
        extent: account.extent,
        pop3: pop3.clone(),
        incoming_state: incoming.clone(),
        outgoing_state: outgoing.clone(),
        quota: *quota,
        oddities: oddities(defects),
        connection: connection.clone(),
    }
}

/// Refuses what no server could make sense of, before anything is sent.
fn check(draft: &AccountDraft) -> Result<(), MailError> {
    let input = |sentence: &str| Err(MailError::Input(sentence.into()));
    check_address(&draft.identity.address)?;
    match draft.proof {
        Proof::Password if draft.password.is_empty() => {
            return input("Please enter the password.");
        }
        Proof::Token if draft.password.is_empty() => {
            return input("Please enter the access token.");
        }
        // Whoever has read it has the mailbox (RFC 6750 section 5.3).
        Proof::Token
            if [&draft.incoming, &draft.outgoing]
                .iter()
                .any(|login| login.endpoint.security == Security::Plain) =>
        {
            return input("An access token may only be sent over a secure connection.");
        }
        Proof::Password | Proof::Token => {}
    }
    for (login, what) in [(&draft.incoming, "incoming"), (&draft.outgoing, "outgoing")] {
        let Endpoint { host, port, .. } = &login.endpoint;
        if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return input(&format!("Please enter the host name of the {what} server."));
        }
        if *port == 0 {
            return input(&format!("Please enter the port of the {what} server."));
        }
        if login.username.is_empty() {
            return input(&format!("Please enter the user name for the {what} server."));
        }
    }
    Ok(())
}

pub(super) fn check_address(address: &str) -> Result<(), MailError> {
    let parts = address.rsplit_once('@');
    if !parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        || address.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;".contains(c))
    {
        return Err(MailError::Input("The mail address must look like name@example.org.".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Extent, Identity, Retention, TlsEnd};

    use super::*;

    fn login(port: u16) -> ServerLogin {
        ServerLogin {
            endpoint: Endpoint {
                host: "mail.example.org".into(),
                port,
                security: Security::Tls,
                tls_end: TlsEnd::Proxy,
                trusted: None,
            },
            username: "ada@example.org".into(),
        }
    }

    fn draft() -> AccountDraft {
        AccountDraft {
            identity: Identity { name: "Ada".into(), address: "ada@example.org".into() },
            protocol: Protocol::Imap,
            incoming: login(993),
            outgoing: login(465),
            password: "secret".into(),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
        }
    }

    #[test]
    fn a_complete_draft_passes() {
        assert_eq!(check(&draft()), Ok(()));
    }

    #[test]
    fn what_is_missing_is_named() {
        type Spoil = fn(&mut AccountDraft);
        let cases: [(Spoil, &str); 9] = [
            (|d| d.identity.address = "ada".into(), "mail address"),
            (|d| d.identity.address = "@example.org".into(), "mail address"),
            (|d| d.identity.address = "ada@exa mple.org".into(), "mail address"),
            (|d| d.password.clear(), "password"),
            (|d| (d.proof, d.password) = (Proof::Token, String::new()), "access token"),
            (
                |d| (d.proof, d.outgoing.endpoint.security) = (Proof::Token, Security::Plain),
                "secure connection",
            ),
            (|d| d.incoming.endpoint.host.clear(), "host name of the incoming"),
            (|d| d.outgoing.endpoint.port = 0, "port of the outgoing"),
            (|d| d.outgoing.username.clear(), "user name for the outgoing"),
        ];
        for (spoil, named) in cases {
            let mut draft = draft();
            spoil(&mut draft);
            let sentence = check(&draft).unwrap_err().to_string();
            assert!(sentence.contains(named), "{sentence:?} does not name {named:?}");
        }
    }
}
