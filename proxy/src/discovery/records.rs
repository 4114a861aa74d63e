//! What the DNS says about a domain's mail, beyond addresses.

use futures_util::future::BoxFuture;
use hickory_resolver::{TokioResolver, proto::rr::RData};
use tracing::debug;

use crate::policy::system_resolver;

/// Looks up the records that name a domain's servers. A look-up that fails finds nothing.
pub trait Records: Send + Sync {
    /// The SRV records (RFC 2782) of a name such as `_imaps._tcp.example.org`.
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<Srv>>;

    /// The hosts that take a domain's mail, by preference, the lowest first, as [`Srv::target`].
    fn exchanges<'a>(&'a self, domain: &'a str) -> BoxFuture<'a, Vec<(u16, String)>>;
}

/// An SRV record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// How often this one is to be chosen among those of its priority.
    pub weight: u16,
    /// The TCP port.
    pub port: u16,
    /// The host, with or without a dot at the end; only a dot says that the service is not offered.
    pub target: String,
}

/// The look-up as this machine is configured for it.
pub struct SystemRecords(Option<TokioResolver>);

impl SystemRecords {
    /// Reads this machine's configuration. If it has none, nothing is found.
    pub fn new() -> Self {
        Self(system_resolver().ok())
    }
}

impl Default for SystemRecords {
    fn default() -> Self {
        Self::new()
    }
}

impl Records for SystemRecords {
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<Srv>> {
        Box::pin(async move {
            let Some(resolver) = &self.0 else { return Vec::new() };
            // With the dot the search list of this machine's own domain stays out of it.
            let lookup = resolver.srv_lookup(format!("{name}.")).await;
            let lookup = lookup.inspect_err(|error| debug!(%error, "no SRV records"));
            let answers = lookup.iter().flat_map(|lookup| lookup.answers());
            let service = answers.filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Srv {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: srv.target.to_ascii(),
                }),
                _ => None,
            });
            service.collect()
        })
    }

    fn exchanges<'a>(&'a self, domain: &'a str) -> BoxFuture<'a, Vec<(u16, String)>> {
        Box::pin(async move {
            let Some(resolver) = &self.0 else { return Vec::new() };
            let lookup = resolver.mx_lookup(format!("{domain}.")).await;
            let lookup = lookup.inspect_err(|error| debug!(%error, "no MX records"));
            let answers = lookup.iter().flat_map(|lookup| lookup.answers());
            let exchange = answers.filter_map(|record| match &record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii())),
                _ => None,
            });
            let mut exchanges: Vec<_> = exchange.collect();
            exchanges.sort_unstable();
            exchanges
        })
    }
}
