//! Tunnels: from a page's WebSocket to a mail server and back.
//!
//! A tunnel lives through three stages, each in its own module: [`open`] reads where it shall go
//! and goes there, [`relay`] carries bytes until an end is reached, and [`farewell`] tells the page
//! why that was.

mod dial;
mod farewell;
mod open;
mod page;
mod refusal;
mod relay;
mod tls;
mod upstream;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use postern_tunnel::{Open, Refused, SUBPROTOCOL};
use tracing::{debug, info};

pub(crate) use open::connect;
pub(crate) use tls::{ServerTls, TlsConnector};

use self::{
    open::{Asked, Early},
    relay::{Ended, Relay},
};
use crate::{
    access::{Excess, Guest, Visitor},
    metrics::Metrics,
    server::{Client, LiveTunnel, Origin, Seat, Shared, TunnelPage},
    websocket::handshake::{self, Handshake},
};

/// Makes a WebSocket of the request, for pages that may have one.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<Client>,
    TunnelPage(origin): TunnelPage,
    mut request: Request,
) -> Response {
    if shared.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the proxy is about to stop\n").into_response();
    }
    let handshake = match Handshake::read(&request) {
        Ok(handshake) => handshake,
        Err(rejection) => return rejection.answer(),
    };
    if !handshake::offered(request.headers()).any(|name| name == SUBPROTOCOL) {
        let text = format!("the WebSocket must have the subprotocol {SUBPROTOCOL}\n");
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    let early = handshake::offered(request.headers()).find_map(Open::from_subprotocol);
    // A page learns nothing from the status of a failed upgrade, so one too many gets its
    // WebSocket, only to be told.
    let visitor = shared.quotas.visit(client);
    let live = request.extensions_mut().remove::<Arc<LiveTunnel>>();
    let seat = request.extensions_mut().remove::<Seat>();
    let upgrade = hyper::upgrade::on(&mut request);
    drop(request);
    let asked = asked(visitor, early, &origin, &shared, seat.as_ref()).await;
    let tunnel = run(upgrade, origin, shared.clone(), asked);
    shared.tunnels.spawn(async move {
        tunnel.await;
        drop(live);
    });
    handshake.answer(SUBPROTOCOL)
}

/// What a page asks for. What it has said with the request is done before it gets its WebSocket: it
/// can't use one without, and the fewer words go to and fro the sooner it has its mail.
async fn asked(
    visitor: Result<Visitor, Excess>,
    early: Option<Early>,
    origin: &Origin,
    shared: &Shared,
    seat: Option<&Seat>,
) -> Result<Asked, open::Failure> {
    let visitor = visitor.map_err(Refused::from)?;
    let Some(open) = early else { return Ok(Asked::Later(visitor)) };
    let reach = async { Ok(open::reach(open, origin, visitor, shared, seat).await?) };
    Ok(Asked::Early(or_stop(shared, reach).await?.into()))
}

/// A tunnel's whole life. What happens once is boxed: most of the time a tunnel only waits for
/// bytes, and that should take little memory.
async fn run(
    upgrade: OnUpgrade,
    origin: Origin,
    shared: Arc<Shared>,
    asked: Result<Asked, open::Failure>,
) {
    let beginning = Box::pin(begin(upgrade, origin, &shared, asked));
    let Some((relay, mut guest)) = beginning.await else { return };
    let ended = relay.run(&shared, &mut guest).await;
    Box::pin(end(ended, &shared.metrics)).await;
}

async fn begin(
    upgrade: OnUpgrade,
    origin: Origin,
    shared: &Shared,
    asked: Result<Asked, open::Failure>,
) -> Option<(Relay, Guest)> {
    let mut page = match upgrade.await {
        Ok(upgraded) => page::page(upgraded),
        Err(error) => {
            debug!(%error, "the page went before it had its WebSocket");
            return None;
        }
    };
    let way = async { open::open(&mut page, &origin, asked?, shared).await };
    match or_stop(shared, way).await {
        Ok((way, guest)) => return Some((Relay::new(page, way, &shared.windows), guest)),
        Err(open::Failure::Refused(refused)) => {
            info!(code = ?refused.code, "refused");
            shared.metrics.tunnel_refused(refused.code);
            // Whoever finds no room here has only to be told, and is not worth the memory.
            if let Ok(_room) = shared.farewells.try_acquire() {
                farewell::refused(page, &refused).await;
            }
        }
        Err(open::Failure::PageGone) => {
            debug!("the page went before the tunnel was open");
            farewell::complete(page).await;
        }
    }
    None
}

/// Does this, unless the proxy stops.
async fn or_stop<T>(
    shared: &Shared,
    step: impl Future<Output = Result<T, open::Failure>>,
) -> Result<T, open::Failure> {
    tokio::select! {
        result = step => result,
        () = shared.stopping.cancelled() => Err(refusal::shutting_down().into()),
    }
}

async fn end(ended: Ended, metrics: &Metrics) {
    metrics.tunnel_ended(ended.refusal());
    match ended {
        Ended::Complete(page) => farewell::complete(page).await,
        Ended::PageGone(page, server, unsent) => farewell::gone(page, server, unsent).await,
        Ended::Violation(page, violation) => farewell::violation(page, violation).await,
        Ended::Refused(page, refused) => farewell::refused(page, &refused).await,
    }
}
