//! How the browser keeps what is stored (the Storage standard).
//!
//! A worker may look; only a page may ask the browser to keep it.

use js_sys::{Promise, Reflect};
use postern_mail::host::StorageState;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageManager, WorkerNavigator};

/// The browser's word on its storage.
pub(crate) struct BrowserStorage {
    /// `None` on a page that did not come over HTTPS.
    manager: Option<StorageManager>,
}

impl BrowserStorage {
    pub(crate) fn new(navigator: &WorkerNavigator) -> Self {
        let manager = Reflect::get(navigator, &"storage".into()).ok();
        let manager = manager.filter(|manager| !manager.is_undefined());
        Self { manager: manager.map(JsValue::unchecked_into) }
    }

    /// The state now. What the browser does not tell is not known, and nothing is promised then.
    pub(crate) async fn state(&self) -> StorageState {
        let Some(manager) = &self.manager else { return StorageState::default() };
        let persistent = settled(manager.persisted()).await;
        let estimate = settled(manager.estimate()).await.unwrap_or_default();
        let bytes = |name: &str| {
            let number = Reflect::get(&estimate, &name.into()).ok()?.as_f64()?;
            // The browser counts in floating point; whole numbers up to 9 PB are exact.
            (number >= 0.0).then_some(number as u64)
        };
        let persistent = persistent.is_some_and(|persistent| persistent.is_truthy());
        StorageState::of_browser(persistent, bytes("usage"), bytes("quota"))
    }
}

async fn settled(promise: Result<Promise, JsValue>) -> Option<JsValue> {
    JsFuture::from(promise.ok()?).await.ok()
}
