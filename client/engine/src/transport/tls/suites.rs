//! Which ciphers are offered to whom.
//!
//! WebAssembly can't reach the processor's AES instructions: there ChaCha20-Poly1305 is several times
//! as fast as AES-GCM. A server that has it but insists on its own order would choose AES, so at
//! first nothing else is offered. Whoever makes that handshake fail gets a slower connection, not a
//! weaker one: all that is ever offered is as strong.

use std::{cell::RefCell, collections::VecDeque, sync::Arc};

use postern_bridge::Endpoint;
use rustls::crypto::{CryptoProvider, ring};

use crate::limits::DEMANDING_SERVERS;

/// What is offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Suites {
    /// What is fast here.
    Fast,
    /// Everything, what is fast first.
    All,
}

/// The cryptography that offers [`Suites::Fast`] and the one that offers [`Suites::All`].
pub(super) struct Providers {
    fast: Arc<CryptoProvider>,
    all: Arc<CryptoProvider>,
}

impl Providers {
    pub(super) fn new() -> Self {
        let mut all = ring::default_provider();
        // A stable sort: what is fast comes first, and the rest stays in its order.
        all.cipher_suites.sort_by_key(|suite| !is_fast(suite));
        let mut fast = all.clone();
        fast.cipher_suites.retain(is_fast);
        Self { fast: fast.into(), all: all.into() }
    }

    pub(super) fn of(&self, suites: Suites) -> &Arc<CryptoProvider> {
        match suites {
            Suites::Fast => &self.fast,
            Suites::All => &self.all,
        }
    }
}

fn is_fast(suite: &rustls::SupportedCipherSuite) -> bool {
    suite.suite().as_str().is_some_and(|name| name.contains("CHACHA20"))
}

/// The servers that are known to want other ciphers than the fast ones, as long as the page lives.
#[derive(Default)]
pub(super) struct Demanding(RefCell<VecDeque<(String, u16)>>);

impl Demanding {
    /// What to offer to a server at first.
    pub(super) fn suites(&self, endpoint: &Endpoint) -> Suites {
        let servers = self.0.borrow();
        let is_this =
            |(host, port): &(String, u16)| (host, *port) == (&endpoint.host, endpoint.port);
        if servers.iter().any(is_this) { Suites::All } else { Suites::Fast }
    }

    /// Notes that a server wants other ciphers. The oldest of too many is forgotten: it costs a
    /// handshake.
    pub(super) fn remember(&self, endpoint: &Endpoint) {
        if self.suites(endpoint) == Suites::All {
            return;
        }
        let mut servers = self.0.borrow_mut();
        if servers.len() == DEMANDING_SERVERS {
            servers.pop_front();
        }
        servers.push_back((endpoint.host.clone(), endpoint.port));
    }
}
