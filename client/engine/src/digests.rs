//! Digests, from the browser: it has threads of its own for them, and the processor's instructions.

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, ready},
};
use js_sys::Uint8Array;
use postern_mail::Digests;
use wasm_bindgen_futures::JsFuture;
use web_sys::Crypto;

/// From how many bytes on the browser is asked: with fewer, to ask takes about as long as to do it here.
pub(crate) const WORTH_ASKING: usize = 4 * 1024;

/// The browser's digests.
pub(crate) struct BrowserDigests(pub(crate) Crypto);

impl Digests for BrowserDigests {
    /// There is none of fewer than [`WORTH_ASKING`] bytes, nor outside of a secure context.
    fn sha256(&self, bytes: &[u8]) -> LocalBoxFuture<'static, Option<[u8; 32]>> {
        match self.begin(bytes) {
            None => ready(None).boxed_local(),
            Some(digest) => async {
                let digest = digest.await.ok()?;
                Uint8Array::new(&digest).to_vec().try_into().ok()
            }
            .boxed_local(),
        }
    }
}

impl BrowserDigests {
    fn begin(&self, bytes: &[u8]) -> Option<JsFuture> {
        let subtle = self.0.subtle();
        if bytes.len() < WORTH_ASKING || subtle.is_undefined() {
            return None;
        }
        subtle.digest_with_str_and_u8_array("SHA-256", bytes).ok().map(JsFuture::from)
    }
}
