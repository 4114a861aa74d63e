//! Keys, values and ranges between Rust and IndexedDB.

use indexed_db_futures::{
    KeyRange as IdbKeyRange,
    error::SimpleValueError,
    primitive::TryFromJs,
    typed_array::{Uint8Array as Bytes, Uint8ArraySlice as Slice},
};
use js_sys::{ArrayBuffer, Uint8Array};
use postern_mail::store::{Key, KeyRange};
use wasm_bindgen::prelude::*;

/// A value as it comes out: a byte array.
pub(super) type Value = Bytes;

/// A key as it comes out: whatever was put in, IndexedDB hands out an `ArrayBuffer`.
pub(super) struct FoundKey(pub(super) Key);

impl TryFromJs for FoundKey {
    fn from_js(js: JsValue) -> Result<Self, SimpleValueError> {
        let buffer: ArrayBuffer = js.dyn_into().map_err(SimpleValueError::DynCast)?;
        Ok(Self(Key(Uint8Array::new(&buffer).to_vec())))
    }
}

/// Bytes on their way in.
pub(super) fn slice(bytes: &[u8]) -> Slice<'_> {
    Slice::new(bytes)
}

/// A range; `None` if there can be no key in it, which IndexedDB would call an error.
pub(super) fn key_range(range: &KeyRange) -> Option<IdbKeyRange<Slice<'_>>> {
    let start = slice(&range.start.0);
    match &range.end {
        None => Some(IdbKeyRange::LowerBound(start, false)),
        Some(end) if range.start < *end => {
            Some(IdbKeyRange::Bound(start, false, slice(&end.0), true))
        }
        Some(_) => None,
    }
}

/// What is left of a range after `last`, a key in it.
pub(super) fn rest<'a>(range: &'a KeyRange, last: &'a Key) -> IdbKeyRange<Slice<'a>> {
    let last = slice(&last.0);
    match &range.end {
        None => IdbKeyRange::LowerBound(last, true),
        Some(end) => IdbKeyRange::Bound(last, true, slice(&end.0), true),
    }
}
