//! What an open tunnel carries, and how much.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    HOST, destination,
    page::{Heard, PLENTY, Page, open},
    server::{echo, listen},
    soon, start, start_for,
    tls::Identity,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, mpsc},
};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

/// Stream bytes that the proxy takes from a page at first.
const WINDOW: usize = postern::limits::WINDOW as usize;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|position| (position % 251) as u8).collect()
}

/// A server that neither reads nor writes nor hangs up.
async fn silent() -> std::net::SocketAddr {
    listen(async |stream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await
}

#[tokio::test]
async fn bytes_go_there_and_come_back_unchanged() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let (mut page, opened) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(opened.credit as usize, WINDOW);
    let bytes = pattern(WINDOW);
    for piece in bytes.chunks(10_007) {
        page.send(piece).await;
    }
    assert_eq!(page.hear_bytes(WINDOW).await, bytes);
}

#[tokio::test]
async fn a_page_that_stays_within_its_credit_can_send_without_end() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let (mut page, opened) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    let bytes = pattern(10 * WINDOW);
    let (mut credit, mut sent, mut back) = (opened.credit as usize, 0, Vec::new());
    while back.len() < bytes.len() {
        while credit > 0 && sent < bytes.len() {
            let piece = credit.min(20_000).min(bytes.len() - sent);
            page.send(&bytes[sent..sent + piece]).await;
            sent += piece;
            credit -= piece;
        }
        match page.hear().await {
            Heard::Bytes(more) => back.extend(more),
            Heard::Control(FromProxy::Credit(more)) => credit += more as usize,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(back, bytes);
}

#[tokio::test]
async fn a_window_grows_while_it_is_used_up_and_shrinks_when_the_tunnel_is_idle() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.ping = Duration::from_millis(100),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    let mut credit = WINDOW;
    loop {
        page.send(&vec![0; credit]).await;
        let (mut back, mut granted) = (0, 0);
        while back < credit || granted == 0 {
            match page.hear().await {
                Heard::Bytes(bytes) => back += bytes.len(),
                Heard::Control(FromProxy::Credit(more)) => granted += more as usize,
                other => panic!("{other:?}"),
            }
        }
        if granted > credit {
            break;
        }
        credit = granted;
    }
    let keep = loop {
        match page.hear().await {
            Heard::Control(FromProxy::Reclaim(keep)) => break keep,
            Heard::Control(FromProxy::Credit(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(keep as usize, WINDOW);
    page.say(&FromPage::Return(WINDOW as u32)).await;
    page.send(b"still here").await;
    assert_eq!(page.hear_bytes(10).await, b"still here");
    page.say(&FromPage::Return(u32::MAX)).await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);
}

#[tokio::test]
async fn a_page_that_exceeds_its_credit_is_refused() {
    // Nothing is granted anew once the buffers on the way to this server are full.
    let server = silent().await;
    let proxy = start_for(server).await;
    let (page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    let (mut sink, mut stream) = page.0.split();
    let flood = async { while sink.send(Message::binary(vec![0; WINDOW])).await.is_ok() {} };
    let refused = async {
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else { continue };
            if let Ok(FromProxy::Refused(refused)) = FromProxy::from_text(&text) {
                return Some(refused.code);
            }
        }
        None
    };
    let (_, code) = soon(async { tokio::join!(flood, refused) }).await;
    assert_eq!(code, Some(Refusal::BadRequest));
}

#[tokio::test]
async fn a_page_gets_what_it_grants_and_not_a_byte_more() {
    let server = listen(async |mut stream| {
        let _ = stream.write_all(&pattern(100_000)).await;
        std::future::pending::<()>().await;
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    let mut got = Vec::new();
    for grant in [1_u32, 10, 20_000, 1, 50_000] {
        page.say(&FromPage::Credit(grant)).await;
        got.extend(page.hear_bytes(grant as usize).await);
        // An answer to this ping comes after everything that was sent before it.
        assert_eq!(silence(&mut page).await, Vec::<u8>::new());
    }
    assert_eq!(got, pattern(got.len()));
}

/// Stream bytes that come before the answer to a ping.
async fn silence(page: &mut Page) -> Vec<u8> {
    page.0.send(Message::Ping("?".into())).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match soon(page.0.next()).await {
            Some(Ok(Message::Pong(_))) => return bytes,
            Some(Ok(Message::Binary(more))) => bytes.extend(more),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_page_that_grants_nothing_still_hears_of_the_servers_end() {
    let server = listen(async |_| {}).await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn a_page_that_grants_nothing_still_hears_that_the_connection_broke() {
    let server = listen(async |stream| {
        // What is left when it is dropped is thrown away, and so is the connection.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    assert_eq!(page.hear_refused().await.code, Refusal::Lost);
}

#[tokio::test]
async fn an_end_behind_bytes_comes_after_them() {
    let server = listen(async |mut stream| stream.write_all(b"the end").await.unwrap()).await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    assert_eq!(silence(&mut page).await, b"");
    page.say(&FromPage::Credit(3)).await;
    assert_eq!(page.hear_bytes(3).await, b"the");
    assert_eq!(silence(&mut page).await, b"");
    page.say(&FromPage::Credit(4)).await;
    assert_eq!(page.hear_bytes(4).await, b" end");
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
}

#[tokio::test]
async fn a_page_that_grants_nothing_stops_the_server() {
    const MUCH: usize = 64 << 20;
    let (report, mut written) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let report = report.clone();
        async move {
            let piece = vec![0; 1 << 20];
            for _ in 0..MUCH / piece.len() {
                if stream.write_all(&piece).await.is_err() {
                    return;
                }
                report.send(piece.len()).unwrap();
            }
        }
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    // What fits into the system's buffers is written, and then no more.
    let mut total = 0;
    while let Ok(Some(bytes)) = tokio::time::timeout(Duration::from_secs(1), written.recv()).await {
        total += bytes;
    }
    assert!(total < MUCH / 2, "the server was not stopped: it wrote {total} bytes");
    assert_eq!(silence(&mut page).await.len(), 0);

    page.say(&FromPage::Credit(u32::MAX)).await;
    page.hear_bytes(MUCH).await;
}

#[tokio::test]
async fn either_side_can_finish_while_the_other_goes_on() {
    // Answers only when the page has finished.
    let server = listen(async |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        all.reverse();
        stream.write_all(&all).await.unwrap();
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    page.send(b"abc").await;
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear_bytes(3).await, b"cba");
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn the_page_goes_on_after_the_server_has_finished() {
    let (report, mut read) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let report = report.clone();
        async move {
            stream.write_all(b"bye").await.unwrap();
            stream.shutdown().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            report.send(all).unwrap();
        }
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(page.hear_bytes(3).await, b"bye");
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    page.send(b"thanks").await;
    page.say(&FromPage::Finish).await;
    assert_eq!(soon(read.recv()).await.unwrap(), b"thanks");
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn what_a_page_said_last_reaches_the_server_though_the_page_has_gone() {
    let (report, mut read) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let report = report.clone();
        async move {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            report.send(all).unwrap();
        }
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    page.send(b"QUIT\r\n").await;
    page.0.close(None).await.unwrap();
    assert_eq!(soon(read.recv()).await.unwrap(), b"QUIT\r\n");
}

#[tokio::test]
async fn a_page_that_breaks_the_rules_is_refused() {
    let server = silent().await;
    let proxy = start_for(server).await;
    let again = FromPage::Open(open(HOST, server.port(), TlsMode::None, 1)).to_text();
    let credit = FromPage::Credit(u32::MAX).to_text();
    let finish = FromPage::Finish.to_text();
    let start_tls = FromPage::StartTls.to_text();
    for said in [
        vec!["nonsense"],
        vec![again.as_str()],
        vec![credit.as_str()],
        vec![start_tls.as_str()],
        vec![finish.as_str(), finish.as_str()],
    ] {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
        for text in &said {
            // The proxy may have hung up already.
            let _ = page.0.send((*text).into()).await;
        }
        assert_eq!(page.hear_refused().await.code, Refusal::BadRequest, "{said:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_the_websocket() {
    let server = echo().await;
    let proxy = start_for(server).await;
    for message in [
        Message::binary(vec![0; postern::limits::MAX_MESSAGE + 1]),
        Message::text("x".repeat(postern_tunnel::MAX_CONTROL + 1)),
    ] {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
        let _ = page.0.send(message).await;
        match soon(page.0.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Size),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_is_lost_and_has_not_finished() {
    let server = listen(async |mut stream| {
        stream.write_all(b"* OK").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(page.hear_bytes(4).await, b"* OK");
    page.send(b"x").await;
    let Heard::Control(FromProxy::Refused(refused)) = page.hear().await else {
        panic!("the loss was not told");
    };
    assert_eq!(refused.code, Refusal::Lost);
}

#[tokio::test]
async fn a_tunnel_that_carries_nothing_is_closed_as_idle() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.idle = Duration::from_millis(50),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(page.hear_refused().await.code, Refusal::Idle);
}

#[tokio::test]
async fn a_tunnel_does_not_live_longer_than_it_may() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.lifetime = Duration::from_millis(50),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    assert_eq!(page.hear_refused().await.code, Refusal::TooMany);
}

#[tokio::test]
async fn a_page_that_answers_no_ping_is_gone() {
    let gone = Arc::new(Notify::new());
    let notify = gone.clone();
    let server = listen(move |mut stream| {
        let notify = notify.clone();
        async move {
            let _ = stream.read(&mut [0]).await;
            notify.notify_one();
        }
    })
    .await;
    let proxy = start(
        |config| config.limits.ping = Duration::from_millis(50),
        |builder| builder.allow(destination(server)),
    )
    .await;
    // The client answers pings only while it is read.
    let (page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    soon(gone.notified()).await;
    drop(page);
}

#[tokio::test]
async fn when_tls_ends_in_the_page_the_first_bytes_must_be_tls_with_the_host() {
    let identity = Identity::of(HOST);
    let server = support::tls::listen_tls(&identity, support::server::echo_on).await;
    let mut destination = destination(server);
    destination.implicit_tls = true;
    let proxy = start(|_| {}, |builder| builder.allow(destination)).await;

    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
    page.send(b"A1 LOGIN user password\r\n").await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);

    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
    page.send(&support::tls::client_hello("evil.example.org")).await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);

    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
    for byte in support::tls::client_hello(HOST) {
        page.send(&[byte]).await;
    }
    assert_eq!(page.hear_bytes(1).await[0], 0x16, "the server's handshake");
}
