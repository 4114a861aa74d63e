//! How much is stored, and whether the browser keeps it, and the page itself.

use leptos::prelude::*;
use postern_bridge::{AccountId, Protocol, StorageView};

use super::notice::KeepButton;
use crate::{
    format,
    state::{
        App,
        storage::{Asking, Care},
    },
    text,
    view::icons::{self, Icon},
};

/// The browser's space, and each account's part of it.
#[component]
pub(super) fn Room() -> impl IntoView {
    let app = App::here();
    let view = Memo::new(move |_| app.care.with(Care::view));
    let accounts = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            let own = |account: &postern_bridge::AccountView| {
                (account.id, account.identity.address.clone(), account.protocol)
            };
            accounts.all().iter().map(own).collect::<Vec<_>>()
        })
    });
    view! {
        <section class="card room" aria-labelledby="room-title">
            <h2 id="room-title">{text::backup::ROOM}</h2>
            {move || view.get().map(meter)}
            {move || {
                view.get()
                    .map(|view| {
                        if view.persistent {
                            view! {
                                <p class="note" data-test="storage-kept">
                                    <Icon glyph=icons::SHIELD />
                                    {text::backup::KEPT}
                                </p>
                            }
                                .into_any()
                        } else {
                            view! { <NotKept /> }.into_any()
                        }
                    })
            }}
            <Show when=move || app.page_not_kept.get()>
                <div class="note is-brass" data-test="page-not-kept">
                    <Icon glyph=icons::OFFLINE />
                    <p class="note-words" role="status">
                        {text::backup::PAGE_NOT_KEPT}
                    </p>
                </div>
            </Show>
            <table class="room-accounts">
                <thead>
                    <tr>
                        <th scope="col">{text::backup::ACCOUNT}</th>
                        <th scope="col">{text::backup::STORED}</th>
                        <th scope="col">{text::backup::LAST}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || accounts.get() key=Clone::clone let((id, address, protocol))>
                        <tr data-test="room-account">
                            <th scope="row">
                                <bdi>{address}</bdi>
                                {" "}
                                <ProtocolTag protocol />
                            </th>
                            <td>{move || stored(app, id)}</td>
                            <td data-test="last-backup">{move || last(app, id)}</td>
                        </tr>
                    </For>
                </tbody>
            </table>
        </section>
    }
}

fn meter(view: StorageView) -> AnyView {
    let Some(((usage, quota), percent)) = view.usage.zip(view.quota).zip(view.percent()) else {
        let words = match view.usage {
            Some(usage) => text::backup::in_use_alone(&format::size(usage)),
            None => text::backup::UNKNOWN_ROOM.to_owned(),
        };
        return view! { <p class="field-hint" data-test="storage-in-use">{words}</p> }.into_any();
    };
    let words = text::backup::in_use(&format::size(usage), &format::size(quota), percent);
    view! {
        <div class="meter" class:is-high=view.is_nearly_full()>
            <progress max="100" value=percent.to_string() aria-label=words.clone()></progress>
            <p data-test="storage-in-use">{words}</p>
        </div>
    }
    .into_any()
}

#[component]
fn NotKept() -> impl IntoView {
    let app = App::here();
    view! {
        <div class="note is-brass" data-test="storage-not-kept">
            <Icon glyph=icons::STORAGE />
            <div class="note-words">
                <p role="status">
                    {move || match app.care.with(Care::asking) {
                        Asking::Refused => text::storage::REFUSED,
                        Asking::NotYet | Asking::Asked => text::storage::NOT_KEPT,
                    }}
                </p>
                <KeepButton />
            </div>
        </div>
    }
}

fn stored(app: App, id: AccountId) -> Option<String> {
    let own = app.care.with(|care| care.stored(id))?;
    Some(text::storage::stored(own.messages, &format::size(own.bytes)))
}

fn last(app: App, id: AccountId) -> Option<String> {
    let last = app.care.with(|care| care.last_backup(id))?;
    Some(last.saved.map_or_else(|| text::backup::NEVER.to_owned(), format::row_date))
}

/// Which of two accounts with one address this is.
#[component]
pub(super) fn ProtocolTag(protocol: Protocol) -> impl IntoView {
    view! { <span class="tag">{text::backup::protocol(protocol)}</span> }
}
