//! The accounts and their removal.

use leptos::prelude::*;
use postern_bridge::{AccountId, AccountView, Intent, Protocol, Retention, ServerLogin};

use super::{
    access::KeptKey,
    avatar::Avatar,
    connection::ConnectionState,
    icons::{self, Icon},
    storage::StorageCard,
};
use crate::{
    browser::focus,
    format,
    route::Route,
    state::{App, Landing, account::Readers},
    text,
};

/// All accounts.
#[component]
pub(crate) fn Accounts() -> impl IntoView {
    let app = App::here();
    let accounts = move || app.accounts.with(|accounts| accounts.all().to_vec());
    let title = focus::on_arrival();
    app.send(Intent::MeasureStorage);
    view! {
        <main class="page pane">
            <header class="page-head">
                <button
                    class="button is-icon"
                    aria-label=text::shell::BACK
                    on:click=move |_| leave(app)
                >
                    <Icon glyph=icons::BACK />
                </button>
                <h1 tabindex="-1" node_ref=title>
                    {text::accounts::TITLE}
                </h1>
                <button class="button" on:click=move |_| app.go(Route::Setup)>
                    <Icon glyph=icons::ADD />
                    {text::accounts::ADD}
                </button>
            </header>
            <ul class="accounts">
                <For each=accounts key=shown let(account)>
                    <Account account />
                </For>
            </ul>
            <StorageCard />
            <KeptKey />
        </main>
    }
}

/// Goes back to the mail.
pub(super) fn leave(app: App) {
    app.landing.set(Landing::Anywhere);
    app.go(Route::Folders);
}

#[component]
fn Account(account: AccountView) -> impl IntoView {
    let app = App::here();
    let id = account.id;
    let asking = RwSignal::new(false);
    let address = account.identity.address.clone();
    let (protocol, lost) = match account.protocol {
        Protocol::Imap => (text::setup::IMAP, text::accounts::LOST_IMAP),
        Protocol::Pop3 => (text::setup::POP3, text::accounts::LOST_POP3),
    };
    let retention = (account.protocol == Protocol::Pop3).then(|| match account.retention {
        Retention::Keep => text::accounts::KEEP.to_owned(),
        Retention::DeleteAfterDownload => text::accounts::DELETE.to_owned(),
        Retention::DeleteAfterDays(days) => text::accounts::delete_after(days),
        Retention::DeleteWhenDeletedHere => text::accounts::DELETE_WHEN_HERE.to_owned(),
        Retention::Secondary => text::accounts::SECONDARY.to_owned(),
    });
    view! {
        <li class="account" data-test="account">
            <Avatar name=address.clone() />
            <div class="account-main">
                <h2>
                    <bdi>{address}</bdi>
                    <span class="tag">{protocol}</span>
                </h2>
                <ConnectionState account=id />
                <dl class="account-facts">
                    {fact(text::accounts::INCOMING, server(&account.incoming))}
                    {fact(text::accounts::OUTGOING, server(&account.outgoing))}
                    {fact(text::account::READERS_SHORT, text::account::readers_short(readers(&account)).to_owned())}
                    {move || {
                        app.care
                            .with(|care| care.stored(id))
                            .map(|own| {
                                let stored = text::storage::stored(own.messages, &format::size(own.bytes));
                                fact(text::storage::STORED_HERE, stored)
                            })
                    }}
                    {retention.map(|retention| fact(text::accounts::ON_SERVER, retention))}
                </dl>
            </div>
            <button
                class="button"
                data-test="account-settings"
                on:click=move |_| app.go(Route::Account(id))
            >
                {text::account::OPEN}
            </button>
            <Show
                when=move || asking.get()
                fallback=move || {
                    view! {
                        <button
                            class="button is-danger"
                            data-test="account-remove"
                            on:click=move |_| {
                                asking.set(true);
                                focus::give(".account-question .button:last-child");
                            }
                        >
                            {text::accounts::REMOVE}
                        </button>
                    }
                }
            >
                <div class="account-question" role="alert">
                    <p>{lost}</p>
                    <button
                        class="button is-danger is-primary"
                        data-test="account-remove-yes"
                        on:click=move |_| {
                            app.send(Intent::RemoveAccount { account: id });
                            focus::give(".page h1");
                        }
                    >
                        {text::accounts::REMOVE_YES}
                    </button>
                    <button class="button" on:click=move |_| {
                        asking.set(false);
                        focus::give(".account .is-danger");
                    }>
                        {text::accounts::REMOVE_NO}
                    </button>
                </div>
            </Show>
        </li>
    }
}

/// What of an account is drawn: it is drawn again when that changes.
fn shown(account: &AccountView) -> (AccountId, String, String, Readers) {
    (account.id, server(&account.incoming), server(&account.outgoing), readers(account))
}

/// Who can read the mail of whichever of its servers is the worse protected.
fn readers(account: &AccountView) -> Readers {
    Readers::of(&account.incoming.endpoint).max(Readers::of(&account.outgoing.endpoint))
}

fn fact(name: &'static str, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <bdi>{value}</bdi>
            </dd>
        </div>
    }
}

fn server(login: &ServerLogin) -> String {
    text::account::address(&login.endpoint)
}
