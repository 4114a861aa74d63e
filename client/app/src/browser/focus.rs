//! Where the keyboard is.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The message list.
pub(crate) const LIST: &str = ".rows";
/// The field to search in.
pub(crate) const SEARCH: &str = ".list-search-field";
/// The text of the opened message.
pub(crate) const MESSAGE: &str = ".message-frame, .message-text";
/// The title of the step that the set-up is at.
pub(crate) const STEP: &str = ".step-title";
/// The first field that has to be mended.
pub(crate) const INVALID: &str = "[aria-invalid=true]";

/// The element that has the focus; `None` if only the page as a whole has it.
pub(crate) fn current() -> Option<HtmlElement> {
    let element: HtmlElement = document().active_element()?.dyn_into().ok()?;
    (element.tag_name() != "BODY").then_some(element)
}

/// Whether nobody misses the focus where it is: nothing has it, or the page's title has had it since
/// the person arrived.
pub(crate) fn is_free() -> bool {
    current().is_none_or(|element| element.tag_name() == "H1")
}

/// Gives the focus to the first element that matches, once the page is drawn.
pub(crate) fn give(selector: &'static str) {
    request_animation_frame(move || give_now(selector));
}

/// Gives the focus to the list if, once the page is drawn, nothing has it: what had it went away.
pub(crate) fn rescue() {
    request_animation_frame(|| {
        if current().is_none() {
            give_now(LIST);
        }
    });
}

/// A page's title that takes the focus when the page is drawn: what had it went with the last page,
/// and a screen reader says where the person is now.
pub(crate) fn on_arrival() -> NodeRef<html::H1> {
    let title = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        if let Some(title) = title.get() {
            request_animation_frame(move || {
                let _ = title.focus();
            });
        }
    });
    title
}

/// Gives the focus back to what had it before something opened, or else to the list.
pub(crate) fn give_back(before: Option<&HtmlElement>) {
    if let Some(before) = before.filter(|before| before.is_connected()) {
        // Fails only for what can't have the focus; then nothing has it.
        let _ = before.focus();
    }
    rescue();
}

fn give_now(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector)
        && let Some(element) = element.dyn_ref::<HtmlElement>()
    {
        let _ = element.focus();
    }
}
