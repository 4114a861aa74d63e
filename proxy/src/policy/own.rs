//! This machine's own addresses, public ones too: the proxy is not to be turned against itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Any port: none is connected to.
const PORT: u16 = 9;

/// Whether an address is one of this machine's own. Asked each time, for addresses come and go.
/// Nothing is sent.
///
/// Machines that let sockets have addresses of others, as some behind a load balancer do, only know
/// the addresses that they would speak from.
pub(super) fn is_own(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    speaks_from(ip) == Some(ip) || (lets_have(ip) && !lets_have(of_nobody(ip)))
}

/// The address from which this machine would speak to another one: the same if it is its own.
fn speaks_from(ip: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((ip, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Whether this machine lets a socket have the address.
fn lets_have(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// An address of the same family that no machine has (RFC 1112, section 4; RFC 6666).
fn of_nobody(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::new(240, 0, 0, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_knows_itself() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
        assert!(is_own(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()));
        // What it would speak from, if it has a way to others at all.
        for other in ["9.9.9.9", "2620:fe::9"] {
            if let Some(own) = speaks_from(other.parse().unwrap()) {
                assert!(is_own(own), "{own}");
            }
        }
    }

    #[test]
    fn other_machines_are_others() {
        for ip in ["9.9.9.9", "2620:fe::9"] {
            assert!(!is_own(ip.parse().unwrap()), "{ip}");
        }
    }
}
