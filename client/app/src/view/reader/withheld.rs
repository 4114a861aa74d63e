//! That only the header of a message is here, or the beginning of its text, and the way to the rest.

use leptos::prelude::*;
use postern_bridge::{Intent, MessageId, Withheld};

use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// What is missing, and a button that has it downloaded.
#[component]
pub(crate) fn HeaderOnly(message: MessageId, withheld: Withheld) -> impl IntoView {
    let app = App::here();
    let sentence = match withheld {
        Withheld { gone: true, .. } => text::pop3::REST_GONE.to_owned(),
        Withheld { wanted: true, .. } => text::pop3::WILL_COME.to_owned(),
        Withheld { size, nothing: true, .. } => text::pop3::not_here(size),
        Withheld { size, .. } => text::pop3::header_only(size),
    };
    let can_ask = !withheld.gone && !withheld.wanted;
    view! {
        <div class="message-notes" data-test="header-only" role="status">
            <p class="note">
                <Icon glyph=icons::DOWNLOAD />
                {sentence}
            </p>
            {can_ask
                .then(|| {
                    view! {
                        <button
                            class="button is-small"
                            data-test="download-whole"
                            on:click=move |_| app.send(Intent::DownloadWhole { message })
                        >
                            {text::pop3::DOWNLOAD_WHOLE}
                        </button>
                    }
                })}
        </div>
    }
}

/// That only the beginning of a very long text is shown, and a button that saves all of it.
#[component]
pub(crate) fn CutText(message: MessageId, section: String) -> impl IntoView {
    let app = App::here();
    view! {
        <div class="message-notes" data-test="cut-text" role="status">
            <p class="note">
                <Icon glyph=icons::TEXT />
                {text::reader::CUT}
            </p>
            <button
                class="button is-small"
                data-test="save-text"
                on:click=move |_| app.fetch_attachment(message, section.clone())
            >
                <Icon glyph=icons::DOWNLOAD />
                {text::reader::SAVE_TEXT}
            </button>
        </div>
    }
}
