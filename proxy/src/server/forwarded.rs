//! Whose request a reverse proxy passes on.
//!
//! Anybody can write `X-Forwarded-For` or `Forwarded` (RFC 7239) into a request. Each reverse proxy
//! appends the address that it was asked from: so they are read from the right, and only as far as
//! those who wrote them are trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The reverse proxies whose word counts.
#[derive(Clone, Debug)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

/// An address on the way, as the hop after it wrote it down; `None` if it can't be read.
type Hop = Option<IpAddr>;

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether this is one of them.
    pub(crate) fn include(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// From where a request comes that `peer` sent: the nearest address on its way that is not a
    /// trusted proxy's.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.include(peer) {
            return peer;
        }
        let values =
            |name: HeaderName| headers.get_all(name).iter().rev().map(|value| value.to_str().ok());
        let listed = values(X_FORWARDED_FOR).flat_map(|line| match line {
            Some(line) => line.split(',').rev().map(address).collect(),
            None => vec![None],
        });
        let described = values(FORWARDED).flat_map(|line| match line.and_then(elements) {
            Some(elements) => elements.into_iter().rev().map(element).collect(),
            None => vec![None],
        });
        match (headers.contains_key(&X_FORWARDED_FOR), headers.contains_key(FORWARDED)) {
            (false, false) => peer,
            (true, false) => self.nearest_stranger(peer, listed),
            (false, true) => self.nearest_stranger(peer, described),
            (true, true) => {
                // A reverse proxy may write one and pass on the other as it came. If they differ,
                // nobody can tell which is the client's own invention.
                let client = self.nearest_stranger(peer, listed);
                if self.nearest_stranger(peer, described) == client { client } else { peer }
            }
        }
    }

    fn nearest_stranger(&self, peer: IpAddr, hops: impl Iterator<Item = Hop>) -> IpAddr {
        let mut nearest = peer;
        for hop in hops {
            // Beyond what can't be read nothing can be believed.
            let Some(ip) = hop else { break };
            nearest = ip;
            if !self.include(ip) {
                break;
            }
        }
        nearest
    }
}

/// An address, perhaps with a port; one of IPv6 perhaps in brackets.
fn address(text: &str) -> Hop {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let ip = text.parse().ok().or_else(bracketed);
    let ip = ip.or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()));
    ip.map(|ip| ip.to_canonical())
}

/// Splits at commas that are not within quotes; `None` if a quote does not end.
fn elements(line: &str) -> Option<Vec<&str>> {
    split(line, ',')
}

/// What an element of `Forwarded` says about who asked.
fn element(element: &str) -> Hop {
    let pairs = split(element, ';')?;
    let mut values = pairs.iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    address(value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value))
}

fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut quoted = false;
    let parts = text.split(|c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    let parts = parts.collect();
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From where a request comes, if 10.0.0.0/8 and 2001:db8:f::/48 are trusted.
    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:f::/48"].map(|network| network.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        TrustedProxies::new(trusted.to_vec()).client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        for header in ["x-forwarded-for", "forwarded"] {
            for value in ["192.0.2.1", "for=192.0.2.1", "10.0.0.1"] {
                assert_eq!(client("198.51.100.7", &[(header, value)]), "198.51.100.7");
            }
        }
        assert_eq!(client("::ffff:198.51.100.7", &[]), "::ffff:198.51.100.7");
    }

    #[test]
    fn of_a_list_the_nearest_stranger_counts() {
        for (list, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1 ", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            // What a client wrote itself stands on the left.
            ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.1, 192.0.2.1", "192.0.2.1"),
            ("garbage, 192.0.2.1", "192.0.2.1"),
            // Several trusted proxies in a row.
            ("192.0.2.1, 10.1.1.1", "192.0.2.1"),
            ("203.0.113.9, 192.0.2.1, 2001:db8:f::2, 10.1.1.1", "192.0.2.1"),
            ("192.0.2.1,10.1.1.1,", "10.0.0.1"),
            // A client within the trusted network.
            ("10.2.2.2", "10.2.2.2"),
            ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
            // What can't be read ends it.
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, unknown, 10.1.1.1", "10.1.1.1"),
            ("192.0.2.999", "10.0.0.1"),
            ("192.0.2.1:99999", "10.0.0.1"),
            ("[2001:db8::1", "10.0.0.1"),
            ("", "10.0.0.1"),
            (",", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", list)]), expected, "{list}");
        }
    }

    #[test]
    fn of_descriptions_the_nearest_stranger_counts() {
        for (line, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1"),
            ("proto=https; for=\"192.0.2.1:4711\"", "192.0.2.1"),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=\"[2001:db8::1]\"", "2001:db8::1"),
            ("for=203.0.113.9, for=192.0.2.1", "192.0.2.1"),
            ("for=192.0.2.1, for=10.1.1.1;by=10.0.0.1", "192.0.2.1"),
            ("for=192.0.2.1;host=\"a,b;c\"", "192.0.2.1"),
            // What a client wrote can't swallow what comes after it.
            ("for=\"203.0.113.9, for=192.0.2.1", "10.0.0.1"),
            ("for=192.0.2.1;for=203.0.113.9", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
            ("for=_hidden, for=10.1.1.1", "10.1.1.1"),
            ("proto=https", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("forwarded", line)]), expected, "{line}");
        }
    }

    #[test]
    fn lines_continue_each_other() {
        let lines =
            [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1, 10.1.1.1")];
        assert_eq!(client("10.0.0.1", &lines), "192.0.2.1");
        let lines = [("forwarded", "for=\"203.0.113.9"), ("forwarded", "for=192.0.2.1")];
        assert_eq!(client("10.0.0.1", &lines), "192.0.2.1");
    }

    #[test]
    fn of_two_headers_that_differ_neither_is_believed() {
        let both =
            |list, line| client("10.0.0.1", &[("x-forwarded-for", list), ("forwarded", line)]);
        assert_eq!(both("192.0.2.1", "for=192.0.2.1"), "192.0.2.1");
        assert_eq!(both("192.0.2.1", "for=203.0.113.9"), "10.0.0.1");
    }

    #[test]
    fn without_a_word_the_reverse_proxy_is_the_client() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
    }
}
