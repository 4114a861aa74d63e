//! A server that echoes over the proxy's implementation.

use std::{convert::Infallible, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use postern::websocket::{CloseCode, Connection, FloodLimit, Limits, handshake::Handshake};
use postern_tunnel::SUBPROTOCOL;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

/// What the server takes: as much as the suite sends.
pub(crate) const LIMITS: Limits = Limits {
    text: 16 << 20,
    binary: 16 << 20,
    fragments: 1 << 16,
    flood: FloodLimit { burst: 2000, interval: Duration::from_secs(3600) },
};

/// Listens on a free port.
pub(crate) async fn listen() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            serve(stream);
        }
    });
    addr
}

/// Serves one connection, from its handshake on.
pub(crate) fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let service = service_fn(async |mut request: Request<Incoming>| {
        let handshake = match Handshake::read(&request) {
            Ok(handshake) => handshake,
            Err(rejection) => return Ok::<_, Infallible>(rejection.answer::<String>()),
        };
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move { echo(TokioIo::new(upgrade.await.unwrap())).await });
        Ok(handshake.answer(SUBPROTOCOL))
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::spawn(connection.with_upgrades());
}

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut connection = Connection::new(stream, &[], LIMITS);
    while let Ok(Some(message)) = connection.receive(usize::MAX).await {
        if connection.send(&message).await.is_err() {
            return;
        }
    }
    let _ = connection.close(CloseCode::NORMAL).await;
}
