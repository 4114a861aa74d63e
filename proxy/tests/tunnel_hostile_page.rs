//! Pages that want to do harm: what they cost is bounded, it ends, and others do not notice.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use futures_util::future::join_all;
use postern::limits::{CONTROLS, MAX_MESSAGE, PAGE_FRAMES, WINDOW};
use postern_tunnel::{FromPage, FromProxy, MAX_CONTROL, Refusal, Refused};
use support::{
    page::PLENTY,
    scene::{MUCH, SHORT, Scene, endless, silent},
    server::listen,
    soon,
    websocket::{
        BINARY, CONTINUATION, Client, Ear, FINAL, Heard, PING, PONG, TEXT, control, frame, header,
        opening, tunnel, upgrade, whole,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

/// Sends this without end, until it is not taken; returns how the proxy ended it: with the refusal
/// that it told, and the code of the close.
async fn flood(client: Client<TcpStream>, bytes: &[u8]) -> (Option<Refused>, Option<u16>) {
    let Client { ear, mut mouth } = client;
    let bytes = bytes.to_vec();
    let sending = tokio::spawn(async move { while mouth.write_all(&bytes).await.is_ok() {} });
    let ended = hear_out(ear).await;
    // The proxy does not listen to it for ever.
    soon(sending).await.unwrap();
    ended
}

/// Hears until the tunnel ends.
async fn end(client: Client<TcpStream>) -> (Option<Refused>, Option<u16>) {
    hear_out(client.ear).await
}

async fn hear_out(mut ear: Ear<TcpStream>) -> (Option<Refused>, Option<u16>) {
    let mut refused = None;
    loop {
        match ear.hear().await {
            Heard::Close(code) => return (refused, code),
            Heard::End => panic!("no close"),
            heard => {
                if let Some(FromProxy::Refused(told)) = heard.control() {
                    refused = Some(told);
                }
            }
        }
    }
}

fn code_of((refused, _): (Option<Refused>, Option<u16>)) -> Refusal {
    refused.expect("a reason").code
}

#[tokio::test]
async fn a_frame_that_says_that_it_is_longer_than_any_may_be_is_refused_at_once() {
    let scene = Scene::new(|_| {}).await;
    for (opcode, most) in [(BINARY, MAX_MESSAGE as u64), (TEXT, MAX_CONTROL as u64)] {
        for length in [most + 1, u64::from(u32::MAX) + 1, i64::MAX as u64] {
            let mut client = scene.tunnel().await;
            client.say(&header(FINAL | opcode, length)).await;
            assert_eq!(end(client).await, (None, Some(1009)), "{length}");
        }
    }
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_frame_that_never_arrives_ends_with_a_page_that_is_gone() {
    let scene = Scene::new(|limits| limits.ping = SHORT).await;
    let started = [
        header(FINAL | BINARY, MAX_MESSAGE as u64),
        header(FINAL | TEXT, MAX_CONTROL as u64),
        header(FINAL | BINARY, 70_000)[..5].to_vec(),
    ];
    join_all(started.map(async |started| {
        let mut client = scene.tunnel().await;
        client.say(&started).await;
        assert_eq!(client.hear().await, Heard::Ping(Vec::new()));
        assert_eq!(end(client).await, (None, Some(1000)));
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_stream_in_frames_of_one_byte_arrives() {
    let scene = Scene::new(|_| {}).await;
    let mut client = tunnel(scene.proxy.addr, scene.server.port(), u32::MAX).await;
    let stream: Vec<u8> = (0..WINDOW).map(|n| n as u8).collect();
    let frames: Vec<u8> = stream.iter().flat_map(|byte| whole(BINARY, [*byte])).collect();
    client.say(&frames).await;
    let mut back = Vec::new();
    while back.len() < stream.len() {
        if let Heard::Binary(bytes) = client.hear().await {
            back.extend(bytes);
        }
    }
    assert!(back == stream);
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_message_in_fragments_without_end_is_refused() {
    let scene = Scene::new(|_| {}).await;
    let kinds = [(BINARY, "x"), (TEXT, "x"), (BINARY, ""), (TEXT, "")];
    join_all(kinds.map(async |(opcode, payload)| {
        let mut client = scene.tunnel().await;
        client.say(&frame(opcode, b"")).await;
        let fragments = frame(CONTINUATION, payload.as_bytes()).repeat(100);
        assert_eq!(flood(client, &fragments).await, (None, Some(1008)), "{opcode}, {payload:?}");
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn as_many_fragments_as_allowed_are_a_message() {
    let scene = Scene::new(|_| {}).await;
    let mut client = scene.tunnel().await;
    let most = PAGE_FRAMES.fragments as usize;
    client.say(&frame(BINARY, b"x")).await;
    client.say(&frame(CONTINUATION, b"x").repeat(most - 2)).await;
    client.say(&frame(FINAL | CONTINUATION, b"x")).await;
    let mut back = 0;
    while back < most {
        if let Heard::Binary(bytes) = client.hear().await {
            back += bytes.len();
        }
    }
    client.say(&frame(BINARY, b"x")).await;
    client.say(&frame(CONTINUATION, b"x").repeat(most)).await;
    assert_eq!(end(client).await, (None, Some(1008)));
    scene.others_were_served().await;
}

#[tokio::test]
async fn floods_of_frames_that_carry_nothing_are_refused() {
    let scene = Scene::new(|_| {}).await;
    let kinds = [
        ("pings", whole(PING, "")),
        ("long pings", whole(PING, [b'x'; 125])),
        ("pongs", whole(PONG, "")),
        ("empty messages", whole(BINARY, "")),
    ];
    join_all(kinds.map(async |(what, empty)| {
        let refused = (None, Some(1008));
        let client = scene.tunnel().await;
        assert_eq!(flood(client, &empty.repeat(100)).await, refused, "{what}");
        // Not only once it is open; but before, a message is the wrong one.
        if what != "empty messages" {
            let client = upgrade(scene.proxy.addr).await;
            assert_eq!(flood(client, &empty.repeat(100)).await, refused, "{what}");
        }
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn as_many_control_messages_as_there_may_be_are_fine_and_more_are_a_flood() {
    let scene = Scene::new(|_| {}).await;
    for message in [FromPage::Credit(0), FromPage::Return(0)].map(|message| control(&message)) {
        let mut client = scene.tunnel().await;
        client.say(&message.repeat(CONTROLS.burst.into())).await;
        client.say(&whole(BINARY, "fine")).await;
        assert_eq!(client.hear().await, Heard::Binary(b"fine".to_vec()));
        let flooded = flood(scene.tunnel().await, &message.repeat(100)).await;
        assert_eq!(flooded, (None, Some(1008)));
    }
    scene.others_were_served().await;
}

#[tokio::test]
async fn control_messages_without_end_do_not_keep_a_tunnel_open() {
    let scene = Scene::new(|limits| limits.idle = SHORT).await;
    join_all([FromPage::Credit(0), FromPage::Return(0)].map(async |message| {
        let Client { ear, mut mouth } = scene.tunnel().await;
        // Not so many that they are a flood.
        let sending = tokio::spawn(async move {
            let mut pace = tokio::time::interval(SHORT / 8);
            while mouth.write_all(&control(&message)).await.is_ok() {
                pace.tick().await;
            }
        });
        assert_eq!(code_of(hear_out(ear).await), Refusal::Idle);
        soon(sending).await.unwrap();
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn messages_without_a_byte_do_not_keep_a_tunnel_open() {
    let scene = Scene::new(|limits| limits.idle = SHORT).await;
    let Client { ear, mut mouth } = scene.tunnel().await;
    // Not so many that they are a flood.
    let sending = tokio::spawn(async move {
        let mut pace = tokio::time::interval(SHORT / 8);
        while mouth.write_all(&whole(BINARY, "")).await.is_ok() {
            pace.tick().await;
        }
    });
    assert_eq!(code_of(hear_out(ear).await), Refusal::Idle);
    soon(sending).await.unwrap();
    scene.others_were_served().await;
}

#[tokio::test]
async fn credit_that_overflows_is_refused() {
    let scene = Scene::new(|_| {}).await;
    for granted in [vec![u32::MAX - PLENTY + 1], vec![u32::MAX - PLENTY, 1], vec![u32::MAX; 2]] {
        let mut client = scene.tunnel().await;
        for credit in &granted {
            client.say(&control(&FromPage::Credit(*credit))).await;
        }
        assert_eq!(code_of(end(client).await), Refusal::BadRequest, "{granted:?}");
    }
    let mut client = scene.tunnel().await;
    client.say(&control(&FromPage::Credit(u32::MAX - PLENTY))).await;
    client.say(&whole(BINARY, "as much as there can be is fine")).await;
    assert!(matches!(client.hear().await, Heard::Binary(_)));
    scene.others_were_served().await;
}

#[tokio::test]
async fn bytes_after_the_end_of_the_stream_are_refused() {
    let scene = Scene::new(|_| {}).await;
    for after in [whole(BINARY, "x"), frame(BINARY, b"x"), control(&FromPage::StartTls)] {
        let mut client = scene.tunnel().await;
        client.say(&[control(&FromPage::Finish), after].concat()).await;
        assert_eq!(code_of(end(client).await), Refusal::BadRequest);
    }
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_page_that_vanishes_leaves_no_tunnel() {
    let (report, mut ended) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let report = report.clone();
        async move {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
            report.send(all).unwrap();
        }
    })
    .await;
    let scene = Scene::with_server(server, |limits| limits.ping = SHORT).await;

    // It neither speaks nor answers any more, as if its cable had been pulled.
    let mut silent = scene.tunnel().await;
    silent.say(&whole(BINARY, "silent")).await;
    assert_eq!(soon(ended.recv()).await.unwrap(), b"silent");
    drop(silent);

    // It ends TCP, but not the WebSocket.
    let mut cut = scene.tunnel().await;
    cut.say(&whole(BINARY, "cut")).await;
    drop(cut);
    assert_eq!(soon(ended.recv()).await.unwrap(), b"cut");

    // Within a frame.
    let mut half = scene.tunnel().await;
    half.say(&whole(BINARY, "half of it")[..10]).await;
    drop(half);
    assert_eq!(soon(ended.recv()).await.unwrap(), b"half");
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_page_that_never_reads_stops_the_server_and_is_gone_in_the_end() {
    let (report, mut sent) = mpsc::unbounded_channel();
    let scene = Scene::with_server(endless(report).await, |limits| limits.ping = SHORT).await;
    let client = tunnel(scene.proxy.addr, scene.server.port(), u32::MAX).await;
    let total = soon(sent.recv()).await.unwrap();
    assert!(total < MUCH, "{total} bytes were taken for a page that reads nothing");
    drop(client);
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_page_that_never_reads_does_not_stay_because_it_goes_on_to_speak() {
    let (report, mut sent) = mpsc::unbounded_channel();
    let scene = Scene::with_server(endless(report).await, |limits| limits.idle = SHORT).await;
    let Client { ear, mut mouth } = tunnel(scene.proxy.addr, scene.server.port(), u32::MAX).await;
    let speaking = tokio::spawn(async move {
        let nothing = control(&FromPage::Return(0)).repeat(1000);
        while mouth.write_all(&nothing).await.is_ok() {}
    });
    let total = soon(sent.recv()).await.unwrap();
    assert!(total < MUCH, "{total} bytes were taken for a page that reads nothing");
    soon(speaking).await.unwrap();
    drop(ear);
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_page_whose_server_never_reads_is_stopped_by_its_credit() {
    let scene = Scene::with_server(silent().await, |_| {}).await;
    let Client { mut ear, mut mouth } = scene.tunnel().await;
    let sending = tokio::spawn(async move {
        let piece = whole(BINARY, vec![0; WINDOW as usize]);
        while mouth.write_all(&piece).await.is_ok() {}
    });
    let mut granted = 0;
    let refused = loop {
        match ear.hear().await.control() {
            Some(FromProxy::Refused(refused)) => break refused,
            Some(FromProxy::Credit(credit)) => granted += credit as usize,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused.code, Refusal::BadRequest);
    assert!(granted < MUCH, "{granted} bytes were granted though nobody reads");
    soon(sending).await.unwrap();
    scene.others_were_served().await;
}

#[tokio::test]
async fn a_websocket_that_never_becomes_a_tunnel_ends() {
    let scene = Scene::new(|limits| limits.open = SHORT).await;
    let open = control(&opening(scene.proxy.addr, scene.server.port(), PLENTY).await);
    let half = open[..open.len() / 2].to_vec();
    let started = [Vec::new(), half, frame(TEXT, b"{"), whole(PING, ""), whole(PONG, "")];
    join_all(started.map(async |started| {
        let mut client = upgrade(scene.proxy.addr).await;
        client.say(&started).await;
        let (refused, close) = end(client).await;
        let refused = refused.unwrap();
        assert_eq!((refused.code, close), (Refusal::BadRequest, Some(1008)));
        assert_eq!(refused.message, "The page did not say where to connect.");
    }))
    .await;
    scene.others_were_served().await;
}

#[tokio::test]
async fn whoever_says_where_to_go_byte_by_byte_is_no_exception() {
    let scene = Scene::new(|limits| limits.open = SHORT).await;
    let Client { mut ear, mut mouth } = upgrade(scene.proxy.addr).await;
    let trickling = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        for byte in frame(FINAL | TEXT, &[b' '; MAX_CONTROL]) {
            pace.tick().await;
            if mouth.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    let Some(FromProxy::Refused(refused)) = ear.hear().await.control() else { panic!("no reason") };
    assert_eq!(refused.code, Refusal::BadRequest);
    soon(trickling).await.unwrap();
    scene.others_were_served().await;
}
