//! Setting up an account, step by step.
//!
//! [`start`] asks for address and password, [`looking`] waits for what is found, [`found`] shows it,
//! and [`by_hand`] has every field there is.

mod both;
mod by_hand;
mod demo;
mod extent;
pub(super) mod field;
mod found;
mod looking;
mod person;
mod policies;
mod proof;
mod protocol;
mod refused;
mod result;
mod retention;
mod security;
mod servers;
mod settings;
mod start;
mod tls_end;
mod ways;

use leptos::prelude::*;

use self::{by_hand::ByHand, demo::DemoCard, found::Found, looking::Looking, start::Start};
pub(super) use self::{
    extent::ExtentChoice,
    field::TextField,
    proof::ProofChoice,
    protocol::Choice,
    retention::RetentionChoice,
    security::{SecurityField, Unprotected},
    tls_end::TlsEndChoice,
};
use super::{
    accounts,
    icons::{self, Icon, Mark},
    shell::ThemeSwitch,
    storage::{Lost, RestoreFirst},
};
use crate::{
    browser::focus,
    state::{
        App,
        setup::{Field, Outcome, Step},
    },
    text,
};

/// The set-up page; `first` when there is no account yet.
#[component]
pub(crate) fn Setup(first: bool) -> impl IntoView {
    let app = App::here();
    app.begin_setup();
    // The password is not kept longer than it is needed.
    on_cleanup(move || app.begin_setup());
    let title = focus::on_arrival();
    // What was said about other settings than those in the form is no longer true.
    Effect::new(move |again: Option<()>| {
        app.form.track();
        if again.is_some() {
            app.setup.update(|setup| (setup.outcome, setup.refused) = (None, None));
        }
    });
    view! {
        <main
            class="page pane setup"
            class:is-first=first
            class:is-underway=move || app.step.with(|step| !step.is_first())
        >
            {if first {
                view! {
                    <header class="welcome">
                        <div class="welcome-tools">
                            <ThemeSwitch />
                        </div>
                        <Mark />
                        <h1 tabindex="-1" node_ref=title>
                            {text::setup::WELCOME}
                        </h1>
                        <p>{text::setup::WELCOME_DETAIL}</p>
                    </header>
                }
                    .into_any()
            } else {
                view! {
                    <header class="page-head">
                        <button
                            class="button is-icon"
                            aria-label=text::shell::BACK
                            on:click=move |_| accounts::leave(app)
                        >
                            <Icon glyph=icons::BACK />
                        </button>
                        <h1 tabindex="-1" node_ref=title>
                            {text::setup::ADD_TITLE}
                        </h1>
                    </header>
                }
                    .into_any()
            }}
            <Show when=move || first && app.step.with(Step::is_first)>
                <Lost />
            </Show>
            <Show when=move || app.step.with(Step::is_first)>
                <DemoCard />
            </Show>
            <Steps />
            <Show when=move || first && app.step.with(Step::is_first)>
                <RestoreFirst />
            </Show>
        </main>
    }
}

/// The step that the person is at. The next one takes the focus: what had it went with the last.
#[component]
fn Steps() -> impl IntoView {
    let app = App::here();
    let step = Memo::new(move |_| app.step.get());
    Effect::new(move |_| match step.get() {
        Step::Start => {}
        Step::Again(_) => focus::give("[data-test=setup-continue]"),
        Step::Looking(_) | Step::Found | Step::ByHand(_) => focus::give(focus::STEP),
    });
    move || match step.get() {
        Step::Start => view! { <Start trouble=None /> }.into_any(),
        Step::Again(problem) => view! { <Start trouble=Some(problem) /> }.into_any(),
        Step::Looking(_) => view! { <Looking /> }.into_any(),
        Step::Found => view! { <Found /> }.into_any(),
        Step::ByHand(trouble) => view! { <ByHand trouble /> }.into_any(),
    }
}

/// Points to the field that has to be mended.
fn blame(app: App, field: Field, sentence: &str) {
    app.setup.update(|setup| setup.reject(field, sentence));
    focus::give(focus::INVALID);
}

/// What the last outcome says about a field.
fn problem_with(app: App, field: Field) -> Option<String> {
    app.setup.with(|setup| match &setup.outcome {
        Some(Outcome::Fails(Some(blamed), sentence)) if *blamed == field => Some(sentence.clone()),
        _ => None,
    })
}
