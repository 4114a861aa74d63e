//! While settings are looked for.

use leptos::{ev, prelude::*};

use super::start::domain;
use crate::{browser::focus, state::App, text};

/// Says what goes on, and lets the person stop it.
#[component]
pub(super) fn Looking() -> impl IntoView {
    let app = App::here();
    let stop = move || {
        app.start_over();
        focus::give("[data-test=setup-continue]");
    };
    let escape = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && !event.default_prevented() {
            event.prevent_default();
            stop();
        }
    });
    on_cleanup(move || escape.remove());
    let looking = text::discovery::looking(&app.form.with_untracked(domain));
    view! {
        <section class="card setup-looking" data-test="setup-looking">
            <span class="spinner" aria-hidden="true"></span>
            <div role="status">
                <h2 class="step-title" tabindex="-1">
                    {looking}
                </h2>
                <p class="field-hint">{text::discovery::LOOKING_DETAIL}</p>
            </div>
            <button class="button" data-test="setup-cancel" on:click=move |_| stop()>
                {text::discovery::CANCEL}
            </button>
        </section>
    }
}
