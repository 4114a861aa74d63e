//! What one client may use, and what it hears when that is used up.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, time::Duration};

use futures_util::SinkExt;
use postern::Config;
use postern_tunnel::{FromPage, FromProxy, Open, Refusal, SUBPROTOCOL, TOKEN_PATH, TlsMode};
use support::{
    HOST, Running, destination,
    http::get,
    page::{Heard, PLENTY, Page, fetch_token, open},
    server::echo,
    start,
};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// A proxy with other limits than usual that may reach one server, or some that do not exist.
async fn proxy(server: SocketAddr, change: impl FnOnce(&mut Config)) -> Running {
    start(change, |builder| builder.allow(destination(server))).await
}

/// Why a page with these headers gets no tunnel, if so.
async fn refused(proxy: &Running, port: u16, headers: &[(&'static str, &str)]) -> Option<Refusal> {
    let token = fetch_token(proxy.addr, &[]).await;
    let mut all = vec![
        ("origin", format!("http://{}", proxy.addr)),
        ("sec-websocket-protocol", SUBPROTOCOL.to_owned()),
    ];
    all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let mut page = Page::connect_with(proxy.addr, &all).await.unwrap();
    let mut first = open(HOST, port, TlsMode::EndToEnd, PLENTY);
    first.token = Some(token);
    // One that is refused at once hears so whether it speaks or not.
    let _ = page.0.send(FromPage::Open(first).to_text().into()).await;
    match page.hear().await {
        Heard::Control(FromProxy::Opened(_)) => None,
        Heard::Control(FromProxy::Refused(refused)) => Some(refused.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_that_opens_too_many_tunnels_in_a_minute_is_told_so() {
    let server = echo().await;
    let proxy = proxy(server, |config| config.limits.connections_per_client_per_minute = 2).await;
    for expected in [None, None, Some(Refusal::TooMany)] {
        assert_eq!(refused(&proxy, server.port(), &[]).await, expected);
    }
}

#[tokio::test]
async fn a_client_that_asks_for_too_many_servers_is_told_so_but_keeps_those_it_has() {
    let server = echo().await;
    let proxy = proxy(server, |config| {
        config.limits.destinations_per_client_per_hour = 1;
        config.limits.connect = Duration::from_secs(1);
    })
    .await;
    for (port, expected) in
        [(server.port(), None), (993, Some(Refusal::TooMany)), (server.port(), None)]
    {
        assert_eq!(refused(&proxy, port, &[]).await, expected, "{port}");
    }
}

#[tokio::test]
async fn a_tunnel_that_has_carried_too_much_ends_and_no_other_opens() {
    let server = echo().await;
    let proxy = proxy(server, |config| config.limits.bytes_per_client_per_hour = 100_000).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    // It may be over before everything is said.
    for _ in 0..10 {
        let _ = page.0.send(Message::binary(vec![0; 6_000])).await;
    }
    assert_eq!(page.hear_refused().await.code, Refusal::TooMany);
    assert_eq!(refused(&proxy, server.port(), &[]).await, Some(Refusal::TooMany));
}

#[tokio::test]
async fn behind_a_trusted_reverse_proxy_each_client_has_its_own_limits() {
    let server = echo().await;
    let proxy = proxy(server, |config| {
        config.limits.connections_per_client_per_minute = 1;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.open_relay = true;
    })
    .await;
    for (list, expected) in [
        ("192.0.2.1", None),
        ("192.0.2.1", Some(Refusal::TooMany)),
        // What the client wrote itself changes nothing.
        ("203.0.113.9, 192.0.2.1", Some(Refusal::TooMany)),
        ("192.0.2.2", None),
        ("2001:db8::1", None),
        ("2001:db8::2", Some(Refusal::TooMany)),
        ("2001:db8:0:1::1", None),
    ] {
        let headers = [("x-forwarded-for", list)];
        assert_eq!(refused(&proxy, server.port(), &headers).await, expected, "{list}");
    }
}

#[tokio::test]
async fn strangers_without_a_token_use_up_nothing_of_what_is_for_all() {
    let server = echo().await;
    let proxy = proxy(server, |config| {
        config.limits.connections = 1;
        config.limits.connections_per_minute = 1;
        config.limits.destinations_per_hour = 1;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.open_relay = true;
    })
    .await;
    let origin = format!("http://{}", proxy.addr);
    let mut strangers = Vec::new();
    for n in 0..10 {
        let headers = [
            ("origin", origin.clone()),
            ("sec-websocket-protocol", SUBPROTOCOL.to_owned()),
            ("x-forwarded-for", format!("2001:db8:0:{n}::1")),
        ];
        let mut page = Page::connect_with(proxy.addr, &headers).await.unwrap();
        if n % 2 == 0 {
            let token = Some("no token".to_owned());
            let first = Open { token, ..open("elsewhere.example", 993, TlsMode::None, PLENTY) };
            page.say(&FromPage::Open(first)).await;
            assert_eq!(page.hear_refused().await.code, Refusal::AccessDenied);
        }
        strangers.push(page);
    }
    let headers = [("x-forwarded-for", "192.0.2.1")];
    assert_eq!(refused(&proxy, server.port(), &headers).await, None);
}

#[tokio::test]
async fn without_trust_every_header_is_a_strangers() {
    let server = echo().await;
    let proxy = proxy(server, |config| config.limits.connections_per_client_per_minute = 1).await;
    for (list, expected) in [("192.0.2.1", None), ("192.0.2.2", Some(Refusal::TooMany))] {
        let headers = [("x-forwarded-for", list), ("forwarded", "for=192.0.2.3")];
        assert_eq!(refused(&proxy, server.port(), &headers).await, expected, "{list}");
    }
}

#[tokio::test]
async fn tokens_can_be_had_so_often_a_minute_and_no_more() {
    let proxy = start(|config| config.limits.tokens_per_client_per_minute = 2, |builder| builder);
    let proxy = proxy.await;
    for status in [200, 200, 429] {
        let response = get(proxy.addr, TOKEN_PATH, &[]).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("retry-after"), (status == 429).then_some("60"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn who_tries_wrong_keys_can_not_go_on_with_the_right_one_but_others_can() {
    let key = "a-long-enough-secret";
    let proxy = start(
        |config| {
            config.access_key = Some(key.parse().unwrap());
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        },
        |builder| builder,
    )
    .await;
    let ask = async |client: &str, key: &str| {
        let client = format!("X-Forwarded-For: {client}");
        let key = format!("Authorization: Bearer {key}");
        get(proxy.addr, TOKEN_PATH, &[&client, &key]).await.status
    };
    for _ in 0..postern::limits::KEY_TRIES_PER_MINUTE {
        assert_eq!(ask("192.0.2.1", "a-wrong-key-of-good-length").await, 401);
    }
    assert_eq!(ask("192.0.2.1", key).await, 429);
    assert_eq!(ask("192.0.2.2", key).await, 200);
}

#[tokio::test]
async fn a_page_that_only_trickles_never_gets_a_tunnel() {
    let server = echo().await;
    let proxy = proxy(server, |config| config.limits.open = Duration::from_millis(200)).await;
    let mut page = Page::connect(proxy.addr).await;
    // It goes on as long as it is listened to: the time for all of it counts, not for each.
    let trickle = async {
        loop {
            if page.0.send(Message::Ping(Bytes::new())).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    support::soon(trickle).await;
}
