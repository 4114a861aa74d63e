//! How the proxy stops.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    destination,
    page::{Heard, PLENTY, Page},
    server::echo,
    soon, start,
};
use tokio::net::TcpStream;

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
