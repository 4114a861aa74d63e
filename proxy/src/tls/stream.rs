//! Reading and writing.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, IoSlice},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use rustls::{
    ClientConfig, CommonState, Error, ServerConfig,
    client::UnbufferedClientConnection,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncryptError},
};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::session::{Session, process};
use crate::limits::{CHUNK, MAX_HANDSHAKE, PIECES, RECORD_OVERHEAD};

/// Room for ciphertext that arrives: a chunk of it after a message of a handshake, all of which
/// must be there before it is read.
const ARRIVALS: usize = MAX_HANDSHAKE + CHUNK;

/// Room for a chunk that was encrypted.
const DEPARTURES: usize = CHUNK + 2 * PIECES * RECORD_OVERHEAD;

/// Less than this is not worth a read of its own: what is then too much is kept.
const LEAST_READ: usize = 4096;

thread_local! {
    static ARRIVED: RefCell<Box<[u8]>> = RefCell::new(vec![0; ARRIVALS].into());
    static DEPARTING: RefCell<Box<[u8]>> = RefCell::new(vec![0; DEPARTURES].into());
}

/// A byte stream through TLS. Its end is the one that TLS announces; another is an error.
pub(crate) struct TlsStream<S, C> {
    io: S,
    session: Box<C>,
    /// The beginning of a record, or of a message of a handshake.
    incoming: BytesMut,
    /// What was decrypted and not read.
    plain: BytesMut,
    /// What was encrypted and not taken.
    outgoing: BytesMut,
    /// The other side has ended its stream.
    ended: bool,
    /// We have ended ours.
    shut: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S, UnbufferedClientConnection> {
    /// Does the handshake with a server.
    ///
    /// # Errors
    ///
    /// If it fails; the cause is rustls' error, unless the connection broke.
    pub(crate) async fn connect(
        io: S,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let session = UnbufferedClientConnection::new(config, name).map_err(invalid)?;
        Self::handshake(io, session).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S, UnbufferedServerConnection> {
    /// Does the handshake with a client.
    ///
    /// # Errors
    ///
    /// If it fails; the cause is rustls' error, unless the connection broke.
    pub(crate) async fn accept(io: S, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = UnbufferedServerConnection::new(config).map_err(invalid)?;
        Self::handshake(io, session).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session> TlsStream<S, C> {
    /// What was agreed on.
    pub(crate) fn state(&self) -> &CommonState {
        self.session.state()
    }

    /// Waits for the end of the stream. As soon as there is something else to read, it is kept, and
    /// nobody is woken: the end comes after it.
    ///
    /// # Errors
    ///
    /// As from a read.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if !self.plain.is_empty() {
                return Poll::Pending;
            }
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_more(cx, &mut ReadBuf::new(&mut [])))?;
        }
    }

    async fn handshake(io: S, session: C) -> io::Result<Self> {
        let mut stream = Self {
            io,
            session: Box::new(session),
            incoming: BytesMut::new(),
            plain: BytesMut::new(),
            outgoing: BytesMut::new(),
            ended: false,
            shut: false,
        };
        // A client begins.
        stream.process_kept()?;
        loop {
            poll_fn(|cx| stream.poll_send(cx)).await?;
            if !stream.state().is_handshaking() {
                return Ok(stream);
            }
            if poll_fn(|cx| stream.poll_receive(cx, &mut ReadBuf::new(&mut []))).await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Goes on with what is there.
    fn process_kept(&mut self) -> io::Result<()> {
        let (done, result) =
            process(&mut *self.session, &mut self.incoming, &mut self.outgoing, |bytes| {
                self.plain.extend_from_slice(bytes);
            });
        self.incoming.advance(done);
        self.ended |= result.map_err(invalid)?;
        Ok(())
    }

    /// Reads once, decrypts what is whole, and puts it into `buffer`, or keeps what does not fit;
    /// says whether the byte stream below has ended.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        ARRIVED.with_borrow_mut(|place| {
            let kept = self.incoming.len();
            let end = place.len().min(buffer.remaining().max(kept + LEAST_READ));
            if kept == end {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            let mut arrived = ReadBuf::new(&mut place[kept..end]);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut arrived))?;
            let count = arrived.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(true));
            }
            let records = &mut place[..kept + count];
            mem::take(&mut self.incoming).copy_to_slice(&mut records[..kept]);
            let plain = &mut self.plain;
            let take = |mut bytes: &[u8]| {
                let fits = bytes.len().min(buffer.remaining());
                buffer.put_slice(&bytes[..fits]);
                bytes.advance(fits);
                plain.extend_from_slice(bytes);
            };
            let (done, result) = process(&mut *self.session, records, &mut self.outgoing, take);
            self.incoming = records[done..].into();
            match result {
                Ok(ended) => self.ended |= ended,
                Err(error) => {
                    // An alert that the other side does not take is lost.
                    let _ = self.poll_send(cx);
                    return Poll::Ready(Err(invalid(error)));
                }
            }
            Poll::Ready(Ok(false))
        })
    }

    /// Reads once, after the handshake.
    fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if ready!(self.poll_receive(cx, buffer))? {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        // Answers of TLS itself; whether they go now or later is no matter to who reads.
        match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Sends what was encrypted.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.outgoing))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(count);
        }
        self.outgoing = BytesMut::new(); // An idle connection needs no memory.
        Poll::Ready(Ok(()))
    }

    /// Encrypts with `seal`, and sends what is taken at once; the rest is kept.
    fn encrypt<R>(
        &mut self,
        cx: &mut Context<'_>,
        seal: impl FnOnce(&mut dyn Seal, &mut [u8]) -> Result<(usize, R), EncryptError>,
    ) -> io::Result<R> {
        self.process_kept()?;
        DEPARTING.with_borrow_mut(|place| {
            let status = self.session.process_tls_records(&mut self.incoming);
            let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            let (count, result) = seal(&mut traffic, place).map_err(io::Error::other)?;
            let mut sealed = &place[..count];
            if self.outgoing.is_empty()
                && let Poll::Ready(taken) = Pin::new(&mut self.io).poll_write(cx, sealed)
            {
                sealed.advance(taken?);
            }
            self.outgoing.extend_from_slice(sealed);
            Ok(result)
        })
    }
}

/// What [`ConnectionState::WriteTraffic`] can do, for either side.
trait Seal {
    fn data(&mut self, plain: &[u8], place: &mut [u8]) -> Result<usize, EncryptError>;
    fn end(&mut self, place: &mut [u8]) -> Result<usize, EncryptError>;
}

impl<Side> Seal for rustls::unbuffered::WriteTraffic<'_, Side> {
    fn data(&mut self, plain: &[u8], place: &mut [u8]) -> Result<usize, EncryptError> {
        self.encrypt(plain, place)
    }

    fn end(&mut self, place: &mut [u8]) -> Result<usize, EncryptError> {
        self.queue_close_notify(place)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session + Unpin> AsyncRead for TlsStream<S, C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        loop {
            if !stream.plain.is_empty() {
                let count = stream.plain.len().min(buffer.remaining());
                buffer.put_slice(&stream.plain[..count]);
                stream.plain.advance(count);
                if stream.plain.is_empty() {
                    stream.plain = BytesMut::new();
                }
            }
            if buffer.filled().len() > before || stream.ended {
                return Poll::Ready(Ok(()));
            }
            ready!(stream.poll_more(cx, buffer))?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, C: Session + Unpin> AsyncWrite for TlsStream<S, C> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        ready!(stream.poll_send(cx))?;
        let sealed = stream.encrypt(cx, |traffic, place| {
            let (mut sealed, mut taken) = (0, 0);
            for piece in pieces {
                let room = CHUNK.saturating_sub(taken).min(piece.len());
                let space = &mut place[sealed..];
                if room == 0 || space.len() < room + 5 * RECORD_OVERHEAD {
                    break;
                }
                sealed += traffic.data(&piece[..room], space)?;
                taken += room;
                if room < piece.len() {
                    break;
                }
            }
            Ok((sealed, taken))
        });
        Poll::Ready(sealed)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        ready!(stream.poll_send(cx))?;
        Pin::new(&mut stream.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if !mem::replace(&mut stream.shut, true) {
            stream.encrypt(cx, |traffic, place| Ok((traffic.end(place)?, ())))?;
        }
        ready!(stream.poll_send(cx))?;
        Pin::new(&mut stream.io).poll_shutdown(cx)
    }
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
