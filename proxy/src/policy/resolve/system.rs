//! The look-up as this machine is configured for it.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::BoxFuture;
use hickory_resolver::{
    TokioResolver,
    config::{
        ConnectionConfig, LookupIpStrategy, NameServerConfig, ProtocolConfig, ResolveHosts,
        ResolverConfig, ResolverOpts,
    },
    net::{NetError, runtime::TokioRuntimeProvider},
};
use tracing::{debug, warn};

use super::{Resolve, ResolveError};
use crate::limits::{LOOKUP_ANSWER, LOOKUP_ATTEMPT, LOOKUP_CACHE, LOOKUP_FAILURE_TTL, LOOKUP_TTL};

/// Asks this machine's name servers, and its file of hosts before them.
///
/// They are asked over UDP alone: that bounds what an answer may cost.
pub struct SystemResolver(Option<TokioResolver>);

impl SystemResolver {
    /// Reads this machine's configuration. If it has none, no name can be looked up, while
    /// addresses can still be reached.
    pub fn new() -> Self {
        let resolver = system_resolver();
        if let Err(error) = &resolver {
            warn!(%error, "names can't be looked up: this machine has no usable configuration for it");
        }
        Self(resolver.ok())
    }

    /// Asks this name server, whatever the machine's configuration says.
    ///
    /// # Panics
    ///
    /// Never: this configuration can be used.
    pub fn asking(name_server: SocketAddr) -> Self {
        let mut connection = ConnectionConfig::udp();
        connection.port = name_server.port();
        let server = NameServerConfig::new(name_server.ip(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        Self(Some(build(config, options).expect("it has a name server")))
    }
}

/// A resolver with this machine's configuration as far as it is safe.
pub(crate) fn system_resolver() -> Result<TokioResolver, NetError> {
    let (config, options) = hickory_resolver::system_conf::read_system_conf()?;
    build(config, options)
}

/// A resolver with that configuration as far as it is safe.
fn build(config: ResolverConfig, mut options: ResolverOpts) -> Result<TokioResolver, NetError> {
    let (_, _, mut servers) = config.into_parts();
    for server in &mut servers {
        server.connections.retain(|connection| matches!(connection.protocol, ProtocolConfig::Udp));
    }
    // Without a domain of its own and a list to search, a name is always complete.
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    options.timeout = LOOKUP_ATTEMPT;
    options.attempts = 1;
    options.edns0 = true;
    options.edns_payload_len = LOOKUP_ANSWER;
    options.cache_size = LOOKUP_CACHE;
    options.positive_max_ttl = Some(LOOKUP_TTL);
    options.negative_max_ttl = Some(LOOKUP_FAILURE_TTL);
    // Where there is no address of either family, it is told what failed for the first one. That there is
    // none of one family says nothing about a name: then the other one is asked for again.
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
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
            // With the dot it is complete.
            let complete = format!("{name}.");
            let failed = match resolver.lookup_ip(&complete).await {
                Ok(addresses) => return Ok(addresses.iter().collect()),
                Err(error) => error,
            };
            if failed.is_nx_domain() || !failed.is_no_records_found() {
                return Err(why(&failed, name));
            }
            match resolver.ipv6_lookup(&complete).await {
                Ok(found) => {
                    Ok(found.answers().iter().filter_map(|own| own.data.ip_addr()).collect())
                }
                Err(error) => Err(why(&error, name)),
            }
        })
    }
}

/// Why a name has no address, as far as a failure tells.
fn why(error: &NetError, name: &str) -> ResolveError {
    match error {
        error if error.is_no_records_found() => ResolveError::NotFound,
        NetError::Truncated => ResolveError::TooLong,
        error => {
            debug!(%error, name, "look-up failed");
            ResolveError::Unavailable
        }
    }
}
