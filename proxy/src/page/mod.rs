//! The page: files of the build, and what the page asks about the proxy.

mod api;
mod encoding;
mod folder;
mod site;

#[cfg(feature = "embed")]
mod embedded;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderValue, Method, Request, StatusCode,
        header::{
            ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
            ETAG, IF_NONE_MATCH, VARY,
        },
    },
    response::{IntoResponse, Response},
};

pub use api::{DemoAccount, Endpoint};

pub(crate) use api::{PageConfig, config};
pub(crate) use site::Site;

use crate::server::Shared;
use encoding::Preference;
use site::{Caching, File};

/// Answers with a file of the page.
pub(crate) async fn file(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    match shared.site.find(request.uri().path()) {
        Some(file) => answer(file, request.headers()),
        None => {
            (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-cache")], "not found\n").into_response()
        }
    }
}

fn answer(file: &File, request: &HeaderMap) -> Response {
    let accepted = Preference::from_headers(request.get_all(ACCEPT_ENCODING));
    let variant = file.variant(&accepted);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(ETAG, variant.etag.clone());
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(match file.caching {
            Caching::Forever => "public, max-age=31536000, immutable",
            Caching::Revalidate => "no-cache",
        }),
    );
    if file.has_variants() {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_known(request, &variant.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, file.content_type.clone());
    headers.insert(CONTENT_LENGTH, variant.body.len().into());
    if let Some(coding) = variant.coding.token() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    *response.body_mut() = Body::from(variant.body.clone());
    response
}

/// Whether the client has this very representation (RFC 9110, section 13.1.2).
fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
    })
}
