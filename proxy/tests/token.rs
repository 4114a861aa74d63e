//! Who gets a token, and that nothing opens without one.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::future::BoxFuture;
use postern::{
    Config,
    policy::{Resolve, ResolveError},
};
use postern_tunnel::{FromPage, FromProxy, Open, Refusal, SUBPROTOCOL, TOKEN_PATH, TlsMode};
use ring::hmac;
use support::{
    HOST, destination,
    http::{get, request},
    page::{Heard, PLENTY, Page, fetch_token, open},
    server::{echo, listen},
    start, start_for,
};

const KEY: &str = "a-long-enough-secret";

/// Counts how often a name is looked up; finds none.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Resolve for Counting {
    fn addresses<'a>(
        &'a self,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Vec<std::net::IpAddr>, ResolveError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(ResolveError::NotFound) })
    }
}

fn to(port: u16, token: Option<&str>) -> FromPage {
    let token = token.map(str::to_owned);
    FromPage::Open(Open { token, ..open(HOST, port, TlsMode::EndToEnd, PLENTY) })
}

/// What a page without a token of its own hears that shows this one.
async fn shown(proxy: SocketAddr, port: u16, token: Option<&str>) -> Option<Refusal> {
    let mut page = Page::connect_without_token(proxy).await;
    page.say(&to(port, token)).await;
    match page.hear().await {
        Heard::Control(FromProxy::Opened(_)) => None,
        Heard::Control(FromProxy::Refused(refused)) => Some(refused.code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_opens_tunnels_until_it_is_over() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let token = fetch_token(proxy.addr, &[]).await;
    for _ in 0..2 {
        assert_eq!(shown(proxy.addr, server.port(), Some(&token)).await, None);
    }
}

#[tokio::test]
async fn without_a_good_token_nothing_is_looked_up_or_dialled() {
    let dialled = Arc::new(AtomicUsize::new(0));
    let counter = dialled.clone();
    let server = listen(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {}
    })
    .await;
    let other = start(|_| {}, |builder| builder).await;
    let foreign = fetch_token(other.addr, &[]).await;
    let looked_up = Arc::new(Counting::default());
    let (known, resolver) = (destination(server), looked_up.clone());
    let proxy = start(|_| {}, |builder| builder.allow(known).resolver(resolver)).await;
    let own = fetch_token(proxy.addr, &[]).await;
    let (whole, damage) = own.split_at(own.len() / 2);
    let other_sign = if damage.starts_with('A') { "B" } else { "A" };
    let damaged = [whole, other_sign, &damage[1..]].concat();
    for token in [None, Some(""), Some("token"), Some(&foreign), Some(&damaged)] {
        for port in [server.port(), 993] {
            let refused = shown(proxy.addr, port, token).await;
            assert_eq!(refused, Some(Refusal::AccessDenied), "{token:?}");
        }
    }
    assert_eq!(dialled.load(Ordering::SeqCst), 0);
    assert_eq!(looked_up.0.load(Ordering::SeqCst), 0);
    assert_eq!(shown(proxy.addr, 993, Some(&own)).await, Some(Refusal::UnknownHost));
    assert_eq!(looked_up.0.load(Ordering::SeqCst), 1);
}

/// A token that the proxy of this key would have made earlier, out of one that it has made now.
fn aged(token: &str, key: &[u8], origin: &str, by: Duration) -> String {
    let mut claims = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    claims.truncate(claims.len() - 32);
    let expiry = u64::from_be_bytes(claims[1..9].try_into().unwrap());
    claims[1..9].copy_from_slice(&(expiry - by.as_secs()).to_be_bytes());
    let signed = [b"postern tunnel token\0", &claims[..], origin.as_bytes()].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed);
    BASE64_URL_SAFE_NO_PAD.encode([&claims, tag.as_ref()].concat())
}

#[tokio::test]
async fn a_token_whose_time_is_over_opens_nothing() {
    let (key, server) = ([7; 32], echo().await);
    let looked_up = Arc::new(Counting::default());
    let (known, resolver) = (destination(server), looked_up.clone());
    let proxy = start(
        |config| config.token_keys = vec![BASE64_STANDARD.encode(key).parse().unwrap()],
        |builder| builder.allow(known).resolver(resolver),
    )
    .await;
    let token = fetch_token(proxy.addr, &[]).await;
    let origin = format!("http://{}", proxy.addr);
    let minutes = |count: u64| aged(&token, &key, &origin, Duration::from_secs(60 * count));
    assert_eq!(shown(proxy.addr, server.port(), Some(&minutes(9))).await, None);
    for port in [server.port(), 993] {
        let refused = shown(proxy.addr, port, Some(&minutes(20))).await;
        assert_eq!(refused, Some(Refusal::AccessDenied));
    }
    assert_eq!(looked_up.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_token_is_for_pages_of_the_origin_that_fetched_it() {
    let server = echo().await;
    let proxy = start(
        |config: &mut Config| {
            config.origins = vec!["https://mail.example.org".parse().unwrap()];
            config.open_relay = true;
        },
        |builder| builder.allow(destination(server)),
    )
    .await;
    let response = get(proxy.addr, TOKEN_PATH, &["Origin: https://mail.example.org"]).await;
    let listed: postern_tunnel::Token = serde_json::from_slice(&response.body).unwrap();
    for (origin, expected) in [
        (format!("http://{}", proxy.addr), Some(Refusal::AccessDenied)),
        ("https://mail.example.org".into(), None),
    ] {
        let headers = [("origin", origin), ("sec-websocket-protocol", SUBPROTOCOL.into())];
        let mut page = Page::connect_with(proxy.addr, &headers).await.unwrap();
        page.say(&to(server.port(), Some(&listed.token))).await;
        let heard = page.hear().await;
        let refused = match heard {
            Heard::Control(FromProxy::Refused(refused)) => Some(refused.code),
            _ => None,
        };
        assert_eq!(refused, expected);
    }
}

#[tokio::test]
async fn only_pages_of_the_same_origin_get_a_token_and_nobody_keeps_it() {
    let proxy = start(|_| {}, |builder| builder).await;
    let own = format!("Origin: http://{}", proxy.addr);
    for (method, headers, status) in [
        ("POST", vec![own.as_str()], 200),
        ("GET", vec![own.as_str()], 200),
        ("GET", vec![], 200),
        ("GET", vec!["Sec-Fetch-Site: same-origin"], 200),
        ("GET", vec!["Sec-Fetch-Site: cross-site"], 403),
        ("GET", vec!["Sec-Fetch-Site: none"], 403),
        ("GET", vec!["Host: evil.example"], 403),
        ("GET", vec!["Origin: https://evil.example"], 403),
        ("POST", vec!["Origin: null"], 403),
        ("POST", vec![own.as_str(), own.as_str()], 403),
        ("OPTIONS", vec![own.as_str(), "Access-Control-Request-Method: POST"], 405),
        ("PUT", vec![own.as_str()], 405),
    ] {
        let response = request(proxy.addr, method, TOKEN_PATH, &headers).await;
        assert_eq!(response.status, status, "{method} {headers:?}");
        assert!(response.headers.keys().all(|name| !name.starts_with("access-control")));
        if status != 405 {
            assert_eq!(response.header("cache-control"), Some("no-store"), "{headers:?}");
        }
        assert_eq!(response.text().contains("token\":"), status == 200);
    }
}

#[tokio::test]
async fn a_private_proxy_gives_tokens_only_for_its_key() {
    let server = echo().await;
    let proxy = start(
        |config| config.access_key = Some(KEY.parse().unwrap()),
        |builder| builder.allow(destination(server)),
    )
    .await;
    for (shown, status, challenge) in [
        (None, 401, Some("Bearer")),
        (Some(format!("Bearer {KEY}x")), 401, Some("Bearer error=\"invalid_token\"")),
        (Some(format!("Bearer {}", &KEY[1..])), 401, Some("Bearer error=\"invalid_token\"")),
        (Some(format!("Basic {KEY}")), 401, Some("Bearer")),
        (Some(KEY.into()), 401, Some("Bearer")),
        (Some(format!("Bearer {KEY}")), 200, None),
        (Some(format!("bearer  {KEY}")), 200, None),
    ] {
        let header = shown.map(|shown| format!("Authorization: {shown}"));
        let headers: Vec<_> = header.as_deref().into_iter().collect();
        let response = get(proxy.addr, TOKEN_PATH, &headers).await;
        assert_eq!(response.status, status, "{header:?}");
        assert_eq!(response.header("www-authenticate"), challenge, "{header:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert!(!response.text().contains(KEY));
    }
    let key = format!("Authorization: Bearer {KEY}");
    let token = fetch_token(proxy.addr, &[&key]).await;
    assert_eq!(shown(proxy.addr, server.port(), Some(&token)).await, None);
    // The key itself is no token.
    let refused = shown(proxy.addr, server.port(), Some(KEY)).await;
    assert_eq!(refused, Some(Refusal::AccessDenied));
}

#[tokio::test]
async fn copies_of_a_proxy_that_share_their_keys_accept_each_others_tokens() {
    let server = echo().await;
    let keys = |keys: &[&str]| keys.iter().map(|key| key.parse().unwrap()).collect::<Vec<_>>();
    let (old, new) = ("A".repeat(43), "B".repeat(42) + "A");
    let origin = "https://mail.example.org";
    let mut proxies = Vec::new();
    for keys in [keys(&[&old]), keys(&[&new, &old]), keys(&[&new])] {
        let configure = |config: &mut Config| {
            config.origins = vec![origin.parse().unwrap()];
            config.open_relay = true;
            config.token_keys = keys;
        };
        proxies.push(start(configure, |builder| builder.allow(destination(server))).await);
    }
    let mut tokens = Vec::new();
    for proxy in &proxies {
        let response = get(proxy.addr, TOKEN_PATH, &[&format!("Origin: {origin}")]).await;
        let token: postern_tunnel::Token = serde_json::from_slice(&response.body).unwrap();
        tokens.push(token.token);
    }
    for (issued, checked, accepted) in
        [(0, 0, true), (0, 1, true), (1, 2, true), (2, 1, true), (0, 2, false), (1, 0, false)]
    {
        let headers = [("origin", origin.into()), ("sec-websocket-protocol", SUBPROTOCOL.into())];
        let mut page = Page::connect_with(proxies[checked].addr, &headers).await.unwrap();
        page.say(&to(server.port(), Some(&tokens[issued]))).await;
        let opened = matches!(page.hear().await, Heard::Control(FromProxy::Opened(_)));
        assert_eq!(opened, accepted, "token of {issued} at {checked}");
    }
}
