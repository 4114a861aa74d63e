//! `GET /api/discover?address=…`: which servers a mail address has.
//!
//! | Module | Job |
//! |---|---|
//! | [`find`] | the search: who is asked, in which order, until when |
//! | [`address`] | the question |
//! | [`autoconfig`], [`fetch`] | settings that providers publish, and the way to them |
//! | [`srv`], [`hosted`], [`records`] | what the DNS says |
//! | [`guess`], [`ask`] | usual names, and what a server says that it offers |
//! | [`rank`] | the best first |
//! | [`reach`] | the destination policy, before anything is dialled |
//! | [`cache`] | what was found out a moment ago |
//!
//! Invariants: nothing is dialled that the policy has not vetted. The full address goes to hosts of
//! its own domain alone, by HTTPS; others learn the domain at most. The log holds no address.
//! Nothing without TLS is ever an answer.

mod address;
mod ask;
mod autoconfig;
mod cache;
mod fetch;
mod find;
mod guess;
mod hosted;
mod query;
mod rank;
mod reach;
mod records;
mod srv;

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{
        HeaderMap, HeaderName, StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE, ORIGIN},
    },
    response::{IntoResponse, Response},
};
use postern_bridge::Discovery;
use tracing::info;

pub use records::{Records, Srv, SystemRecords};

pub(crate) use find::Finder;

use self::address::Address;
use crate::server::{Client, Shared};

/// Says which page a browser sends a request for.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Answers with a [`Discovery`] as JSON, or with a sentence.
pub(crate) async fn discover(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if is_of_a_stranger(&headers, &shared) {
        return refuse(StatusCode::FORBIDDEN, "This page may not look for mail servers.");
    }
    let address = query::parameter(uri.query().unwrap_or_default(), "address");
    let address = match address
        .map_or(Err(address::BadAddress::Missing), |text| Address::parse(text.trim()))
    {
        Ok(address) => address,
        Err(bad) => return refuse(StatusCode::BAD_REQUEST, &bad.to_string()),
    };
    let Some(_place) = shared.finder.admit(client) else {
        let sentence = "This proxy is looking for many mail servers already.";
        return refuse(StatusCode::TOO_MANY_REQUESTS, sentence);
    };
    let candidates = shared.finder.find(&address, &shared).await;
    info!(candidates = candidates.len(), "looked for the servers of an address");
    let json = serde_json::to_vec(&Discovery { candidates });
    let json = json.expect("texts and numbers can be encoded");
    ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")], json).into_response()
}

/// Whether a browser says that it asks for another page than ours. For our own it says so in
/// `Sec-Fetch-Site`, and sends no `Origin` with a request that changes nothing.
fn is_of_a_stranger(headers: &HeaderMap, shared: &Shared) -> bool {
    let site = headers.get(FETCH_SITE);
    site.is_some_and(|site| site != "same-origin")
        || headers.contains_key(ORIGIN) && !shared.origins.admit(headers)
}

fn refuse(status: StatusCode, sentence: &str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], format!("{sentence}\n")).into_response()
}
