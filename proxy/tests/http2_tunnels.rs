//! Tunnels that share a connection of HTTP/2: what they cost, and what they hold.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use hyper_util::rt::TokioIo;
use postern::limits::{
    CHUNK, HTTP_CONNECTIONS_PER_CLIENT, HTTP2_PIECE, HTTP2_SEND_BUFFER, HTTP2_STREAMS, WAITING,
};
use postern_tunnel::{FromPage, FromProxy, Open, Refusal, TlsMode};
use support::{
    HOST, destination,
    https::{
        HTTP2, connect, connect_http2, connect_http2_with_window, fetch_token, start_https,
        upgrade_http2,
    },
    metrics::value,
    page::open,
    scene::{endless, silent},
    server::{echo, listen},
    soon,
    websocket::{Client, PING, control, whole},
};
use tokio::{io::AsyncReadExt, sync::mpsc, time::sleep};

type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// The message that opens a tunnel, without TLS.
fn opening(port: u16, token: &str) -> Vec<u8> {
    let token = Some(token.to_owned());
    control(&FromPage::Open(Open { token, ..open(HOST, port, TlsMode::None, u32::MAX) }))
}

async fn hear_opened(client: &mut Client<Upgraded>) {
    let heard = client.hear().await.control();
    assert!(matches!(heard, Some(FromProxy::Opened(_))), "{heard:?}");
}

#[tokio::test]
async fn a_connection_that_carries_a_tunnel_takes_no_place_from_requests() {
    let server = echo().await;
    let (proxy, identity, _folder) =
        start_https(|_| {}, |builder| builder.allow(destination(server))).await;
    let token = fetch_token(&proxy, &identity).await;
    let mut tunnels = Vec::new();
    for _ in 0..HTTP_CONNECTIONS_PER_CLIENT {
        let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
        let mut client = Client::over(upgrade_http2(&mut requests, proxy.addr).await);
        client.say(&opening(server.port(), &token)).await;
        hear_opened(&mut client).await;
        tunnels.push((requests, client));
    }
    // They would be as many as there may be.
    fetch_token(&proxy, &identity).await;
}

#[tokio::test]
async fn a_connection_whose_tunnels_are_over_takes_a_place_again() {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    let mut connections = Vec::new();
    for _ in 0..HTTP_CONNECTIONS_PER_CLIENT {
        let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
        let mut client = Client::over(upgrade_http2(&mut requests, proxy.addr).await);
        client.say(&opening(143, "no token")).await;
        let heard = client.hear().await.control();
        assert!(matches!(heard, Some(FromProxy::Refused(_))), "{heard:?}");
        connections.push(requests);
    }
    // Those whose place was quicker taken by one of these are closed.
    let full = async {
        let mut others = Vec::new();
        while let Ok(other) = connect(proxy.addr, &identity.certificate, &[HTTP2]).await {
            others.push(other);
            sleep(Duration::from_millis(20)).await;
        }
        others.len()
    };
    let others = soon(full).await;
    assert!(others < HTTP_CONNECTIONS_PER_CLIENT / 2, "{others}");
}

#[tokio::test]
async fn a_page_that_takes_nothing_makes_the_proxy_hold_a_few_pieces_and_no_more() {
    let (report, _reports) = mpsc::unbounded_channel();
    let server = endless(report).await;
    let (proxy, identity, _folder) = start_https(
        |config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into()),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let token = fetch_token(&proxy, &identity).await;
    let window = 100_000;
    let certificate = &identity.certificate;
    let mut requests = connect_http2_with_window(proxy.addr, certificate, Some(window)).await;
    let mut client = Client::over(upgrade_http2(&mut requests, proxy.addr).await);
    client.say(&opening(server.port(), &token)).await;
    // Nothing is heard, so that the window stays closed once it is full.
    let carried = async || {
        let name = r#"postern_tunnels_carried_bytes_total{to="page"}"#;
        value(proxy.metrics.unwrap(), name).await.unwrap_or_default() as usize
    };
    let settled = async {
        let mut before = 0;
        loop {
            sleep(Duration::from_millis(200)).await;
            match carried().await {
                now if now > window as usize && now == before => return now,
                now => before = now,
            }
        }
    };
    let held = soon(settled).await - window as usize;
    let most = CHUNK + 3 * HTTP2_PIECE + HTTP2_SEND_BUFFER + HTTP2_PIECE;
    assert!(held <= most, "{held} bytes are held");
}

#[tokio::test]
async fn a_page_that_does_not_even_take_the_answer_to_its_opening_gets_no_tunnel() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let ended = ended.clone();
        async move {
            let _ = stream.read(&mut [0]).await;
            let _ = ended.send(());
        }
    })
    .await;
    let (proxy, identity, _folder) = start_https(
        |config| config.limits.open = Duration::from_secs(1),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let token = fetch_token(&proxy, &identity).await;
    let certificate = &identity.certificate;
    let mut requests = connect_http2_with_window(proxy.addr, certificate, Some(0)).await;
    let mut client = Client::over(upgrade_http2(&mut requests, proxy.addr).await);
    // What answers these fills up what the HTTP library takes.
    for _ in 0..20 {
        client.say(&whole(PING, "")).await;
        sleep(Duration::from_millis(10)).await;
    }
    client.say(&opening(server.port(), &token)).await;
    assert_eq!(soon(ends.recv()).await, Some(()));
}

#[tokio::test]
async fn pages_without_a_token_make_room_for_each_other_and_for_those_that_have_one() {
    let server = silent().await;
    let (proxy, identity, _folder) =
        start_https(|_| {}, |builder| builder.allow(destination(server))).await;
    let token = fetch_token(&proxy, &identity).await;
    let (mut connections, mut waiting) = (Vec::new(), Vec::new());
    while waiting.len() <= WAITING {
        let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
        for _ in 0..HTTP2_STREAMS {
            waiting.push(Client::over(upgrade_http2(&mut requests, proxy.addr).await));
        }
        connections.push(requests);
    }
    let heard = waiting[0].hear().await.control();
    let Some(FromProxy::Refused(refused)) = heard else { panic!("{heard:?}") };
    assert_eq!(refused.code, Refusal::TooMany);
    let last = waiting.last_mut().unwrap();
    last.say(&opening(server.port(), &token)).await;
    hear_opened(last).await;
}
