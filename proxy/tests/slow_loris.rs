//! Clients that take their time with a request, so that a place is kept from others.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, time::Duration};

use futures_util::future::join_all;
use postern::limits::REQUEST_HEAD;
use support::{
    http::{get, parse},
    https::{connect, start_https},
    soon, start,
    tls::client_hello,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{interval, timeout},
};

/// An upgrade, but for the end of its head.
const UPGRADE: &str = "GET /tunnel HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: postern.v1\r\n";

/// How long a request, or a handshake, may take here.
const LIMIT: Duration = Duration::from_secs(2);

/// Sends the first part at once and the second byte by byte, again and again, until the proxy has
/// ended the connection; returns what it said. The time for that is generous: the machine may be busy.
async fn dawdle(proxy: SocketAddr, first: &[u8], second: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(proxy).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(first).await.unwrap();
    let trickle = async {
        let mut pace = interval(Duration::from_millis(100));
        for byte in second.iter().cycle() {
            pace.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        std::future::pending().await
    };
    let mut said = Vec::new();
    let read = async {
        // A reset is an end as well.
        let _ = reader.read_to_end(&mut said).await;
    };
    let ended = timeout(LIMIT * 5, async {
        tokio::select! { () = read => {}, () = trickle => {} }
    });
    let name = first.escape_ascii();
    ended.await.unwrap_or_else(|_| panic!("\"{name}\" holds its place"));
    said
}

#[tokio::test]
async fn requests_that_do_not_come_to_an_end_are_ended() {
    let proxy = start(|config| config.limits.request = LIMIT, |builder| builder).await;
    let healthy = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let body = "POST /api/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    let kinds = [
        ("", ""),
        ("GET", ""),
        (UPGRADE, ""),
        (UPGRADE, "X-Filler: x\r\n"),
        ("", "\r\n"),
        (healthy, ""),
        (body, ""),
        (body, "x"),
    ];
    let said = kinds.map(|(first, second)| dawdle(proxy.addr, first.as_bytes(), second.as_bytes()));
    let said = join_all(said).await;
    for ((first, _), said) in kinds.iter().zip(said) {
        let said = String::from_utf8_lossy(&said);
        assert!(!said.starts_with("HTTP/1.1 101"), "{first}: {said}");
    }
    assert_eq!(get(proxy.addr, "/healthz", &[]).await.status, 200);
}

#[tokio::test]
async fn handshakes_that_do_not_come_to_an_end_are_ended() {
    let (proxy, identity, _folder) =
        start_https(|config| config.limits.handshake = LIMIT, |builder| builder).await;
    let hello = client_hello("localhost");
    let half = &hello[..hello.len() / 2];
    join_all([
        dawdle(proxy.addr, b"", b""),
        dawdle(proxy.addr, half, b""),
        dawdle(proxy.addr, &hello, b""),
        dawdle(proxy.addr, &[0x16, 3, 1, 0x40, 0], &[0]),
    ])
    .await;
    connect(proxy.addr, &identity.certificate, &[]).await.unwrap();
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_before_it_ends() {
    let proxy = start(|_| {}, |builder| builder).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    let filler = format!("X-Filler: {}", "x".repeat(REQUEST_HEAD));
    stream.write_all(filler.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    soon(stream.read_to_end(&mut said)).await.unwrap();
    assert_eq!(parse(&said).status, 431);
}
