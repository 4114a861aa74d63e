//! Tunnels: from a page's WebSocket to a mail server and back.
//!
//! A tunnel lives through three stages, each in its own module: [`open`] reads where it shall go
//! and goes there, [`relay`] carries bytes until an end is reached, and [`farewell`] tells the page
//! why that was.

mod dial;
mod farewell;
mod open;
mod refusal;
mod relay;
mod tls;
mod upstream;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{
        State,
        ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use postern_tunnel::{Refusal, SUBPROTOCOL};
use tracing::{Instrument, debug, info, info_span};

pub(crate) use tls::TlsConnector;

use crate::{
    limits::{MAX_MESSAGE, READ_BUFFER, WRITE_BUFFER},
    server::{Client, Shared, Ticket},
};
use refusal::refuse;
use relay::{Ended, Relay};

/// `GET /tunnel`: makes a WebSocket of the request, for pages that may have one.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !shared.origins.admit(&headers) {
        info!("a page of another origin asked for a tunnel; `origins` lists those that may");
        return (StatusCode::FORBIDDEN, "this page may not open tunnels\n").into_response();
    }
    if shared.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the proxy is about to stop\n").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([SUBPROTOCOL]),
        Err(rejection) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        let text = format!("the WebSocket must have the subprotocol {SUBPROTOCOL}\n");
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    // A page learns nothing from the status of a failed upgrade, so one too many gets its
    // WebSocket, only to be told.
    let ticket = shared.clients.admit(client);
    let alive = shared.tunnels.token();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(async move |page| {
            run(page, &shared, ticket).instrument(info_span!("tunnel")).await;
            drop(alive);
        })
}

/// A tunnel's whole life.
async fn run(mut page: WebSocket, shared: &Shared, ticket: Option<Ticket>) {
    let Some(_ticket) = ticket else {
        info!("refused: too many tunnels");
        return farewell::refused(
            page,
            &refuse(Refusal::TooMany, "This proxy has too many connections. Try again later."),
        )
        .await;
    };
    let way = tokio::select! {
        way = open::open(&mut page, shared) => way,
        () = shared.stopping.cancelled() => Err(refusal::shutting_down().into()),
    };
    let way = match way {
        Ok(way) => way,
        Err(open::Failure::Refused(refused)) => {
            info!(code = ?refused.code, "refused");
            return farewell::refused(page, &refused).await;
        }
        Err(open::Failure::PageGone) => return debug!("the page went before the tunnel was open"),
    };
    match Relay::new(page, way).run(shared).await {
        Ended::Complete(page) => farewell::complete(page).await,
        Ended::PageGone(server, unsent) => farewell::server(server, unsent).await,
        Ended::Refused(page, refused) => farewell::refused(page, &refused).await,
    }
}
