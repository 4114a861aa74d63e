//! Another mail client of the same person: bare IMAP, so that it shares nothing with Postern's.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{dovecot::PASSWORD, servers::Server};

/// How many messages are appended with one command, where the server takes several.
const AT_ONCE: usize = 500;

/// A connection that is logged in.
pub struct OtherClient {
    stream: BufReader<TlsStream<TcpStream>>,
    commands: u32,
    /// Whether one APPEND may hold several messages, and hold them unasked.
    appends_many: bool,
}

impl OtherClient {
    /// Connects and logs in.
    ///
    /// # Errors
    ///
    /// If that fails.
    pub async fn log_in(server: &Server, user: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(server.authority().root())?;
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(server.addresses().imaps).await?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await?;
        let mut client = Self { stream: BufReader::new(stream), commands: 0, appends_many: false };
        client.line().await.context("there is no greeting")?;
        client.ask(&format!("LOGIN {user} {PASSWORD}")).await?;
        let capabilities = client.ask("CAPABILITY").await?.concat();
        let offers = |name| capabilities.split_whitespace().any(|own| own == name);
        client.appends_many = offers("MULTIAPPEND") && offers("LITERAL+");
        Ok(client)
    }

    /// Gives a command; returns the lines before the one that says OK.
    ///
    /// # Errors
    ///
    /// If it says anything else.
    pub async fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        let tag = self.begin(command).await?;
        self.end(&tag, command).await
    }

    /// Puts messages into a mailbox, in this order.
    ///
    /// # Errors
    ///
    /// If the server does not take them.
    pub async fn append<M: AsRef<[u8]>>(
        &mut self,
        mailbox: &str,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<()> {
        let messages: Vec<_> = messages.into_iter().collect();
        for several in messages.chunks(if self.appends_many { AT_ONCE } else { 1 }) {
            self.append_at_once(mailbox, several).await?;
        }
        Ok(())
    }

    async fn append_at_once<M: AsRef<[u8]>>(&mut self, to: &str, messages: &[M]) -> Result<()> {
        self.commands += 1;
        let tag = format!("x{}", self.commands);
        let mut pending = format!("{tag} APPEND \"{to}\"").into_bytes();
        let plus = if self.appends_many { "+" } else { "" };
        for message in messages {
            let message = message.as_ref();
            pending.extend(format!(" {{{}{plus}}}\r\n", message.len()).bytes());
            if !self.appends_many {
                self.send(&std::mem::take(&mut pending)).await?;
                let go_ahead = self.line().await.context("no answer to APPEND")?;
                ensure!(go_ahead.starts_with('+'), "{go_ahead}");
            }
            pending.extend(message);
        }
        pending.extend(b"\r\n");
        self.send(&pending).await?;
        self.end(&tag, "APPEND").await.map(drop)
    }

    async fn begin(&mut self, command: &str) -> Result<String> {
        self.commands += 1;
        let tag = format!("x{}", self.commands);
        self.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    async fn end(&mut self, tag: &str, command: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await.with_context(|| format!("no answer to {command}"))?;
            let Some(status) = line.strip_prefix(tag) else {
                lines.push(line);
                continue;
            };
            ensure!(status.starts_with(" OK"), "{command}: {status}");
            return Ok(lines);
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        ensure!(!line.is_empty(), "the connection ended");
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}
