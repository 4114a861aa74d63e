//! Headers that make browsers careful, on every answer.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{
        HeaderName, HeaderValue,
        header::{
            REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::Response,
};

use super::Shared;
use crate::config::Https;

const FIXED: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds the headers; what the build wrote down for its page goes before what is fixed here.
pub(super) async fn secure(State(shared): State<Arc<Shared>>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(hsts) = &shared.hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    for (name, value) in shared.site.headers() {
        headers.insert(name.clone(), value.clone());
    }
    response
}

/// What tells browsers not to come without TLS (RFC 6797, section 6.1), if they shall be told.
pub(super) fn hsts(https: Option<&Https>) -> Option<HeaderValue> {
    let seconds = https.map(|https| https.hsts.as_secs()).filter(|seconds| *seconds > 0)?;
    HeaderValue::try_from(format!("max-age={seconds}")).ok()
}
