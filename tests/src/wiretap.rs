//! A relay that keeps every byte, for tests that ask what somebody on the way could have read, and
//! that can cut connections.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::JoinSet,
};

use crate::{pages::PATIENCE, trace};

/// A connection: what was said, in pieces as they came by, and what ends it.
#[derive(Default)]
struct Call {
    pieces: Mutex<Vec<(Side, Vec<u8>)>>,
    cut: Notify,
}

/// Who said something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Who has connected.
    Client,
    /// Who was connected to.
    Server,
}

/// A running relay to one server; ended when dropped.
pub struct Wiretap {
    /// Where it listens.
    pub address: SocketAddr,
    calls: Arc<Calls>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Calls {
    all: Mutex<Vec<Arc<Call>>>,
    /// The next call in which a server says more bytes than this is cut there.
    limit: Mutex<Option<usize>>,
    /// How long each piece is under way.
    delay: Mutex<Duration>,
    /// What the server never hears, nor anything that is said after it on the same connection.
    swallowed: Mutex<Option<Vec<u8>>>,
    /// What is kept back when it is said once more after so many times.
    hold: Mutex<Option<(Vec<u8>, usize)>>,
    /// Something is kept back, and no longer.
    held: Notify,
    released: Notify,
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
        let calls = Arc::<Calls>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(relay(listener, server, Arc::clone(&calls)));
        Ok(Self { address, calls, _tasks: tasks })
    }

    /// Makes the way longer: from now on each piece takes so long in each direction.
    pub fn delay(&self, by: Duration) {
        *lock(&self.calls.delay) = by;
    }

    /// Lets no server answer to these words: the first piece in which a client says them, and all
    /// that follows it on the same connection, does not arrive.
    pub fn swallow(&self, words: &str) {
        *lock(&self.calls.swallowed) = Some(words.into());
    }

    /// Keeps back the piece in which a client says these words for the next time after so many, and all
    /// that follows it on the same connection, until it is [released](Self::release).
    pub fn hold(&self, words: &str, after: usize) {
        *lock(&self.calls.hold) = Some((words.into(), after));
    }

    /// Waits until that piece has come.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub async fn held(&self) -> Result<()> {
        let held = tokio::time::timeout(PATIENCE, self.calls.held.notified());
        held.await.context("nothing that was to be kept back is said")
    }

    /// Lets what is kept back pass.
    pub fn release(&self) {
        self.calls.released.notify_one();
    }

    /// All that was sent so far, by direction of each connection; of a WebSocket, its head and then
    /// what its messages hold, without masks.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        let calls = self.conversations();
        let directions =
            |call| [Side::Client, Side::Server].map(|side| unwrapped(&said(call, side)));
        calls.iter().flat_map(|call| directions(call)).collect()
    }

    /// All that was sent so far, in the order in which it came by, of each connection.
    pub fn conversations(&self) -> Vec<Vec<(Side, Vec<u8>)>> {
        lock(&self.calls.all).iter().map(|call| lock(&call.pieces).clone()).collect()
    }

    /// The whole lines of it, of each connection, also where it is compressed.
    ///
    /// # Errors
    ///
    /// If it is compressed in a wrong way.
    pub fn lines(&self) -> Result<Vec<Vec<(Side, String)>>> {
        let text =
            |(side, line): (Side, Vec<u8>)| (side, String::from_utf8_lossy(&line).into_owned());
        let lines = |pieces: &Vec<_>| {
            trace::lines(pieces).map(|lines| lines.into_iter().map(text).collect())
        };
        self.conversations().iter().map(lines).collect()
    }

    /// Whether clients have said a line with these words.
    ///
    /// # Errors
    ///
    /// If a connection is compressed in a wrong way.
    pub fn clients_said(&self, words: &str) -> Result<bool> {
        let lines = self.lines()?;
        let mut all = lines.iter().flatten();
        Ok(all.any(|(side, line)| *side == Side::Client && line.contains(words)))
    }

    /// Cuts the next connection in which the server says more bytes than this, after the piece that
    /// goes beyond.
    pub fn cut_after(&self, bytes: usize) {
        *lock(&self.calls.limit) = Some(bytes);
    }

    /// Whether the connection that [`cut_after`](Self::cut_after) announced was cut.
    pub fn has_cut(&self) -> bool {
        lock(&self.calls.limit).is_none()
    }

    /// Cuts every connection that there is now.
    pub fn cut(&self) {
        for call in lock(&self.calls.all).iter() {
            call.cut.notify_waiters();
        }
    }
}

fn said(pieces: &[(Side, Vec<u8>)], side: Side) -> Vec<u8> {
    pieces.iter().filter(|(of, _)| *of == side).flat_map(|(_, bytes)| bytes).copied().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn relay(listener: TcpListener, server: SocketAddr, calls: Arc<Calls>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let call = Arc::<Call>::default();
        lock(&calls.all).push(Arc::clone(&call));
        let calls = Arc::clone(&calls);
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let cut = call.cut.notified();
            let pass = async {
                tokio::join!(
                    pass(from_client, to_server, (Side::Client, &call, &calls)),
                    pass(from_server, to_client, (Side::Server, &call, &calls)),
                )
            };
            tokio::select! {
                _ = pass => {}
                () = cut => {}
            }
        });
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (side, call, calls): (Side, &Call, &Calls),
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let delay = *lock(&calls.delay);
        tokio::time::sleep(delay).await;
        lock(&call.pieces).push((side, buffer[..count].to_vec()));
        if side == Side::Client && calls.is_swallowed(&buffer[..count]) {
            // It is heard no more, and not hung up on.
            std::future::pending::<()>().await;
        }
        if side == Side::Client && calls.is_to_hold(&buffer[..count]) {
            calls.held.notify_one();
            calls.released.notified().await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        if side == Side::Server && calls.is_too_much(call) {
            call.cut.notify_waiters();
        }
    }
    // Who has gone need not be told.
    let _ = to.shutdown().await;
}

impl Calls {
    fn is_swallowed(&self, piece: &[u8]) -> bool {
        lock(&self.swallowed).as_ref().is_some_and(|words| is_in(words, piece))
    }

    /// Whether a piece is the one to keep back; the next one is not.
    fn is_to_hold(&self, piece: &[u8]) -> bool {
        let hold = &mut *lock(&self.hold);
        let is_it = |(words, after): &mut (Vec<u8>, usize)| {
            let is_said = is_in(words, piece);
            let is_due = is_said && *after == 0;
            *after -= usize::from(is_said && !is_due);
            is_due
        };
        hold.take_if(is_it).is_some()
    }

    /// Whether this is the call to cut; the next one is not.
    fn is_too_much(&self, call: &Call) -> bool {
        let limit = &mut *lock(&self.limit);
        let said = || said(&lock(&call.pieces), Side::Server).len();
        limit.take_if(|limit| said() > *limit).is_some()
    }
}

fn is_in(words: &[u8], piece: &[u8]) -> bool {
    piece.windows(words.len()).any(|own| own == words)
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
