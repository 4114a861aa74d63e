//! Which addresses belong to the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::nat64;

const NO_HOST: &str = "an address of no host";
const PRIVATE: &str = "a private address";
const PROVIDER: &str = "an address of a provider's own network";
pub(super) const LOOPBACK: &str = "the proxy's own machine";
pub(super) const ITSELF: &str = "this proxy itself";
const LINK_LOCAL: &str = "a link-local address";
const RESERVED: &str = "a reserved address";
const DOCUMENTATION: &str = "an address for documentation";
const BENCHMARK: &str = "an address for measurements";
const MULTICAST: &str = "a multicast address";
const EMBEDDED: &str = "an address with another one inside";
const DISCARD: &str = "an address that leads nowhere";
const IDENTIFIER: &str = "an identifier, not an address";

/// IANA's registry of IPv4 addresses for special purposes, and multicast.
const SPECIAL_V4: [(Ipv4Net, &str); 19] = [
    (v4([0, 0, 0, 0], 8), NO_HOST), // RFC 791; 0.0.0.0 is this machine to many
    (v4([10, 0, 0, 0], 8), PRIVATE), // RFC 1918
    (v4([100, 64, 0, 0], 10), PROVIDER), // RFC 6598: carrier-grade NAT
    (v4([127, 0, 0, 0], 8), LOOPBACK), // RFC 1122
    (v4([169, 254, 0, 0], 16), LINK_LOCAL), // RFC 3927; clouds' metadata services
    (v4([172, 16, 0, 0], 12), PRIVATE), // RFC 1918
    (v4([192, 0, 0, 0], 24), RESERVED), // RFC 6890: DS-Lite, NAT64 discovery, PCP, TURN
    (v4([192, 0, 2, 0], 24), DOCUMENTATION), // RFC 5737
    (v4([192, 31, 196, 0], 24), RESERVED), // RFC 7535: AS112
    (v4([192, 52, 193, 0], 24), RESERVED), // RFC 7450: AMT
    (v4([192, 88, 99, 0], 24), RESERVED), // RFC 7526: relays of 6to4 and 6a44
    (v4([192, 168, 0, 0], 16), PRIVATE), // RFC 1918
    (v4([192, 175, 48, 0], 24), RESERVED), // RFC 7534: AS112
    (v4([198, 18, 0, 0], 15), BENCHMARK), // RFC 2544
    (v4([198, 51, 100, 0], 24), DOCUMENTATION), // RFC 5737
    (v4([203, 0, 113, 0], 24), DOCUMENTATION), // RFC 5737
    (v4([224, 0, 0, 0], 4), MULTICAST), // RFC 1112
    (v4([255, 255, 255, 255], 32), "an address of everybody"), // RFC 919
    (v4([240, 0, 0, 0], 4), RESERVED), // RFC 1112
];

/// IANA's registry of IPv6 addresses for special purposes, and what was special once. The first
/// network that an address is in counts.
const SPECIAL_V6: [(Ipv6Net, &str); 24] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), NO_HOST), // RFC 4291
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), LOOPBACK), // RFC 4291
    (COMPATIBLE, EMBEDDED),
    (MAPPED, EMBEDDED),
    (TRANSLATED, EMBEDDED),
    (NAT64, EMBEDDED),
    (NAT64_LOCAL, EMBEDDED),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 63), DISCARD), // RFC 6666, RFC 9780
    (TEREDO, EMBEDDED),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), BENCHMARK), // RFC 5180
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), IDENTIFIER), // RFC 4843: ORCHID
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), IDENTIFIER), // RFC 7343: ORCHIDv2
    (v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), IDENTIFIER), // RFC 9374: drones
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), RESERVED),  // RFC 2928: PCP, TURN, AMT, AS112…
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), DOCUMENTATION), // RFC 3849
    (SIX_TO_FOUR, EMBEDDED),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), RESERVED), // RFC 7534: AS112
    (v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16), RESERVED),         // RFC 3701: 6bone
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), DOCUMENTATION),    // RFC 9637
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), IDENTIFIER),       // RFC 9602: segment routing
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), PRIVATE),           // RFC 4193: unique local
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), LINK_LOCAL),       // RFC 4291
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), PRIVATE),          // RFC 3879: site-local
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), MULTICAST),         // RFC 4291
];

/// The only part of IPv6 that is for hosts of the public Internet (RFC 4291, section 2.4).
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// RFC 4291, section 2.5.5.1.
const COMPATIBLE: Ipv6Net = v6([0, 0, 0, 0, 0, 0, 0, 0], 96);
/// RFC 4291, section 2.5.5.2.
const MAPPED: Ipv6Net = v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);
/// RFC 2765, section 2.1.
const TRANSLATED: Ipv6Net = v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96);
/// RFC 6052: the well-known prefix of NAT64.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
/// RFC 8215: prefixes of NAT64 for local use.
const NAT64_LOCAL: Ipv6Net = v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48);
/// RFC 4380.
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
/// RFC 3056.
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);

/// What an address is if it is not an ordinary public one.
pub(super) fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => {
            SPECIAL_V4.iter().find(|(network, _)| network.contains(&ip)).map(|(_, what)| *what)
        }
        IpAddr::V6(ip) => {
            let listed = SPECIAL_V6.iter().find(|(network, _)| network.contains(&ip));
            match listed {
                Some((_, what)) => Some(what),
                None if is_isatap(ip) => Some(EMBEDDED),
                None if GLOBAL_UNICAST.contains(&ip) => None,
                None => Some(RESERVED),
            }
        }
    }
}

/// The IPv4 addresses inside of an IPv6 address, to which a packet for it may be sent in the end.
pub(super) fn embedded(ip: Ipv6Addr) -> Vec<Ipv4Addr> {
    let last = four(ip, 12);
    if ip.is_unspecified() || ip.is_loopback() {
        Vec::new()
    } else if SIX_TO_FOUR.contains(&ip) {
        vec![four(ip, 2)]
    } else if TEREDO.contains(&ip) {
        // The server, and the client with every bit turned round.
        vec![four(ip, 4), Ipv4Addr::from_bits(!last.to_bits())]
    } else if NAT64_LOCAL.contains(&ip) {
        // How long the prefix is only its network knows.
        let lengths =
            nat64::LENGTHS.into_iter().filter(|length| *length >= NAT64_LOCAL.prefix_len());
        lengths.map(|length| nat64::after(length, ip)).collect()
    } else if [COMPATIBLE, MAPPED, TRANSLATED, NAT64].iter().any(|n| n.contains(&ip))
        || is_isatap(ip)
    {
        vec![last]
    } else {
        Vec::new()
    }
}

/// Whether the last half of the address says that it belongs to ISATAP (RFC 5214, section 6.1).
fn is_isatap(ip: Ipv6Addr) -> bool {
    matches!(ip.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _])
}

/// Four bytes of an address.
fn four(ip: Ipv6Addr, from: usize) -> Ipv4Addr {
    let octets = ip.octets();
    Ipv4Addr::new(octets[from], octets[from + 1], octets[from + 2], octets[from + 3])
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_ordinary() {
        for ip in [
            "1.1.1.1",
            "9.9.9.9",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.31.195.255",
            "192.31.197.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2620:fe::9",
            "2620:4f:8001::1",
            "2a00:1450:4001::1",
            "2a00:1450:4001:0:1:5efe:a00:1",
            "3ffd:ffff::1",
            "3fff:1000::1",
        ] {
            assert_eq!(special(ip.parse().unwrap()), None, "{ip}");
        }
    }

    #[test]
    fn the_first_and_the_last_address_of_each_special_network_are_what_it_is() {
        for (network, what) in SPECIAL_V4 {
            assert_eq!(special(network.network().into()), Some(what), "{network}");
            let last = if network.prefix_len() == 4 && what == RESERVED {
                Ipv4Addr::new(255, 255, 255, 254) // The last one is everybody's.
            } else {
                network.broadcast()
            };
            assert_eq!(special(last.into()), Some(what), "{network}");
        }
        for (network, what) in SPECIAL_V6 {
            for ip in [network.network(), network.broadcast()] {
                let first = SPECIAL_V6.iter().find(|(other, _)| other.contains(&ip));
                assert_eq!(special(ip.into()), first.map(|(_, what)| *what), "{ip}");
            }
            assert!(special(network.broadcast().into()) == Some(what), "{network}");
        }
    }

    #[test]
    fn special_addresses_of_every_kind_are_known_for_what_they_are() {
        for (ip, what) in [
            ("0.0.0.0", NO_HOST),
            ("0.1.2.3", NO_HOST),
            ("10.255.255.255", PRIVATE),
            ("100.64.0.0", PROVIDER),
            ("100.127.255.255", PROVIDER),
            ("100.100.100.200", PROVIDER),
            ("127.0.0.1", LOOPBACK),
            ("127.255.255.255", LOOPBACK),
            ("169.254.169.254", LINK_LOCAL),
            ("172.31.255.255", PRIVATE),
            ("192.0.0.170", RESERVED),
            ("192.0.2.1", DOCUMENTATION),
            ("192.88.99.2", RESERVED),
            ("192.168.0.1", PRIVATE),
            ("198.19.255.255", BENCHMARK),
            ("203.0.113.1", DOCUMENTATION),
            ("239.255.255.255", MULTICAST),
            ("240.0.0.1", RESERVED),
            ("255.255.255.255", "an address of everybody"),
            ("::", NO_HOST),
            ("::1", LOOPBACK),
            ("::2", EMBEDDED),
            ("::7f00:1", EMBEDDED),
            ("::9.9.9.9", EMBEDDED),
            ("::ffff:127.0.0.1", EMBEDDED),
            ("::ffff:0:9.9.9.9", EMBEDDED),
            ("64:ff9b::7f00:1", EMBEDDED),
            ("64:ff9b:1::7f00:1", EMBEDDED),
            ("64:ff9b:2::1", RESERVED),
            ("64:ff9b::1:0:0:1", RESERVED),
            ("100::1", DISCARD),
            ("100:0:0:1::1", DISCARD),
            ("100:0:0:2::1", RESERVED),
            ("2001::1", EMBEDDED),
            ("2001:1::1", RESERVED),
            ("2001:2::1", BENCHMARK),
            ("2001:3::1", RESERVED),
            ("2001:4:112::1", RESERVED),
            ("2001:10::1", IDENTIFIER),
            ("2001:2f:ffff::1", IDENTIFIER),
            ("2001:30::1", IDENTIFIER),
            ("2001:1ff::1", RESERVED),
            ("2001:db8::1", DOCUMENTATION),
            ("2002:7f00:1::1", EMBEDDED),
            ("2620:4f:8000::1", RESERVED),
            ("2a00:1450::200:5efe:a00:1", EMBEDDED),
            ("2a00:1450::5efe:a00:1", EMBEDDED),
            ("3ffe::1", RESERVED),
            ("3fff:fff::1", DOCUMENTATION),
            ("4000::1", RESERVED),
            ("5f00::1", IDENTIFIER),
            ("1fff::1", RESERVED),
            ("fc00::1", PRIVATE),
            ("fdff::1", PRIVATE),
            ("fe00::1", RESERVED),
            ("fe80::1", LINK_LOCAL),
            ("fec0::1", PRIVATE),
            ("feff::1", PRIVATE),
            ("ff02::1", MULTICAST),
        ] {
            assert_eq!(special(ip.parse().unwrap()), Some(what), "{ip}");
        }
    }

    #[test]
    fn addresses_inside_of_others_are_found() {
        for (ip, inside) in [
            ("::7f00:1", &["127.0.0.1"][..]),
            ("::ffff:10.0.0.1", &["10.0.0.1"]),
            ("::ffff:0:10.0.0.1", &["10.0.0.1"]),
            ("64:ff9b::10.0.0.1", &["10.0.0.1"]),
            ("64:ff9b:1:909:9:900:10.0.0.1", &["9.9.9.9", "9.9.9.0", "9.9.0.10", "10.0.0.1"]),
            ("2002:a00:1::1", &["10.0.0.1"]),
            ("2001:0:909:909:0:1:f5ff:fffe", &["9.9.9.9", "10.0.0.1"]),
            ("2a00:1450::200:5efe:a00:1", &["10.0.0.1"]),
            ("::", &[]),
            ("::1", &[]),
            ("2620:fe::9", &[]),
        ] {
            let inside: Vec<Ipv4Addr> = inside.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(embedded(ip.parse().unwrap()), inside, "{ip}");
        }
    }
}
