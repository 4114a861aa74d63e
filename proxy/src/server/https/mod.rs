//! HTTPS that the proxy ends itself.

mod acme;
mod certificate;

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ResolvesServerCert, UnbufferedServerConnection},
};
use rustls_acme::acme::ACME_TLS_ALPN_NAME;
use rustls_pki_types::CertificateDer;
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify, time::timeout};

use self::{acme::Authority, certificate::Certificate};
use crate::{
    config::{CertificateFiles, ConfigError, ConfigErrors, Https, Identity},
    metrics::Expiry,
    tls::TlsStream,
};

/// The application protocols that are offered, the best first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];

/// HTTP/2 over TLS (RFC 9113, section 3.2).
const HTTP2: &[u8] = b"h2";

/// Ends TLS with pages.
pub(super) struct Tls {
    config: Arc<ServerConfig>,
    source: Source,
    expiry: Expiry,
}

/// Where the certificate comes from.
enum Source {
    Files(Arc<Certificate>, CertificateFiles),
    Authority(Authority),
}

/// What became of a connection that asked for TLS.
pub(super) enum Handshake {
    /// It has it; whether HTTP/2 was agreed on.
    Done(Box<TlsStream<TcpStream, UnbufferedServerConnection>>, bool),
    /// It was the authority, which has seen what it wanted to see.
    Challenge,
}

/// Why a connection that asked for TLS did not get it.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
    /// The client went, did not speak TLS, or wants what the proxy does not offer.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Tls {
    /// Reads the certificate, or learns where to get one.
    ///
    /// # Errors
    ///
    /// If the files can't be used, or what shall be the folder for what the authority gives is none.
    pub(super) fn new(
        config: &Https,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, ConfigErrors> {
        let mut protocols = PROTOCOLS.to_vec();
        let expiry = Expiry::default();
        let (resolver, source): (Arc<dyn ResolvesServerCert>, _) = match &config.identity {
            Identity::Files(files) => {
                let certificate = Arc::new(Certificate::load(files, expiry.clone())?);
                (certificate.clone(), Source::Files(certificate, files.clone()))
            }
            Identity::Acme(acme) => {
                let authority = Authority::new(acme, roots, expiry.clone())?;
                // Offered by nobody but the authority, which then gets its own certificate.
                protocols.push(ACME_TLS_ALPN_NAME);
                (authority.resolver(), Source::Authority(authority))
            }
        };
        Ok(Self { config: server_config(resolver, &protocols), source, expiry })
    }

    /// Makes ready what is kept of certificates.
    ///
    /// # Errors
    ///
    /// If the folder for what the authority gives can't be made or written to.
    pub(super) fn prepare(&self) -> Result<(), ConfigError> {
        match &self.source {
            Source::Files(..) => Ok(()),
            Source::Authority(authority) => authority.prepare(),
        }
    }

    /// Until when the certificate that is shown is valid.
    pub(super) fn expiry(&self) -> Expiry {
        self.expiry.clone()
    }

    /// Whether there is a certificate to show.
    pub(super) fn is_ready(&self) -> bool {
        match &self.source {
            Source::Files(..) => true,
            Source::Authority(authority) => authority.has_certificate(),
        }
    }

    /// Keeps the certificate fresh, for ever; looks at its files when `reload` says so, and now and
    /// then anyway.
    pub(super) async fn keep_fresh(&self, reload: &Notify) {
        match &self.source {
            Source::Files(certificate, files) => certificate.follow(files, reload).await,
            Source::Authority(authority) => authority.order().await,
        }
    }

    /// Does the handshake, within the time for it.
    pub(super) async fn accept(
        &self,
        tcp: TcpStream,
        limit: Duration,
    ) -> Result<Handshake, HandshakeError> {
        let handshake = timeout(limit, self.handshake(tcp));
        Ok(handshake.await.map_err(|_| HandshakeError::TimedOut)??)
    }

    async fn handshake(&self, tcp: TcpStream) -> io::Result<Handshake> {
        let mut stream = Box::new(TlsStream::accept(tcp, self.config.clone()).await?);
        match stream.state().alpn_protocol() {
            Some(ACME_TLS_ALPN_NAME) => {
                stream.shutdown().await?;
                Ok(Handshake::Challenge)
            }
            protocol => {
                let http2 = protocol == Some(HTTP2);
                Ok(Handshake::Done(stream, http2))
            }
        }
    }
}

fn server_config(resolver: Arc<dyn ResolvesServerCert>, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has what TLS 1.2 and 1.3 need")
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    // Whoever comes back brings the session along: nothing is kept here for it.
    if let Ok(tickets) = ring::Ticketer::new() {
        config.ticketer = tickets;
    }
    config.send_tls13_tickets = 1;
    Arc::new(config)
}
