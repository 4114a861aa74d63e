//! Which servers an address has, by the proxy's word.

use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::JsString;
use postern_bridge::Discovery;
use postern_mail::{Clock, MailError, TransportError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestCache, RequestInit, Response, WorkerGlobalScope};

use crate::{
    access::Access,
    clock::BrowserClock,
    limits::{DISCOVERY_PATIENCE, PROXY_SENTENCE},
};

/// What the proxy answers to a token that it does not accept.
const UNAUTHORIZED: u16 = 401;

/// Asks the proxy that served the page.
pub(crate) struct ProxyDiscovery {
    access: Access,
}

impl ProxyDiscovery {
    /// Asks with the tokens of this access.
    pub(crate) fn new(access: Access) -> Self {
        Self { access }
    }

    /// Asks. A token that the proxy does not accept is replaced once, as for tunnels.
    ///
    /// # Errors
    ///
    /// If the proxy is away or does not answer the question.
    pub(crate) async fn discover(&self, address: &str) -> Result<Discovery, MailError> {
        let token = self.access.token().await?;
        let (mut status, mut text) = fetch(address, &token).await?;
        if status == UNAUTHORIZED {
            self.access.drop_token(&token);
            (status, text) = fetch(address, &self.access.token().await?).await?;
        }
        if status == 200 {
            return serde_json::from_str(&text).map_err(|_| {
                MailError::Protocol("the proxy's answer about the address's servers".into())
            });
        }
        Err(refusal(status, &text))
    }
}

/// The status and the text of the answer. Dropped, it tells the proxy that nobody waits any more.
async fn fetch(address: &str, token: &str) -> Result<(u16, String), TransportError> {
    let exchange = async {
        let waiting = Waiting(AbortController::new()?);
        let address = js_sys::encode_uri_component(address);
        let url = format!("{}?address={address}", Discovery::PATH);
        let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
        let fetched =
            JsFuture::from(scope.fetch_with_str_and_init(&url, &request(token, &waiting)?));
        let response: Response = fetched.await?.unchecked_into();
        let text = JsFuture::from(response.text()?).await?.unchecked_into::<JsString>();
        Ok::<_, JsValue>((response.status(), text.into()))
    };
    let patience = BrowserClock.sleep(DISCOVERY_PATIENCE);
    match select(pin!(exchange), pin!(patience)).await {
        Either::Left((Ok(answer), _)) => Ok(answer),
        // Whatever goes wrong on the way: the proxy can't be reached.
        Either::Left((Err(_), _)) | Either::Right(_) => Err(TransportError::Offline),
    }
}

/// Somebody who waits for an answer: as soon as it is dropped, the browser hangs up.
struct Waiting(AbortController);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(token: &str, waiting: &Waiting) -> Result<RequestInit, JsValue> {
    let headers = Headers::new()?;
    headers.set("authorization", &format!("Bearer {token}"))?;
    let request = RequestInit::new();
    request.set_headers(&headers);
    request.set_cache(RequestCache::NoStore);
    request.set_signal(Some(&waiting.0.signal()));
    Ok(request)
}

/// What the proxy means when it does not answer the question.
fn refusal(status: u16, text: &str) -> MailError {
    let sentence: String = text.trim().chars().take(PROXY_SENTENCE).collect();
    match status {
        400 => MailError::Input(sentence),
        UNAUTHORIZED | 403 => TransportError::Denied(sentence).into(),
        429 | 503 => TransportError::Busy(sentence).into(),
        // A reverse proxy speaks for one that is away.
        _ => TransportError::Offline.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_meaning() {
        let sentence = || "So.".to_owned();
        for (status, expected) in [
            (400, MailError::Input(sentence())),
            (401, TransportError::Denied(sentence()).into()),
            (403, TransportError::Denied(sentence()).into()),
            (429, TransportError::Busy(sentence()).into()),
            (503, TransportError::Busy(sentence()).into()),
            (502, TransportError::Offline.into()),
        ] {
            assert_eq!(refusal(status, " So.\n"), expected, "{status}");
        }
    }

    #[test]
    fn a_long_sentence_is_cut() {
        let MailError::Input(sentence) = refusal(400, &"a".repeat(PROXY_SENTENCE + 1)) else {
            panic!("400 is about the input");
        };
        assert_eq!(sentence.len(), PROXY_SENTENCE);
    }
}
