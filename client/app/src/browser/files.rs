//! Files that the person picks, drops or pastes.

use js_sys::Uint8Array;
use postern_bridge::Attachment;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileList};

/// The files of a list.
pub(crate) fn all(list: Option<FileList>) -> Vec<File> {
    list.map_or_else(Vec::new, |list| (0..list.length()).filter_map(|at| list.get(at)).collect())
}

/// Reads a piece of a file; `None` if it can't be read any more.
pub(crate) async fn piece(file: &File, offset: u64, length: u32) -> Option<Vec<u8>> {
    // A file's size is a whole number that floating point has exactly.
    let (start, end) = (offset as f64, (offset + u64::from(length)) as f64);
    let piece = file.slice_with_f64_and_f64(start, end).ok()?;
    let content = JsFuture::from(piece.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&content).to_vec())
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
