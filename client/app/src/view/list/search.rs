//! The field to search from the open folder, and how far the search is.

use std::time::Duration;

use leptos::{html, prelude::*};
use postern_bridge::{MailboxId, SearchScope};
use web_sys::KeyboardEvent;

use super::super::icons::{self, Icon};
use crate::{
    browser::focus,
    state::{App, list::List},
    text,
};

/// How long a person may pause while typing before the search begins.
const PAUSE: Duration = Duration::from_millis(80);

/// The field, where it searches, and what it has found.
#[component]
pub(super) fn SearchField() -> impl IntoView {
    let app = App::here();
    let field = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let scope = RwSignal::new(SearchScope::Mailbox);
    let mailbox = Memo::new(move |_| app.list.with(List::mailbox));
    let searching = Memo::new(move |_| app.list.with(|list| list.searched().is_some()));
    let strokes = StoredValue::new(0_u32);

    let begin = move || {
        // What was typed before is searched for no more.
        strokes.update_value(|strokes| *strokes = strokes.wrapping_add(1));
        app.search(scope.get_untracked(), &typed.get_untracked());
    };
    let wait = move || {
        strokes.update_value(|strokes| *strokes = strokes.wrapping_add(1));
        let stroke = strokes.get_value();
        let paused = move || {
            if strokes.try_get_value() == Some(stroke) {
                begin();
            }
        };
        set_timeout(paused, PAUSE);
    };
    let leave = move || {
        typed.set(String::new());
        begin();
        focus::give(focus::LIST);
    };
    // Another folder, or a search that was ended elsewhere, empties the field.
    Effect::new(move |before: Option<(Option<MailboxId>, bool)>| {
        let now = (mailbox.get(), searching.get());
        let turned = before.is_some_and(|(open, _)| open != now.0);
        let ended = before.is_some_and(|(_, was_searching)| was_searching) && !now.1;
        if turned || (ended && !has_focus()) {
            typed.set(String::new());
            strokes.update_value(|strokes| *strokes = strokes.wrapping_add(1));
        }
        now
    });
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        // The end of a word that is put together by an input method is no wish to search.
        _ if event.is_composing() => {}
        "Enter" | "ArrowDown" => {
            event.prevent_default();
            begin();
            focus::give(focus::LIST);
        }
        "Escape" => {
            event.prevent_default();
            leave();
        }
        _ => {}
    };
    let choose = move |chosen| {
        scope.set(chosen);
        begin();
    };
    let segment = move |own, label, test| {
        view! {
            <button
                class="segment"
                data-test=test
                aria-pressed=move || (scope.get() == own).to_string()
                on:click=move |_| choose(own)
            >
                {label}
            </button>
        }
    };
    let note = move || {
        app.list.with(|list| {
            let search = list.searched()?;
            let total = if list.is_outdated() { None } else { list.total() };
            Some(text::search::found(total, search.state.as_ref()))
        })
    };
    view! {
        <div class="list-search" role="search" hidden=move || mailbox.get().is_none()>
            <div class="list-search-box">
                <Icon glyph=icons::SEARCH />
                <input
                    class="list-search-field"
                    type="search"
                    data-test="search"
                    node_ref=field
                    placeholder=text::search::LABEL
                    aria-label=text::search::LABEL
                    aria-describedby="list-search-hint"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    enterkeyhint="search"
                    prop:value=typed
                    on:input=move |event| {
                        typed.set(event_target_value(&event));
                        wait();
                    }
                    on:keydown=on_key
                />
                <kbd class="list-search-key" aria-hidden="true">"/"</kbd>
                <button
                    class="button is-icon is-small"
                    data-test="search-end"
                    title=text::search::CLEAR
                    aria-label=text::search::CLEAR
                    hidden=move || typed.with(String::is_empty)
                    on:click=move |_| leave()
                >
                    <Icon glyph=icons::CLOSE />
                </button>
            </div>
            <p class="list-search-hint" id="list-search-hint">
                {text::search::HINT}
            </p>
            <Show when=move || searching.get()>
                <div class="segments" role="group" aria-label=text::search::SCOPE>
                    {segment(SearchScope::Mailbox, text::search::HERE, "search-here")}
                    {segment(SearchScope::Account, text::search::EVERYWHERE, "search-everywhere")}
                </div>
            </Show>
            <p class="list-search-note" data-test="search-note" role="status">
                {note}
            </p>
        </div>
    }
}

fn has_focus() -> bool {
    focus::current().is_some_and(|current| current.matches(focus::SEARCH).unwrap_or(false))
}
