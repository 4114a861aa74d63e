//! What a person meets whose mail the browser has dropped, and the way back from a backup.

use leptos::prelude::*;
use postern_bridge::{ImportTarget, Protocol};

use super::{
    progress::TransferState,
    read::{BACKUPS, FileButton},
    room::ProtocolTag,
};
use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// Above the first set-up: the file that is being restored, and what was lost, if anything.
#[component]
pub(in crate::view) fn Lost() -> impl IntoView {
    let app = App::here();
    let lost = Memo::new(move |_| app.memory.with(|memory| memory.lost().to_vec()));
    let accounts = move || {
        lost.get()
            .into_iter()
            .map(|own| {
                let what = match own.protocol {
                    Protocol::Imap => text::backup::LOST_IMAP,
                    Protocol::Pop3 => text::backup::LOST_POP3,
                };
                view! {
                    <li>
                        <bdi>{own.address.unwrap_or_else(|| text::backup::LOST_UNNAMED.into())}</bdi>
                        {" "}
                        <ProtocolTag protocol=own.protocol />
                        <p>{what}</p>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <TransferState />
        <Show when=move || lost.with(|lost| !lost.is_empty())>
            <section class="card lost" data-test="lost" role="alert">
                <h2>
                    <Icon glyph=icons::WARNING />
                    {text::backup::LOST}
                </h2>
                <p>{text::backup::LOST_DETAIL}</p>
                <ul>{accounts}</ul>
                <div class="lost-actions">
                    <RestoreButton />
                    <button
                        class="button"
                        data-test="lost-forget"
                        on:click=move |_| app.forget_lost()
                    >
                        {text::backup::LOST_KNOWN}
                    </button>
                </div>
            </section>
        </Show>
    }
}

/// Below the first set-up: the way back for who has a backup.
#[component]
pub(in crate::view) fn RestoreFirst() -> impl IntoView {
    let app = App::here();
    view! {
        <Show when=move || app.memory.with(|memory| memory.lost().is_empty())>
            <section class="card way-back">
                <p>{text::backup::HAVE_ONE}</p>
                <RestoreButton />
            </section>
        </Show>
    }
}

#[component]
fn RestoreButton() -> impl IntoView {
    view! {
        <FileButton
            label=text::backup::RESTORE
            test="restore-file"
            accept=BACKUPS
            target=Signal::stored(Some(ImportTarget::Restore))
        />
    }
}
