//! The same at a tunnel of the proxy, where binary messages are a stream and text is control.

use std::net::SocketAddr;

use postern_tunnel::{FromPage, FromProxy, MAX_CONTROL};

use super::{
    autofragment,
    case::{Case, End, told},
    close as closing, fragments, framing, opcodes, pings, reserved,
    support::{
        page::PLENTY,
        server::echo,
        start_for,
        websocket::{
            BINARY, CONTINUATION, FINAL, Heard, PING, TEXT, close, fragmented, frame, header,
            opening, tunnel, upgrade, whole,
        },
    },
};

/// The stream that was heard, and the pongs: how the two mix is nobody's promise.
#[derive(Debug, Default, Eq, PartialEq)]
struct Sum {
    stream: Vec<u8>,
    pongs: Vec<Vec<u8>>,
}

impl Sum {
    /// Adds what was heard, up to a close.
    fn add(&mut self, heard: &Heard) {
        match heard {
            Heard::Binary(bytes) => self.stream.extend(bytes),
            Heard::Pong(payload) => self.pongs.push(payload.clone()),
            Heard::Text(_) => assert!(matches!(heard.control(), Some(FromProxy::Credit(_)))),
            other => panic!("{other:?}"),
        }
    }

    fn of(heard: &[Heard]) -> Self {
        let mut sum = Self::default();
        heard.iter().for_each(|heard| sum.add(heard));
        sum
    }
}

/// Plays a case. The server's echo is on its way when the proxy finds a mistake, so it is awaited
/// only where there is none.
async fn play(case: &Case, proxy: SocketAddr, server: SocketAddr) {
    let name = &case.name;
    let expected = Sum::of(&case.heard);
    let mut client = tunnel(proxy, server.port(), PLENTY).await;
    match case.end {
        End::Client => {
            client.say(&case.sent).await;
            let mut sum = Sum::default();
            while sum != expected {
                let heard = client.hear().await;
                assert!(
                    !matches!(heard, Heard::Close(_) | Heard::End),
                    "{name}: {heard:?} after {} bytes",
                    sum.stream.len()
                );
                sum.add(&heard);
            }
            let mut heard = client.talk(&close(1000, ""), usize::MAX).await;
            heard.retain(|heard| heard.control().is_none());
            assert_eq!(heard, [Heard::Close(Some(1000))], "{name}");
        }
        End::Server(code) => {
            let heard = client.talk(&case.sent, usize::MAX).await;
            let Some((last, before)) = heard.split_last() else { panic!("{name}: nothing") };
            assert_eq!(*last, Heard::Close(code), "{name}: {}", told(&heard));
            let sum = Sum::of(before);
            assert!(expected.stream.starts_with(&sum.stream), "{name}: {}", told(&heard));
            assert_eq!(sum.pongs, expected.pongs, "{name}");
        }
    }
}

async fn play_all(cases: Vec<Case>) {
    assert!(!cases.is_empty());
    let server = echo().await;
    let proxy = start_for(server).await;
    for case in cases {
        play(&case, proxy.addr, server).await;
    }
}

#[tokio::test]
async fn a_tunnel_takes_messages_of_all_lengths() {
    play_all(framing::cases(BINARY)).await;
    play_all(autofragment::cases(BINARY)).await;
}

#[tokio::test]
async fn a_tunnel_answers_pings() {
    play_all(pings::cases()).await;
}

#[tokio::test]
async fn a_tunnel_ends_with_a_reserved_bit_or_opcode() {
    play_all(reserved::cases(BINARY)).await;
    play_all(opcodes::cases(BINARY)).await;
}

#[tokio::test]
async fn a_tunnel_joins_fragments_that_are_in_order() {
    play_all(fragments::cases(BINARY)).await;
}

#[tokio::test]
async fn a_tunnel_answers_a_close() {
    play_all(closing::cases(BINARY)).await;
}

#[tokio::test]
async fn an_empty_message_is_no_part_of_the_stream_and_does_no_harm() {
    let nothing = whole(BINARY, "");
    let hello = whole(BINARY, "hello");
    let split = fragmented(BINARY, ["", "hello", ""]);
    let case = |name, sent: &[u8]| Case::new(name).say(sent).echo(BINARY, "hello");
    play_all(vec![
        case("before", &[&nothing[..], &hello].concat()),
        case("in fragments", &split),
        Case::new("between").say(&hello).say(&nothing).say(&hello).echo(BINARY, "hellohello"),
    ])
    .await;

    // Each arrives alone.
    let server = echo().await;
    let proxy = start_for(server).await;
    let mut client = tunnel(proxy.addr, server.port(), PLENTY).await;
    for _ in 0..3 {
        client.say(&nothing).await;
        client.say(&whole(PING, "and now")).await;
        assert_eq!(client.hear().await, Heard::Pong(b"and now".to_vec()));
        client.say(&hello).await;
        assert_eq!(client.hear().await, Heard::Binary(b"hello".to_vec()));
    }
}

#[tokio::test]
async fn control_messages_may_be_fragmented_and_interrupted_by_pings() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let mut client = upgrade(proxy.addr).await;
    let open = opening(proxy.addr, server.port(), 0).await.to_text();
    let (first, rest) = open.split_at(open.len() / 2);
    client.say(&frame(TEXT, first.as_bytes())).await;
    client.say(&whole(PING, "still there?")).await;
    assert_eq!(client.hear().await, Heard::Pong(b"still there?".to_vec()));
    client.say(&frame(FINAL | CONTINUATION, rest.as_bytes())).await;
    assert!(matches!(client.hear().await.control(), Some(FromProxy::Opened(_))));

    client.say(&whole(BINARY, "hello")).await;
    client.say(&fragmented(TEXT, FromPage::Credit(5).to_text().as_bytes().chunks(1))).await;
    assert_eq!(client.hear().await, Heard::Binary(b"hello".to_vec()));
}

/// A tunnel that is not open yet, and one that is.
#[tokio::test]
async fn control_that_is_no_text_or_too_long_ends_the_tunnel() {
    let server = echo().await;
    let proxy = start_for(server).await;
    let too_long = header(FINAL | TEXT, MAX_CONTROL as u64 + 1);
    for (sent, code) in [(whole(TEXT, b"\"\xff\""), 1007), (too_long, 1009)] {
        for client in [upgrade(proxy.addr).await, tunnel(proxy.addr, server.port(), PLENTY).await] {
            let heard = client.talk(&sent, usize::MAX).await;
            assert_eq!(heard, [Heard::Close(Some(code))]);
        }
    }
}
