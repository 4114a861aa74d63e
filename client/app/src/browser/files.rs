//! Files that the person picks, drops or pastes.

use js_sys::Uint8Array;
use postern_bridge::Attachment;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileList};

/// The files of a list.
pub(crate) fn all(list: Option<FileList>) -> Vec<File> {
    list.map_or_else(Vec::new, |list| (0..list.length()).filter_map(|at| list.get(at)).collect())
}

/// Reads a file; `None` if it can't be read, because it is a folder or has gone.
pub(crate) async fn read(file: &File) -> Option<Attachment> {
    let content = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(Attachment {
        name: file.name(),
        media_type: file.type_(),
        content: Uint8Array::new(&content).to_vec(),
    })
}
