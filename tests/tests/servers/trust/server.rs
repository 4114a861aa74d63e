//! A mail server whose certificate can be exchanged.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use anyhow::Result;
use postern_bridge::{Fingerprint, Security, ServerLogin};
use postern_tests::{certificate::Authority, native::endpoint};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A mail server whose certificate can be exchanged, and that remembers what it was told.
pub(super) struct Server {
    pub(super) login: ServerLogin,
    pub(super) certificate: Rc<RefCell<Shown>>,
    heard: Rc<RefCell<String>>,
}

/// What a server shows.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) fingerprint: Fingerprint,
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

    pub(super) async fn pop3(authority: &Authority) -> Result<Self> {
        Self::start(authority, "+OK ready\r\n", |line| match line {
            "CAPA" => "+OK\r\nUIDL\r\nUSER\r\n.\r\n".into(),
            "UIDL" | "LIST" => "+OK\r\n.\r\n".into(),
            "STAT" => "+OK 0 0\r\n".into(),
            _ => "+OK\r\n".into(),
        })
        .await
    }

    pub(super) async fn submission(authority: &Authority) -> Result<Self> {
        Self::start(authority, "220 ready\r\n", |line| match line {
            line if line.starts_with("EHLO") => "250-here\r\n250 AUTH PLAIN\r\n".into(),
            line if line.starts_with("AUTH") => "235 welcome\r\n".into(),
            "QUIT" => "221 bye\r\n".into(),
            _ => "250 fine\r\n".into(),
        })
        .await
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.certificate.borrow().fingerprint
    }

    pub(super) fn renew(&self, authority: &Authority) -> Result<()> {
        *self.certificate.borrow_mut() = Shown::new(authority)?;
        Ok(())
    }

    pub(super) fn heard(&self) -> String {
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
