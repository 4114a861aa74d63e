//! `/api/token`: where a page gets a token, in exchange for the access key if there is one.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Extension,
    extract::State,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use postern_tunnel::Token;

use crate::{
    limits::TOKEN_LIFETIME,
    server::{AskingPage, Client, Shared},
};

/// A token is for whoever asked, and for now.
const FRESH: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// Answers with a token.
///
/// The page asks with `POST`, since a browser then says which page it is: also behind a reverse
/// proxy that changes `Host`. There are no CORS headers: only pages of the same origin can read it.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    Extension(client): Extension<Client>,
    page: Result<AskingPage, Response>,
    headers: HeaderMap,
) -> Response {
    if !shared.quotas.token(client) {
        return too_many("too many tokens were asked for within a minute\n");
    }
    let AskingPage(origin) = match page {
        Ok(page) => page,
        Err(refused) => return (FRESH, refused).into_response(),
    };
    if let Some(key) = &shared.config.access_key {
        let Some(shown) = bearer(&headers) else { return unauthorized("Bearer") };
        if !shared.quotas.key_try(client) {
            return too_many("too many access keys were tried within a minute\n");
        }
        if !key.admits(shown) {
            return unauthorized("Bearer error=\"invalid_token\"");
        }
        shared.quotas.key_was_right(client);
    }
    let token = shared.mint.issue(&origin, SystemTime::now());
    let expires_in = TOKEN_LIFETIME.as_secs().try_into().expect("tokens live for minutes");
    let answer = Token { token, expires_in }.to_text();
    (FRESH, [(CONTENT_TYPE, "application/json")], answer).into_response()
}

/// What was shown after `Bearer` (RFC 6750, section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credentials.trim_start_matches(' '))
}

fn too_many(text: &'static str) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, FRESH, [(RETRY_AFTER, "60")], text).into_response()
}

fn unauthorized(challenge: &'static str) -> Response {
    let text = "this proxy asks for its access key\n";
    (StatusCode::UNAUTHORIZED, FRESH, [(WWW_AUTHENTICATE, challenge)], text).into_response()
}
