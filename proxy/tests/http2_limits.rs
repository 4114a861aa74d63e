//! HTTP/2 is no cheaper way to attack: frames as they are on the wire, so that tests can send what
//! no library would.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::collections::HashMap;

use postern::limits::{HTTP2_STREAM_WINDOW, HTTP2_STREAMS, REQUEST_HEAD};
use support::{
    https::{HTTP2, connect, start_https},
    soon,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// Flags of HEADERS.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `GET https://x/`: three entries of HPACK's static table, and `:authority` literally.
const GET: &[u8] = &[0x82, 0x87, 0x84, 0x01, 1, b'x'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

struct Frame {
    kind: u8,
    payload: Vec<u8>,
}

struct Attacker(TlsStream<TcpStream>);

impl Attacker {
    async fn say(&mut self, bytes: &[u8]) {
        // Whether all of it is still wanted shows in what comes back.
        let _ = soon(self.0.write_all(bytes)).await;
        let _ = soon(self.0.flush()).await;
    }

    /// The next frame; none once the proxy has closed the connection.
    async fn hear(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        soon(self.0.read_exact(&mut head)).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        soon(self.0.read_exact(&mut payload)).await.ok()?;
        Some(Frame { kind: head[3], payload })
    }

    /// The error code of the proxy's GOAWAY, if it says one before it closes.
    async fn farewell(&mut self) -> Option<u32> {
        while let Some(frame) = self.hear().await {
            if frame.kind == GOAWAY {
                return Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        None
    }
}

/// An attacker, and the proxy, which must still answer others when the attack is over.
async fn attack(attack: impl AsyncFnOnce(&mut Attacker)) {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    let stream = connect(proxy.addr, &identity.certificate, &[HTTP2]).await.unwrap();
    let mut attacker = Attacker(stream);
    attacker.say(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    attack(&mut attacker).await;
    let mut other = connect(proxy.addr, &identity.certificate, &[HTTP2]).await.unwrap();
    let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, GET);
    other.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat()).await.unwrap();
    let mut other = Attacker(other);
    while other.hear().await.expect("no answer").kind != HEADERS {}
}

#[tokio::test]
async fn its_limits_are_announced() {
    attack(async |attacker| {
        let settings = loop {
            let frame = attacker.hear().await.unwrap();
            if frame.kind == SETTINGS && !frame.payload.is_empty() {
                break frame.payload;
            }
        };
        let settings: HashMap<u16, u32> = settings
            .chunks(6)
            .map(|entry| {
                let (name, value) = entry.split_at(2);
                (
                    u16::from_be_bytes(name.try_into().unwrap()),
                    u32::from_be_bytes(value.try_into().unwrap()),
                )
            })
            .collect();
        let (streams, window, head, connect_protocol) = (3, 4, 6, 8);
        assert_eq!(settings[&streams], HTTP2_STREAMS);
        assert_eq!(settings[&window], HTTP2_STREAM_WINDOW);
        assert_eq!(settings[&head] as usize, REQUEST_HEAD);
        assert_eq!(settings[&connect_protocol], 1);
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_reset_at_once_end_the_connection() {
    attack(async |attacker| {
        let cancel = 8_u32.to_be_bytes();
        let flood: Vec<u8> = (0..5000)
            .flat_map(|n| {
                let request = frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, GET);
                [request, frame(RST_STREAM, 0, 2 * n + 1, &cancel)].concat()
            })
            .collect();
        attacker.say(&flood).await;
        let code = attacker.farewell().await;
        let enhance_your_calm = 11;
        assert!(code.is_none_or(|code| code == enhance_your_calm), "{code:?}");
    })
    .await;
}

#[tokio::test]
async fn a_head_without_an_end_ends_the_connection() {
    attack(async |attacker| {
        // A header of a thousand bytes, literally and without a place in the table.
        let header = [&[0x00, 1, b'x', 0x7f, 0xe9, 0x06][..], &[b'a'; 1000]].concat();
        let mut flood = frame(HEADERS, END_STREAM, 1, GET);
        for _ in 0..2000 {
            flood.extend(frame(CONTINUATION, 0, 1, &header));
        }
        attacker.say(&flood).await;
        attacker.farewell().await;
        assert!(attacker.hear().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    attack(async |attacker| {
        let header = [&[0x00, 1, b'x', 0x7f, 0xe9, 0x06][..], &[b'a'; 1000]].concat();
        let head = [GET, &header.repeat(REQUEST_HEAD / 1000 + 1)].concat();
        let (first, rest) = head.split_at(8000);
        let mut request = frame(HEADERS, END_STREAM, 1, first);
        let pieces: Vec<_> = rest.chunks(8000).collect();
        for (index, piece) in pieces.iter().enumerate() {
            let flags = if index + 1 == pieces.len() { END_HEADERS } else { 0 };
            request.extend(frame(CONTINUATION, flags, 1, piece));
        }
        attacker.say(&request).await;
        let answer = loop {
            let Some(frame) = attacker.hear().await else { return };
            if frame.kind == HEADERS {
                break frame.payload;
            }
        };
        let ok = 0x88;
        assert_ne!(answer[0], ok);
    })
    .await;
}

#[tokio::test]
async fn pings_are_answered_without_piling_up() {
    attack(async |attacker| {
        // Nothing of what comes back is read meanwhile: the proxy must stop to read, or go.
        let ping = frame(PING, 0, 0, b"12345678");
        let flood = ping.repeat(4000);
        for _ in 0..100 {
            let written = tokio::time::timeout(
                std::time::Duration::from_millis(200),
                attacker.0.write_all(&flood),
            );
            if !matches!(written.await, Ok(Ok(()))) {
                break;
            }
        }
    })
    .await;
}
