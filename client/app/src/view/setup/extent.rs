//! How much of each message a POP3 account downloads.

use leptos::prelude::*;
use postern_bridge::Extent;

use super::Choice;
use crate::{
    text,
    view::icons::{self, Icon},
};

/// The size limit that one starts with, in megabytes.
const USUAL_MEGABYTES: u32 = 5;
const MOST_MEGABYTES: u32 = 1000;

/// Everything, everything up to a size, or headers.
#[component]
pub(in crate::view) fn ExtentChoice(
    /// What is chosen.
    extent: Signal<Extent>,
    /// Takes over what was chosen.
    on_choose: impl Fn(Extent) + Copy + 'static,
) -> impl IntoView {
    let megabytes = move || match extent.get() {
        Extent::UpTo { kibibytes } => kibibytes.div_ceil(1024),
        Extent::Whole | Extent::Headers => USUAL_MEGABYTES,
    };
    let up_to = move |megabytes: u32| on_choose(Extent::UpTo { kibibytes: megabytes * 1024 });
    view! {
        <fieldset class="question">
            <legend>{text::pop3::EXTENT}</legend>
            <Choice
                group="extent"
                test="extent-whole"
                label=text::pop3::EXTENT_WHOLE
                chosen=move || extent.get() == Extent::Whole
                on_choose=move || on_choose(Extent::Whole)
            />
            <label class="choice">
                <input
                    type="radio"
                    name="extent"
                    data-test="extent-up-to"
                    prop:checked=move || matches!(extent.get(), Extent::UpTo { .. })
                    on:change=move |_| up_to(megabytes())
                />
                <span>{text::pop3::EXTENT_UP_TO_BEFORE}</span>
                <input
                    class="input is-number"
                    type="number"
                    min="1"
                    max=MOST_MEGABYTES.to_string()
                    data-test="extent-megabytes"
                    aria-label=text::pop3::EXTENT_UP_TO_AFTER
                    prop:value=move || megabytes().to_string()
                    on:change:target=move |event| {
                        if let Ok(megabytes @ 1..=MOST_MEGABYTES) = event.target().value().parse() {
                            up_to(megabytes);
                        }
                    }
                />
                <span>{text::pop3::EXTENT_UP_TO_AFTER}</span>
            </label>
            <Choice
                group="extent"
                test="extent-headers"
                label=text::pop3::EXTENT_HEADERS
                chosen=move || extent.get() == Extent::Headers
                on_choose=move || on_choose(Extent::Headers)
            />
        </fieldset>
        <Show when=move || extent.get() != Extent::Whole>
            <p class="note" data-test="extent-meaning">
                <Icon glyph=icons::DOWNLOAD />
                {text::pop3::EXTENT_MEANS}
            </p>
        </Show>
    }
}
