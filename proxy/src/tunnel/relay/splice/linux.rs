//! With `splice(2)`.

use std::{
    cell::Cell,
    io,
    os::fd::{AsFd, OwnedFd},
};

use bytes::BytesMut;
use rustix::{
    io::{Errno, read},
    net::{SendFlags, send},
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice},
};
use tokio::{io::Interest, net::TcpStream};

/// What a pipe can hold, in pages of memory. What arrives over a network lies in pages that are not
/// full.
const PAGES: usize = 64;

/// The size of a page; if it is another, the pipe is another.
const PAGE: usize = 4096;

thread_local! {
    /// The thread's pipe while nobody uses it.
    static PIPE: Cell<Option<Pipe>> = const { Cell::new(None) };
}

/// A pipe with nothing in it, unless it is in use.
struct Pipe {
    out: OwnedFd,
    into: OwnedFd,
}

/// Bytes in a pipe.
pub(crate) struct Filled {
    pipe: Pipe,
    length: usize,
}

/// Moves what has arrived into a pipe, up to so many bytes. If none are moved, then because there are
/// none, because that was the end, or because it can't be done like this: whoever reads next will
/// know.
///
/// # Errors
///
/// If the connection broke; nobody is told that twice.
pub(crate) fn fill(from: &TcpStream, most: usize) -> io::Result<Option<Filled>> {
    let Some(pipe) = PIPE.take().or_else(|| Pipe::new().ok()) else { return Ok(None) };
    match from.try_io(Interest::READABLE, || move_some(from, &pipe.into, most)) {
        Ok(length @ 1..) => Ok(Some(Filled { pipe, length })),
        Err(error) if !is_of_splice(&error) => Err(error),
        Ok(0) | Err(_) => {
            pipe.keep();
            Ok(None)
        }
    }
}

impl Filled {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Sends a header, and the bytes behind it; returns what is not taken of both. An error of the
    /// connection shows when that is sent.
    ///
    /// # Errors
    ///
    /// If the bytes are lost.
    pub(crate) fn send(self, to: &TcpStream, header: &[u8]) -> io::Result<BytesMut> {
        let Self { pipe, length } = self;
        let mut left = length;
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let begun = to.try_io(Interest::WRITABLE, || Ok(send(to, header, flags)?)).unwrap_or(0);
        while begun == header.len() && left > 0 {
            match to.try_io(Interest::WRITABLE, || move_some(&pipe.out, to, left)) {
                Ok(moved @ 1..) => left -= moved,
                Ok(0) | Err(_) => break,
            }
        }
        let mut rest = BytesMut::from(&header[begun..]);
        pipe.copy(left, &mut rest)?;
        pipe.keep();
        Ok(rest)
    }
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A smaller one does as well, in more steps.
        let _ = fcntl_setpipe_size(&into, PAGES * PAGE);
        Ok(Self { out, into })
    }

    /// Takes so many bytes out.
    fn copy(&self, bytes: usize, to: &mut BytesMut) -> io::Result<()> {
        let mut done = to.len();
        to.resize(done + bytes, 0);
        while done < to.len() {
            match read(&self.out, &mut to[done..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => done += count,
            }
        }
        Ok(())
    }

    /// Keeps it for the next use. There is nothing in it.
    fn keep(self) {
        PIPE.set(Some(self));
    }
}

fn move_some(from: impl AsFd, to: impl AsFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, to, None, most, SpliceFlags::NONBLOCK)?)
}

/// Whether it is no error of the connection: there is nothing to move, or the system lacks `splice`,
/// does not permit it, or has no memory for it.
fn is_of_splice(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    error.kind() == io::ErrorKind::WouldBlock
        || matches!(errno, Some(Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::NOMEM))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const HEADER: &[u8] = b"header";

    /// Both ends of a connection.
    async fn connection() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    /// Bytes that differ from their neighbours, and from those of another seed.
    fn pattern(length: usize, seed: usize) -> Vec<u8> {
        (0..length).map(|at| (((at + seed) * 7919) >> 5) as u8).collect()
    }

    /// The thread's pipe, which must be there and empty.
    fn empty_pipe() -> Pipe {
        let pipe = PIPE.take().expect("a pipe was kept");
        assert_eq!(read(&pipe.out, &mut [0]).unwrap_err(), Errno::AGAIN);
        pipe
    }

    async fn filled(from: &TcpStream, most: usize) -> Filled {
        loop {
            from.readable().await.unwrap();
            if let Some(filled) = fill(from, most).unwrap() {
                return filled;
            }
        }
    }

    #[tokio::test]
    async fn bytes_of_every_length_arrive_as_they_are_behind_their_header() {
        let (mut server, from) = connection().await;
        let (to, mut page) = connection().await;
        for length in [1, 2, 100, 4095, 4096, 4097, 65_535, 65_536, 65_537, 200_000] {
            let sent = pattern(length, length);
            server.write_all(&sent).await.unwrap();
            let mut received = Vec::new();
            while received.len() < length {
                let most = length - received.len();
                let filled = filled(&from, most).await;
                let count = filled.len();
                assert!(count <= most);
                to.writable().await.unwrap();
                let rest = filled.send(&to, HEADER).unwrap();
                let mut frame = vec![0; HEADER.len() + count - rest.len()];
                page.read_exact(&mut frame).await.unwrap();
                frame.extend_from_slice(&rest);
                assert_eq!(&frame[..HEADER.len()], HEADER);
                received.extend_from_slice(&frame[HEADER.len()..]);
            }
            assert_eq!(received, sent);
        }
        empty_pipe();
    }

    #[tokio::test]
    async fn no_more_is_moved_than_may_be() {
        let (mut server, from) = connection().await;
        server.write_all(&pattern(10_000, 1)).await.unwrap();
        assert_eq!(filled(&from, 1).await.len(), 1);
        let filled = filled(&from, 9_000).await;
        assert!(filled.len() <= 9_000);
    }

    #[tokio::test]
    async fn what_a_slow_page_does_not_take_is_returned_and_the_pipe_is_free_again() {
        let (mut server, from) = connection().await;
        let (to, mut page) = connection().await;
        let (mut sent, mut taken, mut rest) = (Vec::new(), 0, BytesMut::new());
        for seed in 0.. {
            if !rest.is_empty() {
                break;
            }
            server.write_all(&pattern(50_000, seed)).await.unwrap();
            let mut left = 50_000;
            while left > 0 && rest.is_empty() {
                let filled = filled(&from, left).await;
                let start = 50_000 - left;
                left -= filled.len();
                sent.extend_from_slice(HEADER);
                sent.extend_from_slice(&pattern(50_000, seed)[start..50_000 - left]);
                rest = filled.send(&to, HEADER).unwrap();
                taken = sent.len() - rest.len();
            }
        }
        let mut received = vec![0; taken];
        page.read_exact(&mut received).await.unwrap();
        received.extend_from_slice(&rest);
        assert!(received == sent);
        empty_pipe();
    }

    #[tokio::test]
    async fn silence_and_the_end_are_left_to_whoever_reads_next() {
        let (server, mut from) = connection().await;
        assert!(fill(&from, 100).unwrap().is_none());
        drop(server);
        from.readable().await.unwrap();
        assert!(fill(&from, 100).unwrap().is_none());
        assert_eq!(from.read(&mut [0; 10]).await.unwrap(), 0);
        empty_pipe();
    }

    #[tokio::test]
    async fn a_connection_that_broke_has_not_ended() {
        let (server, mut from) = connection().await;
        server.set_zero_linger().unwrap();
        drop(server);
        from.readable().await.unwrap();
        // Whoever reads next is told of an end.
        let error = fill(&from, 100).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(from.read(&mut [0; 10]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn bytes_for_a_page_that_is_gone_are_returned_and_are_not_the_next_ones() {
        let (mut server, from) = connection().await;
        let (to, page) = connection().await;
        page.set_zero_linger().unwrap();
        drop(page);
        to.readable().await.unwrap();
        let bytes = pattern(1000, 3);
        server.write_all(&bytes).await.unwrap();
        let rest = filled(&from, bytes.len()).await.send(&to, HEADER).unwrap();
        assert_eq!(rest, [HEADER, &bytes].concat());
        empty_pipe();
    }

    #[tokio::test]
    async fn bytes_that_nobody_sends_are_not_the_next_ones() {
        let (mut server, from) = connection().await;
        server.write_all(b"lost").await.unwrap();
        drop(filled(&from, 4).await);
        server.write_all(b"next").await.unwrap();
        let (to, mut page) = connection().await;
        to.writable().await.unwrap();
        assert!(filled(&from, 4).await.send(&to, HEADER).unwrap().is_empty());
        let mut frame = [0; 10];
        page.read_exact(&mut frame).await.unwrap();
        assert_eq!(&frame, b"headernext");
    }
}
