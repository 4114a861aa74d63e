//! A client of WebSockets that frames by hand, so that it can send what no library would.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use postern_tunnel::{FromPage, FromProxy, Open, PATH, SUBPROTOCOL, TlsMode};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::TcpStream,
    task::yield_now,
};

use super::{
    HOST,
    page::{fetch_token, open},
    soon,
};

/// Opcodes (RFC 6455, section 5.2).
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The last frame of a message.
pub(crate) const FINAL: u8 = 0x80;

/// The key of all frames.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The example of section 1.3, and what answers it.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A client after its handshake.
pub(crate) struct Client<S> {
    pub(crate) ear: Ear<S>,
    pub(crate) mouth: WriteHalf<S>,
}

/// The half that hears.
pub(crate) struct Ear<S> {
    stream: ReadHalf<S>,
    unread: BytesMut,
}

/// What a client hears.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A close, with this code.
    Close(Option<u16>),
    /// The end of the stream.
    End,
}

/// A frame whose first byte is this, which may be wrong.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    frame.extend(masked);
    frame
}

/// The header of a frame that says that it is so long.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first];
    match length {
        0..126 => header.push(0x80 | length as u8),
        126..0x1_0000 => {
            header.push(0x80 | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend(length.to_be_bytes());
        }
    }
    header.extend(KEY);
    header
}

/// A frame that is whole.
pub(crate) fn whole(opcode: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FINAL | opcode, payload.as_ref())
}

/// A message in these fragments.
pub(crate) fn fragmented<P: AsRef<[u8]>>(
    opcode: u8,
    parts: impl IntoIterator<Item = P>,
) -> Vec<u8> {
    let (mut bytes, mut first, mut last) = (Vec::new(), opcode, 0);
    for part in parts {
        last = bytes.len();
        bytes.extend(frame(first, part.as_ref()));
        first = CONTINUATION;
    }
    bytes[last] |= FINAL;
    bytes
}

/// A close frame.
pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    whole(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
}

/// A message.
pub(crate) fn message(opcode: u8, payload: impl Into<Vec<u8>>) -> Heard {
    match opcode {
        TEXT => Heard::Text(payload.into()),
        BINARY => Heard::Binary(payload.into()),
        other => panic!("{other} is no message"),
    }
}

/// Asks the proxy for a WebSocket, as its page does.
pub(crate) async fn upgrade(proxy: SocketAddr) -> Client<TcpStream> {
    let headers = [
        format!("Host: {proxy}"),
        format!("Origin: http://{proxy}"),
        format!("Sec-WebSocket-Protocol: {SUBPROTOCOL}"),
    ];
    let stream = TcpStream::connect(proxy).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Client::connect(stream, PATH, &headers).await
}

/// Opens a tunnel to [`HOST`].
pub(crate) async fn tunnel(proxy: SocketAddr, port: u16, credit: u32) -> Client<TcpStream> {
    let mut client = upgrade(proxy).await;
    client.say(&control(&opening(proxy, port, credit).await)).await;
    match client.hear().await.control() {
        Some(FromProxy::Opened(_)) => client,
        other => panic!("{other:?}"),
    }
}

/// The message that opens it, without TLS.
pub(crate) async fn opening(proxy: SocketAddr, port: u16, credit: u32) -> FromPage {
    let token = Some(fetch_token(proxy, &[]).await);
    FromPage::Open(Open { token, ..open(HOST, port, TlsMode::None, credit) })
}

/// A control message.
pub(crate) fn control(message: &FromPage) -> Vec<u8> {
    whole(TEXT, message.to_text())
}

impl Heard {
    /// What the proxy says, if it is a control message.
    pub(crate) fn control(&self) -> Option<FromProxy> {
        let Self::Text(text) = self else { return None };
        Some(FromProxy::from_text(str::from_utf8(text).unwrap()).unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite> Client<S> {
    /// A client whose handshake is over.
    pub(crate) fn over(stream: S) -> Self {
        let (stream, mouth) = split(stream);
        Self { ear: Ear { stream, unread: BytesMut::new() }, mouth }
    }

    /// Asks for a WebSocket, with these headers besides those that are always needed.
    pub(crate) async fn connect(stream: S, path: &str, headers: &[String]) -> Self {
        let (stream, mut mouth) = split(stream);
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {NONCE}\r\n"
        );
        for header in headers {
            request += &format!("{header}\r\n");
        }
        request += "\r\n";
        soon(mouth.write_all(request.as_bytes())).await.unwrap();
        let mut ear = Ear { stream, unread: BytesMut::new() };
        let head = ear.head().await.to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains(&format!("sec-websocket-accept: {}\r\n", ACCEPT.to_lowercase())));
        Self { ear, mouth }
    }

    /// Sends bytes as they are. A server that wants no more of them is no error here: what it made
    /// of them shows in what is heard.
    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        let _ = soon(self.mouth.write_all(bytes)).await;
    }

    /// The next frame.
    pub(crate) async fn hear(&mut self) -> Heard {
        self.ear.hear().await
    }

    /// Sends bytes in pieces of this size, and hears what comes until the server ends its stream.
    pub(crate) async fn talk(mut self, bytes: &[u8], chop: usize) -> Vec<Heard> {
        let say = async {
            for piece in bytes.chunks(chop) {
                if self.mouth.write_all(piece).await.is_err() {
                    break;
                }
                yield_now().await;
            }
        };
        let hear = async {
            let mut heard = Vec::new();
            loop {
                match self.ear.hear().await {
                    Heard::End => break heard,
                    frame => heard.push(frame),
                }
            }
        };
        tokio::join!(say, hear).1
    }
}

impl<S: AsyncRead> Ear<S> {
    /// The head of the answer to the handshake.
    async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.unread.split_to(end + 4).to_vec()).unwrap();
            }
            assert!(self.read().await, "no answer to the handshake");
        }
    }

    /// The next frame; its form is checked.
    pub(crate) async fn hear(&mut self) -> Heard {
        if self.unread.is_empty() && !self.read().await {
            return Heard::End;
        }
        self.fill(2).await;
        let (first, second) = (self.unread[0], self.unread[1]);
        assert_eq!(first & 0xf0, FINAL, "a fragment, or a reserved bit");
        assert!(second < 0x80, "a server's frame is masked");
        let (more, least) = match second {
            126 => (2, 126),
            127 => (8, 0x1_0000),
            _ => (0, 0),
        };
        self.fill(2 + more).await;
        let mut header = self.unread.split_to(2 + more);
        header.advance(2);
        let length = if more == 0 { second.into() } else { header.get_uint(more) };
        assert!(length >= least, "a length of {length} in {more} bytes");
        let length = usize::try_from(length).unwrap();
        self.fill(length).await;
        let payload = self.unread.split_to(length).to_vec();
        match first & 0xf {
            opcode @ (TEXT | BINARY) => message(opcode, payload),
            PING => Heard::Ping(payload),
            PONG => Heard::Pong(payload),
            CLOSE => closed(&payload),
            other => panic!("opcode {other}"),
        }
    }

    async fn fill(&mut self, count: usize) {
        while self.unread.len() < count {
            assert!(self.read().await, "the server ended its stream within a frame");
        }
    }

    /// Reads some bytes; false at the end of the stream.
    async fn read(&mut self) -> bool {
        self.unread.reserve(0x1_0000);
        soon(self.stream.read_buf(&mut self.unread)).await.unwrap() > 0
    }
}

/// What a close frame says; the reason must be text.
fn closed(payload: &[u8]) -> Heard {
    assert!(payload.len() <= 125, "a control frame of {} bytes", payload.len());
    let Some((code, reason)) = payload.split_first_chunk() else {
        assert_eq!(payload, b"", "half a code");
        return Heard::Close(None);
    };
    assert!(std::str::from_utf8(reason).is_ok(), "{reason:?}");
    Heard::Close(Some(u16::from_be_bytes(*code)))
}
