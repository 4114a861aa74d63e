//! A file on the person's disk that is written piece by piece: where the browser has the File System
//! Access API at the place that the person picks, else as a download through the service worker, and
//! where there is none as a download that is put together first.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use leptos::prelude::{GetUntracked, RwSignal, Set, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::DomException;

use super::{download::Parts, stream::Stream, update};

/// The function by which the person is asked for a place, where the browser has it.
const PICKER: &str = "showSaveFilePicker";

/// A file that is being written.
pub(crate) enum Saver {
    /// At the place that the person picked: a `FileSystemWritableFileStream`.
    Disk(JsValue),
    /// A download that the browser writes as it comes.
    Stream(Stream),
    /// A download that is put together by the browser, which keeps a large one on the disk.
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
        match pick(name).await {
            Ok(Some(file)) => return Some(Self::Disk(file)),
            Err(error) if is_stopped(&error) => return None,
            // Some pages may not ask, such as those within others; a download they may start.
            Ok(None) | Err(_) => {}
        }
        Some(match Stream::open(name).await {
            Some(stream) => Self::Stream(stream),
            None => Self::Download { name: name.into(), parts: Parts::default() },
        })
    }

    /// Takes the next bytes; the promise is kept when more would be welcome.
    ///
    /// # Errors
    ///
    /// If the disk is full, or the browser has no memory. So with a promise that is broken, unless the
    /// file [was stopped](is_stopped).
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<Promise, JsValue> {
        match self {
            Self::Disk(file) => call(file, "write", Some(&Uint8Array::from(bytes))),
            Self::Stream(stream) => Ok(stream.write(bytes)),
            Self::Download { parts, .. } => {
                parts.add(bytes)?;
                Ok(Promise::resolve(&JsValue::UNDEFINED))
            }
        }
    }

    /// The file is complete when the promise is kept; until then it can be given up.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub(crate) fn close(&mut self) -> Result<Promise, JsValue> {
        match self {
            Self::Disk(file) => call(file, "close", None),
            Self::Stream(stream) => Ok(stream.close()),
            Self::Download { name, parts } => {
                std::mem::take(parts).save(name)?;
                Ok(Promise::resolve(&JsValue::UNDEFINED))
            }
        }
    }

    /// Whether a complete file is on the disk for certain: of a download, the browser tells nobody
    /// whether it was kept.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self, Self::Disk(_))
    }

    /// Gives the file up: nothing of it is left.
    pub(crate) fn abort(self) {
        if let Self::Disk(file) = self {
            // The browser removes it by itself if this fails.
            let _ = call(&file, "abort", None);
        }
    }
}

/// Whether the person, or the browser, wants no file.
pub(crate) fn is_stopped(error: &JsValue) -> bool {
    error.dyn_ref::<DomException>().is_some_and(|error| error.name() == "AbortError")
}

/// Whether a file would be put together before it is saved, as far as can be told now.
fn gathers() -> bool {
    let picks = Reflect::has(&window(), &PICKER.into()).unwrap_or(false);
    !picks && update::controller().is_none()
}

/// The same, kept up to date: the page may be open before its service worker is there.
///
/// To be called once: the listener lives as long as the page.
pub(crate) fn watch_whether_files_are_gathered() -> RwSignal<bool> {
    let watched = RwSignal::new(gathers());
    if watched.get_untracked() {
        update::on_control(move || watched.set(gathers()));
    }
    watched
}

/// Has the person pick a place; `None` if the browser can't ask.
async fn pick(name: &str) -> Result<Option<JsValue>, JsValue> {
    let Ok(picker) = Reflect::get(&window(), &PICKER.into())?.dyn_into::<Function>() else {
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
