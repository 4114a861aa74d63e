//! The way into a private proxy: entering its access key, and forgetting it.

use leptos::prelude::*;
use postern_bridge::{Access, Intent};

use super::{
    icons::{self, Icon, Mark},
    setup::field::TextField,
    shell::ThemeSwitch,
};
use crate::{
    browser::focus,
    state::{App, access::Door},
    text,
};

/// What a person meets first who opens a private Postern in a new browser.
#[component]
pub(crate) fn AccessPage() -> impl IntoView {
    let app = App::here();
    let title = focus::on_arrival();
    view! {
        <main class="page pane access" data-test="access">
            <header class="welcome">
                <div class="welcome-tools">
                    <ThemeSwitch />
                </div>
                <Mark />
                <h1 tabindex="-1" node_ref=title>
                    {text::access::TITLE}
                </h1>
                <p>{move || detail(app)}</p>
            </header>
            <section class="card">
                <KeyForm />
                <p class="field-hint">{text::access::HINT}</p>
            </section>
        </main>
    }
}

/// The same above mail that is stored here and can be read meanwhile.
#[component]
pub(crate) fn AccessBanner() -> impl IntoView {
    let app = App::here();
    let locked = Memo::new(move |_| app.door.with(|door| door.access().is_locked()));
    view! {
        <Show when=move || locked.get()>
            <section class="access-banner" data-test="access-banner" aria-label=text::access::TITLE>
                <p role="status">
                    <Icon glyph=icons::KEY />
                    {move || match app.door.with(Door::access) {
                        Access::Refused => text::access::REFUSED,
                        _ => text::access::BANNER,
                    }}
                </p>
                <KeyForm />
            </section>
        </Show>
    }
}

fn detail(app: App) -> &'static str {
    match app.door.with(Door::access) {
        Access::Refused => text::access::REFUSED,
        _ => text::access::DETAIL,
    }
}

#[component]
fn KeyForm() -> impl IntoView {
    let app = App::here();
    let key = RwSignal::new(String::new());
    let problem = Memo::new(move |_| app.door.with(Door::problem));
    Effect::new(move |_| {
        if problem.with(Option::is_some) {
            focus::give(focus::INVALID);
        }
    });
    let busy = move || app.door.with(Door::is_busy);
    view! {
        <form
            class="access-form"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                if !app.door.with_untracked(Door::is_busy) {
                    app.enter_access_key(key.get_untracked());
                }
            }
        >
            <TextField
                label=text::access::KEY
                test="access-key"
                kind="password"
                problem=problem.into()
                value=key
                on_type=move |typed| {
                    key.set(typed);
                    app.door.update(Door::retyped);
                }
            />
            <button
                type="submit"
                class="button is-primary"
                data-test="access-enter"
                aria-disabled=move || busy().to_string()
            >
                {move || if busy() { text::access::TRYING } else { text::access::ENTER }}
            </button>
        </form>
    }
}

/// The key that is kept in this browser, and the way to forget it.
#[component]
pub(super) fn KeptKey() -> impl IntoView {
    let app = App::here();
    let kept = Memo::new(move |_| app.door.with(Door::access) == Access::Kept);
    view! {
        <Show when=move || kept.get()>
            <section class="card access-kept" data-test="access-kept">
                <Icon glyph=icons::KEY />
                <div class="access-kept-words">
                    <h2>{text::access::KEPT}</h2>
                    <p>{text::access::KEPT_DETAIL}</p>
                </div>
                <button
                    class="button is-danger"
                    data-test="access-forget"
                    on:click=move |_| {
                        app.send(Intent::ForgetAccessKey);
                        focus::give(".page h1");
                    }
                >
                    {text::access::FORGET}
                </button>
            </section>
        </Show>
    }
}
