//! The name of a new folder, or the new name of one.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::Frame;
use crate::{browser::focus, state::App, text};

/// A field for the name.
#[component]
pub(super) fn NameFolder(
    /// What it is about.
    title: &'static str,
    /// The name that it has.
    name: String,
    /// What the button says.
    yes: &'static str,
    /// Takes the name.
    on_name: impl Fn(String) + Send + Sync + 'static,
) -> impl IntoView {
    let app = App::here();
    let typed = RwSignal::new(name);
    let problem = RwSignal::new(None::<&str>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = typed.with_untracked(|typed| typed.trim().to_owned());
        if name.is_empty() {
            problem.set(Some(text::change::NAME_MISSING));
        } else if name.contains(char::is_control) {
            problem.set(Some(text::change::NAME_WRONG));
        } else {
            app.dialog.set(None);
            on_name(name);
            return;
        }
        focus::give(focus::INVALID);
    };
    view! {
        <Frame title=title.to_owned()>
            <form on:submit=submit novalidate>
                <div class="field" class:is-blamed=move || problem.get().is_some()>
                    <label>
                        <span class="field-label">{text::change::FOLDER_NAME}</span>
                        <input
                            class="input"
                            data-test="folder-name"
                            autofocus
                            autocomplete="off"
                            dir="auto"
                            maxlength="200"
                            aria-invalid=move || problem.get().is_some().to_string()
                            aria-describedby="folder-name-problem"
                            prop:value=typed
                            on:input:target=move |event| {
                                typed.set(event.target().value());
                                problem.set(None);
                            }
                        />
                    </label>
                    <p class="field-problem" id="folder-name-problem">
                        {problem}
                    </p>
                </div>
                <footer class="dialog-actions">
                    <button class="button" type="button" on:click=move |_| app.dialog.set(None)>
                        {text::change::CANCEL}
                    </button>
                    <button class="button is-primary" type="submit" data-test="dialog-yes">
                        {yes}
                    </button>
                </footer>
            </form>
        </Frame>
    }
}
