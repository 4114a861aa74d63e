//! Two questions, and the protocol that fits the answers.

use leptos::prelude::*;
use postern_bridge::Protocol;

use super::policies::Policies;
use crate::{
    state::setup::{Devices, Form, Keeping, recommend},
    text,
};

/// How mail comes in.
#[component]
pub(super) fn ProtocolChoice(form: RwSignal<Form>) -> impl IntoView {
    let devices = Memo::new(move |_| form.with(|form| form.devices));
    let keeping = Memo::new(move |_| form.with(|form| form.keeping));
    let protocol = Memo::new(move |_| form.with(Form::protocol));
    let advice = Memo::new(move |_| recommend(devices.get(), keeping.get()));
    let answer_devices = move |answer| {
        form.update(|form| form.answer(Some(answer), form.keeping));
    };
    let answer_keeping = move |answer| {
        form.update(|form| form.answer(form.devices, Some(answer)));
    };
    let fits = move |this| move || advice.get().is_some_and(|(protocol, _)| protocol == this);
    view! {
        <h3>{text::setup::CHOICE_TITLE}</h3>
        <div class="questions">
            <fieldset class="question">
                <legend>{text::setup::DEVICES}</legend>
                <Choice
                    group="setup-devices"
                    test="setup-devices-several"
                    label=text::setup::DEVICES_SEVERAL
                    chosen=move || devices.get() == Some(Devices::Several)
                    on_choose=move || answer_devices(Devices::Several)
                />
                <Choice
                    group="setup-devices"
                    test="setup-devices-one"
                    label=text::setup::DEVICES_ONE
                    chosen=move || devices.get() == Some(Devices::One)
                    on_choose=move || answer_devices(Devices::One)
                />
            </fieldset>
            <fieldset class="question">
                <legend>{text::setup::KEEPING}</legend>
                <Choice
                    group="setup-keeping"
                    test="setup-keeping-provider"
                    label=text::setup::KEEPING_PROVIDER
                    chosen=move || keeping.get() == Some(Keeping::Provider)
                    on_choose=move || answer_keeping(Keeping::Provider)
                />
                <Choice
                    group="setup-keeping"
                    test="setup-keeping-here"
                    label=text::setup::KEEPING_HERE
                    chosen=move || keeping.get() == Some(Keeping::Here)
                    on_choose=move || answer_keeping(Keeping::Here)
                />
            </fieldset>
        </div>
        <div class="protocols" role="radiogroup" aria-label=text::setup::CHOICE_TITLE>
            <ProtocolCard
                test="setup-protocol-imap"
                name=text::setup::IMAP
                detail=text::setup::IMAP_DETAIL
                chosen=move || protocol.get() == Protocol::Imap
                fits=fits(Protocol::Imap)
                on_choose=move || form.update(|form| form.chosen = Some(Protocol::Imap))
            />
            <ProtocolCard
                test="setup-protocol-pop3"
                name=text::setup::POP3
                detail=text::setup::POP3_DETAIL
                chosen=move || protocol.get() == Protocol::Pop3
                fits=fits(Protocol::Pop3)
                on_choose=move || form.update(|form| form.chosen = Some(Protocol::Pop3))
            />
        </div>
        {move || advice.get().map(|(_, why)| view! { <p class="advice" role="status">{why}</p> })}
        <p class="field-hint">{text::setup::NOT_BOTH}</p>
        <Show when=move || protocol.get() == Protocol::Pop3>
            <Policies form />
        </Show>
    }
}

/// One answer of several.
#[component]
pub(in crate::view) fn Choice(
    group: &'static str,
    test: &'static str,
    label: &'static str,
    chosen: impl Fn() -> bool + Send + Sync + 'static,
    on_choose: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <label class="choice">
            <input
                type="radio"
                name=group
                data-test=test
                prop:checked=chosen
                on:change=move |_| on_choose()
            />
            <span>{label}</span>
        </label>
    }
}

#[component]
fn ProtocolCard(
    test: &'static str,
    name: &'static str,
    detail: &'static str,
    chosen: impl Fn() -> bool + Send + Sync + 'static,
    fits: impl Fn() -> bool + Send + Sync + 'static,
    on_choose: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <label class="protocol">
            <input
                type="radio"
                name="setup-protocol"
                data-test=test
                prop:checked=chosen
                on:change=move |_| on_choose()
            />
            <span class="protocol-name">
                {name} <Show when=fits>
                    <span class="tag is-good">{text::setup::RECOMMENDED}</span>
                </Show>
            </span>
            <span class="protocol-detail">{detail}</span>
        </label>
    }
}
