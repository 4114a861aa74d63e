//! The page. It draws what the engine says and tells the engine what the person wants.
//!
//! - [`state`] holds what is shown: plain data, changed by deltas, tested without a browser.
//! - [`view`] draws it; a view takes data and emits an intent.
//! - [`browser`] is the edge: history, local storage, downloads, timers, the service worker.
//! - [`engine`] is the link to the worker that does the work.
//!
//! Invariant: no protocol, no storage of mail and no business rule is in here; of our crates the
//! page knows the bridge alone.

mod address;
mod browser;
mod engine;
mod format;
mod plain_text;
mod route;
mod shortcut;
mod state;
mod text;
mod view;

use leptos::prelude::*;

/// Starts the page: mounts the views on the document's body and wakes the engine.
pub fn start() {
    console_error_panic_hook::set_once();
    browser::remove_boot_screen();
    mount_to_body(view::Root);
}
