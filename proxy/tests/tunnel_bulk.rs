//! Downloads: every byte, and no more than the page takes, however fast the server is.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    HOST, destination,
    http::get,
    page::{Heard, PLENTY, Page},
    server::listen,
    soon, start, start_for,
    tls::{Identity, listen_tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};
use tokio_tungstenite::tungstenite::Message;

/// More than all buffers on the way hold.
const MUCH: usize = 16 << 20;

/// The byte at this place of the stream.
fn byte(place: usize) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// Makes sure that these are the bytes from this place on.
fn check(bytes: &[u8], from: usize) {
    assert!(bytes.iter().zip(from..).all(|(got, place)| *got == byte(place)), "after {from}");
}

/// Sends the stream from one place to another, until that is not taken.
async fn send(stream: &mut (impl AsyncWrite + Unpin), from: usize, to: usize) -> bool {
    let mut place = from;
    while place < to {
        let bytes: Vec<_> = (place..to.min(place + (1 << 18))).map(byte).collect();
        place += bytes.len();
        if stream.write_all(&bytes).await.is_err() {
            return false;
        }
    }
    stream.flush().await.is_ok()
}

/// A server that sends as many bytes as the four that it gets say, and finishes.
async fn source() -> SocketAddr {
    listen(async |mut stream| {
        let wanted = stream.read_u32().await.unwrap();
        if send(&mut stream, 0, wanted as usize).await {
            stream.shutdown().await.unwrap();
        }
        let _ = stream.read(&mut [0]).await;
    })
    .await
}

/// Asks for so many bytes, checks what comes until the server has finished, and grants it anew.
async fn download(page: &mut Page, wanted: usize) {
    page.send(&(wanted as u32).to_be_bytes()).await;
    receive(page, wanted).await;
}

async fn receive(page: &mut Page, wanted: usize) {
    let (mut place, mut used) = (0, 0);
    loop {
        match page.hear().await {
            Heard::Bytes(bytes) => {
                check(&bytes, place);
                place += bytes.len();
                used += bytes.len() as u32;
                // Half a window at a time: more messages would be a flood.
                if used >= PLENTY / 2 {
                    page.say(&FromPage::Credit(std::mem::take(&mut used))).await;
                }
            }
            Heard::Control(FromProxy::Credit(_)) => {}
            Heard::Control(FromProxy::Finish) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(place, wanted);
}

#[tokio::test]
async fn downloads_of_every_size_arrive_byte_by_byte() {
    let server = source().await;
    let proxy = start_for(server).await;
    let chunk = postern::limits::CHUNK;
    let mut sizes = vec![0, 1, 1000, 3_000_000];
    for edge in [chunk - 10, chunk, 2 * chunk - 10, 2 * chunk, 4 * chunk] {
        sizes.extend([edge - 1, edge, edge + 1]);
    }
    for size in sizes {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
        download(&mut page, size).await;
        page.say(&FromPage::Finish).await;
        assert_eq!(page.hear().await, Heard::Closed);
    }
}

#[tokio::test]
async fn a_download_goes_on_after_the_page_has_finished() {
    let server = listen(async |mut stream| {
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert!(send(&mut stream, 0, MUCH).await);
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    page.say(&FromPage::Finish).await;
    receive(&mut page, MUCH).await;
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn a_download_stops_at_each_grant_and_goes_on_with_the_next() {
    let server = source().await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, 0).await;
    page.send(&(MUCH as u32).to_be_bytes()).await;
    let mut place = 0;
    for grant in [300_000, 1, 65_526, 65_527, 131_073, 2, 1_000_000, 70_000] {
        page.say(&FromPage::Credit(grant)).await;
        let bytes = page.hear_bytes(grant as usize).await;
        assert_eq!(bytes.len(), grant as usize);
        check(&bytes, place);
        place += bytes.len();
        // An answer to this ping comes after everything that was sent before it.
        page.0.send(Message::Ping("?".into())).await.unwrap();
        match soon(page.0.next()).await {
            Some(Ok(Message::Pong(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_page_that_pauses_stops_the_server_and_then_gets_every_byte() {
    let stopped = Arc::new(Notify::new());
    let notify = stopped.clone();
    let server = listen(move |mut stream: TcpStream| {
        let notify = notify.clone();
        async move {
            // Until the system takes no more at once: everything on the way is full.
            let mut place = 0;
            let mut patience = 0;
            while patience < 50 {
                let bytes: Vec<_> = (place..place + 100_000).map(byte).collect();
                match stream.try_write(&bytes) {
                    Ok(count) => (place, patience) = (place + count, 0),
                    Err(_) => {
                        patience += 1;
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                }
            }
            notify.notify_one();
            assert!(send(&mut stream, place, place.max(MUCH)).await);
            stream.write_all(&(place.max(MUCH) as u64).to_be_bytes()).await.unwrap();
        }
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    soon(stopped.notified()).await;
    // Its answer comes between two frames.
    page.0.send(Message::Ping("?".into())).await.unwrap();
    let (mut place, mut last) = (0, Vec::new());
    loop {
        match page.hear().await {
            Heard::Bytes(bytes) => {
                last.extend(bytes);
                let sure = last.len().saturating_sub(8);
                check(&last[..sure], place);
                place += sure;
                last.drain(..sure);
            }
            Heard::Control(FromProxy::Finish) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(place as u64, u64::from_be_bytes(last.try_into().unwrap()));
}

#[tokio::test]
async fn pages_that_go_in_the_middle_leave_nothing_behind_for_others() {
    let server = source().await;
    let proxy = start_for(server).await;
    for _ in 0..20 {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
        page.send(&u32::MAX.to_be_bytes()).await;
        page.hear_bytes(1_000_000).await;
        page.0.get_ref().set_zero_linger().unwrap();
        drop(page);
        let (mut other, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
        download(&mut other, 1_000_000).await;
    }
}

#[tokio::test]
async fn what_a_server_said_before_it_broke_off_is_right_and_not_the_end() {
    let server = listen(async |mut stream: TcpStream| {
        send(&mut stream, 0, 3_000_000).await;
        stream.read_u8().await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let proxy = start_for(server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    check(&page.hear_bytes(3_000_000).await, 0);
    page.send(&[0]).await;
    assert_eq!(page.hear_refused().await.code, Refusal::Lost);
}

#[tokio::test]
async fn a_download_is_counted_to_the_byte() {
    let server = source().await;
    let proxy = start(
        |config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into()),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
    download(&mut page, 3_000_001).await;
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear().await, Heard::Closed);
    let carried = "postern_tunnels_carried_bytes_total{to=\"page\"} 3000001\n";
    let metrics = proxy.metrics.unwrap();
    soon(async { while !get(metrics, "/metrics", &[]).await.text().contains(carried) {} }).await;
}

#[tokio::test]
async fn a_download_ends_where_the_client_has_had_its_share() {
    let server = source().await;
    let proxy = start(
        |config| config.limits.bytes_per_client_per_hour = 2_000_000,
        |builder| builder.allow(destination(server)),
    )
    .await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, u32::MAX).await;
    page.send(&u32::MAX.to_be_bytes()).await;
    assert_eq!(page.hear_refused().await.code, Refusal::TooMany);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_downloads_at_once_do_not_mix() {
    let server = source().await;
    let proxy = start_for(server).await;
    let downloads = (0..20).map(|turn| async move {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::None, PLENTY).await;
        download(&mut page, 2_000_000 + turn).await;
    });
    futures_util::future::join_all(downloads).await;
}

#[tokio::test]
async fn a_download_through_tls_is_decrypted_for_the_page() {
    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, async |mut stream| {
        assert!(send(&mut stream, 0, MUCH).await);
        stream.shutdown().await.unwrap();
    })
    .await;
    let root = identity.certificate.clone();
    let proxy = start(|_| {}, |builder| builder.trust([root]).allow(destination(server))).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::Proxy, PLENTY).await;
    receive(&mut page, MUCH).await;
}
