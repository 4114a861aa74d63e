//! What is offered and who is trusted, with the sessions that can be resumed.

use std::{
    cell::{OnceCell, RefCell},
    collections::VecDeque,
    sync::Arc,
};

use postern_bridge::{Endpoint, Fingerprint};
use postern_certificate::Verifier;
use postern_mail::TransportError;
use rustls::ClientConfig;

use super::{
    roots::Roots,
    suites::{Providers, Suites},
};
use crate::limits::TRUSTED_CERTIFICATES;

/// The configurations of all TLS streams.
///
/// Sessions are kept in memory with a configuration, by host, and can be resumed: so what is
/// accepted because a person trusts it has a configuration of its own, or it would be resumed
/// without that trust.
pub(super) struct Configs {
    providers: Providers,
    roots: Roots,
    by_roots: OnceCell<(Verifier, Pair)>,
    /// The most recently used one is the last.
    by_trust: RefCell<VecDeque<(Trust, Pair)>>,
}

/// A certificate that the person trusts, for this host alone.
#[derive(Clone, Eq, PartialEq)]
struct Trust {
    host: String,
    certificate: Fingerprint,
}

impl Configs {
    pub(super) fn new(roots: Roots) -> Self {
        let (by_roots, by_trust) = (OnceCell::new(), RefCell::default());
        Self { providers: Providers::new(), roots, by_roots, by_trust }
    }

    /// How to talk to a server.
    ///
    /// # Errors
    ///
    /// If the roots can't be fetched.
    pub(super) async fn of(
        &self,
        endpoint: &Endpoint,
        suites: Suites,
    ) -> Result<Arc<ClientConfig>, TransportError> {
        if self.by_roots.get().is_none() {
            let roots = self.roots.load().await?;
            let verifier = Verifier::new(roots, Arc::clone(self.providers.of(Suites::All)))
                .expect("a file without roots is not read");
            let pair = Pair::new(&self.providers, &verifier);
            // Somebody else may have been faster.
            let _ = self.by_roots.set((verifier, pair));
        }
        let (verifier, pair) = self.by_roots.get().expect("it has been set");
        Ok(match endpoint.trusted {
            None => pair.of(suites),
            Some(certificate) => {
                let trust = Trust { host: endpoint.host.clone(), certificate };
                self.trusting(trust, verifier, suites)
            }
        })
    }

    fn trusting(&self, trust: Trust, verifier: &Verifier, suites: Suites) -> Arc<ClientConfig> {
        let mut by_trust = self.by_trust.borrow_mut();
        let known = by_trust.iter().position(|(known, _)| *known == trust);
        let (trust, pair) = match known.and_then(|index| by_trust.remove(index)) {
            Some(known) => known,
            None => {
                let verifier = verifier.trusting_only(*trust.certificate.as_bytes());
                (trust, Pair::new(&self.providers, &verifier))
            }
        };
        let config = pair.of(suites);
        if by_trust.len() == TRUSTED_CERTIFICATES {
            by_trust.pop_front();
        }
        by_trust.push_back((trust, pair));
        config
    }
}

/// One trust, with either choice of ciphers.
struct Pair {
    fast: Arc<ClientConfig>,
    all: Arc<ClientConfig>,
}

impl Pair {
    fn new(providers: &Providers, verifier: &Verifier) -> Self {
        let config = |suites| client_config(providers, suites, verifier.clone());
        Self { fast: config(Suites::Fast), all: config(Suites::All) }
    }

    fn of(&self, suites: Suites) -> Arc<ClientConfig> {
        Arc::clone(match suites {
            Suites::Fast => &self.fast,
            Suites::All => &self.all,
        })
    }
}

/// TLS 1.3 and 1.2, with the host's name in the open (SNI), as mail servers and the proxy expect,
/// and without ALPN: one port speaks one protocol.
fn client_config(providers: &Providers, suites: Suites, verifier: Verifier) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::clone(providers.of(suites)))
        .with_safe_default_protocol_versions()
        .expect("there are suites for every version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Arc::new(config)
}
