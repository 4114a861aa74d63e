//! Where tunnels may go: decided before anything leaves this machine.
//!
//! A request passes three gates, in this order: its port, its host's spelling and the allow-list
//! ([`Policy::destination`]), and then every address that the host has ([`Policy::addresses`]).
//! Only addresses that passed are dialled, so a name can't change its mind between check and use.

mod address;
mod host;
mod resolve;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;

pub use host::{BadHost, Host};
pub use resolve::{Resolve, ResolveError, SystemResolver};

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
        Self { allow, networks, ports: ports.collect(), destinations }
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

    /// Whether all of a host's addresses are public ones, whatever networks are permitted besides.
    ///
    /// # Errors
    ///
    /// If one is not.
    pub(crate) fn public_addresses(&self, addresses: &[IpAddr]) -> Result<(), Denied> {
        addresses.iter().try_for_each(|&ip| match address::special(ip) {
            Some(what) => Err(Denied::Address(ip, what)),
            None => Ok(()),
        })
    }

    /// Whether the allow-list has a host, or there is no list.
    fn lists(&self, host: &Host) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|pattern| pattern.matches(host))
    }

    /// Whether all of a host's addresses may be reached. One that may not spoils the others: a name
    /// that points to public and private addresses at once is up to something.
    ///
    /// # Errors
    ///
    /// If one may not.
    pub fn addresses(&self, addresses: &[IpAddr]) -> Result<(), Denied> {
        addresses.iter().try_for_each(|&ip| match address::special(ip) {
            Some(what) if !self.permits(ip) => Err(Denied::Address(ip, what)),
            _ => Ok(()),
        })
    }

    /// Whether this address is one of this machine's own and not in a permitted network.
    pub(crate) fn is_forbidden_self(&self, ip: IpAddr, local: IpAddr) -> bool {
        ip == local && !self.permits(ip)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], networks: &[&str]) -> Policy {
        Policy::new(
            allow.iter().map(|text| text.parse().unwrap()).collect(),
            networks.iter().map(|text| text.parse().unwrap()).collect(),
            [1143],
            Vec::new(),
        )
    }

    #[test]
    fn mail_ports_and_configured_ones_are_reached_and_no_others() {
        let policy = policy(&[], &[]);
        for port in [110, 143, 465, 587, 993, 995, 1143] {
            assert!(policy.destination("mail.example.org", port).is_ok(), "{port}");
        }
        for port in [0, 22, 25, 80, 443, 1144, 65535] {
            assert_eq!(policy.destination("mail.example.org", port), Err(Denied::Port(port)));
        }
    }

    #[test]
    fn the_relay_port_can_not_be_configured() {
        let policy = Policy::new(Vec::new(), Vec::new(), [25], Vec::new());
        assert_eq!(policy.destination("mail.example.org", 25), Err(Denied::Port(25)));
    }

    #[test]
    fn an_allow_list_names_hosts_or_what_is_below_a_domain() {
        let policy = policy(&["*.example.org", "mail.example.com", "192.0.2.7"], &[]);
        for host in [
            "imap.example.org",
            "a.b.example.org",
            "MAIL.example.COM",
            "imap.example.org.",
            "192.0.2.7",
        ] {
            assert!(policy.destination(host, 993).is_ok(), "{host}");
        }
        for host in
            ["example.org", "badexample.org", "example.com", "x.mail.example.com", "192.0.2.8"]
        {
            assert!(matches!(policy.destination(host, 993), Err(Denied::NotListed(_))), "{host}");
        }
    }

    #[test]
    fn one_private_address_spoils_the_public_ones() {
        let policy = policy(&[], &[]);
        let public = "9.9.9.9".parse().unwrap();
        assert_eq!(policy.addresses(&[public]), Ok(()));
        let private = "10.0.0.1".parse().unwrap();
        assert!(
            matches!(policy.addresses(&[public, private]), Err(Denied::Address(ip, _)) if ip == private)
        );
    }

    #[test]
    fn a_permitted_network_opens_only_itself() {
        let policy = policy(&[], &["10.1.0.0/16", "fd00:1::/32"]);
        for (ip, allowed) in [
            ("10.1.2.3", true),
            ("fd00:1::2", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
            ("::ffff:10.1.2.3", false),
            ("fd00:2::1", false),
        ] {
            assert_eq!(policy.addresses(&[ip.parse().unwrap()]).is_ok(), allowed, "{ip}");
        }
    }

    #[test]
    fn localhost_is_not_looked_up_and_its_addresses_are_vetted() {
        let policy = policy(&[], &[]);
        for host in ["localhost", "LOCALHOST.", "mail.localhost"] {
            let Route::Given(addresses) = policy.destination(host, 993).unwrap().route else {
                panic!("{host} is looked up");
            };
            assert!(policy.addresses(&addresses).is_err());
        }
    }

    #[test]
    fn a_known_destination_goes_by_its_exact_host_and_port() {
        let address = "127.0.0.1:4993".parse().unwrap();
        let known =
            Destination { host: "demo.example".into(), port: 4993, address, implicit_tls: true };
        let policy = Policy::new(Vec::new(), Vec::new(), [], vec![known]);
        let target = policy.destination("Demo.Example", 4993).unwrap();
        assert_eq!(target.route, Route::Known(address));
        assert!(target.implicit_tls);
        assert!(policy.destination("demo.example", 4994).is_err());
        assert!(policy.destination("other.example", 4993).is_err());
    }

    #[test]
    fn published_settings_are_fetched_from_listed_hosts_and_public_addresses_alone() {
        let open = policy(&[], &["10.0.0.0/8"]);
        let target = open.web(&"autoconfig.example.org".parse().unwrap()).unwrap();
        assert_eq!((target.port, target.route), (443, Route::Resolve));
        let [public, private] = ["9.9.9.9", "10.0.0.1"].map(|ip| ip.parse().unwrap());
        assert!(open.public_addresses(&[public]).is_ok());
        assert!(open.addresses(&[private]).is_ok());
        assert!(open.public_addresses(&[public, private]).is_err());
        let listed = policy(&["*.example.org"], &[]);
        assert!(listed.web(&"autoconfig.example.org".parse().unwrap()).is_ok());
        assert!(listed.web(&"example.net".parse().unwrap()).is_err());
        assert!(listed.destination("autoconfig.example.org", 443).is_err());
    }

    #[test]
    fn tls_starts_at_once_on_the_ports_that_are_for_it() {
        let policy = policy(&[], &[]);
        for (port, implicit) in [(993, true), (995, true), (465, true), (143, false), (587, false)]
        {
            let target = policy.destination("mail.example.org", port).unwrap();
            assert_eq!(target.implicit_tls, implicit, "{port}");
        }
    }
}
