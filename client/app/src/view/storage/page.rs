//! The page about storage and backups.

use leptos::prelude::*;
use postern_bridge::Intent;

use super::{copy::CopyToImap, progress::TransferState, read::BringBack, room::Room, save::BackUp};
use crate::{
    browser::focus,
    route::Route,
    state::App,
    text,
    view::icons::{self, Icon},
};

/// The page.
#[component]
pub(in crate::view) fn StoragePage() -> impl IntoView {
    let app = App::here();
    let title = focus::on_arrival();
    app.send(Intent::MeasureStorage);
    view! {
        <main class="page pane" data-test="storage-page">
            <header class="page-head">
                <button
                    class="button is-icon"
                    aria-label=text::shell::BACK
                    on:click=move |_| app.go(Route::Accounts)
                >
                    <Icon glyph=icons::BACK />
                </button>
                <h1 tabindex="-1" node_ref=title>
                    {text::backup::TITLE}
                </h1>
            </header>
            <TransferState />
            <Room />
            <BackUp />
            <BringBack />
            <CopyToImap />
        </main>
    }
}

/// The way there, from the accounts.
#[component]
pub(in crate::view) fn StorageCard() -> impl IntoView {
    let app = App::here();
    view! {
        <section class="card storage-card">
            <Icon glyph=icons::STORAGE />
            <div class="storage-card-words">
                <h2>{text::backup::OPEN}</h2>
                <p>{text::backup::OPEN_DETAIL}</p>
            </div>
            <button
                class="button"
                data-test="storage-open"
                on:click=move |_| app.go(Route::Storage)
            >
                {text::backup::LOOK}
            </button>
        </section>
    }
}
