use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, DuplexStream, duplex},
    time::timeout,
};

use super::*;
use crate::{limits::CHUNK, websocket::FloodLimit};

const LIMITS: Limits = Limits {
    text: 1000,
    binary: 1 << 20,
    fragments: 100,
    flood: FloodLimit { burst: 1000, interval: Duration::from_secs(1) },
};

/// A frame with the key 0, which leaves the payload as it is.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..0x10000 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A server that echoes, over the far end of what is returned.
fn echo(unread: &[u8], room: usize) -> DuplexStream {
    let (near, far) = duplex(room);
    let mut connection = Connection::new(far, unread, LIMITS);
    tokio::spawn(async move {
        while let Ok(Some(message)) = connection.receive(usize::MAX).await {
            connection.send(&message).await.unwrap();
        }
        connection.close(CloseCode::NORMAL).await.unwrap();
    });
    near
}

/// Sends bytes, and returns everything that comes back until the server ends its stream.
async fn exchange(bytes: &[u8], unread: &[u8], room: usize) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(echo(unread, room));
    let exchange = async {
        let write = async {
            let _ = writer.write_all(bytes).await;
        };
        let mut back = Vec::new();
        let (read, ()) = tokio::join!(reader.read_to_end(&mut back), write);
        read.unwrap();
        // The server waits for our end before it lets go.
        drop((reader, writer));
        back
    };
    timeout(Duration::from_secs(20), exchange).await.unwrap()
}

#[tokio::test]
async fn messages_pings_and_a_close_are_answered_whatever_the_stream_takes_at_once() {
    let long = vec![b'x'; 70_000];
    let sent = [
        frame(0x81, b"one"),
        frame(0x02, b"tw"),
        frame(0x89, b"ping"),
        frame(0x80, b"o"),
        frame(0x82, &long),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    let mut expected = b"\x81\x03one\x8a\x04ping\x82\x03two".to_vec();
    expected.extend(b"\x82\x7f\0\0\0\0\0\x01\x11\x70");
    expected.extend(&long);
    expected.extend(b"\x88\x02\x03\xe8");
    for room in [1, 7, 1000, 1 << 20] {
        assert_eq!(exchange(&sent, b"", room).await, expected, "{room}");
        // What came with the handshake is no different from what comes later.
        let (early, late) = sent.split_at(30_000);
        assert_eq!(exchange(late, early, room).await, expected, "{room}");
    }
}

#[tokio::test]
async fn a_violation_is_answered_with_its_code_after_what_was_right() {
    for (wrong, code) in [
        (frame(0xc1, b""), 1002_u16),
        (frame(0x81, b"\xff"), 1007),
        (frame(0x81, &[b'x'; 1001]), 1009),
        ([&frame(0x01, b"")[..], &frame(0x00, b"x").repeat(100)].concat(), 1008),
    ] {
        let sent = [&frame(0x81, b"ok")[..], &wrong, &frame(0x81, b"lost")].concat();
        let back = exchange(&sent, b"", 1 << 20).await;
        assert_eq!(back[..4], *b"\x81\x02ok");
        assert_eq!(back[4], 0x88);
        assert_eq!(back[6..8], code.to_be_bytes());
        assert_eq!(back.len(), 6 + usize::from(back[5]));
    }
}

#[tokio::test]
async fn a_page_that_sends_pings_and_takes_nothing_is_not_read_any_more() {
    let (mut near, far) = duplex(1000);
    let limits =
        Limits { flood: FloodLimit { burst: u16::MAX, interval: Duration::ZERO }, ..LIMITS };
    let mut connection = Connection::new(far, b"", limits);
    let flood = async {
        let ping = frame(0x89, &[0; 125]);
        while near.write_all(&ping).await.is_ok() {}
    };
    let both = async { tokio::join!(flood, connection.receive(usize::MAX)) };
    assert!(timeout(Duration::from_millis(200), both).await.is_err());
    assert!(connection.unsent.len() <= SPLICED + UNREAD_PONGS + 2 * CHUNK);
}

#[tokio::test]
async fn no_more_of_a_message_is_gathered_than_is_wanted() {
    for (length, fits) in [(10, true), (11, false)] {
        let (mut near, far) = duplex(1000);
        let mut connection = Connection::new(far, b"", LIMITS);
        // In two fragments, of which the second goes too far.
        near.write_all(&frame(0x02, b"five!")).await.unwrap();
        near.write_all(&frame(0x80, &vec![b'x'; length - 5])).await.unwrap();
        let received = connection.receive(10).await;
        let too_long = matches!(received, Err(Error::Violation(Violation::TooLong)));
        assert_eq!((received.is_ok(), too_long), (fits, !fits), "{length}");
    }
}

#[tokio::test]
async fn a_close_waits_for_the_page_and_ignores_what_it_says() {
    let (mut near, far) = duplex(100_000);
    let connection = Connection::new(far, b"", LIMITS);
    let page = async {
        let mut close = [0; 4];
        near.read_exact(&mut close).await.unwrap();
        assert_eq!(&close, b"\x88\x02\x03\xf0");
        near.write_all(&frame(0x82, b"late")).await.unwrap();
        near.write_all(&frame(0x89, b"late")).await.unwrap();
        near.write_all(&frame(0x88, b"\x03\xf0")).await.unwrap();
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
        drop(near);
    };
    let (closed, ()) = tokio::join!(connection.close(CloseCode::POLICY), page);
    closed.unwrap();
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let (mut near, far) = duplex(1000);
    let mut connection = Connection::new(far, b"", LIMITS);
    let large = Message::Binary(vec![1; 50_000]);
    let mut back = vec![0; 50_004];
    let (sent, read) = tokio::join!(connection.send(&large), near.read_exact(&mut back));
    sent.unwrap();
    read.unwrap();
    assert_eq!(connection.unsent.capacity(), 0);
    near.write_all(&frame(0x81, b"hi")).await.unwrap();
    connection.receive(usize::MAX).await.unwrap();
    assert_eq!(connection.unread.capacity(), 0);
}
