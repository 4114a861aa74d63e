//! What a POP3 account leaves on the server.

use leptos::prelude::*;
use postern_bridge::{Intent, Retention};

use super::protocol::Choice;
use crate::{
    state::{App, storage::Care},
    text,
    view::{
        icons::{self, Icon},
        storage::KeepFirst,
    },
};

/// The days that "delete after some days" starts with.
const USUAL_DAYS: u16 = 14;

/// What becomes of a message on the server once it is stored here.
#[component]
pub(in crate::view) fn RetentionChoice(
    /// What is chosen.
    retention: Signal<Retention>,
    /// Takes over what was chosen.
    on_choose: impl Fn(Retention) + Copy + 'static,
) -> impl IntoView {
    let days = move || match retention.get() {
        Retention::DeleteAfterDays(days) => days,
        _ => USUAL_DAYS,
    };
    view! {
        <fieldset class="question">
            <legend>{text::setup::RETENTION}</legend>
            <Choice
                group="retention"
                test="retention-keep"
                label=text::setup::RETENTION_KEEP
                chosen=move || retention.get() == Retention::Keep
                on_choose=move || on_choose(Retention::Keep)
            />
            <label class="choice">
                <input
                    type="radio"
                    name="retention"
                    data-test="retention-days"
                    prop:checked=move || matches!(retention.get(), Retention::DeleteAfterDays(_))
                    on:change=move |_| on_choose(Retention::DeleteAfterDays(days()))
                />
                <span>{text::setup::RETENTION_DAYS_BEFORE}</span>
                <input
                    class="input is-number"
                    type="number"
                    min="1"
                    max="3650"
                    data-test="retention-after"
                    aria-label=text::setup::RETENTION_DAYS_AFTER
                    prop:value=move || days().to_string()
                    on:change:target=move |event| {
                        if let Ok(days @ 1..=3650) = event.target().value().parse() {
                            on_choose(Retention::DeleteAfterDays(days));
                        }
                    }
                />
                <span>{text::setup::RETENTION_DAYS_AFTER}</span>
            </label>
            <Choice
                group="retention"
                test="retention-delete"
                label=text::setup::RETENTION_DELETE
                chosen=move || retention.get() == Retention::DeleteAfterDownload
                on_choose=move || on_choose(Retention::DeleteAfterDownload)
            />
            <Choice
                group="retention"
                test="retention-here"
                label=text::pop3::RETENTION_HERE
                chosen=move || retention.get() == Retention::DeleteWhenDeletedHere
                on_choose=move || on_choose(Retention::DeleteWhenDeletedHere)
            />
            <Choice
                group="retention"
                test="retention-secondary"
                label=text::pop3::RETENTION_SECONDARY
                chosen=move || retention.get() == Retention::Secondary
                on_choose=move || on_choose(Retention::Secondary)
            />
            <PublicComputer />
        </fieldset>
        <div role="status">
            {move || {
                let meaning = match retention.get() {
                    Retention::Keep => return None,
                    Retention::Secondary => {
                        return Some(
                            view! {
                                <p class="note" data-test="retention-meaning">
                                    <Icon glyph=icons::SHIELD />
                                    {text::pop3::RETENTION_SECONDARY_MEANS}
                                </p>
                            }
                                .into_any(),
                        );
                    }
                    Retention::DeleteWhenDeletedHere => text::pop3::RETENTION_HERE_MEANS.to_owned(),
                    Retention::DeleteAfterDownload => text::setup::RETENTION_DELETES.to_owned(),
                    Retention::DeleteAfterDays(days) => text::setup::retention_deletes_after(days),
                };
                Some(
                    view! {
                        <p class="note is-warning" data-test="retention-meaning">
                            <Icon glyph=icons::WARNING />
                            {meaning}
                        </p>
                        <KeepFirst />
                    }
                        .into_any(),
                )
            }}
        </div>
    }
}

/// Whether others use this computer as well: a setting of the browser, not of the account.
#[component]
fn PublicComputer() -> impl IntoView {
    let app = App::here();
    let is_public =
        Memo::new(move |_| app.care.with(Care::view).is_some_and(|view| view.public_computer));
    view! {
        <label class="choice">
            <input
                type="checkbox"
                data-test="public-computer"
                prop:checked=is_public
                on:change:target=move |event| {
                    app.send(Intent::PublicComputer(event.target().checked()));
                }
            />
            <span>{text::pop3::PUBLIC_COMPUTER}</span>
        </label>
        <Show when=move || is_public.get()>
            <p class="field-hint" data-test="public-computer-means">
                {text::pop3::PUBLIC_COMPUTER_MEANS}
            </p>
        </Show>
    }
}
