//! Whether what logs in is a password.

use leptos::prelude::*;
use postern_bridge::Proof;

use crate::text;

/// Lets an access token be given in place of a password.
#[component]
pub(in crate::view) fn ProofChoice(
    /// The name that tests know it by.
    test: &'static str,
    /// What logs in.
    #[prop(into)]
    proof: Signal<Proof>,
    /// Takes over the choice.
    on_choose: impl Fn(Proof) + 'static,
) -> impl IntoView {
    let is_token = move || proof.get() == Proof::Token;
    view! {
        <label class="choice">
            <input
                type="checkbox"
                data-test=test
                prop:checked=is_token
                on:change:target=move |event| {
                    let is_token = event.target().checked();
                    on_choose(if is_token { Proof::Token } else { Proof::Password });
                }
            />
            <span>{text::setup::TOKEN}</span>
        </label>
        <Show when=is_token>
            <p class="field-hint">{text::setup::TOKEN_MEANS}</p>
        </Show>
    }
}
