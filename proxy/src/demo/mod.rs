//! A mail server in this process: IMAP, POP3 and submission for one account, in memory, on
//! loopback only.
//!
//! It lets a newcomer try the client without an account (`postern --demo`), and tests drive it
//! with [`Faults`]. Nothing that is sent to it ever leaves the machine: a message to a stranger
//! is answered by the server itself, see [`correspondent`].

mod certificate;
mod content;
mod correspondent;
mod date;
mod faults;
mod imap;
mod limits;
mod mime;
mod pop3;
mod sasl;
mod store;
mod submission;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transcript;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustls_pki_types::CertificateDer;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use self::{
    certificate::Identity,
    transcript::Transcript,
    wire::{Wire, WireError},
};
pub use self::{
    content::Content,
    faults::{Connections, Fault, Faults, WrongAnswer},
    store::{Message, Store},
    transcript::{Direction, Spoken},
};

/// The domain of the demo account. Every address in it is delivered to the account.
pub const DOMAIN: &str = "demo.postern.example";

/// What the demo server starts with.
#[derive(Clone)]
pub struct Options {
    /// The mail that is there at the start.
    pub content: Content,
    /// The account's address, which is also its user name.
    pub address: String,
    /// The account's password.
    pub password: String,
    /// How connections are protected.
    pub security: Security,
    /// Faults that are played from the start.
    pub faults: Faults,
    /// Whether to keep what is said, for [`Demo::transcript`].
    pub transcript: bool,
}

impl Default for Options {
    /// Believable mail for `robin@demo.postern.example`, over TLS, without faults.
    fn default() -> Self {
        Self {
            content: Content::Believable,
            address: format!("robin@{DOMAIN}"),
            password: "garden-gate".to_owned(),
            security: Security::Tls,
            faults: Faults::default(),
            transcript: false,
        }
    }
}

/// How the servers protect their connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// Clear text that STARTTLS (STLS in POP3) turns into TLS; no login before.
    StartTls,
    /// Clear text.
    None,
}

/// One of the three servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// IMAP4rev1 and IMAP4rev2.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP submission.
    Submission,
}

impl Protocol {
    fn fault(self, faults: &Faults) -> &Fault {
        match self {
            Self::Imap => &faults.imap,
            Self::Pop3 => &faults.pop3,
            Self::Submission => &faults.submission,
        }
    }
}

/// What all connections share.
struct Shared {
    store: Arc<Store>,
    address: String,
    password: String,
    security: Security,
    acceptor: TlsAcceptor,
    /// The faults, and how often they were set.
    faults: watch::Sender<(u64, Faults)>,
    /// Changes when all connections are to end.
    disconnect: watch::Sender<()>,
    /// How many connections each protocol has had.
    connections: [AtomicUsize; 3],
    transcript: Option<Transcript>,
    /// Held by the one POP3 session that may be in the mailbox (RFC 1939 section 4).
    maildrop: Arc<tokio::sync::Mutex<()>>,
}

/// A running demo server. Dropping it ends the servers and their connections.
pub struct Demo {
    /// Where IMAP listens.
    pub imap: SocketAddr,
    /// Where POP3 listens.
    pub pop3: SocketAddr,
    /// Where submission listens.
    pub submission: SocketAddr,
    /// The root to trust for the certificate that the servers show (for `localhost`,
    /// `127.0.0.1` and `::1`).
    pub certificate: CertificateDer<'static>,
    /// The SHA-256 digest of the certificate that the servers show; the same in each run.
    pub fingerprint: [u8; 32],
    /// The account's address, which is also its user name.
    pub address: String,
    /// The account's password.
    pub password: String,
    shared: Arc<Shared>,
    _listeners: JoinSet<()>,
}

/// Starts the three servers on ports that the system gives.
///
/// # Errors
/// When a listener can't be opened, or no certificate can be made.
pub async fn start(options: Options) -> io::Result<Demo> {
    let now = store::now();
    let identity = Identity::make().map_err(io::Error::other)?;
    let account = content::fill(&options.content, &options.address, now)?;
    let shared = Arc::new(Shared {
        store: Arc::new(Store::new(account)),
        address: options.address.clone(),
        password: options.password.clone(),
        security: options.security,
        acceptor: identity.acceptor,
        faults: watch::Sender::new((0, options.faults)),
        disconnect: watch::Sender::new(()),
        connections: Default::default(),
        transcript: options.transcript.then(Transcript::default),
        maildrop: Arc::default(),
    });
    let mut listeners = JoinSet::new();
    let mut addresses = Vec::with_capacity(3);
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Submission] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        addresses.push(listener.local_addr()?);
        listeners.spawn(listen(listener, protocol, shared.clone()));
    }
    Ok(Demo {
        imap: addresses[0],
        pop3: addresses[1],
        submission: addresses[2],
        certificate: identity.root,
        fingerprint: identity.fingerprint,
        address: options.address,
        password: options.password,
        shared,
        _listeners: listeners,
    })
}

impl Demo {
    /// The account's mail.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Replaces the faults, for new and for open connections, and starts their counts anew.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.faults.send_modify(|(generation, current)| {
            *generation += 1;
            *current = faults;
        });
    }

    /// Drops every open connection without a word. New ones are welcome.
    pub fn disconnect(&self) {
        self.shared.disconnect.send_replace(());
    }

    /// How many connections a server has accepted since the start.
    pub fn connections(&self, protocol: Protocol) -> usize {
        self.shared.connections[protocol as usize].load(Ordering::Relaxed)
    }

    /// What was said so far, in order; nothing unless [`Options::transcript`] asked for it.
    pub fn transcript(&self) -> Vec<Spoken> {
        self.shared.transcript.as_ref().map(Transcript::so_far).unwrap_or_default()
    }
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Demo")
            .field("imap", &self.imap)
            .field("pop3", &self.pop3)
            .field("submission", &self.submission)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn listen(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(welcome(stream, protocol, shared.clone()));
                }
                // The system is out of something, such as file handles; let it recover.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn welcome(stream: TcpStream, protocol: Protocol, shared: Arc<Shared>) {
    let number = 1 + shared.connections[protocol as usize].fetch_add(1, Ordering::Relaxed);
    let refuse = {
        let faults = shared.faults.borrow();
        let fault = protocol.fault(&faults.1);
        fault.refuse && fault.strikes(number)
    };
    // Without this, small answers wait for the acknowledgement of the one before.
    if refuse || stream.set_nodelay(true).is_err() {
        return;
    }
    let mut disconnect = shared.disconnect.subscribe();
    tokio::select! {
        ended = serve(stream, protocol, number, shared) => {
            if let Err(reason) = ended {
                tracing::debug!(?protocol, number, %reason, "demo connection ended");
            }
        }
        _ = disconnect.changed() => {}
    }
}

async fn serve(
    stream: TcpStream,
    protocol: Protocol,
    number: usize,
    shared: Arc<Shared>,
) -> Result<(), WireError> {
    let mut wire = Wire::new(stream, shared.clone(), protocol, number);
    if shared.security == Security::Tls {
        wire = wire.start_tls().await?;
    }
    match protocol {
        Protocol::Imap => imap::serve(wire, shared).await,
        Protocol::Pop3 => pop3::serve(wire, shared).await,
        Protocol::Submission => submission::serve(wire, shared).await,
    }
}
