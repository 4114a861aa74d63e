//! Certificates that nobody vouches for: refused, trusted by the person, changed.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountChange, AccountDraft, AccountId, AccountView, Address, CertificateProblem, Connection,
    Delta, Endpoint, Fingerprint, Identity, Intent, OutgoingMessage, Problem, ProblemKind,
    Protocol, RefusedCertificate, Retention, Security, SendState, ServerLogin, ServerRole, TlsEnd,
};
use postern_tests::{
    certificate::Authority,
    native::{NativeHost, endpoint},
    pages::Page,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::run;

const PASSWORD: &str = "Correct horse 7";

/// A mail server whose certificate can be exchanged, and that remembers what it was told.
struct Server {
    login: ServerLogin,
    certificate: Rc<RefCell<Shown>>,
    heard: Rc<RefCell<String>>,
}

/// What a server shows.
#[derive(Clone)]
struct Shown {
    fingerprint: Fingerprint,
    acceptor: TlsAcceptor,
}

impl Shown {
    /// A new certificate for `localhost`.
    fn new(authority: &Authority) -> Result<Self> {
        let issued = authority.issue(&["localhost"]);
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes())?;
        let fingerprint = postern_certificate::fingerprint(&certificate).into();
        let config = rustls::ServerConfig::builder_with_provider(
            rustls::crypto::ring::default_provider().into(),
        )
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
        Ok(Self { fingerprint, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

fn message(account: AccountId) -> OutgoingMessage {
    OutgoingMessage {
        account,
        to: vec![Address { name: String::new(), address: "carol@example.org".into() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Seeds".into(),
        text: "Hello Carol".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    }
}

/// How a server answers a line.
type Answers = fn(&str) -> String;

impl Server {
    async fn start(
        authority: &Authority,
        greeting: &'static str,
        answers: Answers,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let certificate = Rc::new(RefCell::new(Shown::new(authority)?));
        let heard = Rc::new(RefCell::new(String::new()));
        let (shown, ear) = (certificate.clone(), heard.clone());
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = shown.borrow().acceptor.clone();
                let ear = ear.clone();
                tokio::task::spawn_local(async move {
                    // A client that refuses the certificate ends the handshake.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = converse(stream, greeting, answers, &ear).await;
                    }
                });
            }
        });
        let login = ServerLogin {
            endpoint: endpoint(address, Security::Tls),
            username: "ada@example.org".into(),
        };
        Ok(Self { login, certificate, heard })
    }

    async fn pop3(authority: &Authority) -> Result<Self> {
        Self::start(authority, "+OK ready\r\n", |line| match line {
            "CAPA" => "+OK\r\nUIDL\r\nUSER\r\n.\r\n".into(),
            "UIDL" | "LIST" => "+OK\r\n.\r\n".into(),
            "STAT" => "+OK 0 0\r\n".into(),
            _ => "+OK\r\n".into(),
        })
        .await
    }

    async fn submission(authority: &Authority) -> Result<Self> {
        Self::start(authority, "220 ready\r\n", |line| match line {
            line if line.starts_with("EHLO") => "250-here\r\n250 AUTH PLAIN\r\n".into(),
            line if line.starts_with("AUTH") => "235 welcome\r\n".into(),
            "QUIT" => "221 bye\r\n".into(),
            _ => "250 fine\r\n".into(),
        })
        .await
    }

    fn fingerprint(&self) -> Fingerprint {
        self.certificate.borrow().fingerprint
    }

    fn renew(&self, authority: &Authority) -> Result<()> {
        *self.certificate.borrow_mut() = Shown::new(authority)?;
        Ok(())
    }

    fn heard(&self) -> String {
        self.heard.borrow().clone()
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    greeting: &str,
    answers: Answers,
    heard: &RefCell<String>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(greeting.as_bytes()).await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? != 0 {
        heard.borrow_mut().push_str(&line);
        stream.write_all(answers(line.trim_end()).as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

/// Two servers under an authority that the client does not know, and the client's page.
struct Scene {
    authority: Authority,
    incoming: Server,
    outgoing: Server,
    page: Page,
}

impl Scene {
    async fn set() -> Result<Self> {
        Self::with(NativeHost::trusting([Authority::new().root()])).await
    }

    async fn with(host: NativeHost) -> Result<Self> {
        let authority = Authority::new();
        let incoming = Server::pop3(&authority).await?;
        let outgoing = Server::submission(&authority).await?;
        Ok(Self { authority, incoming, outgoing, page: Page::open(host).await? })
    }

    fn draft(&self) -> AccountDraft {
        AccountDraft {
            identity: Identity { name: String::new(), address: "ada@example.org".into() },
            protocol: Protocol::Pop3,
            incoming: self.incoming.login.clone(),
            outgoing: self.outgoing.login.clone(),
            password: PASSWORD.into(),
            retention: Retention::Keep,
        }
    }

    /// A draft that trusts both servers.
    fn trusting(&self) -> AccountDraft {
        let mut draft = self.draft();
        draft.incoming.endpoint.trusted = Some(self.incoming.fingerprint());
        draft.outgoing.endpoint.trusted = Some(self.outgoing.fingerprint());
        draft
    }

    /// Both servers show the same certificate from now on.
    fn share_certificate(&self) {
        let shared = self.incoming.certificate.borrow().clone();
        *self.outgoing.certificate.borrow_mut() = shared;
    }

    /// The person decides about the server that is there.
    fn trust(&self, account: AccountId, server: ServerRole, trusted: Option<Fingerprint>) {
        let login = match server {
            ServerRole::Incoming => &self.incoming.login,
            ServerRole::Outgoing => &self.outgoing.login,
        };
        let Endpoint { host, port, .. } = login.endpoint.clone();
        self.page.say(Intent::TrustCertificate { account, server, host, port, trusted });
    }

    async fn add(&mut self, draft: AccountDraft) -> Result<Result<AccountId, Problem>> {
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
    async fn account(
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

    fn nothing_was_said(&self) -> Result<()> {
        let heard = self.incoming.heard() + &self.outgoing.heard();
        ensure!(heard.is_empty(), "{heard}");
        Ok(())
    }
}

fn certificate_of(problem: Problem) -> Result<RefusedCertificate> {
    ensure!(problem.kind == ProblemKind::Certificate, "{problem:?}");
    Ok(*problem.certificate.context("the certificate is not told")?)
}

#[test]
fn what_nobody_vouches_for_is_refused_before_anything_is_said() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let refused = scene.add(scene.draft()).await?.err().context("it was not refused")?;
        let refused = certificate_of(refused)?;
        let endpoint = &scene.incoming.login.endpoint;
        assert_eq!((refused.host.as_str(), refused.port), ("localhost", endpoint.port));
        assert_eq!(refused.trustable(), Some(scene.incoming.fingerprint()));
        scene.nothing_was_said()
    })
}

#[test]
fn an_account_that_trusts_its_certificates_connects_and_shows_how() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let account = scene.account(id, |account| account.connection == Connection::Online).await?;
        for (role, server) in
            [(ServerRole::Incoming, &scene.incoming), (ServerRole::Outgoing, &scene.outgoing)]
        {
            let session = account.server_state(role).session.clone().context("no session")?;
            assert_eq!(session.certificate.map(|c| c.fingerprint), Some(server.fingerprint()));
            assert_eq!((session.version.as_str(), session.end), ("TLSv1.3", TlsEnd::Browser));
        }
        Ok(())
    })
}

#[test]
fn trust_in_one_account_is_none_in_another() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.add(scene.trusting()).await?.expect("both are trusted");
        let said = scene.incoming.heard().len();
        let refused = scene.add(scene.draft()).await?.err().context("it was not refused")?;
        assert_eq!(certificate_of(refused)?.trustable(), Some(scene.incoming.fingerprint()));
        assert_eq!(scene.incoming.heard().len(), said);
        Ok(())
    })
}

#[test]
fn a_trusted_certificate_is_none_for_the_other_server_that_shows_its_own() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let mut draft = scene.trusting();
        draft.outgoing.endpoint.trusted = None;
        let refused = scene.add(draft).await?.err().context("it was not refused")?;
        assert_eq!(certificate_of(refused)?.trustable(), Some(scene.outgoing.fingerprint()));
        ensure!(scene.outgoing.heard().is_empty(), "{}", scene.outgoing.heard());
        Ok(())
    })
}

#[test]
fn the_same_certificate_on_the_same_host_is_not_asked_for_twice() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.share_certificate();
        let fingerprint = scene.incoming.fingerprint();
        let mut draft = scene.trusting();
        draft.outgoing.endpoint.trusted = None;
        let id = scene.add(draft).await?.expect("the person has confirmed this certificate");
        let account = scene.account(id, |_| true).await?;
        assert_eq!(account.outgoing.endpoint.trusted, Some(fingerprint));
        Ok(())
    })
}

#[test]
fn a_trusted_certificate_that_changes_stops_everything_until_the_person_decides() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let trusted = scene.incoming.fingerprint();
        let said = scene.incoming.heard();
        scene.incoming.renew(&scene.authority)?;
        scene.page.say(Intent::Refresh { account: id });
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        let refused = account.incoming_state.refused.context("it was not refused")?;
        assert_eq!(refused.problem, CertificateProblem::Changed { trusted, verifies: false });
        assert_eq!(refused.trustable(), Some(scene.incoming.fingerprint()));
        // The one that was trusted is still known, to be shown beside the new one.
        let before = account.incoming_state.session.and_then(|session| session.certificate);
        assert_eq!(before.map(|certificate| certificate.fingerprint), Some(trusted));
        assert_eq!(scene.incoming.heard(), said);

        let trusted = Some(scene.incoming.fingerprint());
        scene.trust(id, ServerRole::Incoming, trusted);
        let account = scene
            .account(id, |a| {
                let session = a.incoming_state.session.as_ref();
                let shown = session.and_then(|session| session.certificate.as_ref());
                shown.map(|certificate| certificate.fingerprint) == trusted
            })
            .await?;
        assert_eq!(account.incoming_state.refused, None);
        assert_eq!(account.incoming.endpoint.trusted, trusted);
        Ok(())
    })
}

#[test]
fn what_is_trusted_no_more_is_refused_again() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        scene.trust(id, ServerRole::Incoming, None);
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        // What vouched for the last session does not count any more.
        assert_eq!(account.incoming_state.session, None);
        // The other server shows a certificate of its own.
        assert_eq!(account.outgoing.endpoint.trusted, Some(scene.outgoing.fingerprint()));
        assert!(account.outgoing_state.session.is_some());
        Ok(())
    })
}

#[test]
fn a_shared_certificate_that_is_trusted_no_more_is_trusted_nowhere() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.share_certificate();
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let said = scene.incoming.heard();
        scene.trust(id, ServerRole::Incoming, None);
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        assert_eq!(account.outgoing.endpoint.trusted, None);
        assert_eq!(account.outgoing_state.session, None);
        assert_eq!(scene.incoming.heard(), said);
        Ok(())
    })
}

#[test]
fn a_decision_about_another_host_or_port_changes_nothing() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let (incoming, outgoing) =
            (scene.incoming.login.endpoint.clone(), scene.outgoing.login.endpoint.clone());
        for (host, port) in
            [("other.example.org".into(), incoming.port), (incoming.host, outgoing.port)]
        {
            let server = ServerRole::Incoming;
            let trusted = None;
            let trust = Intent::TrustCertificate { account: id, server, host, port, trusted };
            scene.page.say(trust);
            let told = |delta| match delta {
                Delta::Problem(problem) => Some(problem),
                _ => None,
            };
            assert_eq!(scene.page.wait(told).await?.kind, ProblemKind::Input);
            let account = scene.account(id, |_| true).await?;
            assert_eq!(account.incoming.endpoint.trusted, Some(scene.incoming.fingerprint()));
        }
        Ok(())
    })
}

#[test]
fn an_outgoing_server_that_was_refused_is_tried_again_when_asked() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let good = scene.outgoing.certificate.borrow().clone();
        scene.outgoing.renew(&scene.authority)?;
        let number = scene.page.request();
        scene.page.say(Intent::Send { request: number, message: message(id), draft: None });
        let queued = |delta| match delta {
            Delta::Queued { request, result } if request == number => Some(result),
            _ => None,
        };
        let outbox = scene.page.wait(queued).await?.expect("it was stored");
        scene.account(id, |a| a.outgoing_state.refused.is_some()).await?;
        // With nothing to send, nothing but the person's wish makes it connect.
        scene.page.say(Intent::DiscardSend { outbox });
        let discarded = |delta| match delta {
            Delta::Outbox { state: SendState::Discarded, .. } => Some(()),
            _ => None,
        };
        scene.page.wait(discarded).await?;
        *scene.outgoing.certificate.borrow_mut() = good;
        scene.page.say(Intent::Refresh { account: id });
        scene.account(id, |a| a.outgoing_state.refused.is_none()).await?;
        Ok(())
    })
}

#[test]
fn trust_and_what_was_seen_are_there_after_a_restart() -> Result<()> {
    run(async || {
        let host = NativeHost::trusting([Authority::new().root()]);
        let mut scene = Scene::with(host.clone()).await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let before = scene.account(id, |a| a.outgoing_state.session.is_some()).await?;
        scene.page = Page::open(host).await?;
        let after = scene.account(id, |_| true).await?;
        assert_eq!(after.incoming, before.incoming);
        assert_eq!(after.outgoing_state, before.outgoing_state);
        Ok(())
    })
}

#[test]
fn new_settings_are_kept_only_if_they_work() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let draft = scene.trusting();
        let change = |outgoing: ServerLogin| AccountChange {
            name: "Ada".into(),
            incoming: draft.incoming.clone(),
            outgoing,
            password: None,
            retention: Retention::DeleteAfterDays(3),
        };
        let mut distrusting = draft.outgoing.clone();
        distrusting.endpoint.trusted = None;
        for (outgoing, works) in [(distrusting, false), (draft.outgoing.clone(), true)] {
            let number = scene.page.request();
            let change = change(outgoing);
            scene.page.say(Intent::ChangeAccount { request: number, account: id, change });
            let result = scene.page.wait(|delta| match delta {
                Delta::AccountChanged { request, result } if request == number => Some(result),
                _ => None,
            });
            assert_eq!(result.await?.is_ok(), works);
            let account = scene.account(id, |_| true).await?;
            assert_eq!(account.identity.name == "Ada", works);
            assert_eq!(account.retention == Retention::DeleteAfterDays(3), works);
            assert_eq!(account.outgoing, draft.outgoing);
        }
        Ok(())
    })
}

#[test]
fn new_settings_do_not_undo_what_was_decided_while_they_were_tested() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let draft = scene.trusting();
        let change = AccountChange {
            name: "Ada".into(),
            incoming: ServerLogin { username: "countess".into(), ..draft.incoming },
            outgoing: draft.outgoing,
            password: None,
            retention: Retention::Keep,
        };
        let number = scene.page.request();
        scene.page.say(Intent::ChangeAccount { request: number, account: id, change });
        scene.trust(id, ServerRole::Incoming, None);
        let result = scene.page.wait(|delta| match delta {
            Delta::AccountChanged { request, result } if request == number => Some(result),
            _ => None,
        });
        let problem = result.await?.err().context("the decision was undone")?;
        assert_eq!(problem.kind, ProblemKind::Input);
        let account = scene.account(id, |_| true).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        assert_eq!(account.incoming.username, scene.incoming.login.username);
        Ok(())
    })
}
