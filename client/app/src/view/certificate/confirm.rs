//! Trusting a certificate: deliberately, after its fingerprint was confirmed.

use leptos::{html, prelude::*};
use postern_bridge::{Fingerprint, FingerprintError};

use crate::{
    state::certificate::{Confirmation, Typed},
    text,
};

/// Asks for the fingerprint that the person was given. Folded away, so that it is looked for.
#[component]
pub(super) fn Confirm(
    /// What the ids of its elements begin with.
    id: &'static str,
    /// The certificate's fingerprint.
    fingerprint: Fingerprint,
    /// The server.
    host: String,
    /// Whether it takes the place of one that was trusted: then it must be typed.
    replaces: bool,
    /// Whether an answer is awaited.
    busy: Signal<bool>,
    /// Trusts it.
    on_trust: Callback<Fingerprint>,
) -> impl IntoView {
    let confirmation = RwSignal::new(Confirmation::default());
    let typed =
        Memo::new(move |_| confirmation.with(|confirmation| confirmation.typed(fingerprint)));
    let confirmed =
        Memo::new(move |_| confirmation.with(|own| own.confirms(fingerprint, replaces)));
    let asked_too_soon = RwSignal::new(false);
    let input = NodeRef::<html::Textarea>::new();
    let (hint, verdict) = (format!("{id}-hint"), format!("{id}-verdict"));
    let described = format!("{hint} {verdict}");
    let state = move || match typed.get() {
        Typed::Nothing if asked_too_soon.get() && !confirmed.get() => "wrong",
        Typed::Nothing => "none",
        Typed::Wrong(_) => "wrong",
        Typed::Same => "same",
        Typed::Other => "other",
    };
    let words = move || match typed.get() {
        Typed::Nothing if asked_too_soon.get() && !confirmed.get() => {
            text::certificate::CONFIRM_FIRST.to_owned()
        }
        Typed::Nothing => String::new(),
        Typed::Wrong(FingerprintError::Length(digits)) => text::certificate::incomplete(digits),
        Typed::Wrong(FingerprintError::Character(c)) => text::certificate::not_a_digit(c),
        Typed::Same => text::certificate::SAME.to_owned(),
        Typed::Other => text::certificate::OTHER.to_owned(),
    };
    let summary = if replaces {
        text::certificate::TRUST_CHANGED_SUMMARY
    } else {
        text::certificate::TRUST_SUMMARY
    };
    view! {
        <details class="confirm">
            <summary data-test="trust-open">{summary}</summary>
            <form
                class="confirm-form"
                novalidate
                on:submit=move |event| {
                    event.prevent_default();
                    if busy.get_untracked() {
                        return;
                    }
                    if confirmed.get_untracked() {
                        on_trust.run(fingerprint);
                    } else {
                        asked_too_soon.set(true);
                        if let Some(input) = input.get_untracked() {
                            // Fails only for what can't have the focus.
                            let _ = input.focus();
                        }
                    }
                }
            >
                <p id=hint>{text::certificate::ASK_OPERATOR}</p>
                <div class="field">
                    <label>
                        <span class="field-label">{text::certificate::GIVEN}</span>
                        <textarea
                            class="input is-fingerprint"
                            node_ref=input
                            data-test="trust-typed"
                            rows="2"
                            autocomplete="off"
                            autocapitalize="characters"
                            spellcheck="false"
                            dir="ltr"
                            aria-invalid=move || {
                                matches!(typed.get(), Typed::Wrong(_) | Typed::Other).to_string()
                            }
                            aria-describedby=described
                            prop:value=move || confirmation.with(|own| own.typed.clone())
                            on:input:target=move |event| {
                                let typed = event.target().value();
                                confirmation.update(|own| own.typed = typed);
                            }
                        ></textarea>
                    </label>
                    <p
                        class="confirm-verdict"
                        id=verdict
                        data-test="trust-verdict"
                        data-state=state
                        role="status"
                    >
                        {words}
                    </p>
                </div>
                {(!replaces)
                    .then(|| {
                        view! {
                            <label class="choice">
                                <input
                                    type="checkbox"
                                    data-test="trust-compared"
                                    prop:checked=move || confirmation.with(|own| own.compared)
                                    on:change:target=move |event| {
                                        let compared = event.target().checked();
                                        confirmation.update(|own| own.compared = compared);
                                    }
                                />
                                <span>{text::certificate::COMPARED}</span>
                            </label>
                        }
                    })}
                <p class="field-hint">{text::certificate::TRUST_MEANS}</p>
                <button
                    type="submit"
                    class="button is-danger"
                    data-test="trust"
                    aria-disabled=move || (busy.get() || !confirmed.get()).to_string()
                >
                    {text::certificate::trust(&host)}
                </button>
            </form>
        </details>
    }
}
