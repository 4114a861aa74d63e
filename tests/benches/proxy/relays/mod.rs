//! The relays that are measured: Postern's proxy and what people would otherwise use.

mod haproxy;
mod nginx;
mod postern;
mod websocket;

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use postern_tests::{
    program::{Program, Usage},
    report::argument,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    certificates,
    client::{Connection, Speech, Way},
    legs::Legs,
    source::Source,
};

/// How long a relay may take until it listens, or a connection is open.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often another port is tried when somebody else was quicker, or another connection.
const ATTEMPTS: usize = 3;

/// A program that relays.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Postern,
    Ws,
    Websockify,
    Wstcp,
    Haproxy,
    Nginx,
}

impl Kind {
    /// All of them, ours first.
    pub(crate) const ALL: [Self; 6] =
        [Self::Postern, Self::Ws, Self::Websockify, Self::Wstcp, Self::Haproxy, Self::Nginx];

    /// What it is called in the file that says where it is.
    fn key(self) -> &'static str {
        match self {
            Self::Postern => "postern",
            Self::Ws => "ws",
            Self::Websockify => "websockify",
            Self::Wstcp => "wstcp",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// What it is called in a report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postern => "Postern",
            Self::Ws => "ws on Node",
            Self::Websockify => "websockify",
            Self::Wstcp => "wstcp",
            Self::Haproxy => "HAProxy",
            Self::Nginx => "nginx",
        }
    }

    /// Whether pages can speak to it. Others do the same TLS, and carry bare bytes.
    pub(crate) fn is_for_pages(self) -> bool {
        !matches!(self, Self::Haproxy | Self::Nginx)
    }

    /// Whether it does what is asked of it on its legs.
    fn can(self, legs: Legs) -> bool {
        match self {
            Self::Postern | Self::Ws | Self::Websockify => true,
            Self::Wstcp => !legs.have_tls(),
            // Without TLS it would be no relay of the kind that is measured.
            Self::Haproxy | Self::Nginx => legs.have_tls(),
        }
    }

    /// How many idle connections it is asked to hold.
    pub(crate) fn capacity(self) -> usize {
        match self {
            Self::Postern => usize::MAX,
            // It has a process for each.
            Self::Websockify => 100,
            // Their memory grows in proportion, and their handshakes take long.
            Self::Ws | Self::Wstcp | Self::Haproxy | Self::Nginx => 5_000,
        }
    }

    fn command(self, task: &Task<'_>) -> Result<Command> {
        match self {
            Self::Postern => postern::command(task),
            Self::Ws => Ok(websocket::ws(task)),
            Self::Websockify => Ok(websocket::websockify(task)),
            Self::Wstcp => Ok(websocket::wstcp(task)),
            Self::Haproxy => haproxy::command(task),
            Self::Nginx => nginx::command(task),
        }
    }
}

/// What a relay is started with.
struct Task<'a> {
    /// Where it is.
    path: &'a Path,
    /// Where it shall listen.
    listen: SocketAddr,
    /// Where it shall connect to.
    upstream: SocketAddr,
    legs: Legs,
    /// The certificates, and room for what it needs.
    folder: &'a Path,
    /// Connections that it must be able to hold.
    connections: usize,
}

/// The relays of this machine.
pub(crate) struct Relays {
    paths: BTreeMap<Kind, PathBuf>,
    /// Why a relay is not among them, by its name.
    pub(crate) missing: BTreeMap<String, String>,
    folder: TempDir,
    /// Connections that each must be able to hold.
    connections: usize,
}

impl Relays {
    /// Finds out what there is, from the file that `cargo xtask bench` has written.
    pub(crate) fn find(connections: usize) -> Result<Self> {
        let file = argument("--relays").context("start this with `cargo xtask bench proxy`")?;
        let text = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let told: Value = serde_json::from_slice(&text)?;
        let mut relays = Self {
            paths: BTreeMap::new(),
            missing: BTreeMap::new(),
            folder: tempfile::tempdir()?,
            connections,
        };
        for kind in Kind::ALL {
            let told = &told[kind.key()];
            match told["path"].as_str() {
                Some(path) => drop(relays.paths.insert(kind, path.into())),
                None => {
                    let reason = told["missing"].as_str().unwrap_or("it is not installed");
                    relays.missing.insert(kind.name().to_owned(), reason.to_owned());
                }
            }
        }
        ensure!(relays.paths.contains_key(&Kind::Postern), "Postern's proxy was not built");
        certificates::write(relays.folder.path())?;
        Ok(relays)
    }

    /// Starts the source.
    pub(crate) fn source(&self) -> Result<Source> {
        Source::start(self.folder.path())
    }

    /// The way to the source without a relay.
    pub(crate) fn direct(&self, legs: Legs, source: &Source) -> Result<Way> {
        let folder = self.folder.path();
        let tls = legs.upstream_tls.then(|| certificates::connector(folder)).transpose()?;
        Ok(Way { address: source.address(legs), tls, speech: Speech::Bare })
    }

    /// Those that can do this. Ours comes first.
    pub(crate) fn able(&self, legs: Legs) -> impl Iterator<Item = Kind> {
        self.paths.keys().copied().filter(move |kind| kind.can(legs))
    }

    /// Starts all that can do this. Ours comes first.
    pub(crate) async fn start_all(&self, legs: Legs, source: &Source) -> Result<Vec<Relay>> {
        let mut relays = Vec::new();
        for kind in self.able(legs) {
            relays.push(self.start(kind, legs, source).await?);
        }
        Ok(relays)
    }

    /// Starts one of those that can do this.
    pub(crate) async fn start(&self, kind: Kind, legs: Legs, source: &Source) -> Result<Relay> {
        let relay = self.try_start(kind, legs, source).await;
        relay.with_context(|| format!("starting {} ({legs})", kind.name()))
    }

    async fn try_start(&self, kind: Kind, legs: Legs, source: &Source) -> Result<Relay> {
        let path = self.paths.get(&kind).context("it is not there")?;
        let upstream = source.address(legs);
        let folder = self.folder.path();
        let mut attempt = 1;
        loop {
            let listen = free_address()?;
            let connections = self.connections;
            let task = Task { path, listen, upstream, legs, folder, connections };
            let log = folder.join(format!("{}.log", kind.key()));
            let mut program = Program::start(&mut kind.command(&task)?, &log)?;
            match listening(&mut program, listen).await {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
                Ok(()) => {
                    let tls = legs.page_tls.then(|| certificates::connector(folder)).transpose()?;
                    let speech = if kind.is_for_pages() { Speech::WebSocket } else { Speech::Bare };
                    let mut way = Way { address: listen, tls, speech };
                    if kind == Kind::Postern {
                        let token = way.token().await?;
                        way.speech = Speech::Tunnel(postern::open(upstream, legs, token));
                    }
                    return Ok(Relay { kind, way, program });
                }
            }
        }
    }
}

/// A running relay; ends when dropped.
pub(crate) struct Relay {
    pub(crate) kind: Kind,
    /// How pages reach the source through it.
    pub(crate) way: Way,
    program: Program,
}

impl Relay {
    /// What it has cost so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.program.usage()
    }

    /// Opens a connection through it and waits for the source's first word.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Ok(self.connect_timed().await?.0)
    }

    /// The same; also returns how long that took. What a peer never opens is not held against it:
    /// wstcp loses a connection in some hundreds.
    pub(crate) async fn connect_timed(&self) -> Result<(Connection, Duration)> {
        for _ in 0..ATTEMPTS {
            let start = Instant::now();
            match timeout(PATIENCE, Connection::greeted(&self.way)).await {
                Ok(Ok(connection)) => return Ok((connection, start.elapsed())),
                Ok(Err(error)) => return Err(error.context(self.complaint())),
                Err(_) => ensure!(self.kind != Kind::Postern, "nothing came: {}", self.complaint()),
            }
        }
        bail!("nothing came: {}", self.complaint())
    }

    fn complaint(&self) -> String {
        format!("connecting through {}: {}", self.kind.name(), self.program.last_words())
    }
}

async fn listening(program: &mut Program, address: SocketAddr) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        program.check()?;
        ensure!(start.elapsed() < PATIENCE, "it does not listen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// An address that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
