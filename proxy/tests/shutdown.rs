//! How the proxy stops.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    destination,
    http::{draining, get},
    https::{NAME, connect_http2, start_https},
    page::{Heard, PLENTY, Page},
    server::echo,
    soon, start,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::Role},
};

#[tokio::test]
async fn tunnels_that_do_not_end_are_told_why_they_must() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.drain = Duration::from_millis(50),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let addr = proxy.addr;
    let (mut page, _) = Page::open(addr, server.port(), TlsMode::None, PLENTY).await;
    let mut silent = Page::connect(addr).await;
    let served = proxy.stop();
    assert_eq!(page.hear_refused().await.code, Refusal::ShuttingDown);
    assert_eq!(silent.hear_refused().await.code, Refusal::ShuttingDown);
    soon(served).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_tunnel_may_finish_its_work_before_the_proxy_stops() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.drain = Duration::from_secs(3600),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    let served = proxy.stop();
    page.send(b"last words").await;
    assert_eq!(page.hear_bytes(10).await, b"last words");
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    assert_eq!(page.hear().await, Heard::Closed);
    soon(served).await.unwrap();
}

#[tokio::test]
async fn an_idle_http_connection_does_not_hold_the_proxy_up() {
    let proxy = start(|_| {}, |builder| builder).await;
    let _idle = TcpStream::connect(proxy.addr).await.unwrap();
    soon(proxy.stop()).await.unwrap();
}

#[tokio::test]
async fn while_tunnels_finish_it_lives_but_is_not_ready_and_opens_no_more() {
    let server = echo().await;
    let proxy = start(
        |config| {
            config.limits.drain = Duration::from_secs(3600);
            config.metrics_listen = Some(([127, 0, 0, 1], 0).into());
        },
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (addr, metrics) = (proxy.addr, proxy.metrics.unwrap());
    assert_eq!(get(addr, "/readyz", &[]).await.text(), "ready\n");
    let (mut page, _) = Page::open(addr, server.port(), TlsMode::None, PLENTY).await;
    let served = proxy.stop();
    draining(addr).await;
    draining(metrics).await;
    assert_eq!(get(addr, "/healthz", &[]).await.text(), "ok\n");
    let headers =
        [("origin", format!("http://{addr}")), ("sec-websocket-protocol", "postern.v1".to_owned())];
    match Page::connect_with(addr, &headers).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("a tunnel while the proxy stops"),
    }
    page.send(b"still there").await;
    assert_eq!(page.hear_bytes(11).await, b"still there");
    page.say(&FromPage::Finish).await;
    soon(served).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn it_goes_on_to_answer_until_a_load_balancer_has_noticed() {
    let proxy = start(
        |config| {
            config.limits.drain = Duration::from_secs(3600);
            config.limits.notice = Duration::from_secs(1);
        },
        |builder| builder,
    )
    .await;
    let addr = proxy.addr;
    let served = proxy.stop();
    // Without a tunnel it would be gone at once.
    draining(addr).await;
    soon(served).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn tunnels_over_http_2_are_told_as_well_and_a_handshake_does_not_hold_it_up() {
    let (proxy, identity, _folder) =
        start_https(|config| config.limits.drain = Duration::from_millis(50), |builder| builder)
            .await;
    let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
    let _no_hello = TcpStream::connect(proxy.addr).await.unwrap();
    let request = hyper::Request::builder()
        .method("CONNECT")
        .uri(format!("https://{NAME}:{}/tunnel", proxy.addr.port()))
        .extension(hyper::ext::Protocol::from_static("websocket"))
        .header("origin", format!("https://{NAME}:{}", proxy.addr.port()))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "postern.v1")
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = soon(requests.send_request(request)).await.unwrap();
    let stream = TokioIo::new(soon(hyper::upgrade::on(answer)).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let served = proxy.stop();
    let Some(Ok(Message::Text(text))) = soon(socket.next()).await else { panic!("no last word") };
    let Ok(FromProxy::Refused(refused)) = FromProxy::from_text(&text) else { panic!("{text}") };
    assert_eq!(refused.code, Refusal::ShuttingDown);
    soon(served).await.unwrap();
}
