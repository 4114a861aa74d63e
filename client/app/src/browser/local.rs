//! The browser's local storage: small settings and the draft that is being written.
//!
//! Every call may fail (private windows, full storage); the page then works without.

use leptos::prelude::window;
use web_sys::Storage;

/// The chosen theme.
pub(crate) const THEME: &str = "postern.theme";
/// The message that is being written.
pub(crate) const DRAFT: &str = "postern.draft";
/// The accounts that there were when the page was open last.
pub(crate) const ACCOUNTS: &str = "postern.accounts";
/// Until when nothing is said about the browser's storage.
pub(crate) const STORAGE: &str = "postern.storage";

/// What is stored under a key.
pub(crate) fn get(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Stores under a key; `None` removes what is there.
pub(crate) fn set(key: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let _ = match value {
        Some(value) => storage.set_item(key, value),
        None => storage.remove_item(key),
    };
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
