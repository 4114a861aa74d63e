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
use postern_tunnel::{Refused, SUBPROTOCOL};
use tracing::{debug, info};

pub(crate) use open::connect;
pub(crate) use tls::{ServerTls, TlsConnector};

use self::relay::{Ended, Relay};
use crate::{
    access::{Excess, Guest, Visitor},
    metrics::Metrics,
    server::{Client, LiveTunnel, Origin, Shared, TunnelPage},
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
    if !handshake::offers(request.headers(), SUBPROTOCOL) {
        let text = format!("the WebSocket must have the subprotocol {SUBPROTOCOL}\n");
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    // A page learns nothing from the status of a failed upgrade, so one too many gets its
    // WebSocket, only to be told.
    let visitor = shared.quotas.visit(client);
    let upgrade = hyper::upgrade::on(&mut request);
    let live = request.extensions_mut().remove::<Arc<LiveTunnel>>();
    let tunnel = run(upgrade, origin, shared.clone(), visitor);
    shared.tunnels.spawn(async move {
        tunnel.await;
        drop(live);
    });
    handshake.answer(SUBPROTOCOL)
}

/// A tunnel's whole life. What happens once is boxed: most of the time a tunnel only waits for
/// bytes, and that should take little memory.
async fn run(
    upgrade: OnUpgrade,
    origin: Origin,
    shared: Arc<Shared>,
    visitor: Result<Visitor, Excess>,
) {
    let Some((relay, mut guest)) = Box::pin(begin(upgrade, origin, &shared, visitor)).await else {
        return;
    };
    let ended = relay.run(&shared, &mut guest).await;
    Box::pin(end(ended, &shared.metrics)).await;
}

async fn begin(
    upgrade: OnUpgrade,
    origin: Origin,
    shared: &Shared,
    visitor: Result<Visitor, Excess>,
) -> Option<(Relay, Guest)> {
    let mut page = match upgrade.await {
        Ok(upgraded) => page::page(upgraded),
        Err(error) => {
            debug!(%error, "the page went before it had its WebSocket");
            return None;
        }
    };
    let visitor = match visitor {
        Ok(visitor) => visitor,
        Err(excess) => {
            debug!(?excess, "refused");
            let refused = Refused::from(excess);
            shared.metrics.tunnel_refused(refused.code);
            farewell::refused(page, &refused).await;
            return None;
        }
    };
    let way = tokio::select! {
        way = open::open(&mut page, &origin, visitor, shared) => way,
        () = shared.stopping.cancelled() => Err(refusal::shutting_down().into()),
    };
    match way {
        Ok((way, guest)) => return Some((Relay::new(page, way, &shared.windows), guest)),
        Err(open::Failure::Refused(refused)) => {
            info!(code = ?refused.code, "refused");
            shared.metrics.tunnel_refused(refused.code);
            farewell::refused(page, &refused).await;
        }
        Err(open::Failure::PageGone) => {
            debug!("the page went before the tunnel was open");
            farewell::complete(page).await;
        }
    }
    None
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
