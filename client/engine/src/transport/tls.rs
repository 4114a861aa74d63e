//! TLS that ends in the page: the proxy carries only ciphertext.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use postern_bridge::{CertificateProblem, Endpoint, RefusedCertificate, TlsEnd, TlsSession};
use postern_mail::{Transport, TransportError};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, ProtocolVersion, RootCertStore,
    crypto, pki_types::ServerName,
};

/// What all TLS streams share.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
}

impl Tls {
    /// TLS that trusts the authorities that Mozilla trusts.
    pub(super) fn new() -> Self {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    fn trusting(roots: RootCertStore) -> Self {
        let mut provider = crypto::ring::default_provider();
        // Without the processor's AES instructions, which WebAssembly can't reach, this cipher is
        // several times as fast as the others.
        provider.cipher_suites.sort_by_key(|suite| {
            !suite.suite().as_str().is_some_and(|name| name.contains("CHACHA20"))
        });
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for every version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { config: Arc::new(config) }
    }

    /// Makes a stream to a server secure.
    pub(super) async fn handshake<T: Transport>(
        &self,
        endpoint: &Endpoint,
        transport: T,
    ) -> Result<TlsStream<T>, TransportError> {
        let name =
            ServerName::try_from(endpoint.host.clone()).map_err(|_| TransportError::UnknownHost)?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|error| failed(endpoint, error))?;
        let endpoint = endpoint.clone();
        let (clear, ended) = (Vec::new(), false);
        let mut stream = TlsStream { endpoint, transport, connection, clear, ended };
        while stream.connection.is_handshaking() {
            stream.flush().await?;
            if stream.connection.is_handshaking() {
                let arrived = stream.transport.read().await?;
                if arrived.is_empty() {
                    return Err(TransportError::Tls("The server hung up.".into()));
                }
                if let Err(error) = stream.take(&arrived) {
                    // The server is owed an alert; but what counts is why.
                    let _ = stream.flush().await;
                    return Err(error);
                }
            }
        }
        stream.flush().await?;
        Ok(stream)
    }
}

/// A stream secured by TLS.
pub(super) struct TlsStream<T> {
    /// The server.
    endpoint: Endpoint,
    transport: T,
    connection: ClientConnection,
    /// What has arrived and nobody has read yet.
    clear: Vec<u8>,
    /// Whether the server has announced the end of its stream.
    ended: bool,
}

impl<T: Transport> TlsStream<T> {
    /// Takes ciphertext.
    fn take(&mut self, mut arrived: &[u8]) -> Result<(), TransportError> {
        while !arrived.is_empty() && !self.ended {
            // Fails only if clear text piles up, and all of it is taken each time.
            self.connection.read_tls(&mut arrived).map_err(|_| TransportError::Lost)?;
            let processed = self.connection.process_new_packets();
            processed.map_err(|error| failed(&self.endpoint, error))?;
            // An error means only that there is no more for now.
            self.ended = self.connection.reader().read_to_end(&mut self.clear).is_ok();
        }
        Ok(())
    }

    /// Sends what TLS has to send.
    async fn flush(&mut self) -> Result<(), TransportError> {
        let mut ciphertext = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut ciphertext).expect("memory takes every write");
        }
        if ciphertext.is_empty() { Ok(()) } else { self.transport.write(ciphertext).await }
    }
}

impl<T: Transport> Transport for TlsStream<T> {
    /// Sends nothing, so that it can be dropped: an answer to a key update goes with the next write
    /// (RFC 8446 section 4.6.3).
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        while self.clear.is_empty() && !self.ended {
            let arrived = self.transport.read().await?;
            if arrived.is_empty() {
                // The end, but not the one that TLS demands: something may be missing.
                return Err(TransportError::Lost);
            }
            self.take(&arrived)?;
        }
        Ok(std::mem::take(&mut self.clear))
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let taken = self.connection.writer().write(rest).map_err(|_| TransportError::Lost)?;
            rest = &rest[taken..];
            self.flush().await?;
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Tls("It is secure already.".into()))
    }

    fn tls(&self) -> Option<TlsSession> {
        let version = match self.connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let cipher = self.connection.negotiated_cipher_suite()?.suite().as_str()?;
        Some(TlsSession {
            version: version.into(),
            cipher: cipher.into(),
            certificate: None,
            end: TlsEnd::Browser,
        })
    }

    async fn close(&mut self) {
        self.connection.send_close_notify();
        // Nobody is left to tell if this fails.
        let _ = self.flush().await;
        self.transport.close().await;
    }
}

fn failed(endpoint: &Endpoint, error: Error) -> TransportError {
    match error {
        Error::InvalidCertificate(error) => {
            TransportError::Certificate(Box::new(RefusedCertificate {
                host: endpoint.host.clone(),
                port: endpoint.port,
                verifier: TlsEnd::Browser,
                problem: problem(&error),
                certificate: None,
            }))
        }
        error => TransportError::Tls(format!("The handshake failed ({error}).")),
    }
}

/// What is wrong with a certificate.
fn problem(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::OtherHost
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Revoked => CertificateProblem::Revoked,
        CertificateError::Other(error) => {
            CertificateProblem::Other(format!("The certificate can't be verified ({}).", error.0))
        }
        error => CertificateProblem::Other(format!("The certificate can't be verified ({error}).")),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque};

    use futures_util::FutureExt;
    use postern_bridge::Security;
    use rustls::{ServerConfig, ServerConnection, pki_types::PrivatePkcs8KeyDer};

    use super::*;

    /// A server in memory that answers each line with the same line; how it talks is up to `step`.
    struct Server {
        connection: RefCell<ServerConnection>,
        to_client: VecDeque<u8>,
        /// Bytes per read.
        step: usize,
        /// Whether the server ends the stream when it has nothing to say.
        ends: bool,
    }

    impl Server {
        fn flush(&mut self) {
            let connection = self.connection.get_mut();
            while connection.wants_write() {
                connection.write_tls(&mut self.to_client).unwrap();
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
            let connection = self.connection.get_mut();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                connection.read_tls(&mut rest).unwrap();
                let Ok(state) = connection.process_new_packets() else { continue };
                let mut clear = vec![0; state.plaintext_bytes_to_read()];
                connection.reader().read_exact(&mut clear).unwrap();
                connection.writer().write_all(&clear).unwrap();
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

    /// A server for `mail.example.org`, and TLS that trusts it.
    fn server(step: usize) -> (Server, Tls) {
        let key = rcgen::generate_simple_self_signed(["mail.example.org".into()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(key.cert.der().clone()).unwrap();
        let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private.into())
            .unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap().into();
        (Server { connection, to_client: VecDeque::new(), step, ends: false }, Tls::trusting(roots))
    }

    fn endpoint(host: &str) -> Endpoint {
        Endpoint {
            host: host.into(),
            port: 993,
            security: Security::Tls,
            tls_end: TlsEnd::Browser,
            trusted: None,
        }
    }

    fn now<F: Future>(future: F) -> F::Output {
        future.now_or_never().expect("the server never keeps one waiting")
    }

    #[test]
    fn what_is_said_arrives_however_the_stream_is_cut() {
        for step in [1, 7, 100_000] {
            let (server, tls) = server(step);
            let mut stream = now(tls.handshake(&endpoint("mail.example.org"), server)).unwrap();
            let text = vec![b'x'; 40_000];
            now(stream.write(text.clone())).unwrap();
            let mut answer = Vec::new();
            while answer.len() < text.len() {
                answer.extend(now(stream.read()).unwrap());
            }
            assert_eq!(answer, text);
        }
    }

    #[test]
    fn a_certificate_of_an_unknown_authority_is_refused() {
        let (server, _) = server(100_000);
        let refused = now(Tls::new().handshake(&endpoint("mail.example.org"), server)).err();
        assert!(matches!(refused, Some(TransportError::Certificate(_))), "{refused:?}");
    }

    #[test]
    fn a_certificate_for_another_host_is_refused() {
        let (server, tls) = server(100_000);
        let refused = now(tls.handshake(&endpoint("other.example.org"), server)).err();
        let Some(TransportError::Certificate(refused)) = refused else { panic!("{refused:?}") };
        assert_eq!(refused.problem, CertificateProblem::OtherHost);
        assert_eq!((&*refused.host, refused.port), ("other.example.org", 993));
    }

    #[test]
    fn only_an_end_that_tls_announced_is_in_good_order() {
        for announced in [true, false] {
            let (server, tls) = server(100_000);
            let mut stream = now(tls.handshake(&endpoint("mail.example.org"), server)).unwrap();
            if announced {
                stream.transport.connection.get_mut().send_close_notify();
                stream.transport.flush();
            }
            stream.transport.ends = true;
            let expected = if announced { Ok(Vec::new()) } else { Err(TransportError::Lost) };
            assert_eq!(now(stream.read()), expected);
        }
    }

    #[test]
    fn a_server_that_does_not_speak_tls_is_named_so() {
        let (mut server, tls) = server(100_000);
        server.to_client.extend(b"* OK IMAP4rev1 at your service\r\n");
        let refused = now(tls.handshake(&endpoint("mail.example.org"), server)).err();
        assert!(matches!(refused, Some(TransportError::Tls(_))), "{refused:?}");
    }
}
