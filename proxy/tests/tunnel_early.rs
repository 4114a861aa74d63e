//! Tunnels that are asked for with the request of the WebSocket.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;
use postern::policy::{Resolve, ResolveError};
use postern_tunnel::{FromPage, FromProxy, Open, Refusal, SUBPROTOCOL, TlsMode};
use support::{
    HOST,
    http::get,
    page::{Heard, PLENTY, Page, fetch_token, open},
    server::{closed, echo},
    soon, start, start_for,
};
use tokio::task::JoinSet;

/// Answers no question, but counts them.
#[derive(Default)]
struct Silence(AtomicUsize);

impl Resolve for Silence {
    fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

/// A page that offers this subprotocol beside the usual one.
async fn asking(proxy: SocketAddr, early: &str) -> Page {
    let headers = [
        ("origin", format!("http://{proxy}")),
        ("sec-websocket-protocol", format!("{SUBPROTOCOL}, {early}")),
    ];
    Page::connect_with(proxy, &headers).await.unwrap()
}

/// A page that asks for a tunnel to this port, with its token.
async fn opening(proxy: SocketAddr, port: u16) -> Page {
    let token = Some(fetch_token(proxy, &[]).await);
    let open = Open { token, ..open(HOST, port, TlsMode::None, PLENTY) };
    asking(proxy, &open.to_subprotocol()).await
}

#[tokio::test]
async fn the_tunnel_opens_without_a_message() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let mut page = opening(proxy.addr, server.port()).await;
    let heard = page.hear().await;
    let Heard::Control(FromProxy::Opened(opened)) = heard else { panic!("{heard:?}") };
    assert_eq!(opened.peer, server.to_string());
    page.send(b"hello").await;
    assert_eq!(page.hear_bytes(5).await, b"hello");
}

#[tokio::test]
async fn a_message_that_asks_once_more_breaks_the_rules() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let mut page = opening(proxy.addr, server.port()).await;
    page.say(&FromPage::Open(open(HOST, server.port(), TlsMode::None, PLENTY))).await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);
}

#[tokio::test]
async fn a_page_hears_why_there_is_no_tunnel() {
    let server = closed().await;
    let proxy = start_for(server).await;
    let mut page = opening(proxy.addr, server.port()).await;
    assert_eq!(page.hear_refused().await.code, Refusal::ConnectFailed);
    let mut page = opening(proxy.addr, 25).await;
    assert_eq!(page.hear_refused().await.code, Refusal::NotAllowed);
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn nothing_is_dialled_without_a_good_token() {
    let server = echo().await;
    let proxy = start_for(server).await;
    for token in [None, Some("forged".to_owned())] {
        let open = Open { token, ..open(HOST, server.port(), TlsMode::None, PLENTY) };
        let mut page = asking(proxy.addr, &open.to_subprotocol()).await;
        assert_eq!(page.hear_refused().await.code, Refusal::AccessDenied);
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_refused_and_not_waited_for() {
    let proxy = start(|_| {}, |builder| builder).await;
    for early in ["postern.open.", "postern.open.e30", "postern.open.!"] {
        let mut page = asking(proxy.addr, early).await;
        assert_eq!(page.hear_refused().await.code, Refusal::BadRequest, "{early}");
    }
}

/// Connections that are no tunnels have 64 places of each client.
#[tokio::test]
async fn pages_that_wait_for_a_server_which_does_not_answer_keep_no_others_out() {
    let silence = Arc::new(Silence::default());
    let resolver = silence.clone();
    let proxy = start(
        |config| config.limits.connections_per_client = 100,
        |builder| builder.resolver(resolver),
    )
    .await;
    let token = Some(fetch_token(proxy.addr, &[]).await);
    let open = Open { token, ..open(HOST, 993, TlsMode::EndToEnd, PLENTY) };
    let early = open.to_subprotocol();
    let mut waiting = JoinSet::new();
    for number in 1..=80 {
        let early = early.clone();
        waiting.spawn(async move { asking(proxy.addr, &early).await });
        soon(async {
            while silence.0.load(Ordering::Relaxed) < number {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert_eq!(get(proxy.addr, "/healthz", &[]).await.status, 200);
}
