//! Gives up a client that takes nothing of what it asked for, and keeps the last word of HTTP for what
//! follows it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A connection whose writes fail once the other side has taken nothing for some time.
///
/// Once it has become a tunnel, what HTTP writes is the answer that says so. It is held, as the
/// tunnel's first message follows at once: together they are one packet, for which the page wakes
/// once.
pub(crate) struct Impatient<T> {
    io: T,
    patience: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    tunnel: Tunnel,
    held: BytesMut,
}

/// Whether the connection has become a tunnel, which has limits of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Tunnel(Arc<AtomicBool>);

impl Tunnel {
    /// From now on it is one.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<T> Impatient<T> {
    pub(super) fn new(io: T, patience: Duration, tunnel: Tunnel) -> Self {
        Self { io, patience, waiting: None, tunnel, held: BytesMut::new() }
    }

    /// The connection alone, without a limit on its writes, and what must be written first.
    pub(crate) fn into_parts(self) -> (T, BytesMut) {
        (self.io, self.held)
    }

    /// What a write comes to: an error once it has waited for too long.
    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if outcome.is_ready() {
            self.waiting = None;
            return outcome;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        // Whoever asks again gets no other answer.
        waiting.as_mut().reset(Instant::now());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Impatient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Impatient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.tunnel.has_begun() {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.tunnel.has_begun() {
            let before = self.held.len();
            slices.iter().for_each(|slice| self.held.extend_from_slice(slice));
            return Poll::Ready(Ok(self.held.len() - before));
        }
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.judge(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.judge(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(cx);
        self.judge(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (near, _far) = duplex(4);
        let mut io = Impatient::new(near, PATIENCE, Tunnel::default());
        let error = io.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(io.write(b"again").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_client_gets_all() {
        // All together takes longer than one piece may, and a machine that is busy has time for that.
        let patience = 10 * PATIENCE;
        let (near, mut far) = duplex(1);
        let mut io = Impatient::new(near, patience, Tunnel::default());
        let reader = tokio::spawn(async move {
            let mut bytes = [0; 12];
            for byte in &mut bytes {
                sleep(patience / 10).await;
                *byte = far.read_u8().await.unwrap();
            }
            bytes
        });
        io.write_all(b"0123456789ab").await.unwrap();
        assert_eq!(&reader.await.unwrap(), b"0123456789ab");
    }

    #[tokio::test]
    async fn the_answer_that_makes_a_tunnel_waits_for_what_follows_it() {
        let (near, mut far) = duplex(64);
        let tunnel = Tunnel::default();
        let mut io = Impatient::new(near, PATIENCE, tunnel.clone());
        io.write_all(b"an answer; ").await.unwrap();
        tunnel.begin();
        io.write_all(b"switch").await.unwrap();
        let pieces = [b"ing", b" to"].map(|piece| io::IoSlice::new(piece));
        assert_eq!(io.write_vectored(&pieces).await.unwrap(), 6);
        io.flush().await.unwrap();
        let (io, held) = io.into_parts();
        assert_eq!(&held[..], b"switching to");
        drop(io);
        let mut written = String::new();
        far.read_to_string(&mut written).await.unwrap();
        assert_eq!(written, "an answer; ");
    }
}
