//! Where tunnels may go: decided before anything leaves this machine.
//!
//! A request passes three gates: its host's spelling, then its port and the allow-list
//! ([`Policy::destination`]), and then every address that the host has ([`Policy::locate`]). Only
//! addresses that passed are dialled, so a name can't change its mind between check and use.

mod address;
mod host;
mod nat64;
mod own;
mod resolve;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;

pub use host::{BadHost, Host};
pub use nat64::{BadNat64, Nat64};
pub use resolve::{Lookups, Resolve, ResolveError, SystemResolver};

pub(crate) use resolve::system_resolver;

use crate::limits::MAX_ANSWER;

/// Ports that are for mail clients: IMAP, POP3 and submission, with TLS from the start or later.
pub const MAIL_PORTS: [u16; 6] = [110, 143, 465, 587, 993, 995];

/// Ports on which TLS starts with the first byte (RFC 8314).
const IMPLICIT_TLS_PORTS: [u16; 3] = [465, 993, 995];

/// The port on which servers take mail from anybody: never for clients.
const RELAY_PORT: u16 = 25;

/// The port of HTTPS, where providers publish settings for mail programs.
const WEB_PORT: u16 = 443;

/// A destination that is allowed by name and port, whatever its address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// The host as the page names it.
    pub host: String,
    /// The port as the page names it.
    pub port: u16,
    /// Where it is; nothing is looked up.
    pub address: SocketAddr,
    /// Whether TLS starts with the first byte.
    pub implicit_tls: bool,
}

/// Hosts that may be reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HostPattern {
    /// This host.
    Exactly(Host),
    /// Every name below this one, but not this one.
    Below(Host),
}

/// Where tunnels may go.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    allow: Vec<HostPattern>,
    networks: Vec<IpNet>,
    ports: BTreeSet<u16>,
    destinations: Vec<Destination>,
    nat64: Vec<Nat64>,
    own: Own,
}

/// The proxy itself, as others could reach it.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Addresses that lead to it, besides those that its machine has.
    pub addresses: Vec<IpNet>,
    /// Ports on which it listens.
    pub ports: BTreeSet<u16>,
}

/// A destination whose host and port are allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The host, in its one spelling.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// Whether the first bytes from the client must be TLS.
    pub implicit_tls: bool,
    /// How to find its addresses.
    pub route: Route,
}

/// How to find the addresses of a [`Target`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// It is this one, and it is allowed.
    Known(SocketAddr),
    /// These are to be vetted.
    Given(Vec<IpAddr>),
    /// Look them up, and vet them.
    Resolve,
}

/// Why a destination is not allowed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Denied {
    /// The host is not written as a host is.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// The port is not one for mail clients.
    #[error("This proxy does not connect to port {0}.")]
    Port(u16),
    /// There is an allow-list, and the host is not on it.
    #[error("This proxy does not connect to {0}: it is not on its list of mail servers.")]
    NotListed(Host),
    /// The host is on a network that strangers may not reach.
    #[error("This proxy does not connect to {0}: that is {1}.")]
    Address(IpAddr, &'static str),
    /// The host has more addresses than [`MAX_ANSWER`].
    #[error("This proxy does not connect to a host with {0} addresses.")]
    TooManyAddresses(usize),
}

/// Why a host has no addresses that may be dialled.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// It has one, at least, that may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It has none.
    #[error("There is no mail server called {0}.")]
    Unknown(Host),
    /// It can't be looked up.
    #[error("The name {0} can't be looked up at the moment.")]
    Unavailable(Host),
    /// Its name servers say too much.
    #[error("This proxy does not connect to {0}: it has too many addresses.")]
    AnswerTooLong(Host),
}

impl Policy {
    /// A policy; without patterns every public host may be reached. `ports` come on top of
    /// [`MAIL_PORTS`], `networks` on top of the public addresses.
    pub fn new(
        allow: Vec<HostPattern>,
        networks: Vec<IpNet>,
        ports: impl IntoIterator<Item = u16>,
        destinations: Vec<Destination>,
    ) -> Self {
        let ports = MAIL_PORTS.into_iter().chain(ports).filter(|port| *port != RELAY_PORT);
        Self { allow, networks, ports: ports.collect(), destinations, ..Self::default() }
    }

    /// Judges addresses with these prefixes by the IPv4 addresses behind them: here, they lead
    /// there. Those are as good as the addresses that they lead to.
    #[must_use]
    pub fn behind(self, nat64: Vec<Nat64>) -> Self {
        Self { nat64, ..self }
    }

    /// Refuses the proxy itself, whatever is permitted.
    #[must_use]
    pub fn without(self, own: Own) -> Self {
        Self { own, ..self }
    }

    /// Whether host and port may be reached at all.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn destination(&self, host: &str, port: u16) -> Result<Target, Denied> {
        let host = Host::from_str(host)?;
        if let Some(known) = self.destinations.iter().find(|known| known.is(&host, port)) {
            let route = Route::Known(known.address);
            return Ok(Target { host, port, implicit_tls: known.implicit_tls, route });
        }
        if !self.ports.contains(&port) {
            return Err(Denied::Port(port));
        }
        if !self.lists(&host) {
            return Err(Denied::NotListed(host));
        }
        let route = match host.addresses() {
            Some(addresses) => Route::Given(addresses),
            None => Route::Resolve,
        };
        Ok(Target { host, port, implicit_tls: IMPLICIT_TLS_PORTS.contains(&port), route })
    }

    /// Finds the addresses of a target, and vets them. There is one look-up at most, and only what
    /// this returns may be dialled.
    ///
    /// # Errors
    ///
    /// If it has none, or one that may not be reached.
    pub async fn locate(
        &self,
        target: &Target,
        resolver: &dyn Resolve,
    ) -> Result<Vec<SocketAddr>, Unreachable> {
        let host = || target.host.clone();
        let addresses = match &target.route {
            Route::Known(address) => return Ok(vec![*address]),
            Route::Given(addresses) => addresses.clone(),
            Route::Resolve => {
                let answer = resolver.addresses(&host().to_string()).await;
                answer.map_err(|error| match error {
                    ResolveError::NotFound => Unreachable::Unknown(host()),
                    ResolveError::TooLong => Unreachable::AnswerTooLong(host()),
                    ResolveError::Unavailable => Unreachable::Unavailable(host()),
                })?
            }
        };
        if addresses.is_empty() {
            return Err(Unreachable::Unknown(host()));
        }
        self.addresses(&addresses, target.port)?;
        Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect())
    }

    /// Whether a host may be asked for the settings that it publishes, by HTTPS. Only the proxy
    /// itself goes there: tunnels do not.
    ///
    /// # Errors
    ///
    /// If not.
    pub(crate) fn web(&self, host: &Host) -> Result<Target, Denied> {
        let known = self.destinations.iter().find(|known| known.is(host, WEB_PORT));
        let route = match (known, host.addresses()) {
            (Some(known), _) => Route::Known(known.address),
            (None, Some(addresses)) => Route::Given(addresses),
            (None, None) => Route::Resolve,
        };
        if known.is_none() && !self.lists(host) {
            return Err(Denied::NotListed(host.clone()));
        }
        Ok(Target { host: host.clone(), port: WEB_PORT, implicit_tls: true, route })
    }

    /// Whether all addresses of a host with published settings are public ones, whatever networks
    /// are permitted besides.
    ///
    /// # Errors
    ///
    /// If one is not.
    pub(crate) fn web_addresses(&self, addresses: &[IpAddr]) -> Result<(), Denied> {
        let strict = Self { networks: Vec::new(), ..self.clone() };
        strict.addresses(addresses, WEB_PORT)
    }

    /// Whether the allow-list has a host, or there is no list.
    fn lists(&self, host: &Host) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|pattern| pattern.matches(host))
    }

    /// Whether all of a host's addresses may be reached on a port. One that may not spoils the
    /// others: a name that points to public and private addresses at once is up to something.
    ///
    /// # Errors
    ///
    /// If one may not, or there are too many.
    pub fn addresses(&self, addresses: &[IpAddr], port: u16) -> Result<(), Denied> {
        self.vet(addresses, port, own::is_own)
    }

    fn vet(
        &self,
        addresses: &[IpAddr],
        port: u16,
        is_own: impl Fn(IpAddr) -> bool,
    ) -> Result<(), Denied> {
        if addresses.len() > MAX_ANSWER {
            return Err(Denied::TooManyAddresses(addresses.len()));
        }
        addresses.iter().try_for_each(|&ip| match self.objection(ip, port, &is_own) {
            Some(what) => Err(Denied::Address(ip, what)),
            None => Ok(()),
        })
    }

    /// What an address is that may not be reached. If it has others inside, they must be allowed as
    /// well: a permitted NAT64 must not be a way to the private networks behind it.
    fn objection(
        &self,
        ip: IpAddr,
        port: u16,
        is_own: &impl Fn(IpAddr) -> bool,
    ) -> Option<&'static str> {
        if self.own.addresses.iter().any(|network| network.contains(&ip)) {
            return Some(address::LOOPBACK);
        }
        if self.own.ports.contains(&port) && is_own(ip) {
            return Some(address::ITSELF);
        }
        let inside = match ip {
            IpAddr::V4(_) => Vec::new(),
            IpAddr::V6(ip) => {
                // Of prefixes within each other, the network uses one: each must lead to a good place.
                let behind: Vec<_> =
                    self.nat64.iter().filter_map(|nat64| nat64.inside(ip)).collect();
                if !behind.is_empty() {
                    let object = |ip: Ipv4Addr| self.objection(ip.into(), port, is_own);
                    return behind.into_iter().find_map(object);
                }
                address::embedded(ip)
            }
        };
        if !self.permits(ip) {
            let own = || is_own(ip).then_some(address::LOOPBACK);
            if let Some(what) = address::special(ip).or_else(own) {
                return Some(what);
            }
        }
        inside.into_iter().find_map(|ip| self.objection(ip.into(), port, is_own))
    }

    fn permits(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

impl Destination {
    fn is(&self, host: &Host, port: u16) -> bool {
        self.port == port && Host::from_str(&self.host).is_ok_and(|own| own == *host)
    }
}

impl HostPattern {
    fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exactly(own), host) => own == host,
            (Self::Below(Host::Name(parent)), Host::Name(name)) => {
                name.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (Self::Below(_), _) => false,
        }
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        match text.strip_prefix("*.") {
            Some(parent) => match parent.parse()? {
                name @ Host::Name(_) => Ok(Self::Below(name)),
                Host::Address(_) => Err(BadHost::new(text)),
            },
            None => Ok(Self::Exactly(text.parse()?)),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(host) => host.fmt(f),
            Self::Below(parent) => write!(f, "*.{parent}"),
        }
    }
}
