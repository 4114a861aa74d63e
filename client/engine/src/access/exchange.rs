//! `fetch`, as a worker has it.

use js_sys::JsString;
use postern_mail::{Secret, TransportError};
use postern_tunnel::{TOKEN_PATH, Token};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response, WorkerGlobalScope};

use super::Exchange;
use crate::limits::TOKEN_PATIENCE;

/// Asks the proxy that served the page.
pub(crate) struct ProxyExchange;

impl Exchange for ProxyExchange {
    async fn exchange(&self, key: Option<&Secret>) -> Result<Token, TransportError> {
        // Whatever goes wrong on the way: the proxy can't be reached.
        let away = |_| TransportError::Offline;
        let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
        let request = request(key).map_err(away)?;
        let fetched = JsFuture::from(scope.fetch_with_str_and_init(TOKEN_PATH, &request));
        let response: Response = fetched.await.map_err(away)?.unchecked_into();
        match response.status() {
            200 => {
                let text = JsFuture::from(response.text().map_err(away)?).await.map_err(away)?;
                let text = String::from(text.unchecked_into::<JsString>());
                Token::from_text(&text).map_err(|_| TransportError::Offline)
            }
            status => Err(refusal(status, key.is_some())),
        }
    }
}

/// A `POST`, so that the browser says which page it comes from.
fn request(key: Option<&Secret>) -> Result<RequestInit, JsValue> {
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_cache(RequestCache::NoStore);
    let patience = TOKEN_PATIENCE.as_millis().try_into().expect("it is a few seconds");
    request.set_signal(Some(&AbortSignal::timeout_with_u32(patience)));
    if let Some(key) = key {
        let headers = Headers::new()?;
        headers.set("authorization", &format!("Bearer {}", key.expose()))?;
        request.set_headers(&headers);
    }
    Ok(request)
}

fn refusal(status: u16, with_key: bool) -> TransportError {
    match status {
        401 if with_key => TransportError::KeyRefused,
        401 => TransportError::KeyNeeded,
        403 => TransportError::Denied(
            "It does not know the address at which the page was opened. Its operator can add it \
             to the setting “origins”."
                .into(),
        ),
        429 => TransportError::Busy("It was asked too often.".into()),
        // An error of the proxy, or of something in front of it.
        _ => TransportError::Offline,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_tells_what_is_wrong() {
        assert_eq!(refusal(401, false), TransportError::KeyNeeded);
        assert_eq!(refusal(401, true), TransportError::KeyRefused);
        assert!(matches!(refusal(403, false), TransportError::Denied(_)));
        assert!(matches!(refusal(429, true), TransportError::Busy(_)));
        assert_eq!(refusal(502, false), TransportError::Offline);
        assert_eq!(refusal(404, false), TransportError::Offline);
    }
}
