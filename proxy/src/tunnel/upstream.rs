//! The connection to the mail server, with TLS of the proxy's or without.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use postern_tunnel::{Refusal, Refused, TlsInfo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{
    TlsConnector,
    refusal::{bad_request, refuse},
};
use crate::{policy::Host, tunnel::ServerTls};

/// The connection to the mail server.
pub(super) enum Upstream {
    Plain(TcpStream),
    Tls(ServerTls),
}

impl Upstream {
    /// The TCP connection, if it carries the stream's bytes as they are.
    pub(super) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(tcp) => Some(tcp),
            Self::Tls(_) => None,
        }
    }

    /// Upgrades to TLS in place. Whatever the server said after its go-ahead, it said without
    /// protection, and somebody else may have said it: that is the end.
    pub(super) async fn start_tls(
        self,
        tls: &TlsConnector,
        host: &Host,
        limit: Duration,
    ) -> Result<(Self, TlsInfo), Refused> {
        let Self::Plain(tcp) = self else { return Err(bad_request("TLS has been started.")) };
        let failed = |error: io::Error| refuse(Refusal::Lost, format!("{host}: {error}."));
        // The system is asked, not the runtime, which may not have noticed yet.
        let tcp = tcp.into_std().map_err(failed)?;
        match tcp.peek(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(1..) => {
                let message = format!("{host} sent something between its go-ahead and TLS.");
                return Err(refuse(Refusal::TlsFailed, message));
            }
            Ok(0) => {
                let message = format!("{host} ended the connection instead of agreeing on TLS.");
                return Err(refuse(Refusal::TlsFailed, message));
            }
            Err(error) => return Err(failed(error)),
        }
        let tcp = TcpStream::from_std(tcp).map_err(failed)?;
        let (stream, info) = tls.connect(tcp, host, limit).await?;
        Ok((Self::Tls(stream), info))
    }
}

impl Upstream {
    /// Waits for the server's end, for a page that takes nothing at present. What the server says
    /// before that stays where it is, but for the beginning of one record of TLS; then nobody is
    /// woken, as the end comes after it.
    ///
    /// # Errors
    ///
    /// If the connection broke.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => {
                match ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut [0])))? {
                    0 => Poll::Ready(Ok(())),
                    _ => Poll::Pending,
                }
            }
            Self::Tls(stream) => stream.poll_end(cx),
        }
    }
}

impl AsyncRead for Upstream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Upstream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
