//! What the person should know about the browser's storage.

use leptos::prelude::*;

use crate::{
    browser,
    route::Route,
    state::{
        App,
        storage::{Asking, Care, Notice},
    },
    text,
    view::icons::{self, Icon},
};

/// The most urgent of it, above the mail.
#[component]
pub(in crate::view) fn StorageNotice() -> impl IntoView {
    let app = App::here();
    // The page about storage has it all; and what is gone can't be kept.
    let told_elsewhere =
        move || app.route.get() == Route::Storage || app.storage_failed.with(Option::is_some);
    let notice = Memo::new(move |_| {
        app.storage_notice().filter(|notice| *notice == Notice::Paused || !told_elsewhere())
    });
    view! {
        <Gone />
        {move || {
            notice
                .get()
                .map(|notice| {
                    let (kind, words) = match notice {
                        Notice::Paused => ("paused", text::storage::PAUSED.to_owned()),
                        Notice::NearlyFull(percent) => {
                            ("nearly-full", text::storage::nearly_full(percent))
                        }
                        Notice::NotKept => ("not-kept", text::storage::NOT_KEPT.to_owned()),
                        Notice::BackupDue(account) => {
                            let address = app.accounts.with_untracked(|accounts| {
                                accounts.get(account).map(|own| own.identity.address.clone())
                            });
                            ("backup-due", text::backup::due(&address.unwrap_or_default()))
                        }
                    };
                    view! {
                        <section class="storage-notice" data-test="storage-notice" data-kind=kind>
                            <p role="status">
                                <Icon glyph=icons::STORAGE />
                                <span>
                                    {words}
                                    <Show when=move || {
                                        notice == Notice::NotKept && app.care.with(Care::asking) == Asking::Refused
                                    }>{" "} {text::storage::REFUSED}</Show>
                                </span>
                            </p>
                            <div class="storage-notice-actions">
                                <Show when=move || notice == Notice::NotKept>
                                    <KeepButton />
                                </Show>
                                <Show when=move || matches!(notice, Notice::BackupDue(_))>
                                    <button
                                        class="button is-primary"
                                        data-test="backup-go"
                                        on:click=move |_| app.go(Route::Storage)
                                    >
                                        {text::backup::GO}
                                    </button>
                                </Show>
                                <button
                                    class="button"
                                    data-test="storage-not-now"
                                    on:click=move |_| app.put_off(notice)
                                >
                                    {text::storage::NOT_NOW}
                                </button>
                            </div>
                        </section>
                    }
                })
        }}
    }
}

/// What is stored has gone while the page was open.
#[component]
fn Gone() -> impl IntoView {
    let app = App::here();
    let sentence = move || {
        app.storage_failed.with(|failed| failed.as_ref().map(|(sentence, _)| sentence.clone()))
    };
    view! {
        <Show when=move || sentence().is_some()>
            <section class="storage-notice is-bad" data-test="storage-gone">
                <p role="alert">
                    <Icon glyph=icons::WARNING />
                    <span>{sentence}</span>
                </p>
                <div class="storage-notice-actions">
                    <button class="button is-primary" on:click=|_| browser::reload()>
                        {text::shell::RELOAD}
                    </button>
                </div>
            </section>
        </Show>
    }
}

/// Has the browser asked to keep what is stored, before anything is deleted elsewhere.
#[component]
pub(in crate::view) fn KeepFirst() -> impl IntoView {
    let app = App::here();
    view! {
        <Show when=move || app.care.with(|care| care.view().is_some() && !care.is_kept())>
            <div class="note is-warning keep-first" data-test="keep-first">
                <Icon glyph=icons::STORAGE />
                <div>
                    <p>
                        {move || match app.care.with(Care::asking) {
                            Asking::Refused => text::storage::REFUSED,
                            Asking::NotYet | Asking::Asked => text::storage::NOT_KEPT_BEFORE_DELETING,
                        }}
                    </p>
                    <KeepButton />
                </div>
            </div>
        </Show>
    }
}

/// The button by which the browser is asked.
#[component]
pub(super) fn KeepButton() -> impl IntoView {
    let app = App::here();
    let busy = move || app.care.with(Care::asking) == Asking::Asked;
    view! {
        <button
            type="button"
            class="button is-primary"
            data-test="storage-keep"
            aria-disabled=move || busy().to_string()
            on:click=move |_| app.keep_storage()
        >
            {move || if busy() { text::storage::KEEPING } else { text::storage::KEEP }}
        </button>
    }
}
