//! Names to addresses.

use std::net::IpAddr;

use futures_util::future::BoxFuture;
use hickory_resolver::TokioResolver;
use tracing::{debug, warn};

/// Looks names up.
pub trait Resolve: Send + Sync {
    /// All addresses of a name, which is complete: nothing is appended to it.
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>>;
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResolveError {
    /// There is no such name, or it has no address.
    #[error("the name has no address")]
    NotFound,
    /// Nobody who could know has answered.
    #[error("the name can't be looked up")]
    Unavailable,
}

/// The look-up as this machine is configured for it.
pub struct SystemResolver(Option<TokioResolver>);

impl SystemResolver {
    /// Reads this machine's configuration. If it has none, no name can be looked up, while
    /// addresses can still be reached.
    pub fn new() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        if let Err(error) = &resolver {
            warn!(%error, "names can't be looked up: this machine has no usable configuration for it");
        }
        Self(resolver.ok())
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolve for SystemResolver {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async move {
            let resolver = self.0.as_ref().ok_or(ResolveError::Unavailable)?;
            // With the dot the search list of this machine's own domain stays out of it.
            match resolver.lookup_ip(format!("{name}.")).await {
                Ok(addresses) => Ok(addresses.iter().collect()),
                Err(error) if error.is_nx_domain() || error.is_no_records_found() => {
                    Err(ResolveError::NotFound)
                }
                Err(error) => {
                    debug!(%error, name, "look-up failed");
                    Err(ResolveError::Unavailable)
                }
            }
        })
    }
}
