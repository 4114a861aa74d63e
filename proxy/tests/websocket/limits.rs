//! Section 9: long messages and many of them, as far as the limits go, and one past them.

use tokio::net::TcpStream;

use super::{
    case::{Case, play},
    echo,
    support::websocket::{
        BINARY, CONTINUATION, Client, FINAL, PING, PONG, TEXT, fragmented, frame, header, message,
        whole,
    },
};

const KB: usize = 1024;
const MB: usize = 1024 * KB;

fn payload(opcode: u8, length: usize) -> Vec<u8> {
    vec![if opcode == TEXT { b'*' } else { 0xfe }; length]
}

/// 9.1 and 9.2: whole messages, up to the longest that is allowed.
#[tokio::test]
async fn long_messages_come_back() {
    assert_eq!(echo::LIMITS.text, (16 * MB) as u64);
    for (section, opcode) in [("9.1", TEXT), ("9.2", BINARY)] {
        let lengths = [64 * KB, 256 * KB, MB, 4 * MB, 8 * MB, 16 * MB];
        for (n, length) in (1..).zip(lengths) {
            let payload = payload(opcode, length);
            let case = Case::new(format!("{section}.{n}")).say(whole(opcode, &payload));
            play(&[case.echo(opcode, payload)]).await;
        }
    }
}

/// 9.3 and 9.4: the same 4 MB in fragments from 64 bytes to 4 MB.
#[tokio::test]
async fn long_messages_in_many_fragments_come_back() {
    assert_eq!(echo::LIMITS.fragments as usize, 4 * MB / 64);
    for (section, opcode) in [("9.3", TEXT), ("9.4", BINARY)] {
        let payload = payload(opcode, 4 * MB);
        let sizes = [64, 256, KB, 4 * KB, 16 * KB, 64 * KB, 256 * KB, MB, 4 * MB];
        for (n, size) in (1..).zip(sizes) {
            let sent = fragmented(opcode, payload.chunks(size));
            let case = Case::new(format!("{section}.{n}")).say(sent);
            play(&[case.echo(opcode, &*payload)]).await;
        }
    }
}

/// 9.5 and 9.6: the same 1 MB in pieces of 64 to 2,048 bytes.
#[tokio::test]
async fn long_messages_that_arrive_in_small_pieces_come_back() {
    for (section, opcode) in [("9.5", TEXT), ("9.6", BINARY)] {
        let payload = payload(opcode, MB);
        for (n, size) in (1..).zip([64, 128, 256, 512, KB, 2 * KB]) {
            let case = Case::new(format!("{section}.{n}")).say(whole(opcode, &payload));
            play(&[case.echo(opcode, &*payload).chopped(size)]).await;
        }
    }
}

/// 9.7 and 9.8: a thousand messages, each after the one before has come back.
#[tokio::test]
async fn a_thousand_messages_go_to_and_fro() {
    for (section, opcode) in [("9.7", TEXT), ("9.8", BINARY)] {
        for (n, length) in (1..).zip([0, 16, 64, 256, KB, 4 * KB]) {
            let mut client = connect().await;
            let payload = payload(opcode, length);
            let sent = whole(opcode, &payload);
            for _ in 0..1000 {
                client.say(&sent).await;
                let heard = client.hear().await;
                assert!(heard == message(opcode, &*payload), "{section}.{n}: {heard:?}");
            }
        }
    }
}

#[tokio::test]
async fn one_byte_too_many_is_refused_before_it_is_sent() {
    for opcode in [TEXT, BINARY] {
        let too_long = header(FINAL | opcode, 16 * MB as u64 + 1);
        let all = header(FINAL | opcode, i64::MAX as u64);
        let second = header(FINAL | CONTINUATION, 16 * MB as u64);
        play(&[
            Case::new("one more").say(too_long).closed(1009),
            Case::new("the longest that can be said").say(all).closed(1009),
            Case::new("one more in two").say(frame(opcode, b"x")).say(second).closed(1009),
        ])
        .await;
    }
}

#[tokio::test]
async fn lengths_that_are_not_encoded_as_they_must_be_are_refused() {
    let length = |bytes: &[u8]| [&[FINAL | BINARY], bytes, &[0; 4]].concat();
    play(&[
        Case::new("125 in two bytes").say(length(&[0xfe, 0, 125])).closed(1002),
        Case::new("65535 in eight").say(length(&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff])).closed(1002),
        Case::new("negative").say(length(&[0xff, 0x80, 0, 0, 0, 0, 0, 0, 0])).closed(1002),
        Case::new("unmasked").say([FINAL | BINARY, 0]).closed(1002),
    ])
    .await;
}

#[tokio::test]
async fn one_fragment_too_many_is_refused() {
    let most = echo::LIMITS.fragments as usize;
    let payload = payload(BINARY, most);
    let good = Case::new("most").say(fragmented(BINARY, payload.chunks(1)));
    let mut sent = frame(BINARY, b"x");
    (0..most).for_each(|_| sent.extend(frame(CONTINUATION, b"x")));
    let bad = Case::new("one more").say(sent).closed(1008);
    play(&[good.echo(BINARY, payload), bad]).await;
}

#[tokio::test]
async fn one_frame_too_many_that_carries_nothing_is_refused() {
    let most = usize::from(echo::LIMITS.flood.burst);
    for (what, empty) in [
        ("pongs", whole(PONG, "payload that nobody asked for")),
        ("fragments", frame(CONTINUATION, b"")),
    ] {
        let begun = Case::new(what).say(frame(TEXT, b"begun"));
        let good = begun.clone().say(empty.repeat(most)).say(frame(FINAL | CONTINUATION, b"!"));
        play(&[good.echo(TEXT, "begun!"), begun.say(empty.repeat(most + 1)).closed(1008)]).await;
    }
    let pings = (0..most).fold(Case::new("pings"), |case, _| case.ping(""));
    play(&[pings.clone(), pings.say(whole(PING, "")).closed(1008)]).await;
}

async fn connect() -> Client<TcpStream> {
    let stream = TcpStream::connect(echo::listen().await).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Client::connect(stream, "/", &["Host: localhost".into()]).await
}
