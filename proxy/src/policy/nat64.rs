//! NAT64: networks of IPv6 through which a machine reaches IPv4 (RFC 6052).

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::Ipv6Net;

/// How long a prefix may be, in bits (RFC 6052, section 2.2).
pub(super) const LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];

/// A prefix that an IPv4 address is put after.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Nat64(Ipv6Net);

/// The text is not such a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a network of IPv6 with 32, 40, 48, 56, 64 or 96 bits, such as 64:ff9b::/96")]
pub struct BadNat64;

impl Nat64 {
    /// The IPv4 address behind an address of this prefix; none for another.
    pub(super) fn inside(self, ip: Ipv6Addr) -> Option<Ipv4Addr> {
        self.0.contains(&ip).then(|| after(self.0.prefix_len(), ip))
    }
}

/// The IPv4 address after a prefix of so many bits, which is one of [`LENGTHS`]. It leaves the ninth
/// byte out.
pub(super) fn after(length: u8, ip: Ipv6Addr) -> Ipv4Addr {
    let octets = ip.octets();
    let mut rest = (usize::from(length / 8)..octets.len()).filter(|at| *at != 8);
    let bytes = [(); 4].map(|()| rest.next().map_or(0, |at| octets[at]));
    Ipv4Addr::from(bytes)
}

impl FromStr for Nat64 {
    type Err = BadNat64;

    fn from_str(text: &str) -> Result<Self, BadNat64> {
        let network: Ipv6Net = text.parse().map_err(|_| BadNat64)?;
        let fits = LENGTHS.contains(&network.prefix_len());
        fits.then(|| Self(network.trunc())).ok_or(BadNat64)
    }
}

impl fmt::Display for Nat64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of RFC 6052, section 2.4.
    #[test]
    fn the_address_behind_a_prefix_of_each_length_is_found() {
        for (prefix, ip) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
            ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
        ] {
            let nat64: Nat64 = prefix.parse().unwrap();
            let inside = nat64.inside(ip.parse().unwrap());
            assert_eq!(inside, Some(Ipv4Addr::new(192, 0, 2, 33)), "{prefix}");
            assert_eq!(nat64.inside("2620:fe::9".parse().unwrap()), None);
            assert_eq!(nat64.to_string(), prefix);
        }
    }

    #[test]
    fn other_lengths_and_families_are_no_prefixes() {
        for text in ["64:ff9b::/95", "64:ff9b::/128", "64:ff9b::", "10.0.0.0/8", "x", ""] {
            assert_eq!(text.parse::<Nat64>(), Err(BadNat64), "{text}");
        }
    }
}
