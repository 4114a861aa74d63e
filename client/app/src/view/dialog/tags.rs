//! The tags of messages.

use std::collections::BTreeMap;

use leptos::prelude::*;
use postern_bridge::{LABEL_RULE, Selection};
use web_sys::SubmitEvent;

use super::Frame;
use crate::{state::App, text};

/// A box for each tag, and a field for a new one. Each press changes the messages at once.
#[component]
pub(super) fn Tags(
    /// The messages.
    messages: Selection,
    /// How many they are.
    count: u32,
) -> impl IntoView {
    let app = App::here();
    let messages = StoredValue::new(messages);
    // Keyword in lower case: as it is spelled, its name, on how many of the messages it is.
    let tags = Memo::new(move |_| {
        let mut tags = BTreeMap::new();
        for (keyword, name) in text::change::COMMON_TAGS {
            tags.insert(keyword.to_ascii_lowercase(), (keyword.to_owned(), name.to_owned(), 0));
        }
        let rows = app.target_rows();
        for keyword in rows.iter().flat_map(|row| &row.keywords) {
            let Some(name) = text::change::tag(keyword) else { continue };
            let new = || (keyword.clone(), name, 0);
            tags.entry(keyword.to_ascii_lowercase()).or_insert_with(new).2 += 1;
        }
        let all = rows.len();
        tags.into_values()
            .map(|(keyword, name, on)| (keyword, name, on > 0 && on == all))
            .collect::<Vec<_>>()
    });
    let are_labels = Memo::new(move |_| app.tags_are_labels());
    let typed = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<&str>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let keyword = typed.with_untracked(|typed| typed.trim().to_owned());
        let is_label = are_labels.get_untracked();
        if text::change::fits(&keyword, is_label) {
            typed.set(String::new());
            messages.with_value(|messages| app.tag(messages.clone(), count, keyword, true));
        } else {
            problem.set(Some(match is_label {
                true => LABEL_RULE,
                false => text::change::TAG_WRONG,
            }));
        }
    };
    let entry = move |(keyword, name, _): (String, String, bool)| {
        let own = keyword.clone();
        let is_set =
            move || tags.with(|tags| tags.iter().any(|(keyword, _, set)| *keyword == own && *set));
        view! {
            <label class="choice">
                <input
                    type="checkbox"
                    data-test="tag"
                    prop:checked=is_set
                    on:change:target=move |event| {
                        let (tag, set) = (keyword.clone(), event.target().checked());
                        messages.with_value(|messages| app.tag(messages.clone(), count, tag, set));
                    }
                />
                <bdi>{name}</bdi>
            </label>
        }
    };
    view! {
        <Frame title=text::change::TAGS.to_owned()>
            <div class="choices">
                <For each=move || tags.get() key=|(keyword, ..)| keyword.clone() let(tag)>
                    {entry(tag)}
                </For>
            </div>
            <form class="tag-new" on:submit=submit novalidate>
                <div class="field" class:is-blamed=move || problem.get().is_some()>
                    <input
                        class="input"
                        data-test="tag-new"
                        autocomplete="off"
                        placeholder=text::change::NEW_TAG
                        aria-label=text::change::NEW_TAG
                        aria-invalid=move || problem.get().is_some().to_string()
                        aria-describedby="tag-problem"
                        prop:value=typed
                        on:input:target=move |event| {
                            typed.set(event.target().value());
                            problem.set(None);
                        }
                    />
                    <p class="field-problem" id="tag-problem">
                        {problem}
                    </p>
                </div>
                <button class="button" type="submit">
                    {text::change::ADD_TAG}
                </button>
            </form>
            <footer class="dialog-actions">
                <button class="button is-primary" autofocus data-test="dialog-yes" on:click=move |_| app.dialog.set(None)>
                    {text::change::DONE}
                </button>
            </footer>
        </Frame>
    }
}
