//! Ways from one step to another that several steps offer.

use leptos::prelude::*;

use crate::{
    browser::focus,
    state::{
        App,
        setup::{Step, Trouble},
    },
    text,
};

/// To all settings, by hand.
#[component]
pub(super) fn ByHandButton() -> impl IntoView {
    let app = App::here();
    view! {
        <button
            type="button"
            class="button is-quiet"
            data-test="setup-by-hand"
            on:click=move |_| {
                app.step.set(Step::ByHand(Trouble::None));
                focus::give(focus::STEP);
            }
        >
            {text::discovery::BY_HAND}
        </button>
    }
}

/// Back to the address, to look its servers up.
#[component]
pub(super) fn AddressButton(
    /// What it is called where it stands.
    label: &'static str,
    /// The name that tests know it by.
    test: &'static str,
    /// Whether it stands beside a line of text.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let app = App::here();
    view! {
        <button
            type="button"
            class="button is-quiet"
            class:is-small=small
            data-test=test
            on:click=move |_| {
                app.start_over();
                focus::give("[data-test=setup-address]");
            }
        >
            {label}
        </button>
    }
}
