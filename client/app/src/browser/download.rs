//! Saving a file to the person's disk.

use js_sys::{Array, Uint8Array};
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// How long a download may take to start reading.
const KEPT: std::time::Duration = std::time::Duration::from_secs(60);

/// Hands content to the browser's downloads under a name.
///
/// The type is always `application/octet-stream`: whatever an attachment says that it is, the page
/// never opens it.
///
/// # Errors
///
/// If the browser has no memory for it.
pub(crate) fn save(name: &str, content: &[u8]) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let parts = Array::of1(&Uint8Array::from(content));
    save_blob(name, &Blob::new_with_u8_array_sequence_and_options(&parts, &options)?)
}

/// Hands what the browser holds to its downloads under a name.
///
/// # Errors
///
/// If the browser has no memory for it.
pub(crate) fn save_blob(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let url = Url::create_object_url_with_blob(blob)?;
    let anchor: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    set_timeout(
        move || {
            // Fails only for a text that is no URL.
            let _ = Url::revoke_object_url(&url);
        },
        KEPT,
    );
    Ok(())
}
