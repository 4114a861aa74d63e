//! TLS that ends in the page: the proxy carries only ciphertext.
//!
//! | Module | Job |
//! |---|---|
//! | [`config`] | what is offered and who is trusted, with the sessions that can be resumed |
//! | [`roots`] | the public roots, fetched when they are first needed |
//! | [`stream`] | a stream secured by TLS |
//! | [`suites`] | which ciphers are offered to whom |

mod config;
mod roots;
mod stream;
mod suites;

use std::rc::Rc;

use postern_bridge::Endpoint;
use postern_mail::{Transport, TransportError};
use rustls::pki_types::ServerName;

pub(super) use self::stream::TlsStream;
use self::{
    config::Configs,
    roots::Roots,
    stream::Failed,
    suites::{Demanding, Suites},
};

/// What all TLS streams share.
#[derive(Clone)]
pub(super) struct Tls(Rc<Shared>);

struct Shared {
    configs: Configs,
    demanding: Demanding,
}

impl Tls {
    /// TLS that trusts the authorities that Mozilla trusts, and what the person trusts.
    pub(super) fn new() -> Self {
        Self::with(Roots::public())
    }

    fn with(roots: Roots) -> Self {
        Self(Rc::new(Shared { configs: Configs::new(roots), demanding: Demanding::default() }))
    }

    /// Opens a stream to a server and makes it secure. If the server may have failed for want of a
    /// cipher among the fast ones, it is tried once more with all, and remembered if that works.
    ///
    /// # Errors
    ///
    /// If the stream can't be opened, the roots can't be fetched, the certificate is refused, or
    /// the handshake fails.
    pub(super) async fn connect<T: Transport>(
        &self,
        endpoint: &Endpoint,
        open: impl AsyncFn() -> Result<T, TransportError>,
    ) -> Result<TlsStream<T>, TransportError> {
        let demanding = &self.0.demanding;
        let suites = demanding.suites(endpoint);
        match self.handshake(endpoint, open().await?, suites).await {
            Err(Failed { may_want_others: true, .. }) if suites == Suites::Fast => {
                let stream = self.handshake(endpoint, open().await?, Suites::All).await?;
                demanding.remember(endpoint);
                Ok(stream)
            }
            result => Ok(result?),
        }
    }

    /// Makes a stream secure that is in use already. There is one try, so all ciphers are offered.
    ///
    /// # Errors
    ///
    /// If the roots can't be fetched, the certificate is refused, or the handshake fails.
    pub(super) async fn upgrade<T: Transport>(
        &self,
        endpoint: &Endpoint,
        transport: T,
    ) -> Result<TlsStream<T>, TransportError> {
        Ok(self.handshake(endpoint, transport, Suites::All).await?)
    }

    async fn handshake<T: Transport>(
        &self,
        endpoint: &Endpoint,
        transport: T,
        suites: Suites,
    ) -> Result<TlsStream<T>, Failed> {
        let name = idna::domain_to_ascii(&endpoint.host).unwrap_or_default();
        let name = ServerName::try_from(name).map_err(|_| TransportError::UnknownHost)?;
        let config = self.0.configs.of(endpoint, suites).await?;
        TlsStream::handshake(config, name, endpoint, transport).await
    }
}

#[cfg(test)]
mod tests;
