//! Whether the proxy lives, and whether it should get work.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::get};

use super::Shared;

/// `/healthz` and `/readyz`.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    if shared.draining.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "about to stop\n")
    } else if shared.https.as_ref().is_some_and(|tls| !tls.is_ready()) {
        (StatusCode::SERVICE_UNAVAILABLE, "no certificate yet\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
