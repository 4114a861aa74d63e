//! `GET /api/config`: what the page must know about its proxy.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::server::Shared;

/// An account to try things out with.
#[derive(Clone, Debug, Serialize)]
pub struct DemoAccount {
    /// The mail address, which is also the user name.
    pub address: String,
    /// The password, which is no secret.
    pub password: String,
    /// The IMAP server, with TLS from the start.
    pub imap: Endpoint,
    /// The POP3 server, with TLS from the start.
    pub pop3: Endpoint,
    /// The submission server, with TLS from the start.
    pub submission: Endpoint,
    /// The SHA-256 fingerprint of the certificate that all three show: no public authority vouches
    /// for it. Pairs of hexadecimal digits with colons between them.
    pub fingerprint: String,
}

/// A server as the page names it when it opens a tunnel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Endpoint {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The answer, ready to send.
pub(crate) struct PageConfig(Bytes);

#[derive(Serialize)]
struct Answer {
    demo: Option<DemoAccount>,
    access_required: bool,
    version: &'static str,
}

impl PageConfig {
    pub(crate) fn new(demo: Option<DemoAccount>, access_required: bool) -> Self {
        let answer = Answer { demo, access_required, version: env!("CARGO_PKG_VERSION") };
        Self(serde_json::to_vec(&answer).expect("texts and numbers can be encoded").into())
    }
}

/// Answers with what the page must know.
pub(crate) async fn config(State(shared): State<Arc<Shared>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (headers, shared.page_config.0.clone()).into_response()
}
