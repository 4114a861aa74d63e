//! What an operator can watch.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::net::SocketAddr;

use postern_tunnel::{FromPage, Refusal, TlsMode};
use support::{
    HOST, Running, destination,
    http::get,
    https::{HTTP1, connect, start_https},
    metrics::{reaches, value},
    page::{Heard, PLENTY, Page, open},
    server::echo,
    start,
};

async fn watched(server: SocketAddr) -> (Running, SocketAddr) {
    let proxy = start(
        |config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into()),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let metrics = proxy.metrics.unwrap();
    (proxy, metrics)
}

#[tokio::test]
async fn tunnels_are_counted_while_they_are_open_and_after() {
    let server = echo().await;
    let (proxy, metrics) = watched(server).await;
    assert_eq!(value(metrics, "postern_tunnels_open").await, Some(0.0));
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    page.send(&[7; 1000]).await;
    page.hear_bytes(1000).await;
    reaches(metrics, "postern_tunnels_open", 1.0).await;
    reaches(metrics, "postern_tunnels_opened_total", 1.0).await;
    // A tunnel that stays open for a day is seen to carry before it ends.
    reaches(metrics, r#"postern_tunnels_carried_bytes_total{to="server"}"#, 1000.0).await;
    reaches(metrics, r#"postern_tunnels_carried_bytes_total{to="page"}"#, 1000.0).await;
    page.say(&FromPage::Finish).await;
    while page.hear().await != Heard::Closed {}
    reaches(metrics, "postern_tunnels_open", 0.0).await;
    reaches(metrics, r#"postern_tunnels_ended_total{code="complete"}"#, 1.0).await;
    reaches(metrics, "postern_tunnels_open_time_seconds_count", 1.0).await;
}

#[tokio::test]
async fn refused_tunnels_are_counted_by_their_code() {
    let server = echo().await;
    let (proxy, metrics) = watched(server).await;
    for _ in 0..2 {
        let refused = Page::refused(proxy.addr, open(HOST, 25, TlsMode::None, PLENTY)).await;
        assert_eq!(refused.code, Refusal::NotAllowed);
    }
    reaches(metrics, r#"postern_tunnels_refused_total{code="not-allowed"}"#, 2.0).await;
    assert_eq!(value(metrics, "postern_tunnels_opened_total").await, Some(0.0));
}

#[tokio::test]
async fn nothing_that_a_stranger_chooses_becomes_a_label() {
    let server = echo().await;
    let (proxy, metrics) = watched(server).await;
    let stranger = "stranger.example";
    Page::refused(proxy.addr, open(stranger, 993, TlsMode::None, PLENTY)).await;
    get(proxy.addr, &format!("/{stranger}"), &[&format!("User-Agent: {stranger}")]).await;
    support::http::request(proxy.addr, "STRANGER", "/", &[&format!("Host: {stranger}")]).await;
    let text = get(metrics, "/metrics", &[]).await.text().to_ascii_lowercase();
    assert!(!text.contains("stranger") && !text.contains("127.0.0.1"), "{text}");
    assert!(text.contains(r#"postern_http_requests_total{status="4xx"}"#), "{text}");
}

#[tokio::test]
async fn connections_handshakes_and_the_process_are_told() {
    let (proxy, identity, _folder) = start_https(
        |config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into()),
        |builder| builder,
    )
    .await;
    let metrics = proxy.metrics.unwrap();
    let open = connect(proxy.addr, &identity.certificate, &[HTTP1]).await.unwrap();
    assert!(connect(proxy.addr, &identity.certificate, &[b"spdy/3"]).await.is_err());
    let handshakes =
        |outcome| format!(r#"postern_tls_handshakes_total{{with="page",outcome="{outcome}"}}"#);
    reaches(metrics, &handshakes("done"), 1.0).await;
    reaches(metrics, &handshakes("failed"), 1.0).await;
    // This one, and the one that asks.
    reaches(metrics, "postern_http_connections_open", 2.0).await;
    drop(open);
    reaches(metrics, "postern_http_connections_open", 1.0).await;
    let answer = get(metrics, "/metrics", &[]).await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(answer.text().ends_with("# EOF\n"));
    assert!(value(metrics, "process_start_time_seconds").await.unwrap() > 1.7e9);
    if cfg!(target_os = "linux") {
        assert!(value(metrics, "process_resident_memory_bytes").await.unwrap() > 1e6);
        assert!(value(metrics, "process_open_fds").await.unwrap() > 3.0);
        assert!(value(metrics, "process_cpu_seconds_total").await.is_some());
    }
}

#[tokio::test]
async fn the_metrics_are_on_a_listener_of_their_own() {
    let server = echo().await;
    let (proxy, metrics) = watched(server).await;
    assert_eq!(get(proxy.addr, "/metrics", &[]).await.status, 404);
    assert_eq!(get(metrics, "/", &[]).await.status, 404);
    assert_eq!(get(metrics, "/api/config", &[]).await.status, 404);
    assert_eq!(get(metrics, "/healthz", &[]).await.text(), "ok\n");
    assert_eq!(get(metrics, "/readyz", &[]).await.status, 200);
}
