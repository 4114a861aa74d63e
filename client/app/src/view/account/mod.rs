//! One account: who can read its mail, how its servers are reached, and its settings.

mod edit;
mod imap;
mod pop3;
mod preview;
mod refused;
mod server;

use leptos::prelude::*;
use postern_bridge::{AccountId, AccountView, ServerRole};

use self::{
    edit::Settings,
    imap::ImapCard,
    pop3::{Pop3Card, SharedMailbox},
    refused::RefusedServer,
    server::ServerCard,
};
use super::{
    connection::ConnectionState,
    icons::{self, Icon},
    status::Status,
};
use crate::{
    browser::focus,
    route::Route,
    state::{
        App,
        account::{Changing, Edit, Readers},
    },
    text,
};

/// An account's page.
#[component]
pub(crate) fn AccountPage(account: AccountId) -> impl IntoView {
    let app = App::here();
    // What an earlier visit tried is of no interest to this one.
    app.changing.set(Changing::default());
    let there = Memo::new(move |_| app.accounts.with(|accounts| accounts.get(account).is_some()));
    let title = focus::on_arrival();
    let address = part(app, account, |account| account.identity.address.clone());
    view! {
        <main class="page pane" data-test="account-page">
            <header class="page-head">
                <button
                    class="button is-icon"
                    aria-label=text::shell::BACK
                    on:click=move |_| app.go(Route::Accounts)
                >
                    <Icon glyph=icons::BACK />
                </button>
                <h1 tabindex="-1" node_ref=title>
                    <bdi>{address}</bdi>
                </h1>
            </header>
            <Show
                when=move || there.get()
                fallback=|| {
                    view! {
                        <Status
                            glyph=icons::ACCOUNTS
                            title=text::account::GONE
                            detail=text::account::GONE_DETAIL
                        />
                    }
                }
            >
                <Account account />
            </Show>
        </main>
    }
}

/// Everything about an account that is there.
#[component]
fn Account(account: AccountId) -> impl IntoView {
    let app = App::here();
    let present = app.accounts.with_untracked(|accounts| accounts.get(account).map(Edit::of));
    present.map(|present| {
        let edit = RwSignal::new(present);
        view! {
            <ConnectionState account />
            <RefusedServer account server=ServerRole::Incoming edit />
            <RefusedServer account server=ServerRole::Outgoing edit />
            <SharedMailbox account />
            <WhoCanRead account />
            <div class="server-cards">
                <ServerCard account server=ServerRole::Incoming />
                <ServerCard account server=ServerRole::Outgoing />
            </div>
            <Pop3Card account />
            <ImapCard account />
            <Settings account edit />
        }
    })
}

/// Who can read the mail, in plain words; both servers together where it is the same.
#[component]
fn WhoCanRead(account: AccountId) -> impl IntoView {
    let app = App::here();
    let readers = part(app, account, |account| {
        (Readers::of(&account.incoming.endpoint), Readers::of(&account.outgoing.endpoint))
    });
    let protocol = part(app, account, |account| account.protocol);
    let line = move |readers: Readers, server: Option<ServerRole>| {
        let glyph = match readers {
            Readers::OnlyYou | Readers::OnlyYouByOwnTrust => icons::SHIELD,
            Readers::Proxy | Readers::Anybody => icons::WARNING,
        };
        let name = server
            .zip(protocol.get())
            .map(|(server, protocol)| text::account::server(server, protocol));
        view! {
            <div class="readers-line" data-readers=readers_name(readers)>
                <Icon glyph />
                <div>
                    {name.map(|name| view! { <p class="readers-server">{name}</p> })}
                    <p>
                        <strong>{text::account::readers_short(readers)}</strong>
                    </p>
                    <p data-test="readers">{text::account::readers(readers)}</p>
                </div>
            </div>
        }
    };
    view! {
        <section class="card readers" aria-labelledby="readers-title">
            <h2 id="readers-title">{text::account::READERS}</h2>
            {move || {
                readers
                    .get()
                    .map(|(incoming, outgoing)| {
                        if incoming == outgoing {
                            line(incoming, None).into_any()
                        } else {
                            view! {
                                {line(incoming, Some(ServerRole::Incoming))}
                                {line(outgoing, Some(ServerRole::Outgoing))}
                            }
                                .into_any()
                        }
                    })
            }}
        </section>
    }
}

fn readers_name(readers: Readers) -> &'static str {
    match readers {
        Readers::OnlyYou => "only-you",
        Readers::OnlyYouByOwnTrust => "only-you-by-own-trust",
        Readers::Proxy => "proxy",
        Readers::Anybody => "anybody",
    }
}

/// A part of an account that a view follows.
fn part<T: Clone + PartialEq + Send + Sync + 'static>(
    app: App,
    account: AccountId,
    of: impl Fn(&AccountView) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| app.accounts.with(|accounts| accounts.get(account).map(&of)))
}
