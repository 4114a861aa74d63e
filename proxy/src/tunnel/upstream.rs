//! The connection to the mail server, with TLS of the proxy's or without.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use postern_tunnel::{Refusal, Refused, TlsInfo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{
    TlsConnector,
    refusal::{bad_request, refuse},
};
use crate::{limits::CHUNK, policy::Host};

/// The connection to the mail server.
pub(super) enum Upstream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

thread_local! {
    /// Where bytes arrive. One place for all connections of a thread: an idle one needs none.
    static ARRIVALS: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

impl Upstream {
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
        Ok((Self::Tls(Box::new(stream)), info))
    }

    /// Reads up to `most` bytes; none at the end, which for TLS is the one that was announced.
    pub(super) fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<Bytes>> {
        ARRIVALS.with_borrow_mut(|place| {
            let most = most.min(place.len());
            let mut buffer = ReadBuf::new(&mut place[..most]);
            ready!(Pin::new(self).poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(Bytes::copy_from_slice(buffer.filled())))
        })
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
