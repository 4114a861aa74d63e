//! The WebSocket of a page.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{
    limits::{HTTP2_PIECE, PAGE_FRAMES},
    server::{PageIo, Stream},
    websocket::Connection,
};

/// The WebSocket of a page.
pub(super) type Page = Connection<PageStream>;

/// What the WebSocket goes over.
pub(super) enum PageStream {
    /// A connection that has become a WebSocket. Nothing is left of HTTP.
    Whole(Stream),
    /// A stream among others of an HTTP/2 connection.
    Shared(TokioIo<Upgraded>),
}

/// The WebSocket that a request has become. Over HTTP/1.1 the answer that says so is still to be
/// sent: it goes with the first message, or before the page is waited for.
pub(super) fn page(upgraded: Upgraded) -> Page {
    match upgraded.downcast::<PageIo>() {
        Ok(parts) => {
            let (stream, answer) = parts.io.into_inner().into_parts();
            let mut page = Connection::new(PageStream::Whole(stream), &parts.read_buf, PAGE_FRAMES);
            page.send_first(answer);
            page
        }
        Err(upgraded) => {
            Connection::new(PageStream::Shared(TokioIo::new(upgraded)), &[], PAGE_FRAMES)
        }
    }
}

impl PageStream {
    /// The TCP connection, if it carries the WebSocket's bytes and nothing else.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Whole(Stream::Plain(tcp)) => Some(tcp),
            Self::Whole(Stream::Tls(_)) | Self::Shared(_) => None,
        }
    }
}

impl AsyncRead for PageStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Whole(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Shared(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for PageStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Whole(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Shared(stream) => {
                // It is copied whole, and kept as long as the page does not take it.
                let piece = &bytes[..bytes.len().min(HTTP2_PIECE)];
                Pin::new(stream).poll_write(cx, piece)
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Whole(stream) => Pin::new(stream).poll_flush(cx),
            Self::Shared(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Whole(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Shared(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
