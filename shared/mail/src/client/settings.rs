//! Changing an account that is there.

use postern_bridge::{
    AccountChange, AccountDraft, AccountId, Delta, Extent, Identity, Problem, Protocol, Retention,
    ServerLogin, ServerRole,
};

use super::Client;
use crate::{Host, MailError, Secret, record::Account, recovery};

impl<H: Host> Client<H> {
    /// Tests an account's new settings and keeps them if they work; otherwise nothing is changed.
    ///
    /// What concerns no server (the name, what a download leaves behind) needs no test.
    pub(super) async fn change_account(
        &self,
        id: AccountId,
        change: AccountChange,
    ) -> Result<(), Problem> {
        let host = change.incoming.endpoint.host.clone();
        let problem = |error: MailError| error.problem(&host);
        let account = self.account(id).map_err(problem)?;
        let (retention, extent) = match account.protocol {
            Protocol::Imap => (Retention::Keep, Extent::Whole),
            Protocol::Pop3 => (change.retention, change.extent),
        };
        let mut identity = Identity { name: change.name, ..account.identity.clone() };
        if recovery::is_made_up(&identity) && change.incoming.username.contains('@') {
            identity.address.clone_from(&change.incoming.username);
        }
        let servers_differ =
            (&change.incoming, &change.outgoing) != (&account.incoming, &account.outgoing);
        if !servers_differ && change.password.is_none() && change.proof == account.proof {
            let edit = |account: &mut Account| {
                account.identity = identity;
                (account.retention, account.extent) = (retention, extent);
                Ok(())
            };
            self.edit_account(id, edit).await.map_err(problem)?;
            self.policy_changed(&account).await.map_err(problem)?;
            self.begin_copies_anew();
            self.tell(None, Delta::Accounts(self.account_views()));
            return Ok(());
        }
        let password = match change.password {
            Some(password) => Secret::new(password),
            None => account.password(&*self.inner.host).await.map_err(problem)?,
        };
        let password = password.proving_by(change.proof);
        let draft = AccountDraft {
            identity,
            protocol: account.protocol,
            incoming: change.incoming,
            outgoing: change.outgoing,
            password: password.expose().to_owned(),
            proof: change.proof,
            retention,
            extent,
        };
        let (draft, incoming, outgoing) = self.try_out(draft).await?;
        let sealed = self.inner.host.seal(&password).await;
        let sealed_password = sealed.map_err(|error| problem(error.into()))?;
        self.note_mailbox(&account).await.map_err(problem)?;
        let (to_incoming, to_outgoing) =
            (draft.incoming.endpoint.clone(), draft.outgoing.endpoint.clone());
        let edit = |present: &mut Account| {
            // The test took its time: what was decided meanwhile, such as to stop trusting a
            // certificate, must not be undone.
            if servers(present) != servers(&account) {
                let sentence = "The account was changed elsewhere while these settings were \
                                tested. Look at its present settings and try again.";
                return Err(MailError::Input(sentence.into()));
            }
            present.identity = draft.identity;
            present.incoming = draft.incoming;
            present.outgoing = draft.outgoing;
            (present.retention, present.extent) = (draft.retention, draft.extent);
            (present.proof, present.sealed_password) = (draft.proof, sealed_password);
            Ok(())
        };
        self.edit_account(id, edit).await.map_err(problem)?;
        self.note_test(id, incoming.pop3).await.map_err(problem)?;
        self.policy_changed(&account).await.map_err(problem)?;
        self.begin_copies_anew();
        self.tell(None, Delta::Accounts(self.account_views()));
        self.connected(id, ServerRole::Incoming, &to_incoming, incoming.session);
        self.connected(id, ServerRole::Outgoing, &to_outgoing, outgoing.session);
        self.connect_again(id).map_err(problem)
    }
}

/// What a test of the settings is about.
fn servers(account: &Account) -> (&ServerLogin, &ServerLogin, &[u8]) {
    (&account.incoming, &account.outgoing, &account.sealed_password)
}
