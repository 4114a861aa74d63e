//! Setting up an account.

mod demo;
pub(super) mod field;
mod person;
mod protocol;
mod refused;
mod result;
mod security;
mod servers;
mod tls_end;

use leptos::prelude::*;

use self::{
    demo::DemoCard, person::Person, protocol::ProtocolChoice, refused::RefusedCertificate,
    result::TestResult, servers::Servers,
};
pub(super) use self::{field::TextField, security::SecurityField, tls_end::TlsEndChoice};
use super::{
    accounts,
    icons::{self, Icon, Mark},
    shell::ThemeSwitch,
};
use crate::{
    browser::focus,
    state::{
        App,
        setup::{Field, Form, Outcome, Progress},
    },
    text,
};

/// The set-up page; `first` when there is no account yet.
#[component]
pub(crate) fn Setup(first: bool) -> impl IntoView {
    let app = App::here();
    // What an earlier visit tried is of no interest to this one.
    app.setup.set(Progress::default());
    let form = RwSignal::new(Form::default());
    let title = focus::on_arrival();
    // What was said about other settings than those in the form is no longer true.
    Effect::new(move |again: Option<()>| {
        form.track();
        if again.is_some() {
            app.setup.update(|setup| (setup.outcome, setup.refused) = (None, None));
        }
    });
    view! {
        <main class="page pane setup" class:is-first=first>
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
            <DemoCard />
            <form
                class="card setup-form"
                novalidate
                autocomplete="on"
                on:submit=move |event| {
                    event.prevent_default();
                    submit(app, form, Ask::Add);
                }
            >
                <h2>{text::setup::OWN_TITLE}</h2>
                <Person form />
                <ProtocolChoice form />
                <Servers form />
                <Show when=move || form.with(Form::is_unprotected)>
                    <p class="note is-warning">
                        <Icon glyph=icons::WARNING />
                        {text::setup::UNPROTECTED}
                    </p>
                </Show>
                <TlsEndChoice
                    group="setup-tls-end"
                    end=Signal::derive(move || form.with(|form| form.tls_end))
                    on_choose=move |end| form.update(|form| form.tls_end = end)
                />
                <TestResult />
                <footer class="setup-actions">
                    <button
                        type="submit"
                        class="button is-primary"
                        data-test="setup-add"
                        aria-disabled=move || app.setup.with(Progress::is_busy).to_string()
                    >
                        {move || {
                            if app.setup.with(|setup| setup.adding.is_some()) {
                                text::setup::ADDING
                            } else {
                                text::setup::ADD
                            }
                        }}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-test="setup-test"
                        aria-disabled=move || app.setup.with(Progress::is_busy).to_string()
                        on:click=move |_| submit(app, form, Ask::Test)
                    >
                        {move || {
                            if app.setup.with(|setup| setup.testing.is_some()) {
                                text::setup::TESTING
                            } else {
                                text::setup::TEST
                            }
                        }}
                    </button>
                </footer>
            </form>
            <RefusedCertificate form />
        </main>
    }
}

/// What to do with the settings.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Ask {
    Test,
    Add,
}

fn submit(app: App, form: RwSignal<Form>, ask: Ask) {
    if app.setup.with_untracked(Progress::is_busy) {
        return;
    }
    match (form.with_untracked(Form::draft), ask) {
        (Ok(draft), Ask::Test) => app.test_account(draft),
        (Ok(draft), Ask::Add) => app.add_account(draft),
        (Err((field, sentence)), _) => {
            app.setup.update(|setup| setup.reject(field, sentence));
            focus::give(focus::INVALID);
        }
    }
}

/// What the last outcome says about a field.
fn problem_with(app: App, field: Field) -> Option<String> {
    app.setup.with(|setup| match &setup.outcome {
        Some(Outcome::Fails(Some(blamed), sentence)) if *blamed == field => Some(sentence.clone()),
        _ => None,
    })
}
