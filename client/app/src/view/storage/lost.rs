//! What a person meets whose mail the browser has dropped, and the way back from a backup.

use leptos::prelude::*;
use postern_bridge::{ImportTarget, Protocol};

use super::{
    progress::TransferState,
    read::{BACKUPS, FileButton},
};
use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// Above the first set-up: what was lost, if anything, and a backup to restore.
#[component]
pub(in crate::view) fn BringBackFirst() -> impl IntoView {
    let app = App::here();
    let lost = Memo::new(move |_| app.memory.with(|memory| memory.lost().to_vec()));
    let restore = move || {
        view! {
            <FileButton
                label=text::backup::RESTORE
                test="restore-file"
                accept=BACKUPS
                target=Signal::stored(Some(ImportTarget::Restore))
            />
        }
    };
    view! {
        <TransferState />
        {move || {
            let lost = lost.get();
            if lost.is_empty() {
                return view! {
                    <section class="card way-back">
                        <p>{text::backup::HAVE_ONE}</p>
                        {restore()}
                    </section>
                }
                    .into_any();
            }
            view! {
                <section class="card lost" data-test="lost" role="alert">
                    <h2>
                        <Icon glyph=icons::WARNING />
                        {text::backup::LOST}
                    </h2>
                    <p>{text::backup::LOST_DETAIL}</p>
                    <ul>
                        {lost
                            .into_iter()
                            .map(|own| {
                                let what = match own.protocol {
                                    Protocol::Imap => text::backup::LOST_IMAP,
                                    Protocol::Pop3 => text::backup::LOST_POP3,
                                };
                                view! {
                                    <li>
                                        <bdi>{own.address}</bdi>
                                        <p>{what}</p>
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                    <div class="lost-actions">
                        {restore()}
                        <button
                            class="button"
                            data-test="lost-forget"
                            on:click=move |_| app.forget_lost()
                        >
                            {text::backup::LOST_KNOWN}
                        </button>
                    </div>
                </section>
            }
                .into_any()
        }}
    }
}
