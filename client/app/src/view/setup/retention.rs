//! What a POP3 account leaves on the server.

use leptos::prelude::*;
use postern_bridge::Retention;

use super::protocol::Choice;
use crate::{
    state::setup::Form,
    text,
    view::icons::{self, Icon},
};

/// The days that "delete after some days" starts with.
const USUAL_DAYS: u16 = 14;

/// What becomes of a message on the server once it is stored here.
#[component]
pub(super) fn RetentionChoice(form: RwSignal<Form>) -> impl IntoView {
    let retention = Memo::new(move |_| form.with(|form| form.retention));
    let keep = move |retention| form.update(|form| form.retention = retention);
    let days = move || match retention.get() {
        Retention::DeleteAfterDays(days) => days,
        Retention::Keep | Retention::DeleteAfterDownload => USUAL_DAYS,
    };
    view! {
        <fieldset class="question">
            <legend>{text::setup::RETENTION}</legend>
            <Choice
                group="setup-retention"
                test="setup-retention-keep"
                label=text::setup::RETENTION_KEEP
                chosen=move || retention.get() == Retention::Keep
                on_choose=move || keep(Retention::Keep)
            />
            <label class="choice">
                <input
                    type="radio"
                    name="setup-retention"
                    data-test="setup-retention-days"
                    prop:checked=move || matches!(retention.get(), Retention::DeleteAfterDays(_))
                    on:change=move |_| keep(Retention::DeleteAfterDays(days()))
                />
                <span>{text::setup::RETENTION_DAYS_BEFORE}</span>
                <input
                    class="input is-number"
                    type="number"
                    min="1"
                    max="3650"
                    aria-label=text::setup::RETENTION_DAYS_AFTER
                    prop:value=move || days().to_string()
                    on:change:target=move |event| {
                        if let Ok(days @ 1..=3650) = event.target().value().parse() {
                            keep(Retention::DeleteAfterDays(days));
                        }
                    }
                />
                <span>{text::setup::RETENTION_DAYS_AFTER}</span>
            </label>
            <Choice
                group="setup-retention"
                test="setup-retention-delete"
                label=text::setup::RETENTION_DELETE
                chosen=move || retention.get() == Retention::DeleteAfterDownload
                on_choose=move || keep(Retention::DeleteAfterDownload)
            />
        </fieldset>
        <div role="status">
            {move || {
                let meaning = match retention.get() {
                    Retention::Keep => return None,
                    Retention::DeleteAfterDownload => text::setup::RETENTION_DELETES.to_owned(),
                    Retention::DeleteAfterDays(days) => text::setup::retention_deletes_after(days),
                };
                Some(
                    view! {
                        <p class="note is-warning" data-test="setup-retention-meaning">
                            <Icon glyph=icons::WARNING />
                            {meaning}
                        </p>
                    },
                )
            }}
        </div>
    }
}
