//! What a person meets whose stored mail can't be used.

use leptos::prelude::*;
use postern_bridge::Intent;

use crate::{
    browser,
    state::App,
    text,
    view::{icons, status::Status},
};

/// What is wrong, and what can be done.
#[component]
pub(in crate::view) fn Damaged() -> impl IntoView {
    let app = App::here();
    let asking = RwSignal::new(false);
    let erasable =
        move || app.storage_failed.with(|failed| failed.as_ref().is_some_and(|own| own.1));
    let sentence = app.storage_failed.with_untracked(|failed| {
        failed.as_ref().map(|(sentence, _)| sentence.clone()).unwrap_or_default()
    });
    view! {
        <main class="alone" data-test="damaged">
            <Status glyph=icons::WARNING title=text::backup::DAMAGED detail=sentence>
                <button class="button is-primary" on:click=|_| browser::reload()>
                    {text::shell::RELOAD}
                </button>
                <Show when=move || erasable() && !asking.get()>
                    <button class="button" data-test="erase" on:click=move |_| asking.set(true)>
                        {text::backup::ERASE}
                    </button>
                </Show>
                <Show when=move || asking.get()>
                    <p role="alert">{text::backup::ERASE_DETAIL}</p>
                    <button
                        class="button is-danger is-primary"
                        data-test="erase-yes"
                        on:click=move |_| app.send(Intent::EraseStorage)
                    >
                        {text::backup::ERASE_YES}
                    </button>
                </Show>
            </Status>
        </main>
    }
}
