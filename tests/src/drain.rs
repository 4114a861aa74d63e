//! A client that does nothing but receive: what a benchmark measures ours beside.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, split},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A bare connection over TLS.
pub struct Drain {
    stream: BufReader<TlsStream<TcpStream>>,
}

impl Drain {
    /// Connects to a server on this machine that proves to be `localhost`, and reads its greeting.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub async fn connect(address: SocketAddr, root: CertificateDer<'static>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(root)?;
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost")?;
        let stream = TcpStream::connect(address).await?;
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await?;
        let mut drain = Self { stream: BufReader::with_capacity(64 * 1024, stream) };
        drain.line().await.context("there is no greeting")?;
        Ok(drain)
    }

    /// Sends a line and reads lines up to one that begins with `end`; returns how many they are.
    ///
    /// # Errors
    ///
    /// If the connection ends before.
    pub async fn ask(&mut self, line: &str, end: &str) -> Result<usize> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await?;
        let mut lines = 1;
        loop {
            let answer = self.line().await.with_context(|| format!("no answer to {line}"))?;
            if answer.starts_with(end) {
                return Ok(lines);
            }
            lines += 1;
        }
    }

    /// Sends commands, the last of which must make the server hang up, and throws away all that
    /// comes until it does; returns how many bytes that were.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn drain(self, commands: &str) -> Result<usize> {
        self.receive(commands, |_| {}).await
    }

    /// The same, and keeps what comes.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn record(self, commands: &str) -> Result<Vec<u8>> {
        let mut record = Vec::new();
        self.receive(commands, |bytes| record.extend_from_slice(bytes)).await?;
        Ok(record)
    }

    async fn receive(self, commands: &str, mut each: impl FnMut(&[u8])) -> Result<usize> {
        let (mut reader, mut writer) = split(self.stream);
        let send = async {
            writer.write_all(commands.as_bytes()).await?;
            writer.flush().await
        };
        let receive = async {
            let mut buffer = vec![0; 64 * 1024];
            let mut received = 0;
            loop {
                match reader.read(&mut buffer).await {
                    Ok(0) => return Ok(received),
                    Ok(length) => {
                        received += length;
                        each(&buffer[..length]);
                    }
                    // Not every server says goodbye in TLS after it has done so in words.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(received),
                    Err(error) => return Err(error),
                }
            }
        };
        let ((), received) = tokio::try_join!(send, receive)?;
        Ok(received)
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        ensure!(!line.is_empty(), "the connection ended");
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}
