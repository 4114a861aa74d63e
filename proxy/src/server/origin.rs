//! Which pages may use the proxy.
//!
//! A browser lets any page open a WebSocket to anywhere, and says in `Origin` which page it was.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{HOST, ORIGIN},
        request::Parts,
        uri::Authority,
    },
    response::{IntoResponse, Response},
};
use tracing::debug;

use super::Shared;

/// Where a browser says how the page that asks relates to what it asks (W3C Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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

/// The pages that may use the proxy.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    listed: Vec<Origin>,
}

/// The page that opens a WebSocket: a browser always says which one it is.
pub(crate) struct TunnelPage(pub(crate) Origin);

/// The page that asks for something else: a browser does not say which one it is when it is the
/// proxy's own and only reads.
pub(crate) struct AskingPage(pub(crate) Origin);

/// Whether a request came over TLS that the proxy ended; an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secure(pub(crate) bool);

impl Origins {
    pub(crate) fn new(listed: Vec<Origin>) -> Self {
        Self { listed }
    }

    /// The page that sent this request, if it is the proxy's own, opened by an address or as
    /// `localhost`, or a listed one. The proxy does not know which names are its own: they must be
    /// listed.
    pub(crate) fn named(&self, request: &Parts) -> Option<Origin> {
        let origin: Origin = only(&request.headers, &ORIGIN)?.parse().ok()?;
        let admitted = self.listed.contains(&origin) || own(request).as_ref() == Some(&origin);
        admitted.then_some(origin)
    }

    /// The same for a request that may do without `Origin`. Then nothing may speak against its
    /// being the proxy's own page; what that can read, no other page can, since it is not shared.
    pub(crate) fn asking(&self, request: &Parts) -> Option<Origin> {
        if request.headers.contains_key(ORIGIN) {
            return self.named(request);
        }
        let foreign = request.headers.contains_key(FETCH_SITE)
            && only(&request.headers, &FETCH_SITE) != Some("same-origin");
        if foreign {
            return None;
        }
        own(request).or_else(|| {
            let host = authority(request)?;
            let is_host =
                |origin: &&Origin| Origin::new(origin.secure, host).as_ref() == Some(*origin);
            self.listed.iter().find(is_host).cloned()
        })
    }

    /// The pages that may have sent a request that shows a token: which of them it was, the token
    /// says. A browser names the page only with requests that change something.
    pub(crate) fn possible(&self, request: &Parts) -> Vec<Origin> {
        if request.headers.contains_key(ORIGIN) {
            return self.named(request).into_iter().collect();
        }
        let foreign = request.headers.contains_key(FETCH_SITE)
            && only(&request.headers, &FETCH_SITE) != Some("same-origin");
        if foreign {
            return Vec::new();
        }
        own(request).into_iter().chain(self.listed.iter().cloned()).collect()
    }
}

/// The page that the proxy serves itself under the name that the request gives it.
///
/// Its owner can point a name to this machine at any time ("DNS rebinding"), which must not make a
/// stranger's page the proxy's own. An address belongs to whom it belongs.
fn own(request: &Parts) -> Option<Origin> {
    let secure = request.extensions.get().is_some_and(|Secure(secure)| *secure);
    Origin::new(secure, authority(request)?).filter(Origin::is_no_strangers_name)
}

/// The host that was asked, with its port: `Host`, or `:authority` in HTTP/2.
fn authority(request: &Parts) -> Option<&str> {
    match request.uri.authority() {
        Some(authority) if !request.headers.contains_key(HOST) => Some(authority.as_str()),
        _ => only(&request.headers, &HOST),
    }
}

impl FromRequestParts<Arc<Shared>> for TunnelPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        shared.origins.named(parts).map(Self).ok_or_else(stranger)
    }
}

impl FromRequestParts<Arc<Shared>> for AskingPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        shared.origins.asking(parts).map(Self).ok_or_else(stranger)
    }
}

fn stranger() -> Response {
    debug!("a page of another origin asked for something; `origins` lists those that may");
    (StatusCode::FORBIDDEN, "this page may not use this proxy\n").into_response()
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
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/tunnel");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn origins() -> Origins {
        Origins::new(vec!["https://mail.example.org".parse().unwrap()])
    }

    fn admits(origin: &[&str], host: &[&str]) -> bool {
        let origin = origin.iter().map(|value| ("origin", *value));
        let host = host.iter().map(|value| ("host", *value));
        let request = request(&origin.chain(host).collect::<Vec<_>>());
        let named = origins().named(&request);
        // What names its origin is treated alike, whatever it asks for.
        if !origin_is_missing(&request) {
            assert_eq!(origins().asking(&request), named);
        }
        named.is_some()
    }

    fn origin_is_missing(request: &Parts) -> bool {
        !request.headers.contains_key(ORIGIN)
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
            ("", "localhost"),
            ("null", "localhost"),
            ("NULL", "localhost"),
            ("file://", "localhost"),
            ("HTTPS://mail.example.org", "mail.example.org"),
            ("https://mail.example.org.", "mail.example.org"),
            ("https://mail.example.org:65979", "127.0.0.1:8080"),
            ("http://mail.example.org", "127.0.0.1:8080"),
            ("https://mail.example.org:8443", "127.0.0.1:8080"),
            ("https://sub.mail.example.org", "127.0.0.1:8080"),
            ("https://mail.example.org.evil.example", "127.0.0.1:8080"),
            ("https://evil.example, https://mail.example.org", "127.0.0.1:8080"),
            ("https://mail.example.org https://evil.example", "127.0.0.1:8080"),
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

    #[test]
    fn over_tls_that_the_proxy_ends_its_own_page_is_a_secure_one() {
        for (origin, secure, admitted) in [
            ("https://127.0.0.1", true, true),
            ("https://127.0.0.1:443", true, true),
            ("http://127.0.0.1", true, false),
            ("http://127.0.0.1", false, true),
            ("https://127.0.0.1", false, false),
        ] {
            let mut request = request(&[("origin", origin), ("host", "127.0.0.1")]);
            request.extensions.insert(Secure(secure));
            assert_eq!(origins().named(&request).is_some(), admitted, "{origin} {secure}");
        }
    }

    #[test]
    fn a_request_that_does_not_say_its_page_may_be_of_any_that_is_admitted() {
        let possible = |headers: &[(&str, &str)]| -> Vec<String> {
            let possible = origins().possible(&request(headers));
            possible.iter().map(ToString::to_string).collect()
        };
        let (own, listed) = ("http://localhost:8080", "https://mail.example.org:443");
        let host = ("host", "localhost:8080");
        assert_eq!(possible(&[host]), [own, listed]);
        assert_eq!(possible(&[host, ("sec-fetch-site", "same-origin")]), [own, listed]);
        assert_eq!(possible(&[("host", "mail.example.net")]), [listed]);
        assert_eq!(possible(&[host, ("origin", own)]), [own]);
        for stranger in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "none"),
        ] {
            assert!(possible(&[host, stranger]).is_empty(), "{stranger:?}");
        }
    }

    #[test]
    fn in_http_2_the_authority_is_the_host() {
        let mut request = request(&[("origin", "http://localhost:8080")]);
        request.uri = "http://localhost:8080/tunnel".parse().unwrap();
        assert!(origins().named(&request).is_some());
        request.uri = "http://localhost:8081/tunnel".parse().unwrap();
        assert!(origins().named(&request).is_none());
    }

    #[test]
    fn a_page_that_only_reads_need_not_name_its_origin_if_nothing_speaks_against_it() {
        let asked = |headers: &[(&str, &str)]| {
            origins().asking(&request(headers)).map(|origin| origin.to_string())
        };
        for (site, host, page) in [
            (None, "localhost:8080", Some("http://localhost:8080")),
            (None, "192.168.1.2", Some("http://192.168.1.2:80")),
            (None, "mail.example.org", Some("https://mail.example.org:443")),
            (None, "MAIL.example.org:443", Some("https://mail.example.org:443")),
            (Some("same-origin"), "localhost", Some("http://localhost:80")),
            (Some("same-site"), "localhost", None),
            (Some("cross-site"), "localhost", None),
            (Some("none"), "localhost", None),
            (Some(""), "localhost", None),
            (None, "mail.example.org:80", None),
            (None, "evil.example", None),
        ] {
            let mut headers = vec![("host", host)];
            headers.extend(site.map(|site| ("sec-fetch-site", site)));
            assert_eq!(asked(&headers).as_deref(), page, "{site:?} {host}");
        }
        let twice = ("sec-fetch-site", "same-origin");
        assert_eq!(asked(&[("host", "localhost"), twice, twice]), None);
        assert_eq!(asked(&[("host", "localhost"), ("origin", "null")]), None);
        assert_eq!(asked(&[]), None);
    }
}
