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
/// A message of a conversation that is unfolded.
pub(crate) const UNFOLDED_LETTER: &str = ".letter[data-unfolded=true]";
/// What folds and unfolds the messages of a conversation.
const LETTERS: &str = ".letter-head";
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

/// Scrolls to the first element that matches, once the page is drawn.
pub(crate) fn show(selector: &'static str) {
    request_animation_frame(move || {
        if let Ok(Some(element)) = document().query_selector(selector) {
            element.scroll_into_view();
        }
    });
}

/// Gives the focus to the next message of the conversation, or to the one before; false if none is
/// shown. Without one that has it, to the last that is unfolded.
pub(crate) fn step_letter(forward: bool) -> bool {
    let all = |selector: &str| -> Vec<HtmlElement> {
        let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
        let element = |at| found.item(at)?.dyn_into().ok();
        (0..found.length()).filter_map(element).collect()
    };
    let letters = all(LETTERS);
    let focused = current();
    let at = letters.iter().position(|own| {
        own.parent_element().is_some_and(|letter| {
            focused.as_ref().is_some_and(|focused| letter.contains(Some(focused)))
        })
    });
    let is_unfolded =
        |own: &HtmlElement| own.get_attribute("aria-expanded").as_deref() == Some("true");
    let next = match at {
        Some(at) if forward => (at + 1).min(letters.len() - 1),
        Some(at) => at.saturating_sub(1),
        None => match letters.iter().rposition(is_unfolded) {
            Some(at) => at,
            None => letters.len().saturating_sub(1),
        },
    };
    let Some(letter) = letters.get(next) else { return false };
    // Fails only for what can't have the focus.
    let _ = letter.focus();
    true
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
