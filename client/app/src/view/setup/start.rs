//! The first step: address and password.

use leptos::prelude::*;
use postern_bridge::{Problem, ProblemKind};

use super::{blame, person::Login, ways::ByHandButton};
use crate::{
    state::{App, setup::Form},
    text,
    view::icons::{self, Icon},
};

/// Asks for address and password, and what to do with them.
#[component]
pub(super) fn Start(
    /// What was in the way of looking the settings up, if it was tried.
    trouble: Option<Problem>,
) -> impl IntoView {
    let app = App::here();
    let form = app.form;
    let again = trouble.is_some();
    view! {
        <form
            class="card setup-form"
            novalidate
            autocomplete="on"
            on:submit=move |event| {
                event.prevent_default();
                look_up(app);
            }
        >
            <div>
                <h2>{text::setup::OWN_TITLE}</h2>
                <p class="field-hint">{text::discovery::START_DETAIL}</p>
            </div>
            <div class="fields is-pair">
                <Login form />
            </div>
            {trouble
                .map(|problem| {
                    let offline = problem.kind == ProblemKind::Offline;
                    view! {
                        <div class="setup-result" data-state="bad" data-test="setup-trouble" role="alert">
                            <Icon glyph=if offline { icons::OFFLINE } else { icons::WARNING } />
                            <p>{sentence(problem)}</p>
                        </div>
                    }
                })}
            <footer class="setup-actions">
                <button type="submit" class="button is-primary" data-test="setup-continue">
                    {if again { text::discovery::TRY_AGAIN } else { text::discovery::CONTINUE }}
                </button>
                <ByHandButton />
            </footer>
        </form>
    }
}

/// Looks the settings of the address up, if it is one.
fn look_up(app: App) {
    match app.form.with_untracked(|form| form.person().map(str::to_owned)) {
        Ok(address) => app.discover(address),
        Err((field, sentence)) => blame(app, field, sentence),
    }
}

fn sentence(problem: Problem) -> String {
    match problem.kind {
        ProblemKind::Offline => text::discovery::OFFLINE.to_owned(),
        _ => problem.sentence,
    }
}

/// The domain of the address in the form.
pub(super) fn domain(form: &Form) -> String {
    crate::address::domain(&form.address)
}
