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

use std::{sync::Arc, time::SystemTime};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{
        Request, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use postern_bridge::Discovery;
use tracing::info;

pub use records::{Records, Srv, SystemRecords};

pub(crate) use find::Finder;

use self::{
    address::{Address, BadAddress},
    reach::Reach,
};
use crate::{
    access,
    server::{Client, Shared},
};

/// Answers with a [`Discovery`] as JSON, or with a sentence.
pub(crate) async fn discover(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<Client>,
    request: Request<Body>,
) -> Response {
    let (request, _) = request.into_parts();
    if let Err((status, sentence)) = admit(&request, &shared) {
        return refuse(status, sentence);
    }
    let address = query::parameter(request.uri.query().unwrap_or_default(), "address");
    let address = address.ok_or(BadAddress::Missing);
    let address = match address.and_then(|text| Address::parse(text.trim())) {
        Ok(address) => address,
        Err(bad) => return refuse(StatusCode::BAD_REQUEST, &bad.to_string()),
    };
    let Some(asker) = shared.quotas.discovery(client) else {
        return too_many("Your network has looked for too many mail servers within a minute.");
    };
    let Some(_place) = shared.finder.admit(client) else {
        return too_many("It is looking for many mail servers already.");
    };
    let reach = Reach { shared: &shared, asker: &asker };
    let candidates = shared.finder.find(&address, &reach).await;
    if candidates.is_empty() && asker.was_stopped() {
        return too_many(
            "Your network has asked for too many different mail servers within an hour.",
        );
    }
    info!(candidates = candidates.len(), "looked for the servers of an address");
    let json = serde_json::to_vec(&Discovery { candidates });
    let json = json.expect("texts and numbers can be encoded");
    ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")], json).into_response()
}

/// Lets pages in that may use the proxy, and show its token.
fn admit(request: &Parts, shared: &Shared) -> Result<(), (StatusCode, &'static str)> {
    let pages = shared.origins.possible(request);
    if pages.is_empty() {
        return Err((StatusCode::FORBIDDEN, "This page may not look for mail servers."));
    }
    let (token, now) = (access::bearer(&request.headers), SystemTime::now());
    if !pages.iter().any(|page| shared.mint.check(token, page, now).is_ok()) {
        return Err((StatusCode::UNAUTHORIZED, "The page did not show a token of this proxy."));
    }
    Ok(())
}

fn too_many(sentence: &str) -> Response {
    refuse(StatusCode::TOO_MANY_REQUESTS, sentence)
}

fn refuse(status: StatusCode, sentence: &str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], format!("{sentence}\n")).into_response()
}
