//! Which servers an address has, by the proxy's word.

use js_sys::JsString;
use postern_bridge::Discovery;
use postern_mail::{MailError, TransportError};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, Request, RequestInit, Response};

use crate::limits::PROXY_SENTENCE;

/// Asks the proxy that served the page.
pub(crate) struct ProxyDiscovery {
    url: String,
}

impl ProxyDiscovery {
    /// `origin` is the page's, such as `https://mail.example.org`.
    pub(crate) fn new(origin: &str) -> Self {
        Self { url: format!("{origin}{}?address=", Discovery::PATH) }
    }

    /// Asks.
    ///
    /// # Errors
    ///
    /// If the proxy is away or does not answer the question.
    pub(crate) async fn discover(&self, address: &str) -> Result<Discovery, MailError> {
        let (status, text) = self.fetch(address).await.map_err(|_| TransportError::Offline)?;
        if status == 200 {
            return serde_json::from_str(&text).map_err(|_| {
                MailError::Protocol("the proxy's answer about the address's servers".into())
            });
        }
        Err(refusal(status, &text))
    }

    async fn fetch(&self, address: &str) -> Result<(u16, String), JsValue> {
        let url = format!("{}{}", self.url, js_sys::encode_uri_component(address));
        let request = Request::new_with_str_and_init(&url, &RequestInit::new())?;
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        let response: Response =
            JsFuture::from(scope.fetch_with_request(&request)).await?.dyn_into()?;
        let text: JsString = JsFuture::from(response.text()?).await?.dyn_into()?;
        Ok((response.status(), text.into()))
    }
}

/// What the proxy means when it does not answer the question.
fn refusal(status: u16, text: &str) -> MailError {
    let sentence: String = text.trim().chars().take(PROXY_SENTENCE).collect();
    match status {
        400 => MailError::Input(sentence),
        401 | 403 => TransportError::NotAllowed(sentence).into(),
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
            (403, TransportError::NotAllowed(sentence()).into()),
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
