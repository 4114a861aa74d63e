//! All settings by hand.

use leptos::prelude::*;

use super::{
    person::Person, proof::ProofChoice, protocol::ProtocolChoice, security::Unprotected,
    servers::Servers, settings::Settings, start::domain, tls_end::TlsEndChoice,
    ways::AddressButton,
};
use crate::{
    state::{
        App,
        setup::{Form, Trouble},
    },
    text,
    view::icons::{self, Icon},
};

/// Every field there is, filled with what was found or guessed.
#[component]
pub(super) fn ByHand(
    /// Why the person is here.
    trouble: Trouble,
) -> impl IntoView {
    let app = App::here();
    let form = app.form;
    let why = form.with_untracked(|form| match trouble {
        Trouble::None => None,
        Trouble::NothingFound => Some(text::discovery::nothing_found(&domain(form))),
        Trouble::NoIncoming => Some(text::discovery::no_incoming(&domain(form))),
        Trouble::NoOutgoing => Some(text::discovery::no_outgoing(&domain(form))),
    });
    let beside =
        view! { <AddressButton label=text::discovery::LOOK_UP test="setup-look-up" /> }.into_any();
    view! {
        <Settings beside>
            <h2 class="step-title" tabindex="-1">
                {text::discovery::BY_HAND_TITLE}
            </h2>
            {why
                .map(|why| {
                    view! {
                        <p class="note" data-test="setup-why" role="status">
                            <Icon glyph=icons::WARNING />
                            {why}
                        </p>
                    }
                })}
            <Person form />
            <ProofChoice
                test="setup-token"
                proof=Signal::derive(move || form.with(|form| form.proof))
                on_choose=move |proof| form.update(|form| form.proof = proof)
            />
            <ProtocolChoice form />
            <Servers form />
            <Unprotected shown=Signal::derive(move || form.with(Form::is_unprotected)) />
            <TlsEndChoice
                group="setup-tls-end"
                end=Signal::derive(move || form.with(Form::tls_end))
                on_choose=move |end| form.update(|form| form.tls_end = Some(end))
            />
        </Settings>
    }
}
