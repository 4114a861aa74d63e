//! What a test, or a failed addition, said.

use leptos::prelude::*;

use crate::{
    state::{App, setup::Outcome},
    text,
    view::icons::{self, Icon},
};

/// The answer, read out when it comes.
#[component]
pub(super) fn TestResult() -> impl IntoView {
    let app = App::here();
    let outcome = Memo::new(move |_| app.setup.with(|setup| setup.outcome.clone()));
    let state = move || match outcome.get() {
        Some(Outcome::Works(_)) => "good",
        Some(Outcome::Fails(..)) => "bad",
        None => "none",
    };
    view! {
        <div class="setup-result" data-test="setup-result" data-state=state role="alert">
            {move || {
                outcome.get().map(|outcome| match outcome {
                    Outcome::Works(report) => {
                        view! {
                            <Icon glyph=icons::GOOD />
                            <div>
                                <p>
                                    <strong>{text::setup::WORKS}</strong>
                                </p>
                                <p>{report.incoming}</p>
                                <p>{report.outgoing}</p>
                            </div>
                        }
                            .into_any()
                    }
                    Outcome::Fails(_, sentence) => {
                        view! {
                            <Icon glyph=icons::WARNING />
                            <p>{sentence}</p>
                        }
                            .into_any()
                    }
                })
            }}
        </div>
    }
}
