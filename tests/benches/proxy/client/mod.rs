//! The page's side of a relay: as cheap as it can be, so that it is not what is measured.

mod frames;
mod upgrade;

use std::{io, net::SocketAddr};

use anyhow::{Context, Result, bail, ensure};
use postern_tests::token;
use postern_tunnel::{FromPage, FromProxy, Open, SUBPROTOCOL};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use self::frames::{Frames, Opcode, Part};
use crate::{certificates::NAME, source::Wish};

/// A connection, with TLS or without.
pub(crate) type Stream = Box<dyn Io>;

/// What a connection can do.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Stream bytes that may be on their way to a page, as the page's engine lets them.
pub(crate) const WINDOW: u32 = 1024 * 1024;

/// How to reach the source through a relay.
#[derive(Clone)]
pub(crate) struct Way {
    /// The relay, or the source itself.
    pub(crate) address: SocketAddr,
    /// For TLS on this leg.
    pub(crate) tls: Option<TlsConnector>,
    /// What is spoken on it.
    pub(crate) speech: Speech,
}

impl Way {
    /// A connection on which nothing has been said.
    async fn connect(&self) -> Result<Stream> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(tls) => Box::new(tls.connect(ServerName::try_from(NAME)?, tcp).await?),
            None => Box::new(tcp),
        })
    }

    /// What pages are opened with.
    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// What a page fetches before its first tunnel: good for longer than anything here takes.
    pub(crate) async fn token(&self) -> Result<String> {
        token::fetch_over(self.connect().await?, self.scheme(), self.address).await
    }
}

/// What is spoken with a relay.
#[derive(Clone)]
pub(crate) enum Speech {
    /// The bytes themselves.
    Bare,
    /// A WebSocket whose relay knows where to go.
    WebSocket,
    /// Postern's tunnel to there, asked for with the upgrade as the page's engine does.
    Tunnel(Open),
}

/// An open connection through a relay.
pub(crate) struct Connection {
    stream: Stream,
    /// None if the bytes are bare.
    frames: Option<Frames>,
    /// Whether to grant credit.
    is_tunnel: bool,
    /// Stream bytes for which no new credit was granted yet.
    ungranted: u32,
    /// What came behind the answer to the upgrade.
    early: Vec<u8>,
    /// What must be said as soon as possible.
    reply: Vec<u8>,
}

impl Connection {
    /// Opens one; what the source says is not awaited.
    pub(crate) async fn open(way: &Way) -> Result<Self> {
        let mut connection = Self {
            stream: way.connect().await?,
            frames: None,
            is_tunnel: false,
            ungranted: 0,
            early: Vec::new(),
            reply: Vec::new(),
        };
        match &way.speech {
            Speech::Bare => {}
            Speech::WebSocket => connection.upgrade(way, None).await?,
            Speech::Tunnel(open) => {
                let subprotocols = format!("{SUBPROTOCOL}, {}", open.to_subprotocol());
                connection.upgrade(way, Some(&subprotocols)).await?;
                connection.is_tunnel = true;
            }
        }
        Ok(connection)
    }

    /// Opens one and waits for the source's first word.
    pub(crate) async fn greeted(way: &Way) -> Result<Self> {
        let mut connection = Self::open(way).await?;
        let mut buffer = [0; 2048];
        while connection.receive(&mut buffer).await? == 0 {}
        Ok(connection)
    }

    async fn upgrade(&mut self, way: &Way, subprotocols: Option<&str>) -> Result<()> {
        let scheme = if way.tls.is_some() { "https" } else { "http" };
        self.early = upgrade::upgrade(&mut self.stream, scheme, way.address, subprotocols).await?;
        self.frames = Some(Frames::default());
        Ok(())
    }

    /// Asks the source for something.
    pub(crate) async fn ask(&mut self, wish: Wish) -> Result<()> {
        let line = self.framed(wish.line().as_bytes());
        Ok(self.write(&line).await?)
    }

    /// Bytes as this connection carries them.
    pub(crate) fn framed(&self, bytes: &[u8]) -> Vec<u8> {
        match self.frames {
            Some(_) => frames::frame(Opcode::Binary, bytes),
            None => bytes.to_vec(),
        }
    }

    /// Sends what was framed before.
    pub(crate) async fn write(&mut self, framed: &[u8]) -> io::Result<()> {
        self.stream.write_all(framed).await?;
        self.stream.flush().await
    }

    /// Reads once; returns how many stream bytes there were among it, which may be none.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let early = std::mem::take(&mut self.early);
        let read = if early.is_empty() {
            self.stream.read(buffer).await?
        } else {
            ensure!(early.len() <= buffer.len(), "{} bytes with the answer", early.len());
            buffer[..early.len()].copy_from_slice(&early);
            early.len()
        };
        ensure!(read > 0, "the connection ended");
        let count = self.take(&buffer[..read])?;
        if self.is_tunnel && self.ungranted >= WINDOW / 2 {
            let credit = FromPage::Credit(std::mem::take(&mut self.ungranted));
            let credit = frames::frame(Opcode::Text, credit.to_text().as_bytes());
            self.reply.extend(credit);
        }
        if !self.reply.is_empty() {
            let reply = std::mem::take(&mut self.reply);
            self.write(&reply).await?;
        }
        Ok(count)
    }

    /// Counts stream bytes, and notes what must be answered.
    fn take(&mut self, mut bytes: &[u8]) -> Result<usize> {
        let Some(frames) = &mut self.frames else { return Ok(bytes.len()) };
        let mut count = 0;
        while let Some(part) = frames.next(&mut bytes)? {
            match part {
                Part::Stream(length) => count += length,
                Part::Text(text) => {
                    let text = std::str::from_utf8(text).context("a text frame is no text")?;
                    match FromProxy::from_text(text)? {
                        FromProxy::Refused(refused) => bail!("refused: {}", refused.message),
                        FromProxy::Finish => bail!("the source's end arrived"),
                        // Credit that is not given back stays.
                        FromProxy::Reclaim(_) => {}
                        FromProxy::Opened(_) | FromProxy::Credit(_) | FromProxy::Secured(_) => {}
                    }
                }
                Part::Ping(payload) => self.reply.extend(frames::frame(Opcode::Pong, payload)),
                Part::Close => bail!("the relay closed the WebSocket"),
            }
        }
        self.ungranted += u32::try_from(count)?;
        Ok(count)
    }
}
