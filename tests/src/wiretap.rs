//! A relay that keeps every byte: for tests that ask what somebody on the way could have read.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// One direction of one connection.
type Direction = Arc<Mutex<Vec<u8>>>;

/// A running relay to one server; ended when dropped.
pub struct Wiretap {
    /// Where it listens.
    pub address: SocketAddr,
    directions: Arc<Mutex<Vec<Direction>>>,
    _tasks: JoinSet<()>,
}

impl Wiretap {
    /// Starts a relay.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let directions = Arc::<Mutex<Vec<Direction>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(relay(listener, server, Arc::clone(&directions)));
        Ok(Self { address, directions, _tasks: tasks })
    }

    /// All that was sent so far, by direction of each connection; of a WebSocket, its head and then
    /// what its messages hold, without masks.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        let directions = lock(&self.directions);
        directions.iter().map(|direction| unwrapped(&lock(direction))).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn relay(listener: TcpListener, server: SocketAddr, directions: Arc<Mutex<Vec<Direction>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (up, down) = (Direction::default(), Direction::default());
        lock(&directions).extend([Arc::clone(&up), Arc::clone(&down)]);
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::join!(pass(from_client, to_server, up), pass(from_server, to_client, down));
        });
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, kept: Direction) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        lock(&kept).extend(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    // Who has gone need not be told.
    let _ = to.shutdown().await;
}

/// What a direction says, with the frames of a WebSocket (RFC 6455 section 5.2) taken off.
fn unwrapped(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end.map(|end| end + 4) else { return bytes.to_vec() };
    let (head, mut frames) = bytes.split_at(end);
    let words = String::from_utf8_lossy(head).to_lowercase();
    if !words.contains("upgrade: websocket") {
        return bytes.to_vec();
    }
    let mut unwrapped = head.to_vec();
    while let Some((payload, rest)) = frame(frames) {
        unwrapped.extend(payload);
        frames = rest;
    }
    unwrapped
}

/// What the first frame holds, and what follows it; `None` if it is not complete.
fn frame(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let ([_, second], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match second & 0x7f {
        126 => rest.split_first_chunk().map(|(n, rest)| (u16::from_be_bytes(*n).into(), rest))?,
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        length => (length.into(), rest),
    };
    let (mask, rest) = match second & 0x80 {
        0 => ([0; 4], rest),
        _ => rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?,
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    Some((payload.collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_and_long_frames_are_read() {
        let head = b"GET /tunnel HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        // RFC 6455 section 5.7: "Hello", masked; and 256 bytes, not masked.
        let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        let long = [&b"\x82\x7e\x01\x00"[..], &[b'x'; 256]].concat();
        let heard = unwrapped(&[&head[..], hello, &long, b"\x82\x7f"].concat());
        assert_eq!(heard, [&head[..], b"Hello", &[b'x'; 256]].concat());
    }

    #[test]
    fn what_is_no_websocket_is_kept_as_it_is() {
        for bytes in [&b"* OK\r\n\r\n\x81\x85"[..], b"", b"\x16\x03\x01"] {
            assert_eq!(unwrapped(bytes), bytes);
        }
    }
}
