//! The request that a WebSocket begins with, and the answer.
//!
//! Over HTTP/1.1 that is a GET with an upgrade (RFC 6455, section 4.2), over HTTP/2 an extended
//! CONNECT (RFC 8441, section 5), which has neither key nor upgrade.

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    ext::Protocol,
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// What is hashed together with the key (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version of the protocol.
const VERSION: &str = "13";

/// A request that may become a WebSocket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Handshake {
    /// The key, hashed; none over HTTP/2.
    accept: Option<HeaderValue>,
}

/// Why a request can't become a WebSocket.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// It does not ask for one.
    #[error("this is for WebSockets")]
    NoUpgrade,
    /// It asks for another version of the protocol.
    #[error("the WebSocket's version must be 13")]
    Version,
    /// Its key is not the base64 of 16 bytes.
    #[error("the WebSocket's key can't be used")]
    Key,
}

impl Handshake {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// If it does not ask for a WebSocket as it must.
    pub fn read<B>(request: &Request<B>) -> Result<Self, Rejection> {
        let headers = request.headers();
        let extended = request.version() == Version::HTTP_2;
        let asks = if extended {
            let protocol = request.extensions().get::<Protocol>();
            request.method() == Method::CONNECT
                && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
        } else {
            request.method() == Method::GET
                && request.version() == Version::HTTP_11
                && lists(headers, &CONNECTION, "upgrade")
                && lists(headers, &UPGRADE, "websocket")
        };
        if !asks {
            return Err(Rejection::NoUpgrade);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
            return Err(Rejection::Version);
        }
        if extended {
            return Ok(Self { accept: None });
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(Rejection::Key)?.as_bytes();
        if BASE64_STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
            return Err(Rejection::Key);
        }
        let accept = HeaderValue::from_str(&accept(key)).map_err(|_| Rejection::Key)?;
        Ok(Self { accept: Some(accept) })
    }

    /// The answer that makes a WebSocket with this subprotocol of the request.
    pub fn answer<B: Default>(self, subprotocol: &'static str) -> Response<B> {
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
        if let Some(accept) = self.accept {
            headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        response
    }
}

impl Rejection {
    /// The answer.
    pub fn answer<B: From<String>>(self) -> Response<B> {
        let mut response = Response::new(B::from(format!("{self}\n")));
        let (status, header) = match self {
            Self::NoUpgrade => (StatusCode::UPGRADE_REQUIRED, Some((UPGRADE, "websocket"))),
            Self::Version => (StatusCode::UPGRADE_REQUIRED, Some((SEC_WEBSOCKET_VERSION, VERSION))),
            Self::Key => (StatusCode::BAD_REQUEST, None),
        };
        *response.status_mut() = status;
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The subprotocols that a page offers.
pub fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    tokens(headers, &SEC_WEBSOCKET_PROTOCOL)
}

/// Whether a header lists this token.
fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|listed| listed.eq_ignore_ascii_case(token))
}

fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn accept(key: &[u8]) -> String {
    let hashed = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID.as_bytes()].concat());
    BASE64_STANDARD.encode(hashed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/tunnel");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[test]
    fn the_example_of_the_rfc() {
        let handshake = Handshake::read(&request(&GOOD)).unwrap();
        let response = handshake.answer::<()>("chat");
        assert_eq!(response.status(), 101);
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(header("upgrade"), "websocket");
        assert_eq!(header("connection"), "Upgrade");
        assert_eq!(header("sec-websocket-protocol"), "chat");
    }

    #[test]
    fn a_request_must_ask_for_a_websocket_as_it_should() {
        let with = |name: &str, value: &str| {
            let mut headers = GOOD;
            for header in headers.iter_mut().filter(|header| header.0 == name) {
                header.1 = value;
            }
            Handshake::read(&request(&headers)).unwrap_err()
        };
        assert_eq!(with("connection", "keep-alive"), Rejection::NoUpgrade);
        assert_eq!(with("upgrade", "h2c"), Rejection::NoUpgrade);
        assert_eq!(with("sec-websocket-version", "8"), Rejection::Version);
        assert_eq!(with("sec-websocket-key", "c2hvcnQ="), Rejection::Key);
        assert_eq!(with("sec-websocket-key", "????"), Rejection::Key);
        for missing in 0..GOOD.len() {
            let rest = [&GOOD[..missing], &GOOD[missing + 1..]].concat();
            assert!(Handshake::read(&request(&rest)).is_err(), "{}", GOOD[missing].0);
        }
        let mut post = request(&GOOD);
        *post.method_mut() = Method::POST;
        assert_eq!(Handshake::read(&post), Err(Rejection::NoUpgrade));
        let mut old = request(&GOOD);
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(Handshake::read(&old), Err(Rejection::NoUpgrade));
    }

    #[test]
    fn over_http2_it_is_an_extended_connect_without_key() {
        let mut connect = request(&[("sec-websocket-version", "13")]);
        *connect.version_mut() = Version::HTTP_2;
        assert_eq!(Handshake::read(&connect), Err(Rejection::NoUpgrade));
        *connect.method_mut() = Method::CONNECT;
        assert_eq!(Handshake::read(&connect), Err(Rejection::NoUpgrade));
        connect.extensions_mut().insert(Protocol::from_static("websocket"));
        let response = Handshake::read(&connect).unwrap().answer::<()>("chat");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().len(), 1);
    }

    #[test]
    fn subprotocols_are_listed_with_commas_or_in_several_headers() {
        let headers = |values: &[&str]| {
            let pairs: Vec<_> =
                values.iter().map(|value| ("sec-websocket-protocol", *value)).collect();
            request(&pairs).headers().clone()
        };
        let offers = |values: &[&str]| -> Vec<String> {
            offered(&headers(values)).map(str::to_owned).collect()
        };
        assert_eq!(offers(&["chat"]), ["chat"]);
        assert_eq!(offers(&["superchat , chat"]), ["superchat", "chat"]);
        assert_eq!(offers(&["superchat", "chat"]), ["superchat", "chat"]);
        assert!(offers(&[]).is_empty());
    }
}
