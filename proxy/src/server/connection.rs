//! One connection: TLS if the proxy ends it, then requests over HTTP/1.1 or HTTP/2.

use std::{convert::Infallible, net::IpAddr, pin::pin, sync::Arc};

use axum::{Router, body::Body};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{HOST, HeaderValue},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::TokioTimer;
use tokio::{net::TcpStream, time::timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, trace};

use super::{
    Client, Secure, Shared,
    activity::{Activity, Paced},
    https::{Handshake, Tls},
    impatient::{Impatient, Tunnel},
    places::{Place, Seat},
    stream::{PageIo, Stream},
};
use crate::limits::{
    CLOSE_TIMEOUT, HTTP2_CONNECTION_WINDOW, HTTP2_PING, HTTP2_RESETS, HTTP2_SEND_BUFFER,
    HTTP2_STREAM_WINDOW, HTTP2_STREAMS, REQUEST_HEAD,
};

/// What a listener does with its connections.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) router: Router,
    /// If it does TLS.
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) shared: Arc<Shared>,
}

/// Serves the requests of one connection. `place` is held until it ends or becomes a tunnel, which is
/// counted as such; a connection that loses it ends. One that carries tunnels among others has none
/// as long as they live, and gets another one then.
pub(super) async fn serve(tcp: TcpStream, peer: IpAddr, door: Door, place: Place) {
    if let Err(error) = tcp.set_nodelay(true) {
        trace!(%error, "no TCP_NODELAY");
    }
    let counted = door.shared.metrics.connection();
    let turned_out = place.turned_out();
    tokio::select! {
        () = requests(tcp, peer, &door, place) => {}
        () = turned_out.cancelled() => door.turned_away(),
    }
    drop(counted);
}

async fn requests(tcp: TcpStream, peer: IpAddr, door: &Door, place: Place) {
    let secured = tokio::select! {
        secured = secure(tcp, door) => secured,
        () = door.shared.stopping.cancelled() => None,
    };
    match secured {
        Some((stream, false)) => {
            let seat = Seat::new(place);
            http1(stream, peer, door, &seat).await;
            seat.leave();
        }
        Some((stream, true)) => http2(stream, peer, door, place).await,
        None => {}
    }
}

/// The connection with TLS, if it shall have it, and whether it speaks HTTP/2.
async fn secure(tcp: TcpStream, door: &Door) -> Option<(Stream, bool)> {
    let Some(tls) = &door.tls else { return Some((Stream::Plain(tcp), false)) };
    match tls.accept(tcp, door.shared.limits().handshake).await {
        Ok(Handshake::Done(stream, http2)) => {
            door.shared.metrics.page_handshake(true);
            Some((Stream::Tls(stream), http2))
        }
        Ok(Handshake::Challenge) => {
            debug!("the certificate authority has looked");
            None
        }
        Err(error) => {
            door.shared.metrics.page_handshake(false);
            debug!(%error, "no TLS");
            None
        }
    }
}

async fn http1(stream: Stream, peer: IpAddr, door: &Door, seat: &Seat) {
    let patience = door.shared.limits().request;
    let tunnel = Tunnel::default();
    let stream = Impatient::new(stream, patience, tunnel.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        let tunnel = tunnel.clone();
        request.extensions_mut().insert(seat.clone());
        async move {
            let answer = door.answer(request, peer).await;
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                tunnel.begin();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let draining = &door.shared.draining;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(REQUEST_HEAD)
        // Whoever comes while the proxy stops gets an answer, but only one.
        .keep_alive(!draining.is_cancelled());
    let mut connection =
        pin!(builder.serve_connection(PageIo::new(stream), service).with_upgrades());
    let leave = if draining.is_cancelled() { &door.shared.stopping } else { draining };
    let result = tokio::select! {
        result = &mut connection => result,
        () = leave.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        trace!(%error, "connection failed");
    }
}

async fn http2(stream: Stream, peer: IpAddr, door: &Door, place: Place) {
    let patience = door.shared.limits().request;
    let stream = Impatient::new(stream, patience, Tunnel::default());
    let activity = Activity::default();
    let way_back = place.way_back();
    let seat = Seat::new(place);
    let service = {
        let (door, activity, seat) = (door.clone(), activity.clone(), seat.clone());
        service_fn(move |mut request: Request<Incoming>| {
            let (door, activity, seat) = (door.clone(), activity.clone(), seat.clone());
            async move {
                activity.moved();
                name_host(&mut request);
                let connects = request.method() == Method::CONNECT;
                if connects {
                    request.extensions_mut().insert(Arc::new(activity.tunnel()));
                    request.extensions_mut().insert(seat.clone());
                }
                let answer = door.answer(request, peer).await;
                if connects && answer.status().is_success() {
                    seat.leave();
                }
                Ok::<_, Infallible>(answer.map(|body| Paced::new(body, activity)))
            }
        })
    };
    let mut builder = http2::Builder::new(activity.clone());
    builder
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_pending_accept_reset_streams(HTTP2_RESETS)
        .max_local_error_reset_streams(HTTP2_RESETS)
        .max_header_list_size(REQUEST_HEAD as u32)
        .max_send_buf_size(HTTP2_SEND_BUFFER)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING);
    let mut connection = pin!(builder.serve_connection(PageIo::new(stream), service));
    let Shared { draining, stopping, .. } = &*door.shared;
    let leave = if draining.is_cancelled() { stopping } else { draining };
    let mut leaving = false;
    let mut turned_out = CancellationToken::new();
    let result = loop {
        tokio::select! {
            result = &mut connection => break result,
            () = leave.cancelled(), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = activity.left_by_tunnels() => {
                // A tunnel that has begun meanwhile will tell of its own end.
                if !activity.has_tunnels() && seat.is_left() {
                    let Some(again) = way_back.enter() else { return door.turned_away() };
                    turned_out = again.turned_out();
                    seat.take(again);
                }
            }
            () = turned_out.cancelled() => return door.turned_away(),
            () = activity.idle(patience) => {
                connection.as_mut().graceful_shutdown();
                match timeout(CLOSE_TIMEOUT, connection).await {
                    Ok(result) => break result,
                    Err(_) => return trace!("an idle connection did not close"),
                }
            }
        }
    };
    if let Err(error) = result {
        trace!(%error, "connection failed");
    }
}

impl Door {
    async fn answer(&self, mut request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let client = self.shared.proxies.client(peer, request.headers());
        request.extensions_mut().insert(Client::from(client));
        request.extensions_mut().insert(Secure(self.tls.is_some()));
        let Ok(answer) = self.router.clone().oneshot(request).await;
        self.shared.metrics.request(answer.status());
        answer
    }

    fn turned_away(&self) {
        self.shared.metrics.connection_turned_away();
        trace!("the place of a connection was needed");
    }
}

/// HTTP/2 names the host beside the headers (RFC 9113, section 8.3.1): from here on it stands where
/// HTTP/1.1 has it.
fn name_host(request: &mut Request<Incoming>) {
    let authority = request.uri().authority();
    if let Some(host) = authority.and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        request.headers_mut().insert(HOST, host);
    }
}
