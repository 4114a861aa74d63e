//! Tunnels that carry much, both ways at once, and sides that do not take what they get.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use postern_tunnel::{FromPage, FromProxy, TlsMode};
use support::{
    HOST, destination,
    page::{PLENTY, Page},
    server::{echo, echo_on, listen},
    soon, start, start_for,
    tls::{Identity, listen_tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

/// The byte at this place of the stream.
fn byte(place: usize) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// Sizes from a byte to a good part of a window, in no order.
fn size(turn: usize) -> usize {
    [1, 40_000, 7, 126, 65_000, 125, 9_999, 16_384][turn % 8]
}

/// Sends so many bytes through a tunnel to an echo, as its credit allows, in messages of all sizes
/// of which some are fragmented, and checks every byte that comes back.
async fn echoes(proxy: SocketAddr, port: u16, tls: TlsMode, total: usize) {
    let (page, opened) = Page::open(proxy, port, tls, u32::MAX).await;
    let (mut sink, mut stream) = page.0.split();
    let (granted, mut grants) = mpsc::unbounded_channel();
    granted.send(opened.credit as usize).unwrap();
    let send = async {
        let (mut credit, mut sent, mut turn) = (0, 0, 0);
        while sent < total {
            while credit == 0 {
                credit += grants.recv().await.unwrap();
            }
            let count = size(turn).min(credit).min(total - sent);
            let bytes: Vec<_> = (sent..sent + count).map(byte).collect();
            if turn % 3 == 0 {
                let (head, tail) = bytes.split_at(count / 2);
                let first = Frame::message(head.to_vec(), OpCode::Data(Data::Binary), false);
                let last = Frame::message(tail.to_vec(), OpCode::Data(Data::Continue), true);
                sink.feed(Message::Frame(first)).await.unwrap();
                sink.feed(Message::Ping("between".into())).await.unwrap();
                sink.send(Message::Frame(last)).await.unwrap();
                // So that the pings are no flood.
                tokio::time::sleep(Duration::from_millis(1)).await;
            } else {
                sink.send(Message::binary(bytes)).await.unwrap();
            }
            sent += count;
            credit -= count;
            turn += 1;
        }
        sink.send(Message::text(FromPage::Finish.to_text())).await.unwrap();
        sink
    };
    let receive = async {
        let mut back = 0;
        loop {
            match stream.next().await.unwrap().unwrap() {
                Message::Binary(bytes) => {
                    assert!(bytes.iter().zip(back..).all(|(got, place)| *got == byte(place)));
                    back += bytes.len();
                }
                Message::Text(text) => match FromProxy::from_text(&text).unwrap() {
                    FromProxy::Credit(credit) => {
                        // Whoever has sent everything listens no more.
                        let _ = granted.send(credit as usize);
                    }
                    FromProxy::Finish => return back,
                    other => panic!("{other:?}"),
                },
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let (_sink, back) = timeout(Duration::from_secs(120), async { tokio::join!(send, receive) })
        .await
        .expect("it takes too long");
    assert_eq!(back, total);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tunnels_carry_both_ways_at_once_and_every_byte_is_right() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let tunnels = (0..8).map(|_| echoes(proxy.addr, server.port(), TlsMode::None, 1_000_000));
    futures_util::future::join_all(tunnels).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_through_tls_that_the_proxy_does() {
    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, echo_on).await;
    let root = identity.certificate.clone();
    let proxy = start(|_| {}, |builder| builder.trust([root]).allow(destination(server))).await;
    let tunnels = (0..4).map(|_| echoes(proxy.addr, server.port(), TlsMode::Proxy, 1_000_000));
    futures_util::future::join_all(tunnels).await;
}

#[tokio::test]
async fn a_page_that_does_not_read_stops_the_server_though_it_has_granted_everything() {
    const MUCH: usize = 64 << 20;
    let (report, mut written) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let report = report.clone();
        async move {
            let piece = vec![7; 1 << 20];
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
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    // What fits into the system's buffers is written, and then no more.
    let mut total = 0;
    while let Ok(Some(bytes)) = timeout(Duration::from_secs(1), written.recv()).await {
        total += bytes;
    }
    assert!(total < MUCH / 2, "the server was not stopped: it wrote {total} bytes");
    assert_eq!(page.hear_bytes(MUCH).await.len(), MUCH);
}

#[tokio::test]
async fn a_server_that_never_reads_stops_the_page_and_still_speaks() {
    let go_on = std::sync::Arc::new(Notify::new());
    let told = go_on.clone();
    let server = listen(move |mut stream| {
        let told = told.clone();
        async move {
            told.notified().await;
            stream.write_all(b"I do not listen").await.unwrap();
            let mut read = 0;
            let mut bytes = vec![0; 1 << 16];
            while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                assert!(bytes[..count].iter().all(|byte| *byte == 7));
                read += count;
            }
            stream.write_all(&(read as u64).to_be_bytes()).await.unwrap();
        }
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, opened) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    let (mut credit, mut sent) = (opened.credit as usize, 0);
    // Until no more credit comes.
    loop {
        page.send(&vec![7; credit]).await;
        sent += credit;
        match timeout(Duration::from_secs(1), page.hear()).await {
            Ok(support::page::Heard::Control(FromProxy::Credit(more))) => credit = more as usize,
            Ok(other) => panic!("{other:?}"),
            Err(_) => break,
        }
        assert!(sent < 64 << 20, "the page was not stopped");
    }
    go_on.notify_one();
    assert_eq!(page.hear_bytes(15).await, b"I do not listen");
    page.say(&FromPage::Finish).await;
    let read = soon(page.hear_bytes(8)).await;
    assert_eq!(u64::from_be_bytes(read.try_into().unwrap()), sent as u64);
}
