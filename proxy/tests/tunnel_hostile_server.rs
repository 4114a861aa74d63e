//! Mail servers that do harm, on purpose or not: what they cost is bounded, and the page hears how
//! it ends.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use futures_util::future::join_all;
use postern::limits::WINDOW;
use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    HOST, destination,
    page::{Heard, PLENTY, Page},
    scene::{MUCH, SHORT, Scene, endless, silent},
    server::listen,
    soon, start,
    tls::{Identity, listen_tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    task::yield_now,
};

/// A tunnel of a page that plays by the rules.
async fn open(scene: &Scene, credit: u32) -> Page {
    Page::open(scene.proxy.addr, scene.server.port(), TlsMode::None, credit).await.0
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8).collect()
}

/// Sends what there is in pieces of one byte.
async fn trickle(mut stream: impl AsyncWrite + Unpin, bytes: &[u8]) {
    for byte in bytes {
        stream.write_all(&[*byte]).await.unwrap();
        stream.flush().await.unwrap();
        yield_now().await;
    }
    stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_server_that_floods_sends_no_more_than_the_page_takes() {
    let (report, mut sent) = mpsc::unbounded_channel();
    let scene = Scene::with_server(endless(report).await, |_| {}).await;
    let mut page = open(&scene, 0).await;
    let mut taken = 0;
    for _ in 0..100 {
        page.say(&FromPage::Credit(1000)).await;
        taken += page.hear_bytes(1000).await.len();
    }
    assert_eq!(taken, 100_000);
    page.0.close(None).await.unwrap();
    let total = soon(sent.recv()).await.unwrap();
    assert!(total < MUCH, "{total} bytes were taken for a page that wanted {taken}");
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_server_that_trickles_is_heard_with_and_without_tls() {
    let server = listen(async |stream| {
        stream.set_nodelay(true).unwrap();
        trickle(stream, &pattern(2000)).await;
    })
    .await;
    let scene = Scene::with_server(server, |_| {}).await;
    let mut page = open(&scene, PLENTY).await;
    assert_eq!(page.hear_bytes(2000).await, pattern(2000));
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    scene.others_were_served().await;

    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, async |stream| trickle(stream, &pattern(2000)).await).await;
    let root = identity.certificate.clone();
    let proxy = start(|_| {}, |builder| builder.trust([root]).allow(destination(server))).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::Proxy, PLENTY).await;
    assert_eq!(page.hear_bytes(2000).await, pattern(2000));
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
}

#[tokio::test]
async fn a_server_that_is_only_silent_is_given_up_in_the_end() {
    let scene = Scene::with_server(silent().await, |limits| limits.idle = SHORT).await;
    let said = [
        vec![],
        vec![FromPage::Credit(1)],
        // What it has been told does not count as an answer.
        vec![FromPage::Finish],
    ];
    join_all(said.map(async |said| {
        let mut page = open(&scene, PLENTY).await;
        page.send(b"anybody there?").await;
        for message in &said {
            page.say(message).await;
        }
        assert_eq!(page.hear_refused().await.code, Refusal::Idle, "{said:?}");
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_server_that_never_reads_is_given_up_though_the_page_has_more_to_say() {
    let scene = Scene::with_server(silent().await, |limits| limits.idle = SHORT).await;
    let mut page = open(&scene, PLENTY).await;
    // As much as the page may: what the system holds for the server, and a window more.
    page.send(&vec![0; WINDOW as usize]).await;
    let refused = loop {
        match page.hear().await {
            Heard::Control(FromProxy::Credit(more)) => page.send(&vec![0; more as usize]).await,
            Heard::Control(FromProxy::Refused(refused)) => break refused,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused.code, Refusal::Idle);
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_server_that_breaks_off_at_once_is_lost() {
    let server = listen(async |stream| stream.set_zero_linger().unwrap()).await;
    let scene = Scene::with_server(server, |_| {}).await;
    for _ in 0..10 {
        // It may be gone before the tunnel says that it is there.
        let mut page = Page::connect(scene.proxy.addr).await;
        let request = support::page::open(HOST, scene.server.port(), TlsMode::None, PLENTY);
        page.say(&FromPage::Open(request)).await;
        let code = page.hear_refused().await.code;
        assert!(matches!(code, Refusal::Lost | Refusal::ConnectFailed), "{code:?}");
    }
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_on_what_it_has_not_read_is_lost() {
    let server = listen(async |mut stream| {
        stream.read_exact(&mut [0]).await.unwrap();
    })
    .await;
    let scene = Scene::with_server(server, |_| {}).await;
    let mut page = open(&scene, PLENTY).await;
    page.send(&[0; 10_000]).await;
    assert_eq!(page.hear_refused().await.code, Refusal::Lost);
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_server_that_has_nothing_to_say_has_finished() {
    let server = listen(async |mut stream| {
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let scene = Scene::with_server(server, |_| {}).await;
    let mut page = open(&scene, 0).await;
    // An end is found by reading, which takes credit.
    page.say(&FromPage::Credit(1)).await;
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear().await, Heard::Closed);
    scene.others_were_served().await;
}
