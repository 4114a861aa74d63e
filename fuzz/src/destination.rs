//! The destination policy: how hosts are written, and which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use postern::policy::{Denied, Host, HostPattern, MAIL_PORTS, Policy, Route};

/// For any text: reading it as a host never panics, a host has one spelling, an address is written
/// as the standard library has it, and what the URL standard's lenient reader takes for an address
/// is no name here. For any address: what passes is public in the standard library's eyes.
///
/// The first two bytes of the input are the port, the rest is the host; its last 16 and its last 4
/// bytes are addresses as well.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [high, low, rest @ ..] = input else { return };
    if let Ok(text) = std::str::from_utf8(rest) {
        check_host(text, u16::from_be_bytes([*high, *low]));
    }
    if let Some(octets) = rest.last_chunk::<16>() {
        check_address(Ipv6Addr::from(*octets).into());
    }
    if let Some(octets) = rest.last_chunk::<4>() {
        check_address(Ipv4Addr::from(*octets).into());
    }
}

fn check_host(text: &str, port: u16) {
    let policy = Policy::default();
    let everything = Policy::new(Vec::new(), Vec::new(), MAIL_PORTS, Vec::new());
    assert!(policy.destination(text, port).is_err(), "it has no ports");

    let _ = text.parse::<HostPattern>();
    let Ok(host) = text.parse::<Host>() else {
        assert!(matches!(everything.destination(text, port), Err(Denied::Host(_))));
        return;
    };
    let written = host.to_string();
    assert_eq!(written.parse(), Ok(host.clone()), "{text:?}");
    match &host {
        Host::Address(ip) => assert_eq!(text.parse(), Ok(*ip), "{text:?}"),
        Host::Name(name) => {
            assert!(written.parse::<IpAddr>().is_err(), "{text:?}");
            assert!(name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()));
            for spelling in [text, name] {
                let lenient = url::Host::parse(spelling);
                assert!(
                    !matches!(lenient, Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_))),
                    "{spelling:?} is {lenient:?}"
                );
            }
        }
    }
    match everything.destination(text, port) {
        Ok(target) => {
            assert!(MAIL_PORTS.contains(&port));
            assert_eq!(target.host, host);
            if let Route::Given(addresses) = target.route
                && !matches!(host, Host::Address(_))
            {
                assert!(everything.addresses(&addresses, 993).is_err(), "{text:?} is this machine");
            }
        }
        Err(denied) => assert_eq!(denied, Denied::Port(port)),
    }
}

fn check_address(ip: IpAddr) {
    let policy = Policy::default();
    let passes = policy.addresses(&[ip], 993).is_ok();
    assert!(!passes || is_public(ip), "{ip}");
    let public = IpAddr::from([9, 9, 9, 9]);
    if policy.addresses(&[public], 993).is_ok() {
        assert_eq!(policy.addresses(&[public, ip, public], 993).is_ok(), passes, "{ip}");
    }
}

/// What the standard library knows, which is less than the registries.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation())
        }
        IpAddr::V6(ip) => {
            !(ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                || ip.to_ipv4().is_some()
                // NAT64, Teredo, 6to4: they have an IPv4 address inside.
                || matches!(ip.segments(), [0x64, 0xff9b, ..] | [0x2001, 0, ..] | [0x2002, ..]))
        }
    }
}
