//! Who gets a WebSocket.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use postern_tunnel::SUBPROTOCOL;
use support::{http::get, page::Page, start};
use tokio_tungstenite::tungstenite::Error;

fn status(result: Result<Page, Error>) -> u16 {
    match result {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn only_the_own_page_and_listed_ones_get_a_tunnel() {
    let proxy = start(
        |config| {
            config.origins = vec!["https://mail.example.org".parse().unwrap()];
            config.open_relay = true;
        },
        |builder| builder,
    )
    .await;
    let own = format!("http://{}", proxy.addr);
    for (origin, expected) in [
        (Some(own.as_str()), 101),
        (Some("https://mail.example.org"), 101),
        (Some("https://mail.example.org:443"), 101),
        (Some("https://mail.example.org:8443"), 403),
        (Some("http://mail.example.org"), 403),
        (Some("http://127.0.0.1"), 403),
        (Some("https://evil.example"), 403),
        (Some("null"), 403),
        (None, 403),
    ] {
        let mut headers = vec![("sec-websocket-protocol", SUBPROTOCOL.to_owned())];
        headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
        assert_eq!(status(Page::connect_with(proxy.addr, &headers).await), expected, "{origin:?}");
    }
}

#[tokio::test]
async fn the_subprotocol_must_be_the_one() {
    let proxy = start(|_| {}, |builder| builder).await;
    for (protocol, expected) in [
        (Some("postern.v1"), 101),
        (Some("postern.v2, postern.v1"), 101),
        (Some("postern.v2"), 400),
        (Some("binary"), 400),
        (None, 400),
    ] {
        let mut headers = vec![("origin", format!("http://{}", proxy.addr))];
        headers.extend(protocol.map(|protocol| ("sec-websocket-protocol", protocol.to_owned())));
        let result = Page::connect_with(proxy.addr, &headers).await;
        // The client library has its own view of a server that takes none of its subprotocols.
        assert_eq!(status(result), expected, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_gets_no_tunnel() {
    let proxy = start(|_| {}, |builder| builder).await;
    let origin = format!("Origin: http://{}", proxy.addr);
    let response = get(proxy.addr, "/tunnel", &[&origin]).await;
    assert!((400..500).contains(&response.status), "{}", response.status);
}
