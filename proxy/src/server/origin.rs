//! Which pages may open tunnels.
//!
//! A browser lets any page open a WebSocket to anywhere, and says in `Origin` which page it was.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
    uri::Authority,
};

/// Scheme, host and port of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

/// The text is not an origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be an origin such as https://mail.example.org")]
pub struct BadOrigin;

/// The pages that may open tunnels.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    listed: Vec<Origin>,
}

/// Whether a request came over TLS that the proxy ended; an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secure(pub(crate) bool);

impl Origins {
    pub(crate) fn new(listed: Vec<Origin>) -> Self {
        Self { listed }
    }

    /// Whether the page that sent this request is the proxy's own, opened by an address or as
    /// `localhost`, or a listed one. The proxy does not know which names are its own: they must be
    /// listed.
    pub(crate) fn admit(&self, headers: &HeaderMap, Secure(secure): Secure) -> bool {
        let Some(origin) = only(headers, &ORIGIN).and_then(|text| text.parse::<Origin>().ok())
        else {
            return false;
        };
        if self.listed.contains(&origin) {
            return true;
        }
        let own = only(headers, &HOST).and_then(|host| Origin::new(secure, host));
        // Its owner can point a name to this machine at any time ("DNS rebinding"), which must not
        // make a stranger's page the proxy's own. An address belongs to whom it belongs.
        origin.is_no_strangers_name() && own == Some(origin)
    }
}

impl Origin {
    fn new(secure: bool, authority: &str) -> Option<Self> {
        let authority: Authority = authority.parse().ok()?;
        let (host, rest) = authority.as_str().split_at_checked(authority.host().len())?;
        let port = match rest.strip_prefix(':') {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok()?,
            None if rest.is_empty() => {
                if secure {
                    443
                } else {
                    80
                }
            }
            _ => return None,
        };
        // With a user name before the host the two differ.
        let whole = !host.is_empty() && host == authority.host();
        whole.then(|| Self { secure, host: host.to_ascii_lowercase(), port })
    }

    /// Whether the host is an address, or this machine's own name for itself.
    fn is_no_strangers_name(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || address.parse::<IpAddr>().is_ok()
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(BadOrigin)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(BadOrigin),
        };
        Self::new(secure, authority).ok_or(BadOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The value of a header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origin: &[&str], host: &[&str]) -> bool {
        let listed = vec!["https://mail.example.org".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in origin {
            headers.append(ORIGIN, value.parse().unwrap());
        }
        for value in host {
            headers.append(HOST, value.parse().unwrap());
        }
        Origins::new(listed).admit(&headers, Secure(false))
    }

    #[test]
    fn the_own_page_and_listed_ones_are_admitted() {
        for (origin, host) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:8080", "localhost:8080"),
            ("http://LOCALHOST:8080", "localhost:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://localhost", "localhost"),
            ("http://localhost", "localhost:80"),
            ("http://192.168.1.2:8080", "192.168.1.2:8080"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
            ("https://mail.example.org", "127.0.0.1:8080"),
            ("https://mail.example.org:443", "mail.example.org"),
        ] {
            assert!(admits(&[origin], &[host]), "{origin} on {host}");
        }
    }

    #[test]
    fn strangers_are_not() {
        for (origin, host) in [
            ("http://127.0.0.1:8081", "127.0.0.1:8080"),
            ("https://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:8080", "127.0.0.1:8080"),
            ("http://evil.example", "127.0.0.1:8080"),
            ("http://localhost.evil.example:8080", "localhost:8080"),
            ("http://user@localhost:8080", "localhost:8080"),
            ("http://localhost:8080", "user@localhost:8080"),
            ("http://localhost:8080/x", "localhost:8080"),
            ("http://localhost:", "localhost:"),
            ("http://localhost:+80", "localhost"),
            ("http://", ""),
            ("null", "localhost"),
            ("file://", "localhost"),
            ("http://mail.example.org", "127.0.0.1:8080"),
            ("https://mail.example.org:8443", "127.0.0.1:8080"),
            ("https://evil.example, https://mail.example.org", "127.0.0.1:8080"),
        ] {
            assert!(!admits(&[origin], &[host]), "{origin} on {host}");
        }
    }

    #[test]
    fn origin_and_host_must_be_there_once() {
        let (origin, host) = ("http://localhost", "localhost");
        assert!(!admits(&[], &[host]));
        assert!(!admits(&[origin], &[]));
        assert!(!admits(&[origin, origin], &[host]));
        assert!(!admits(&[origin], &[host, host]));
    }

    #[test]
    fn a_name_that_is_not_listed_is_a_stranger_wherever_it_points() {
        for host in ["evil.example:8080", "127.0.0.1.evil.example:8080", "mail.example.org"] {
            assert!(!admits(&[&format!("http://{host}")], &[host]), "{host}");
        }
    }
}
