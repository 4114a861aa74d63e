//! From HTTP to HTTPS.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{
        StatusCode, Uri,
        header::{HOST, HeaderValue, LOCATION},
        uri::Authority,
    },
    response::{IntoResponse, Response},
};

use super::{Shared, health};
use crate::config::Config;

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// What the listener without TLS answers: where there is TLS, and that the proxy lives.
pub(super) fn router(shared: Arc<Shared>, port: u16) -> Router {
    let redirect = async move |request: Request| redirect(&request, port);
    Router::new().merge(health::routes()).fallback(redirect).with_state(shared)
}

/// The port at which browsers find the page, which may be another than the one that is listened
/// on: `origins` says so.
pub(super) fn public_port(config: &Config, listen: SocketAddr) -> u16 {
    let origins = config.origins.iter().filter_map(|origin| origin.to_string().parse().ok());
    let mut secure = origins.filter(|origin: &Uri| origin.scheme_str() == Some("https"));
    secure.next().map_or(listen.port(), |origin| origin.port_u16().unwrap_or(HTTPS))
}

fn redirect(request: &Request, port: u16) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let location = host
        .and_then(|host| location(host, path, port))
        .and_then(|location| HeaderValue::try_from(location).ok());
    match location {
        Some(location) => {
            (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)], "this page has HTTPS\n")
                .into_response()
        }
        None => (StatusCode::BAD_REQUEST, "the request must name its host\n").into_response(),
    }
}

/// The same on the port with TLS.
fn location(host: &str, path: &str, port: u16) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let host = authority.host();
    // A user's name before the host would look like a host.
    let is_clear = !host.is_empty() && !authority.as_str().contains('@') && path.starts_with('/');
    is_clear.then(|| match port {
        HTTPS => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_with_tls() {
        for (host, path, port, expected) in [
            ("mail.example.org", "/", 443, Some("https://mail.example.org/")),
            ("mail.example.org:80", "/a?b=c", 443, Some("https://mail.example.org/a?b=c")),
            ("mail.example.org:8080", "/", 8443, Some("https://mail.example.org:8443/")),
            ("[2001:db8::1]:80", "/x", 443, Some("https://[2001:db8::1]/x")),
            ("192.0.2.1", "//evil.example", 443, Some("https://192.0.2.1//evil.example")),
            ("mail.example.org@evil.example", "/", 443, None),
            ("mail.example.org", "*", 443, None),
            ("mail.example.org", "http://evil.example/", 443, None),
            ("", "/", 443, None),
            ("a b", "/", 443, None),
        ] {
            assert_eq!(location(host, path, port).as_deref(), expected, "{host} {path}");
        }
    }
}
