//! The client's logic, natively: TCP and TLS instead of the tunnel, memory instead of IndexedDB.

use std::{cell::Cell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use postern_bridge::{
    Certificate, CertificateProblem, Discovery, Endpoint, RefusedCertificate, Security, TlsEnd,
    TlsSession,
};
use postern_certificate::{Refused, Verifier, Why, fingerprint};
use postern_mail::{
    Admission, Clock, Connector, Detours, Digests, Discover, Host, MailError, Random, Secret,
    Storage, Transport, TransportError, Vault, host::VaultError, store::Packed,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    interruptible::{Fault, Interruptible},
    token,
};

/// The surroundings of a natively running client. Clones share the store.
#[derive(Clone)]
pub struct NativeHost {
    store: Packed<Interruptible>,
    /// What the store packs its rows into.
    inner: Interruptible,
    provider: Arc<CryptoProvider>,
    verifier: Verifier,
    proxy: Option<SocketAddr>,
    /// After how many bytes, both ways together, the next connections break.
    cut: Option<usize>,
    /// How many milliseconds its clock is ahead of this machine's.
    ahead: Rc<Cell<i64>>,
    detours: Rc<Detours>,
}

impl NativeHost {
    /// A host with an empty store that trusts these roots alone.
    ///
    /// # Panics
    ///
    /// If one of them is not a certificate.
    pub fn trusting(trusted: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        for root in trusted {
            roots.add(root).expect("a root is a certificate");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            Verifier::new(roots.into(), provider.clone()).expect("there is a root to trust");
        let inner = Interruptible::default();
        let store = Packed::new(inner.clone());
        let (ahead, detours) = (Rc::default(), Rc::default());
        Self { store, inner, provider, verifier, proxy: None, cut: None, ahead, detours }
    }

    /// The same host after a restart: with what is stored, and nothing in memory.
    #[must_use]
    pub fn restarted(&self) -> Self {
        self.inner.interrupt(Fault::None);
        let store = Packed::new(self.inner.clone());
        Self { store, detours: Rc::default(), ..self.clone() }
    }

    /// What the store packs its rows into, to be interrupted.
    pub fn inner(&self) -> &Interruptible {
        &self.inner
    }

    /// Lets time pass at once, for this host and its clones.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.ahead.set(self.ahead.get().saturating_add(millis));
    }

    /// The same host, of which each connection breaks after so many bytes, both ways together. Of what
    /// is written then, the first part goes out.
    #[must_use]
    pub fn breaking_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }

    /// The same host, which asks this proxy which servers an address has.
    #[must_use]
    pub fn asking(mut self, proxy: SocketAddr) -> Self {
        self.proxy = Some(proxy);
        self
    }

    async fn handshake(
        &self,
        endpoint: &Endpoint,
        stream: TcpStream,
    ) -> Result<Tls, TransportError> {
        self.inner.step().await;
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|error| TransportError::Tls(error.to_string()))?;
        let verifier = match endpoint.trusted {
            Some(fingerprint) => self.verifier.trusting_only(*fingerprint.as_bytes()),
            None => self.verifier.clone(),
        };
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring offers the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        stream.map(Box::new).map_err(|error| refused(endpoint, &error))
    }
}

/// A failed handshake, as the engine would tell it.
fn refused(endpoint: &Endpoint, error: &std::io::Error) -> TransportError {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let Some(refused) = cause.and_then(Refused::from_error) else {
        return TransportError::Tls(error.to_string());
    };
    let problem = match (&refused.why, endpoint.trusted) {
        (Why::Changed { verifies }, Some(trusted)) => {
            CertificateProblem::Changed { trusted, verifies: *verifies }
        }
        (why, _) => CertificateProblem::Other(format!("{why:?}.")),
    };
    TransportError::Certificate(Box::new(RefusedCertificate {
        host: endpoint.host.clone(),
        port: endpoint.port,
        verifier: TlsEnd::Browser,
        problem,
        certificate: Some(certificate(&refused.certificate)),
    }))
}

fn certificate(certificate: &CertificateDer<'_>) -> Certificate {
    Certificate { fingerprint: fingerprint(certificate).into(), details: None }
}

type Tls = Box<TlsStream<TcpStream>>;

/// A TCP connection, with or without TLS.
pub struct NativeTransport {
    host: NativeHost,
    endpoint: Endpoint,
    stream: Stream,
    /// How many bytes may still pass, both ways together.
    left: usize,
}

impl NativeTransport {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await.map_err(lost),
            Stream::Tls(stream) => {
                stream.write_all(bytes).await.map_err(lost)?;
                stream.flush().await.map_err(lost)
            }
            Stream::Gone => Err(TransportError::Lost),
        }
    }

    /// The connection breaks, without a goodbye.
    fn cut(&mut self) -> TransportError {
        self.stream = Stream::Gone;
        TransportError::Lost
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Tls),
    Gone,
}

fn lost(_: std::io::Error) -> TransportError {
    TransportError::Lost
}

impl Transport for NativeTransport {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        self.host.inner.step().await;
        if self.left == 0 {
            return Err(self.cut());
        }
        let mut buffer = vec![0; self.left.min(16 * 1024)];
        let length = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut buffer).await,
            Stream::Tls(stream) => stream.read(&mut buffer).await,
            Stream::Gone => return Err(TransportError::Lost),
        };
        buffer.truncate(length.map_err(lost)?);
        self.left -= buffer.len();
        Ok(buffer)
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        self.host.inner.step().await;
        let passing = bytes.len().min(self.left);
        self.send(&bytes[..passing]).await?;
        self.left -= passing;
        if passing < bytes.len() { Err(self.cut()) } else { Ok(()) }
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Plain(stream) => {
                self.stream = Stream::Tls(self.host.handshake(&self.endpoint, stream).await?);
                Ok(())
            }
            _ => Err(TransportError::Tls("TLS is up already".into())),
        }
    }

    fn tls(&self) -> Option<TlsSession> {
        let Stream::Tls(stream) = &self.stream else { return None };
        let connection = stream.get_ref().1;
        let shown = connection.peer_certificates()?.first()?;
        Some(TlsSession {
            version: connection.protocol_version()?.as_str()?.replace('_', "."),
            cipher: connection.negotiated_cipher_suite()?.suite().as_str()?.to_owned(),
            certificate: Some(certificate(shown)),
            end: TlsEnd::Browser,
        })
    }

    async fn close(&mut self) {
        self.host.inner.step().await;
        // A server that is gone needs no goodbye.
        let _ = match &mut self.stream {
            Stream::Plain(stream) => stream.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
            Stream::Gone => Ok(()),
        };
    }
}

impl Connector for NativeHost {
    type Transport = NativeTransport;

    async fn connect(&self, endpoint: &Endpoint) -> Result<NativeTransport, TransportError> {
        self.inner.step().await;
        let address = (endpoint.host.as_str(), endpoint.port);
        let stream =
            TcpStream::connect(address).await.map_err(|_| TransportError::ConnectFailed)?;
        let stream = match endpoint.security {
            Security::Tls => Stream::Tls(self.handshake(endpoint, stream).await?),
            Security::StartTls | Security::Plain => Stream::Plain(stream),
        };
        let left = self.cut.unwrap_or(usize::MAX);
        Ok(NativeTransport { host: self.clone(), endpoint: endpoint.clone(), stream, left })
    }
}

impl Discover for NativeHost {
    /// For addresses that need no escaping.
    async fn discover(&self, address: &str) -> Result<Discovery, MailError> {
        let ask = async {
            let proxy = self.proxy?;
            let token = token::fetch(proxy).await.ok()?;
            let mut stream = TcpStream::connect(proxy).await.ok()?;
            let request = format!(
                "GET {}?address={address} HTTP/1.1\r\nHost: {proxy}\r\n\
                 Authorization: Bearer {token}\r\nConnection: close\r\n\r\n",
                Discovery::PATH,
            );
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
        };
        ask.await.ok_or(MailError::Transport(TransportError::Offline))
    }
}

impl Admission for NativeHost {}

impl Storage for NativeHost {}

impl Digests for NativeHost {}

impl Clock for NativeHost {
    fn now(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        now.saturating_add(self.ahead.get())
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.step().await;
        tokio::time::sleep(duration).await;
    }
}

impl Random for NativeHost {
    fn fill(&self, bytes: &mut [u8]) {
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(bytes).expect("the system has randomness");
    }
}

impl Vault for NativeHost {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        Ok(secret.expose().as_bytes().to_vec())
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        let secret = String::from_utf8(sealed.to_vec());
        Ok(Secret::new(secret.map_err(|error| VaultError(error.to_string()))?))
    }
}

impl Host for NativeHost {
    type Store = Packed<Interruptible>;

    fn store(&self) -> &Packed<Interruptible> {
        &self.store
    }

    fn detours(&self) -> &Detours {
        &self.detours
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        tokio::task::spawn_local(task);
    }
}

/// An endpoint on this machine.
pub fn endpoint(address: SocketAddr, security: Security) -> Endpoint {
    Endpoint {
        host: "localhost".into(),
        port: address.port(),
        security,
        tls_end: TlsEnd::Browser,
        trusted: None,
    }
}
