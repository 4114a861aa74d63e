//! A server in memory, and what is needed to talk to it.

use std::{collections::VecDeque, io::Read, io::Write, sync::Arc};

use futures_util::FutureExt;
use postern_bridge::{Endpoint, Fingerprint, Security, TlsEnd, TlsSession};
use postern_mail::{Transport, TransportError};
use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};

use super::super::{Roots, Tls, TlsStream};

pub(super) const HOST: &str = "mail.example.org";

pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// A certificate for [`HOST`] that its server has issued to itself, and how it does TLS with it.
pub(super) struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) config: Arc<ServerConfig>,
}

impl Identity {
    pub(super) fn new(version: &'static SupportedProtocolVersion) -> Self {
        Self::with(version, |_| {})
    }

    /// One for another host.
    pub(super) fn for_host(host: &str, version: &'static SupportedProtocolVersion) -> Self {
        let name = SanType::DnsName(host.try_into().unwrap());
        Self::with(version, |params| params.subject_alt_names = vec![name])
    }

    /// One that knows only the suites with one of these in their names, and chooses by its own order.
    pub(super) fn choosy(version: &'static SupportedProtocolVersion, suites: &[&str]) -> Self {
        let mut provider = ring::default_provider();
        let place = |suite: &SupportedCipherSuite| {
            let name = suite.suite().as_str().unwrap_or_default();
            suites.iter().position(|known| name.contains(known))
        };
        provider.cipher_suites.retain(|suite| place(suite).is_some());
        provider.cipher_suites.sort_by_key(place);
        Self::made(provider, version, |_| {}, |config| config.ignore_client_order = true)
    }

    pub(super) fn expired() -> Self {
        Self::with(&TLS13, |params| {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    fn with(
        version: &'static SupportedProtocolVersion,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        Self::made(ring::default_provider(), version, change, |_| {})
    }

    fn made(
        provider: CryptoProvider,
        version: &'static SupportedProtocolVersion,
        change: impl FnOnce(&mut CertificateParams),
        configure: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let mut params = CertificateParams::new([HOST.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], private.into())
            .unwrap();
        configure(&mut config);
        Self { certificate, config: config.into() }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        postern_certificate::fingerprint(&self.certificate).into()
    }

    /// TLS whose only root is this certificate.
    pub(super) fn as_root(&self) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Tls::with(Roots::known(roots))
    }

    /// Connects, with all that arrives in one piece.
    pub(super) fn connect(
        &self,
        tls: &Tls,
        endpoint: &Endpoint,
    ) -> Result<TlsStream<Server>, TransportError> {
        now(tls.connect(endpoint, async || Ok(Server::new(self, usize::MAX))))
    }
}

/// A connection to a server that repeats what it is told.
pub(super) struct Server {
    pub(super) connection: ServerConnection,
    pub(super) to_client: VecDeque<u8>,
    /// How many bytes arrive at once.
    step: usize,
    /// Whether the stream ends when there is nothing left in it.
    pub(super) ends: bool,
}

impl Server {
    pub(super) fn new(identity: &Identity, step: usize) -> Self {
        let mut connection = ServerConnection::new(Arc::clone(&identity.config)).unwrap();
        connection.set_buffer_limit(None);
        Self { connection, to_client: VecDeque::new(), step, ends: false }
    }

    pub(super) fn say(&mut self, words: &[u8]) {
        self.connection.writer().write_all(words).unwrap();
        self.flush();
    }

    pub(super) fn flush(&mut self) {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.to_client).unwrap();
        }
    }
}

impl Transport for Server {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        if self.to_client.is_empty() {
            if self.ends {
                return Ok(Vec::new());
            }
            std::future::pending::<()>().await;
        }
        let count = self.step.min(self.to_client.len());
        Ok(self.to_client.drain(..count).collect())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            self.connection.read_tls(&mut rest).unwrap();
            // A client that refuses the certificate says so, and the server need not like it.
            let Ok(state) = self.connection.process_new_packets() else { continue };
            let mut clear = vec![0; state.plaintext_bytes_to_read()];
            self.connection.reader().read_exact(&mut clear).unwrap();
            self.connection.writer().write_all(&clear).unwrap();
        }
        self.flush();
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        unreachable!("TLS is above this transport")
    }

    fn tls(&self) -> Option<TlsSession> {
        None
    }

    async fn close(&mut self) {
        self.ends = true;
    }
}

/// Takes everything and says nothing until the stream ends, in good order or not.
pub(super) struct Silent {
    pub(super) lost: bool,
}

impl Transport for Silent {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        if self.lost { Err(TransportError::Lost) } else { Ok(Vec::new()) }
    }

    async fn write(&mut self, _: Vec<u8>) -> Result<(), TransportError> {
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        unreachable!("TLS is above this transport")
    }

    fn tls(&self) -> Option<TlsSession> {
        None
    }

    async fn close(&mut self) {}
}

pub(super) fn endpoint(host: &str, trusted: Option<Fingerprint>) -> Endpoint {
    let (security, tls_end) = (Security::Tls, TlsEnd::Browser);
    Endpoint { host: host.into(), port: 993, security, tls_end, trusted }
}

pub(super) fn now<F: Future>(future: F) -> F::Output {
    future.now_or_never().expect("the server never keeps one waiting")
}
