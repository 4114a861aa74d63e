//! The page's only cookie: how many accounts there are, and nothing else of them.
//!
//! Browsers that need space, or that are told to clear a site's storage, remove the local storage
//! together with the database; cookies are no part of that (the Storage standard's buckets). So this is
//! what can still tell that something was lost. The proxy is sent it and ignores it; no other site is
//! (`SameSite=Strict`).

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// How long it is kept after the page was opened last, in seconds: a year. Browsers allow 400 days at
/// most, and some fewer.
const KEPT: u32 = 365 * 24 * 60 * 60;

/// What it says.
pub(crate) fn get() -> Option<String> {
    let cookies = html()?.cookie().ok()?;
    let name = name()?;
    let mut pairs = cookies.split("; ").filter_map(|own| own.split_once('='));
    pairs.find(|(of, _)| *of == name).map(|(_, value)| value.to_owned())
}

/// Has it say something else, which must be made of letters, digits, dots and hyphens; `None` removes it.
pub(crate) fn set(value: Option<&str>) {
    let (Some(document), Some(name)) = (html(), name()) else { return };
    let age = if value.is_some() { KEPT } else { 0 };
    let value = value.unwrap_or_default();
    let is_secure = window().location().protocol().is_ok_and(|own| own == "https:");
    let secure = if is_secure { "; Secure" } else { "" };
    // Fails only where there are no cookies; the page then does without.
    let _ = document
        .set_cookie(&format!("{name}={value}; Path=/; Max-Age={age}; SameSite=Strict{secure}"));
}

/// Its name: a host's cookies are the same for all of its ports, and each may have a page of its own.
fn name() -> Option<String> {
    let port = window().location().port().ok()?;
    Some(if port.is_empty() {
        "postern-accounts".into()
    } else {
        format!("postern-accounts-{port}")
    })
}

fn html() -> Option<HtmlDocument> {
    document().dyn_into().ok()
}
