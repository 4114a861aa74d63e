//! The edge to the browser: everything here is an effect, nothing is a decision.

pub(crate) mod config;
pub(crate) mod cookie;
pub(crate) mod download;
pub(crate) mod files;
pub(crate) mod focus;
pub(crate) mod history;
pub(crate) mod local;
pub(crate) mod network;
pub(crate) mod save;
pub(crate) mod storage;
mod stream;
pub(crate) mod theme;
pub(crate) mod update;

use leptos::prelude::{document, window};

/// Removes what the document shows while the program loads.
pub(crate) fn remove_boot_screen() {
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}

/// The page's font size in CSS pixels, as the person has set it.
pub(crate) fn font_size() -> f64 {
    const USUAL: f64 = 16.0;
    let size = || {
        let style = window().get_computed_style(&document().document_element()?).ok()??;
        style.get_property_value("font-size").ok()?.trim_end_matches("px").parse().ok()
    };
    size().unwrap_or(USUAL)
}

/// Loads the page again.
pub(crate) fn reload() {
    // Fails only where there is no page to load.
    let _ = window().location().reload();
}

/// Whether one pane alone has room; the style sheets ask the same.
pub(crate) fn is_narrow() -> bool {
    let query = window().match_media("(max-width: 50rem)");
    query.ok().flatten().is_some_and(|query| query.matches())
}
