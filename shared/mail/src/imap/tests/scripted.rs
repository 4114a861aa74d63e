//! A server that follows a script.

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use postern_bridge::{Discovery, Endpoint, Security, ServerLogin, TlsSession};

use crate::{
    Admission, Clock, Connector, Detours, Digests, Discover, Host, MailError, Random, Secret,
    Storage, Transport, TransportError, Vault, host::VaultError, imap::ImapClient,
    store::MemoryStore,
};

/// What the client must say (without its tag), and what is answered; `{tag}` stands for its tag.
pub(super) type Script = Vec<(&'static str, String)>;

/// In milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000;

#[derive(Default)]
pub(super) struct Wire {
    pub(super) script: VecDeque<(&'static str, String)>,
    to_client: VecDeque<Vec<u8>>,
    pub(super) said: String,
    pub(super) tls: bool,
    /// What the server says every fifty seconds when it has nothing else to say.
    pub(super) drip: String,
    /// The time, in milliseconds.
    pub(super) now: i64,
}

pub(super) struct Scripted(Rc<RefCell<Wire>>);

impl Transport for Scripted {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        let wire = &mut *self.0.borrow_mut();
        if let Some(bytes) = wire.to_client.pop_front() {
            return Ok(bytes);
        }
        wire.now += 50_000;
        assert!(wire.now < DAY, "the client waits for ever");
        Ok(wire.drip.clone().into_bytes())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let wire = &mut *self.0.borrow_mut();
        let said = String::from_utf8(bytes).unwrap();
        wire.said.push_str(&said);
        for line in said.lines() {
            let (tag, command) = line.split_once(' ').unwrap_or(("", line));
            let (expected, answer) = wire.script.pop_front().expect(line);
            assert_eq!(command, expected);
            // An empty read would be the end of the stream.
            if !answer.is_empty() {
                wire.to_client.push_back(answer.replace("{tag}", tag).into_bytes());
            }
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        self.0.borrow_mut().tls = true;
        Ok(())
    }

    fn tls(&self) -> Option<TlsSession> {
        None
    }

    async fn close(&mut self) {}
}

/// A host whose only server follows a script.
#[derive(Default)]
pub(super) struct ScriptedHost {
    pub(super) wire: Rc<RefCell<Wire>>,
    pub(super) store: MemoryStore,
    detours: Detours,
}

impl Connector for ScriptedHost {
    type Transport = Scripted;

    async fn connect(&self, _: &Endpoint) -> Result<Scripted, TransportError> {
        Ok(Scripted(self.wire.clone()))
    }
}

impl Discover for ScriptedHost {
    async fn discover(&self, _: &str) -> Result<Discovery, MailError> {
        Ok(Discovery::default())
    }
}

impl Clock for ScriptedHost {
    fn now(&self) -> i64 {
        self.wire.borrow().now
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

impl Random for ScriptedHost {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

impl Vault for ScriptedHost {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        Ok(secret.expose().into())
    }

    async fn unseal(&self, _: &[u8]) -> Result<Secret, VaultError> {
        Err(VaultError("nothing is sealed here".into()))
    }
}

impl Admission for ScriptedHost {}

impl Storage for ScriptedHost {}

impl Digests for ScriptedHost {}

impl Host for ScriptedHost {
    type Store = MemoryStore;

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn detours(&self) -> &Detours {
        &self.detours
    }

    fn spawn(&self, _: impl Future<Output = ()> + 'static) {}
}

/// Runs what never has to wait, since everything is in memory.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the client waits for something that does not come"),
    }
}

pub(super) fn connect(
    host: &ScriptedHost,
    security: Security,
    greeting: &str,
    script: Script,
) -> Result<ImapClient<Scripted>, MailError> {
    connect_with(host, security, greeting, script, &Secret::new("secret"))
}

/// The same with another secret.
pub(super) fn connect_with(
    host: &ScriptedHost,
    security: Security,
    greeting: &str,
    script: Script,
    secret: &Secret,
) -> Result<ImapClient<Scripted>, MailError> {
    let to_client = VecDeque::from([greeting.into()]);
    let drip = host.wire.take().drip;
    host.wire.replace(Wire { script: script.into(), to_client, drip, ..Wire::default() });
    let endpoint = Endpoint {
        host: "mail".into(),
        port: 143,
        security,
        tls_end: Default::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    now(ImapClient::connect(host, &login, secret))
}

pub(super) const LOGGED_IN: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\r\n";

/// A client that is logged in and a server that follows `script` from there.
pub(super) fn ready(host: &ScriptedHost, script: Script) -> ImapClient<Scripted> {
    connect(host, Security::Tls, LOGGED_IN, script).unwrap()
}

pub(super) fn ok(answer: &str) -> String {
    format!("{answer}{{tag}} OK done\r\n")
}
