//! A tiny client that speaks in lines, to drive the servers in tests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Demo;

/// Long enough for a busy machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    stream: BufReader<TlsStream<TcpStream>>,
}

impl Client {
    /// Connects with TLS, trusting the demo's root alone.
    pub(super) async fn connect(demo: &Demo, address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(encrypt(demo, stream).await.unwrap())
    }

    /// Speaks over a connection that has TLS already.
    pub(super) fn over(stream: TlsStream<TcpStream>) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub(super) async fn send(&mut self, text: impl AsRef<[u8]>) {
        // The server may have hung up already; what it answered is still to be read.
        let _ = self.stream.get_mut().write_all(text.as_ref()).await;
        let _ = self.stream.get_mut().flush().await;
    }

    /// The next line with its end; empty once the connection has ended.
    pub(super) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await;
        let _ended = read.expect("a line in time");
        String::from_utf8_lossy(&line).into_owned()
    }

    /// All lines up to the first that starts with this, or to the end.
    pub(super) async fn until(&mut self, start: &str) -> String {
        let mut text = String::new();
        loop {
            let line = self.line().await;
            text.push_str(&line);
            if line.starts_with(start) || line.is_empty() {
                return text;
            }
        }
    }

    /// Sends a line and reads up to the line that starts with this.
    pub(super) async fn ask(&mut self, line: &str, until: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.until(until).await
    }

    /// Everything up to the end of the connection.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ended = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await.expect("an end");
        bytes
    }
}

/// The client's side of a TLS handshake with the demo server.
pub(super) async fn encrypt(
    demo: &Demo,
    stream: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(demo.certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
