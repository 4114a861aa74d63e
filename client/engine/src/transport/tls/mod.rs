//! TLS that ends in the page: the proxy carries only ciphertext.
//!
//! | Module | Job |
//! |---|---|
//! | [`roots`] | the public roots, fetched when they are first needed |
//! | [`stream`] | a stream secured by TLS |

mod roots;
mod stream;

use std::{
    cell::{OnceCell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
};

use postern_bridge::{Endpoint, Fingerprint};
use postern_certificate::Verifier;
use postern_mail::{Transport, TransportError};
use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, ring},
    pki_types::ServerName,
};

use self::roots::Roots;
pub(super) use self::stream::TlsStream;
use crate::limits::TRUSTED_CERTIFICATES;

/// What all TLS streams share.
#[derive(Clone)]
pub(super) struct Tls(Rc<Shared>);

struct Shared {
    provider: Arc<CryptoProvider>,
    roots: Roots,
    by_roots: OnceCell<(Verifier, Arc<ClientConfig>)>,
    /// The most recently used one is the last.
    by_trust: RefCell<VecDeque<(Trust, Arc<ClientConfig>)>>,
}

/// A certificate that the person trusts, for this host alone.
#[derive(Clone, Eq, PartialEq)]
struct Trust {
    host: String,
    certificate: Fingerprint,
}

impl Tls {
    /// TLS that trusts the authorities that Mozilla trusts, and what the person trusts.
    pub(super) fn new() -> Self {
        Self::with(Roots::public())
    }

    fn with(roots: Roots) -> Self {
        let mut provider = ring::default_provider();
        // Without the processor's AES instructions, which WebAssembly can't reach, this cipher is
        // several times as fast as the others.
        provider.cipher_suites.sort_by_key(|suite| {
            !suite.suite().as_str().is_some_and(|name| name.contains("CHACHA20"))
        });
        let provider = Arc::new(provider);
        let (by_roots, by_trust) = (OnceCell::new(), RefCell::default());
        Self(Rc::new(Shared { provider, roots, by_roots, by_trust }))
    }

    /// Makes a stream to a server secure.
    ///
    /// # Errors
    ///
    /// If the roots can't be fetched, the certificate is refused, or the handshake fails.
    pub(super) async fn handshake<T: Transport>(
        &self,
        endpoint: &Endpoint,
        transport: T,
    ) -> Result<TlsStream<T>, TransportError> {
        let name =
            ServerName::try_from(endpoint.host.clone()).map_err(|_| TransportError::UnknownHost)?;
        let config = self.config(endpoint).await?;
        TlsStream::handshake(config, name, endpoint, transport).await
    }

    /// How to talk to a server.
    ///
    /// Sessions are kept in memory with it, by host, and can be resumed: so what is accepted because
    /// a person trusts it has a configuration of its own, or it would be resumed without that trust.
    async fn config(&self, endpoint: &Endpoint) -> Result<Arc<ClientConfig>, TransportError> {
        let Shared { provider, roots, by_roots, by_trust } = &*self.0;
        if by_roots.get().is_none() {
            let roots = roots.load().await?;
            let verifier = Verifier::new(roots, Arc::clone(provider))
                .expect("a file without roots is not read");
            let config = client_config(provider, verifier.clone());
            // Somebody else may have been faster.
            let _ = by_roots.set((verifier, config));
        }
        let (verifier, config) = by_roots.get().expect("it has been set");
        let Some(certificate) = endpoint.trusted else { return Ok(Arc::clone(config)) };
        let trust = Trust { host: endpoint.host.clone(), certificate };
        let mut by_trust = by_trust.borrow_mut();
        let known = by_trust.iter().position(|(known, _)| *known == trust);
        let (trust, config) = match known.and_then(|index| by_trust.remove(index)) {
            Some(known) => known,
            None => {
                let verifier = verifier.trusting_only(*certificate.as_bytes());
                (trust, client_config(provider, verifier))
            }
        };
        if by_trust.len() == TRUSTED_CERTIFICATES {
            by_trust.pop_front();
        }
        by_trust.push_back((trust, Arc::clone(&config)));
        Ok(config)
    }
}

/// TLS 1.3 and 1.2, with the host's name in the open (SNI), as mail servers and the proxy expect,
/// and without ALPN: one port speaks one protocol.
fn client_config(provider: &Arc<CryptoProvider>, verifier: Verifier) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for every version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Arc::new(config)
}

#[cfg(test)]
mod tests;
