//! A WebSocket over a byte stream.

use std::{
    future::poll_fn,
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{
    Close, CloseCode, Decoder, Event, Kind, Limits, Opcode, Violation, frame::header,
    frame::prepend_header, scratch,
};
use crate::limits::{SPLICED, UNREAD_PONGS};

/// A WebSocket on the server's side.
///
/// There are two ways to use it. [`receive`](Self::receive) and [`send`](Self::send) are for whole
/// messages. The other methods are for a stream: they hand out pieces as they arrive, and never
/// keep more than one write that the page did not take.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    decoder: Decoder,
    /// What has been read and not decoded.
    unread: BytesMut,
    /// Frames that the page has not taken.
    unsent: BytesMut,
    unflushed: bool,
    /// A close frame is the last thing that we say.
    closing: bool,
}

/// What the page says.
#[derive(Debug, Eq, PartialEq)]
pub enum Incoming<'a> {
    /// A piece of a message; see [`Event::Data`].
    Data {
        /// What the message consists of.
        kind: Kind,
        /// The piece.
        bytes: &'a mut [u8],
        /// Whether the message ends with it.
        last: bool,
    },
    /// It wants no more. The answer to that has been queued.
    Close(Option<Close>),
}

/// A whole message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// Why nothing more can be received.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The page broke the protocol, or a limit.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A WebSocket after its handshake; `unread` is what has been read of it already.
    pub fn new(stream: S, unread: &[u8], limits: Limits) -> Self {
        Self {
            stream,
            decoder: Decoder::new(limits),
            unread: unread.into(),
            unsent: BytesMut::new(),
            unflushed: false,
            closing: false,
        }
    }

    /// Queues what the page must get before anything of the WebSocket: the end of its handshake.
    pub fn send_first(&mut self, answer: BytesMut) {
        debug_assert!(self.unsent.is_empty());
        self.unsent = answer;
    }

    /// What it goes over.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Reads what has arrived; nothing at the end of the stream. A page that sends pings but takes
    /// no pongs is not read.
    pub fn poll_read<'a>(
        &mut self,
        cx: &mut Context<'_>,
        space: &'a mut [u8],
    ) -> Poll<io::Result<&'a mut [u8]>> {
        if self.unsent.len() > SPLICED + UNREAD_PONGS {
            return Poll::Pending;
        }
        if !self.unread.is_empty() {
            let count = self.unread.len().min(space.len());
            let read = &mut space[..count];
            self.unread.copy_to_slice(read);
            if self.unread.is_empty() {
                self.unread = BytesMut::new();
            }
            return Poll::Ready(Ok(read));
        }
        let mut buffer = ReadBuf::new(space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        Poll::Ready(Ok(&mut space[..count]))
    }

    /// Gives back bytes that were read: they will be read again.
    pub fn put_back(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let later = mem::replace(&mut self.unread, bytes.into());
            self.unread.extend_from_slice(&later);
        }
    }

    /// Takes what the page says next off the front of `input`, which was read. Answers to pings and
    /// to a close are queued.
    ///
    /// # Errors
    ///
    /// If the page breaks the protocol or a limit: what it sent after that has no meaning.
    pub fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        now: Instant,
    ) -> Result<Option<Incoming<'a>>, Violation> {
        while let Some(event) = self.decoder.decode(input, now)? {
            match event {
                Event::Data { kind, bytes, last } => {
                    return Ok(Some(Incoming::Data { kind, bytes, last }));
                }
                Event::Ping(payload) => self.queue(Opcode::Pong, payload.as_slice()),
                Event::Pong => {}
                Event::Close(close) => {
                    self.queue_close(close.as_ref().map(|close| close.code), "");
                    return Ok(Some(Incoming::Close(close)));
                }
            }
        }
        Ok(None)
    }

    /// Whether everything that was queued has been sent.
    pub fn is_sent(&self) -> bool {
        self.unsent.is_empty() && !self.unflushed
    }

    /// Queues a whole message or a control frame; after a close, nothing more.
    pub fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        if self.closing {
            return;
        }
        let (header, length) = header(opcode, payload.len());
        self.unsent.extend_from_slice(&header[..length]);
        self.unsent.extend_from_slice(payload);
    }

    /// Queues a close frame, unless there has been one. `reason` is cut where it is too long.
    pub fn queue_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend(code.get().to_be_bytes());
            payload.extend(&reason.as_bytes()[..reason.floor_char_boundary(CloseCode::REASON)]);
        }
        self.queue(Opcode::Close, &payload);
        self.closing = true;
    }

    /// Sends what was queued.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(count);
            self.unflushed = true;
        }
        self.unsent = BytesMut::new(); // An idle connection needs no memory.
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends a binary message, the payload of which is `place[payload..]`, after
    /// [`scratch::HEADROOM`]. What the page does not take is queued; nothing must be queued before.
    pub fn send_binary(
        &mut self,
        cx: &mut Context<'_>,
        place: &mut [u8],
        payload: usize,
    ) -> io::Result<()> {
        debug_assert!(self.unsent.is_empty());
        let start = prepend_header(place, payload, Opcode::Message(Kind::Binary));
        let frame = &place[start..];
        let taken = match Pin::new(&mut self.stream).poll_write(cx, frame) {
            Poll::Ready(taken) => taken?,
            Poll::Pending => 0,
        };
        self.unsent.extend_from_slice(&frame[taken..]);
        self.unflushed = true;
        Ok(())
    }

    /// A whole message has been sent through [`stream`](Self::stream), except for `rest`, which is
    /// queued. Nothing must have been queued before.
    pub fn sent_past(&mut self, rest: BytesMut) {
        debug_assert!(self.unsent.is_empty());
        self.unsent = rest;
        self.unflushed = true;
    }

    /// The next message, of so many bytes at most; none after a close, which is answered, or at the
    /// end of the stream.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the page breaks the protocol or a limit; then a close frame is
    /// queued, which [`close`](Self::close) sends.
    pub async fn receive(&mut self, most: usize) -> Result<Option<Message>, Error> {
        let (mut text, mut message) = (false, Vec::new());
        loop {
            let found = poll_fn(|cx| {
                // While the page takes nothing, it can still be read.
                if let Poll::Ready(sent) = self.poll_flush(cx) {
                    sent?;
                }
                scratch::with(|place| {
                    let mut input = match ready!(self.poll_read(cx, place))? {
                        [] => return Poll::Ready(Ok(Found::End)),
                        input => input,
                    };
                    let found = self.collect(&mut input, &mut text, &mut message, most);
                    self.put_back(input);
                    Poll::Ready(found)
                })
            });
            match found.await {
                Ok(Found::Piece) => {}
                Ok(Found::Message) if text => {
                    let text = String::from_utf8(message).map_err(|_| Violation::NotUtf8)?;
                    return Ok(Some(Message::Text(text)));
                }
                Ok(Found::Message) => return Ok(Some(Message::Binary(message))),
                Ok(Found::End) => return Ok(None),
                Err(Error::Violation(violation)) => {
                    self.queue_close(Some(violation.close_code()), &violation.to_string());
                    return Err(violation.into());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn collect(
        &mut self,
        input: &mut &mut [u8],
        text: &mut bool,
        message: &mut Vec<u8>,
        most: usize,
    ) -> Result<Found, Error> {
        let now = Instant::now();
        while let Some(incoming) = self.decode(input, now)? {
            match incoming {
                Incoming::Data { kind, bytes, last } => {
                    *text = kind == Kind::Text;
                    if message.len() + bytes.len() > most {
                        return Err(Violation::TooLong.into());
                    }
                    message.extend_from_slice(bytes);
                    if last {
                        return Ok(Found::Message);
                    }
                }
                Incoming::Close(_) => return Ok(Found::End),
            }
        }
        Ok(Found::Piece)
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn send(&mut self, message: &Message) -> io::Result<()> {
        match message {
            Message::Text(text) => self.queue(Opcode::Message(Kind::Text), text.as_bytes()),
            Message::Binary(bytes) => self.queue(Opcode::Message(Kind::Binary), bytes),
        }
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes the WebSocket, unless that has been done, and waits until the page has too, so that
    /// what was said last is not lost in a reset. The caller bounds the time.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub async fn close(mut self, code: CloseCode) -> io::Result<()> {
        let answered = self.closing;
        self.queue_close(Some(code), "");
        poll_fn(|cx| self.poll_flush(cx)).await?;
        if !answered {
            self.discard(|page, input| {
                let now = Instant::now();
                while let Ok(Some(incoming)) = page.decode(input, now) {
                    if matches!(incoming, Incoming::Close(_)) {
                        return true;
                    }
                }
                !input.is_empty()
            })
            .await?;
        }
        self.stream.shutdown().await?;
        self.discard(|_, _| false).await
    }

    /// Reads on, for nobody, until the end of the stream or what is `enough`.
    async fn discard(
        &mut self,
        mut enough: impl FnMut(&mut Self, &mut &mut [u8]) -> bool,
    ) -> io::Result<()> {
        poll_fn(|cx| {
            scratch::with(|place| {
                loop {
                    let mut input = ready!(self.poll_read(cx, place))?;
                    if input.is_empty() || enough(self, &mut input) {
                        return Poll::Ready(Ok(()));
                    }
                }
            })
        })
        .await
    }
}

/// What [`Connection::receive`] has found.
enum Found {
    Piece,
    Message,
    End,
}

#[cfg(test)]
mod tests;
