//! From TCP connections to requests.

use std::{convert::Infallible, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{trace, warn};

use super::{
    Client, Clients, Shared, Ticket,
    impatient::{Impatient, Tunnel},
    stream::{PageIo, Stream},
};
use crate::limits::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT, REQUEST_HEAD, REQUEST_TIMEOUT};

/// How long to wait when the system can't give us a connection: it lacks something that others must
/// first give back.
const BREATH: Duration = Duration::from_millis(100);

/// Accepts connections and serves each in a task of its own, for ever. A connection for which there
/// is no place is dropped.
pub(super) async fn accept(
    listener: &TcpListener,
    router: &Router,
    tasks: &TaskTracker,
    shared: &Arc<Shared>,
) {
    let places = Clients::new(HTTP_CONNECTIONS, HTTP_CONNECTIONS_PER_CLIENT);
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let peer = address.ip();
                let client = Client::from(peer);
                let place = if shared.proxies.include(peer) {
                    places.admit_speaker(client)
                } else {
                    places.admit(client)
                };
                match place {
                    Some(place) => {
                        tasks.spawn(serve(stream, peer, router.clone(), shared.clone(), place));
                    }
                    None => trace!("no place for a connection"),
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "can't accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Serves the requests of one connection; `place` is held until it ends or becomes a tunnel.
async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    shared: Arc<Shared>,
    place: Ticket,
) {
    if let Err(error) = stream.set_nodelay(true) {
        trace!(%error, "no TCP_NODELAY");
    }
    let tunnel = Tunnel::default();
    let stream = Impatient::new(Stream::Plain(stream), REQUEST_TIMEOUT, tunnel.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        let client = Client::from(shared.proxies.client(peer, request.headers()));
        request.extensions_mut().insert(client);
        let answer = router.clone().oneshot(request);
        let tunnel = tunnel.clone();
        async move {
            let answer = answer.await?;
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                tunnel.begin();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .max_buf_size(REQUEST_HEAD);
    let mut connection =
        pin!(builder.serve_connection(PageIo::new(stream), service).with_upgrades());
    let result = tokio::select! {
        result = &mut connection => result,
        () = shared.draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        trace!(%error, "connection failed");
    }
    drop(place);
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
