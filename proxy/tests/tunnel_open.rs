//! Where tunnels go, and what a page hears if they don't.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::{SinkExt, future::BoxFuture};
use postern::{
    Builder, Config,
    policy::{Resolve, ResolveError},
};
use postern_tunnel::{FromPage, FromProxy, Open, Refusal, TlsMode};
use support::{
    HOST, destination,
    page::{Heard, PLENTY, Page, open},
    server::{closed, echo, listen},
    start, start_for,
};

/// Answers with what a test has written down.
struct Script(Vec<(&'static str, Vec<IpAddr>)>);

impl Resolve for Script {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        let entry = self.0.iter().find(|(known, _)| *known == name);
        let answer = entry.map(|(_, ips)| ips.clone()).ok_or(ResolveError::NotFound);
        Box::pin(async move { answer })
    }
}

fn script(entries: &[(&'static str, &[&str])]) -> impl FnOnce(Builder) -> Builder + use<> {
    let parse = |ips: &[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
    let entries = entries.iter().map(|(name, ips)| (*name, parse(ips))).collect();
    |builder| builder.resolver(Arc::new(Script(entries)))
}

fn to(host: &str, port: u16) -> Open {
    open(host, port, TlsMode::EndToEnd, PLENTY)
}

#[tokio::test]
async fn a_name_is_resolved_vetted_and_dialled() {
    let server = echo().await;
    let proxy = start(
        |config: &mut Config| {
            config.ports = vec![server.port()];
            config.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        },
        script(&[(HOST, &["127.0.0.1"])]),
    )
    .await;
    let (mut page, opened) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(opened.peer, server.to_string());
    assert_eq!(opened.tls, None);
    page.send(b"hello").await;
    assert_eq!(page.hear_bytes(5).await, b"hello");
}

#[tokio::test]
async fn ports_that_are_not_for_mail_clients_are_refused() {
    let proxy = start(|_| {}, script(&[(HOST, &["9.9.9.9"])])).await;
    for port in [0, 22, 25, 80, 443, 8080] {
        let refused = Page::refused(proxy.addr, to(HOST, port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{port}");
        assert!(refused.message.contains(&port.to_string()), "{}", refused.message);
    }
}

#[tokio::test]
async fn nobody_gets_clear_text_through_to_a_port_that_speaks_tls_from_the_start() {
    let proxy = start(|_| {}, script(&[("mail.example.org", &["203.0.113.1"])])).await;
    for port in [465, 993, 995] {
        for tls in [TlsMode::None, TlsMode::ProxyStartTls] {
            let refused = Page::refused(proxy.addr, open(HOST, port, tls, PLENTY)).await;
            assert_eq!(refused.code, Refusal::BadRequest, "{port} {tls:?}");
            assert_eq!(refused.message, "This port speaks TLS from the start.");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_refused_by_name() {
    let proxy = start(
        |config| config.allow = vec!["*.example.com".parse().unwrap()],
        script(&[(HOST, &["9.9.9.9"])]),
    )
    .await;
    let refused = Page::refused(proxy.addr, to(HOST, 993)).await;
    assert_eq!(refused.code, Refusal::NotAllowed);
    assert!(refused.message.contains(HOST), "{}", refused.message);
}

#[tokio::test]
async fn a_name_without_address_is_unknown() {
    let proxy = start(|_| {}, script(&[("empty.example.org", &[])])).await;
    for host in ["missing.example.org", "empty.example.org"] {
        let refused = Page::refused(proxy.addr, to(host, 993)).await;
        assert_eq!(refused.code, Refusal::UnknownHost);
        assert!(refused.message.contains(host), "{}", refused.message);
    }
}

#[tokio::test]
async fn a_server_that_does_not_listen_fails() {
    let server = closed().await;
    let proxy = start_for(server).await;
    let refused = Page::refused(proxy.addr, to(HOST, server.port())).await;
    assert_eq!(refused.code, Refusal::ConnectFailed);
    assert!(refused.message.contains(HOST), "{}", refused.message);
}

#[tokio::test]
async fn a_look_up_that_hangs_times_out() {
    struct Silence;
    impl Resolve for Silence {
        fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
            Box::pin(std::future::pending())
        }
    }
    let proxy = start(
        |config| config.limits.connect = Duration::from_millis(50),
        |builder| builder.resolver(Arc::new(Silence)),
    )
    .await;
    let refused = Page::refused(proxy.addr, to(HOST, 993)).await;
    assert_eq!(refused.code, Refusal::ConnectTimedOut);
}

#[tokio::test]
async fn a_server_that_does_not_answer_to_tls_times_out() {
    let server = listen(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let proxy = start(
        |config| config.limits.handshake = Duration::from_millis(50),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let refused =
        Page::refused(proxy.addr, open(HOST, server.port(), TlsMode::Proxy, PLENTY)).await;
    assert_eq!(refused.code, Refusal::ConnectTimedOut);
}

#[tokio::test]
async fn the_first_message_must_be_the_right_one() {
    let proxy = start(|_| {}, |builder| builder).await;
    for first in ["", "{}", "hello", r#""finish""#, r#"{"credit":1}"#, r#"{"open":{"host":"x"}}"#] {
        let mut page = Page::connect(proxy.addr).await;
        page.say_text(first).await;
        assert_eq!(page.hear_refused().await.code, Refusal::BadRequest, "{first}");
        assert_eq!(page.hear().await, Heard::Closed);
    }
    let mut page = Page::connect(proxy.addr).await;
    page.send(b"bytes").await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);
}

#[tokio::test]
async fn a_page_that_says_nothing_is_refused_in_the_end() {
    let proxy =
        start(|config| config.limits.open = Duration::from_millis(50), |builder| builder).await;
    let mut page = Page::connect(proxy.addr).await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);
}

#[tokio::test]
async fn one_client_too_many_is_told_so_and_a_place_comes_free_again() {
    let server: SocketAddr = echo().await;
    let proxy = start(
        |config| config.limits.connections_per_client = 1,
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (first, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    let second = Page::refused(proxy.addr, to(HOST, server.port())).await;
    assert_eq!(second.code, Refusal::TooMany);
    drop(first);
    support::soon(async {
        loop {
            let mut page = Page::connect(proxy.addr).await;
            // The proxy may have refused it already.
            let open = FromPage::Open(to(HOST, server.port()));
            let _ = page.0.send(page.with_token(&open).to_text().into()).await;
            match page.hear().await {
                Heard::Control(FromProxy::Opened(_)) => return,
                _ => tokio::task::yield_now().await,
            }
        }
    })
    .await;
}
