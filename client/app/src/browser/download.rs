//! Saving a file to the person's disk as a download.

use js_sys::{Array, Uint8Array};
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// How long a download may take to start reading.
const KEPT: std::time::Duration = std::time::Duration::from_secs(60);

/// How many bytes are gathered before the browser is given them as a blob of its own, which it may
/// keep on the disk.
const PART: usize = 8 << 20;

/// A download that is put together piece by piece.
#[derive(Default)]
pub(crate) struct Parts {
    /// Blobs that are complete.
    blobs: Array,
    /// What is gathered.
    waiting: Vec<u8>,
    /// How many bytes came.
    size: u64,
}

impl Parts {
    /// How many bytes came.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// If the browser has no memory for them.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.waiting.extend(bytes);
        self.size += bytes.len() as u64;
        if self.waiting.len() >= PART { self.gather() } else { Ok(()) }
    }

    fn gather(&mut self) -> Result<(), JsValue> {
        let bytes = Array::of1(&Uint8Array::from(&self.waiting[..]));
        self.blobs.push(&Blob::new_with_u8_array_sequence(&bytes)?.into());
        self.waiting.clear();
        Ok(())
    }

    /// Hands all of it to the browser's downloads under a name.
    ///
    /// The type is always `application/octet-stream`: whatever an attachment says that it is, the
    /// page never opens it.
    ///
    /// # Errors
    ///
    /// If the browser has no memory for it.
    pub(crate) fn save(mut self, name: &str) -> Result<(), JsValue> {
        self.gather()?;
        let options = BlobPropertyBag::new();
        options.set_type("application/octet-stream");
        let blob = Blob::new_with_blob_sequence_and_options(&self.blobs, &options)?;
        hand_over(name, &blob)
    }
}

/// Hands what the browser holds to its downloads under a name.
fn hand_over(name: &str, blob: &Blob) -> Result<(), JsValue> {
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
