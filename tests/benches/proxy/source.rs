//! The mail server of the benchmarks: greets, and then sends what it is asked for.
//!
//! It is a process of its own, so that neither its time nor its open files are anybody else's.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_rustls::TlsAcceptor;

use crate::{certificates, client::Stream, legs::Legs};

/// The argument that makes this program the source; the folder with the certificate follows.
pub(crate) const ARGUMENT: &str = "--source";

/// What every connection begins with.
const GREETING: &[u8] = b"* OK ready\r\n";

/// What comes in now and then on a connection that waits for news.
const LINE: &[u8] = b"* 4711 EXISTS\r\n";

/// How much is written at a time.
const CHUNK: usize = 256 * 1024;

/// What a connection may ask for: one line, after the greeting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// So many bytes, as fast as they are taken.
    Bulk(usize),
    /// Whatever is sent comes back.
    Echo,
    /// A line every so often, at a moment that differs from connection to connection.
    Trickle(Duration),
}

impl Wish {
    /// The line that says so.
    pub(crate) fn line(self) -> String {
        match self {
            Self::Bulk(bytes) => format!("bulk {bytes}\n"),
            Self::Echo => "echo 0\n".to_owned(),
            Self::Trickle(every) => format!("trickle {}\n", every.as_millis()),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let (word, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "bulk" => Some(Self::Bulk(number)),
            "echo" => Some(Self::Echo),
            "trickle" => Some(Self::Trickle(Duration::from_millis(u64::try_from(number).ok()?))),
            _ => None,
        }
    }
}

/// A running source; ends when dropped.
pub(crate) struct Source {
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
}

impl Source {
    /// Starts one that has the certificate in that folder.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg(ARGUMENT)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        let stdout = child.stdout.take().context("its output is piped")?;
        BufReader::new(stdout).read_line(&mut said)?;
        let ports = said.trim().split_once(' ').context("the source did not start")?;
        let address =
            |port: &str| Ok::<_, anyhow::Error>((Ipv4Addr::LOCALHOST, port.parse()?).into());
        Ok(Self { plain: address(ports.0)?, tls: address(ports.1)?, child })
    }

    /// Where it listens for a relay with these legs.
    pub(crate) fn address(&self, legs: Legs) -> SocketAddr {
        if legs.upstream_tls { self.tls } else { self.plain }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself when nobody holds its input.
        let _ = self.child.wait();
    }
}

/// Is a source until the standard input ends.
pub(crate) async fn serve(folder: &Path) -> Result<()> {
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{} {}", plain.local_addr()?.port(), tls.local_addr()?.port());
    tokio::spawn(accept(plain, None));
    tokio::spawn(accept(tls, Some(certificates::acceptor(folder)?)));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    // Connections that nobody wants any more need no farewell.
    std::process::exit(0)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            stream.set_nodelay(true)?;
            let stream: Stream = match tls {
                Some(tls) => Box::new(tls.accept(stream).await?),
                None => Box::new(stream),
            };
            // How a connection ends is its client's business.
            converse(stream).await
        });
    }
}

async fn converse(mut stream: Stream) -> std::io::Result<()> {
    stream.write_all(GREETING).await?;
    stream.flush().await?;
    let mut line = String::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => break,
            byte => line.push(byte.into()),
        }
    }
    match Wish::read(&line) {
        Some(Wish::Bulk(bytes)) => bulk(stream, bytes).await,
        Some(Wish::Echo) => echo(stream).await,
        Some(Wish::Trickle(every)) => trickle(stream, every).await,
        None => Ok(()),
    }
}

async fn bulk(mut stream: Stream, bytes: usize) -> std::io::Result<()> {
    static ZEROS: [u8; CHUNK] = [0; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let length = left.min(CHUNK);
        stream.write_all(&ZEROS[..length]).await?;
        left -= length;
    }
    stream.flush().await?;
    // The client hangs up when it has everything.
    stream.read_u8().await.map(drop)
}

async fn echo(mut stream: Stream) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
        stream.flush().await?;
    }
}

async fn trickle(mut stream: Stream, every: Duration) -> std::io::Result<()> {
    /// Of all connections, so that each begins at another moment.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Multiples of the golden ratio spread evenly, however many they are.
    let share = f64::from(NEXT.fetch_add(1, Ordering::Relaxed)) * 0.618_033_988_749;
    let mut moments = interval_at(Instant::now() + every.mul_f64(share.fract()), every);
    moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = moments.tick() => {
                stream.write_all(LINE).await?;
                stream.flush().await?;
            }
            ended = stream.read_u8() => return ended.map(drop),
        }
    }
}
