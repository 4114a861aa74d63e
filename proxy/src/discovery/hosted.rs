//! Whose customer a domain is: the provider that takes its mail.

use super::address::Address;
use crate::policy::Host;

/// The domains whose published settings may fit, by the hosts that take the address's mail: the
/// provider's own domain, and what is between it and the host. None if the domain takes its mail
/// itself.
///
/// A public suffix such as `co.uk` is nobody's domain: whoever has registered `autoconfig` below it
/// must not be asked.
pub(super) fn providers(exchanges: &[(u16, String)], address: &Address) -> Vec<String> {
    let Some((_, exchange)) = exchanges.first() else { return Vec::new() };
    let Ok(host @ Host::Name(_)) = exchange.parse::<Host>() else { return Vec::new() };
    let name = host.to_string();
    if address.owns(&host) {
        return Vec::new();
    }
    let Some(registered) = psl::domain_str(&name) else { return Vec::new() };
    let parent = name.split_once('.').map_or("", |(_, parent)| parent);
    let mut providers = Vec::new();
    if parent.len() > registered.len() {
        providers.push(parent.to_owned());
    }
    providers.push(registered.to_owned());
    providers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_the_domain_of_the_host_that_takes_the_mail() {
        let address = Address::parse("ada@example.org").ok().unwrap();
        for (exchange, expected) in [
            ("mx.provider.net.", &["provider.net"][..]),
            ("ASPMX.L.Provider.NET", &["l.provider.net", "provider.net"]),
            ("mx.provider.co.uk", &["provider.co.uk"]),
            ("provider.co.uk", &["provider.co.uk"]),
            ("mx.provider.kobe.jp", &["mx.provider.kobe.jp"]),
            ("mx.web.de", &["web.de"]),
            ("co.uk", &[]),
            ("mx.example.org", &[]),
            ("example.org", &[]),
            (".", &[]),
            ("9.9.9.9", &[]),
            ("127.1", &[]),
        ] {
            assert_eq!(providers(&[(0, exchange.into())], &address), expected, "{exchange}");
        }
        assert!(providers(&[], &address).is_empty());
    }
}
