//! A file on the person's disk that is written piece by piece: where the browser has the File System
//! Access API at the place that the person picks, else as a download put together by the browser,
//! which keeps large ones on the disk.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::DomException;

use super::download::Parts;

/// A file that is being written.
pub(crate) enum Saver {
    /// At the place that the person picked: a `FileSystemWritableFileStream`.
    Disk(JsValue),
    /// A download.
    Download {
        /// The file's name.
        name: String,
        /// What has come of it.
        parts: Parts,
    },
}

impl Saver {
    /// Has the person pick a place, if the browser can; `None` if the person picks none.
    ///
    /// Must be called while the browser still takes the call for the person's own doing.
    pub(crate) async fn open(name: &str) -> Option<Self> {
        let download = || Self::Download { name: name.into(), parts: Parts::default() };
        match pick(name).await {
            Ok(Some(file)) => Some(Self::Disk(file)),
            Ok(None) => Some(download()),
            Err(error) => {
                let named = error.dyn_ref::<DomException>().map(DomException::name);
                // Some pages may not ask, such as those within others; a download they may start.
                (named.as_deref() != Some("AbortError")).then(download)
            }
        }
    }

    /// Takes the next bytes; the promise is kept when more would be welcome.
    ///
    /// # Errors
    ///
    /// If the disk is full, or the browser has no memory.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<Promise, JsValue> {
        match self {
            Self::Disk(file) => Ok(call(file, "write", Some(&Uint8Array::from(bytes)))?),
            Self::Download { parts, .. } => {
                parts.add(bytes)?;
                Ok(Promise::resolve(&JsValue::UNDEFINED))
            }
        }
    }

    /// The file is complete. Tells whether it is on the disk for certain: of a download, the browser
    /// tells nobody whether it was kept.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub(crate) async fn close(self) -> Result<bool, JsValue> {
        match self {
            Self::Disk(file) => JsFuture::from(call(&file, "close", None)?).await.map(|_| true),
            Self::Download { name, parts } => parts.save(&name).map(|()| false),
        }
    }

    /// Gives the file up: nothing of it is left.
    pub(crate) fn abort(self) {
        if let Self::Disk(file) = self {
            // The browser removes it by itself if this fails.
            let _ = call(&file, "abort", None);
        }
    }
}

/// Has the person pick a place; `None` if the browser can't ask.
async fn pick(name: &str) -> Result<Option<JsValue>, JsValue> {
    let Ok(picker) = Reflect::get(&window(), &"showSaveFilePicker".into())?.dyn_into::<Function>()
    else {
        return Ok(None);
    };
    let options = Object::new();
    Reflect::set(&options, &"suggestedName".into(), &name.into())?;
    let picked: Promise = picker.call1(&window(), &options)?.dyn_into()?;
    let handle = JsFuture::from(picked).await?;
    JsFuture::from(call(&handle, "createWritable", None)?).await.map(Some)
}

fn call(object: &JsValue, method: &str, with: Option<&Uint8Array>) -> Result<Promise, JsValue> {
    let method: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let answer = match with {
        Some(bytes) => method.call1(object, bytes)?,
        None => method.call0(object)?,
    };
    answer.dyn_into()
}
