//! Two servers that nobody vouches for, and the client's page.

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountDraft, AccountId, AccountView, Delta, Endpoint, Extent, Fingerprint, Identity, Intent,
    Problem, ProblemKind, Proof, Protocol, RefusedCertificate, Retention, ServerRole,
};
use postern_tests::{certificate::Authority, native::NativeHost, pages::Page};

use super::server::Server;

const PASSWORD: &str = "Correct horse 7";

/// Two servers under an authority that the client does not know, and the client's page.
pub(super) struct Scene {
    pub(super) authority: Authority,
    pub(super) incoming: Server,
    pub(super) outgoing: Server,
    pub(super) page: Page,
}

impl Scene {
    pub(super) async fn set() -> Result<Self> {
        Self::with(NativeHost::trusting([Authority::new().root()])).await
    }

    pub(super) async fn with(host: NativeHost) -> Result<Self> {
        let authority = Authority::new();
        let incoming = Server::pop3(&authority).await?;
        let outgoing = Server::submission(&authority).await?;
        Ok(Self { authority, incoming, outgoing, page: Page::open(host).await? })
    }

    pub(super) fn draft(&self) -> AccountDraft {
        AccountDraft {
            identity: Identity { name: String::new(), address: "ada@example.org".into() },
            protocol: Protocol::Pop3,
            incoming: self.incoming.login.clone(),
            outgoing: self.outgoing.login.clone(),
            password: PASSWORD.into(),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
        }
    }

    /// A draft that trusts both servers.
    pub(super) fn trusting(&self) -> AccountDraft {
        let mut draft = self.draft();
        draft.incoming.endpoint.trusted = Some(self.incoming.fingerprint());
        draft.outgoing.endpoint.trusted = Some(self.outgoing.fingerprint());
        draft
    }

    /// Both servers show the same certificate from now on.
    pub(super) fn share_certificate(&self) {
        let shared = self.incoming.certificate.borrow().clone();
        *self.outgoing.certificate.borrow_mut() = shared;
    }

    /// The person decides about the server that is there.
    pub(super) fn trust(
        &self,
        account: AccountId,
        server: ServerRole,
        trusted: Option<Fingerprint>,
    ) {
        let login = match server {
            ServerRole::Incoming => &self.incoming.login,
            ServerRole::Outgoing => &self.outgoing.login,
        };
        let Endpoint { host, port, .. } = login.endpoint.clone();
        self.page.say(Intent::TrustCertificate { account, server, host, port, trusted });
    }

    pub(super) async fn add(&mut self, draft: AccountDraft) -> Result<Result<AccountId, Problem>> {
        let number = self.page.request();
        self.page.say(Intent::AddAccount { request: number, draft });
        self.page
            .wait(|delta| match delta {
                Delta::AccountAdded { request, result } if request == number => Some(result),
                _ => None,
            })
            .await
    }

    /// Waits until the account looks like this.
    pub(super) async fn account(
        &mut self,
        id: AccountId,
        looks: impl Fn(&AccountView) -> bool,
    ) -> Result<AccountView> {
        loop {
            self.page.say(Intent::Hello);
            let told = |delta| match delta {
                Delta::Accounts(accounts) => Some(accounts),
                _ => None,
            };
            let accounts = self.page.wait(told).await?;
            let found = accounts.into_iter().find(|account| account.id == id && looks(account));
            if let Some(account) = found {
                return Ok(account);
            }
            // Something has to change before it can look so.
            let change = |delta| match delta {
                Delta::Accounts(_) | Delta::Connection { .. } => Some(()),
                _ => None,
            };
            self.page.wait(change).await?;
        }
    }

    pub(super) fn nothing_was_said(&self) -> Result<()> {
        let heard = self.incoming.heard() + &self.outgoing.heard();
        ensure!(heard.is_empty(), "{heard}");
        Ok(())
    }
}

/// The certificate that a problem is about.
pub(super) fn certificate_of(problem: Problem) -> Result<RefusedCertificate> {
    ensure!(problem.kind == ProblemKind::Certificate, "{problem:?}");
    Ok(*problem.certificate.context("the certificate is not told")?)
}
