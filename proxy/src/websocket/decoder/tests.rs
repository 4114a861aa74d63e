use std::time::Duration;

use super::*;
use crate::websocket::CloseCode;

const LIMITS: Limits = Limits {
    text: 100,
    binary: 1000,
    fragments: 8,
    flood: FloodLimit { burst: 4, interval: Duration::from_secs(1) },
};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const LAST: u8 = 0x80;

/// A page's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x11, 0x22, 0x33, 0x44];
    let mut frame = vec![first];
    match u16::try_from(payload.len()).unwrap() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

fn frames(frames: &[(u8, &[u8])]) -> Vec<u8> {
    frames.iter().flat_map(|(first, payload)| frame(*first, payload)).collect()
}

/// What was heard, with the pieces of messages joined.
#[derive(Debug, Eq, PartialEq)]
enum Heard {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<Close>),
    Wrong(Violation),
}

fn text(text: &str) -> Heard {
    Heard::Message(Kind::Text, text.into())
}

fn binary(bytes: &[u8]) -> Heard {
    Heard::Message(Kind::Binary, bytes.into())
}

/// Hears bytes that arrive in these pieces.
fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Heard> {
    let (mut decoder, mut message, mut heard) = (Decoder::new(LIMITS), Vec::new(), Vec::new());
    let now = Instant::now();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            heard.push(match decoder.decode(&mut input, now) {
                Ok(None) => break,
                Ok(Some(Event::Data { kind, bytes, last })) => {
                    assert!(last || !bytes.is_empty());
                    message.extend_from_slice(bytes);
                    if !last {
                        continue;
                    }
                    Heard::Message(kind, mem::take(&mut message))
                }
                Ok(Some(Event::Ping(payload))) => Heard::Ping(payload.as_slice().into()),
                Ok(Some(Event::Pong)) => Heard::Pong,
                Ok(Some(Event::Close(close))) => Heard::Close(close),
                Err(violation) => {
                    heard.push(Heard::Wrong(violation));
                    return heard;
                }
            });
        }
        assert!(input.is_empty());
    }
    heard
}

/// Checks that this is heard wherever the bytes are split, and byte by byte.
#[track_caller]
fn check(bytes: &[u8], expected: &[Heard]) {
    assert_eq!(hear(bytes.chunks(1)), expected);
    for split in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(split);
        assert_eq!(hear([head, tail]), expected, "split at {split}");
    }
}

#[test]
fn messages_arrive_whole_wherever_they_are_split() {
    let long = [7; 300];
    check(
        &frames(&[
            (LAST | TEXT, "Grüße".as_bytes()),
            (LAST | BINARY, b""),
            (LAST | TEXT, b""),
            (LAST | BINARY, &long),
        ]),
        &[text("Grüße"), binary(b""), text(""), binary(&long)],
    );
}

#[test]
fn fragments_are_one_message_and_control_frames_may_come_between() {
    check(
        &frames(&[
            (TEXT, &"é".as_bytes()[..1]),
            (LAST | PING, b"are you there"),
            (0, &"é".as_bytes()[1..]),
            (0, b""),
            (LAST | PONG, b"unasked"),
            (LAST, b"!"),
            (LAST | BINARY, b"next"),
        ]),
        &[Heard::Ping(b"are you there".into()), Heard::Pong, text("é!"), binary(b"next")],
    );
}

#[test]
fn nothing_is_heard_after_a_close() {
    let close = Close { code: CloseCode::NORMAL, reason: "done".into() };
    check(
        &frames(&[(BINARY, b"cut"), (LAST | CLOSE, b"\x03\xe8done"), (LAST | PING, b"")]),
        &[Heard::Close(Some(close))],
    );
    check(&frames(&[(LAST | CLOSE, b"")]), &[Heard::Close(None)]);
}

#[test]
fn what_breaks_the_protocol_is_a_violation() {
    for (broken, violation) in [
        (frame(LAST, b"x"), Violation::NothingToContinue),
        (frame(0, b"x"), Violation::NothingToContinue),
        (frames(&[(TEXT, b"x"), (LAST | TEXT, b"y")]), Violation::Interrupted),
        (frames(&[(BINARY, b"x"), (BINARY, b"y")]), Violation::Interrupted),
        (frame(LAST | CLOSE, b"\x03"), Violation::CloseStatus),
        (frame(LAST | CLOSE, b"\x03\xed"), Violation::CloseStatus),
        (frame(LAST | CLOSE, b"\x03\xe8\xff"), Violation::NotUtf8),
        (frame(LAST | TEXT, b"\xc3"), Violation::NotUtf8),
        (frames(&[(TEXT, b"\xc3"), (LAST, b"")]), Violation::NotUtf8),
        (frame(LAST | 3, b""), Violation::ReservedOpcode),
    ] {
        let heard = hear(broken.chunks(1));
        assert_eq!(heard, [Heard::Wrong(violation)], "{broken:x?}");
    }
    assert_eq!(hear([&[LAST | BINARY, 1, b'x'][..]]), [Heard::Wrong(Violation::Unmasked)]);
}

#[test]
fn bad_text_is_found_before_its_frame_has_arrived() {
    let mut bytes = frame(LAST | TEXT, b"ok \xed\xa0 and more");
    bytes.truncate(2 + 4 + 5);
    assert_eq!(hear([&bytes[..]]), [Heard::Wrong(Violation::NotUtf8)]);
}

#[test]
fn messages_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    for (kind, opcode, limit) in [(Kind::Text, TEXT, 100), (Kind::Binary, BINARY, 1000)] {
        let bytes = vec![b'x'; limit + 1];
        let message = Heard::Message(kind, bytes[1..].to_vec());
        check(&frame(LAST | opcode, &bytes[1..]), &[message]);
        let too_long = [Heard::Wrong(Violation::TooLong)];
        // The header is enough to know.
        assert_eq!(hear([&frame(LAST | opcode, &bytes)[..8]]), too_long);
        let (head, tail) = bytes.split_at(limit / 2);
        assert_eq!(hear([&frames(&[(opcode, head), (LAST, tail)])[..]]), too_long);
    }
    let endless = [&[LAST | BINARY, 0xff][..], &(i64::MAX as u64).to_be_bytes(), &[0; 4]].concat();
    assert_eq!(hear([&endless[..]]), [Heard::Wrong(Violation::TooLong)]);
}

#[test]
fn messages_may_have_as_many_fragments_as_the_limit_and_not_one_more() {
    let fragments = |count: usize| {
        let mut frames = vec![(0, &b"x"[..]); count];
        frames[0].0 = BINARY;
        frames[count - 1].0 |= LAST;
        super::tests::frames(&frames)
    };
    check(&fragments(8), &[binary(b"xxxxxxxx")]);
    let heard = hear([&fragments(9)[..]]);
    assert_eq!(heard, [Heard::Wrong(Violation::TooManyFragments)]);
}

#[test]
fn frames_that_carry_nothing_may_come_in_a_burst_and_not_one_more() {
    for nothing in [(LAST | PING, &b"?"[..]), (LAST | PONG, b"!"), (LAST | TEXT, b"")] {
        assert_eq!(hear([&frames(&[nothing; 4])[..]]).len(), 4);
        let heard = hear([&frames(&[nothing; 5])[..]]);
        assert_eq!(heard.last(), Some(&Heard::Wrong(Violation::Flood)));
    }
    let mut fragments = [(0, &b""[..]); 5];
    fragments[0].0 = BINARY;
    assert_eq!(hear([&frames(&fragments)[..]]), [Heard::Wrong(Violation::Flood)]);
    assert_eq!(hear([&frames(&[(LAST | BINARY, &b"x"[..]); 50])[..]]).len(), 50);
}
