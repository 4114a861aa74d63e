//! Ports on loopback for servers that can't take what the system gives by themselves.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a mail server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// IMAP in clear text, with STARTTLS.
    pub imap: SocketAddr,
    /// IMAP over TLS.
    pub imaps: SocketAddr,
    /// POP3 in clear text, with STLS.
    pub pop3: SocketAddr,
    /// POP3 over TLS.
    pub pop3s: SocketAddr,
}

impl Addresses {
    /// Ports that nobody uses now.
    ///
    /// # Errors
    ///
    /// If the system has none left.
    pub fn free() -> Result<Self> {
        let listeners = Listeners::bind()?;
        listeners.addresses()
    }

    /// Waits until a server answers on all of them; `check` fails if it has ended.
    ///
    /// # Errors
    ///
    /// If it does not come up, or if it is something else that answers.
    pub fn wait(&self, mut check: impl FnMut() -> Result<()>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for address in [self.imap, self.imaps, self.pop3, self.pop3s] {
            while TcpStream::connect(address).is_err() {
                check()?;
                ensure!(Instant::now() < deadline, "the server does not come up");
                sleep(Duration::from_millis(20));
            }
        }
        // The ports were free for a moment: it may be somebody else who answers.
        let mut greeting = [0; 4];
        let mut imap = TcpStream::connect(self.imap)?;
        imap.set_read_timeout(Some(PATIENCE))?;
        imap.read_exact(&mut greeting).context("no greeting on the server's port")?;
        ensure!(&greeting == b"* OK", "it is not the server that answers on its port");
        check()
    }
}

/// Listening sockets for a server that is given its connections.
pub(crate) struct Listeners {
    pub(crate) imap: TcpListener,
    pub(crate) imaps: TcpListener,
    pub(crate) pop3: TcpListener,
    pub(crate) pop3s: TcpListener,
}

impl Listeners {
    pub(crate) fn bind() -> Result<Self> {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Ok(Self { imap: bind()?, imaps: bind()?, pop3: bind()?, pop3s: bind()? })
    }

    pub(crate) fn addresses(&self) -> Result<Addresses> {
        Ok(Addresses {
            imap: self.imap.local_addr()?,
            imaps: self.imaps.local_addr()?,
            pop3: self.pop3.local_addr()?,
            pop3s: self.pop3s.local_addr()?,
        })
    }
}
