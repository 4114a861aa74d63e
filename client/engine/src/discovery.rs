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
            let mut found: Discovery = serde_json::from_str(&text).map_err(|_| {
                MailError::Protocol("the proxy's answer about the address's servers".into())
            })?;
            spell_as_typed(&mut found, address);
            return Ok(found);
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

/// Gives hosts under an address's domain the domain's own letters, which are those that the person
/// knows: the proxy answers in A-labels (`imap.xn--bcher-kva.example`; RFC 5890).
fn spell_as_typed(found: &mut Discovery, address: &str) {
    let Some((_, domain)) = address.rsplit_once('@') else { return };
    let domain = domain.trim().to_lowercase();
    let Ok(ascii) = idna::domain_to_ascii(&domain) else { return };
    if domain.is_ascii() {
        return;
    }
    for candidate in &mut found.candidates {
        let below = candidate.host.strip_suffix(&ascii);
        if let Some(below) = below.filter(|below| below.is_empty() || below.ends_with('.')) {
            candidate.host = format!("{below}{domain}");
        }
    }
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
    use postern_bridge::{Candidate, Protection, Service, Source, UserName};

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
    fn a_host_under_the_address_s_domain_is_spelt_like_it() {
        let host = |host: &str, address: &str| {
            let candidate = Candidate {
                service: Service::Imap,
                host: host.into(),
                port: 993,
                protection: Protection::Tls,
                username: UserName::Address,
                authentication: Vec::new(),
                source: Source::Probe,
                offers: None,
            };
            let mut found = Discovery { candidates: vec![candidate] };
            spell_as_typed(&mut found, address);
            found.candidates.remove(0).host
        };
        for (found, spelt) in [
            ("imap.xn--bcher-kva.example", "imap.bücher.example"),
            ("xn--bcher-kva.example", "bücher.example"),
            ("evilxn--bcher-kva.example", "evilxn--bcher-kva.example"),
            ("imap.example.org", "imap.example.org"),
        ] {
            assert_eq!(host(found, "ada@Bücher.example"), spelt);
            assert_eq!(host(found, "ada@xn--bcher-kva.example"), found);
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
