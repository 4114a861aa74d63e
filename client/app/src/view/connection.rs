//! The state of an account's connection, and how far its work is.

use leptos::prelude::*;
use postern_bridge::{AccountId, Connection};

use crate::{
    route::Route,
    state::{App, accounts},
    text,
};

/// A dot with words, and a bar while long work goes on.
#[component]
pub(crate) fn ConnectionState(account: AccountId) -> impl IntoView {
    let app = App::here();
    let connection = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            accounts.get(account).map(|account| account.connection.clone()).unwrap_or_default()
        })
    });
    let progress =
        Memo::new(move |_| app.accounts.with(|accounts| accounts.progress(account).cloned()));
    let pending = Memo::new(move |_| app.accounts.with(|accounts| accounts.pending(account)));
    let state = move || match connection.get() {
        Connection::Offline => "offline",
        Connection::Connecting => "connecting",
        Connection::Online => "online",
        Connection::Waiting(_) => "waiting",
        Connection::Failed { .. } => "failed",
    };
    let words = move || match (connection.get(), progress.get()) {
        (Connection::Failed { .. }, _) => text::connection::FAILED.to_owned(),
        (Connection::Waiting(_), _) => text::connection::WAITING.to_owned(),
        (_, Some(progress)) => {
            text::connection::progress(&progress.what, progress.done, progress.total)
        }
        (Connection::Offline, None) => text::connection::OFFLINE.to_owned(),
        (Connection::Connecting, None) => text::connection::CONNECTING.to_owned(),
        (Connection::Online, None) => text::connection::ONLINE.to_owned(),
    };
    let why = move || match connection.get() {
        Connection::Failed { sentence: why, .. } | Connection::Waiting(why) => Some(why),
        _ => None,
    };
    let refused = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            accounts.get(account).is_some_and(|account| {
                account.incoming_state.refused.is_some() || account.outgoing_state.refused.is_some()
            })
        })
    });
    // What the way to the settings is called. Where they are shown already, nobody is led there.
    let way = Memo::new(move |_| {
        let in_settings =
            || matches!(connection.get(), Connection::Failed { in_settings: true, .. });
        match () {
            () if app.route.get() == Route::Account(account) => None,
            () if refused.get() => Some(text::account::LOOK),
            () => in_settings().then_some(text::account::OPEN_SETTINGS),
        }
    });
    let full = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            let quota = accounts.get(account)?.quota;
            quota.tightest().filter(|_| quota.is_nearly_full()).map(|share| share.percent())
        })
    });
    let fraction = move || progress.with(|progress| progress.as_ref().map(accounts::fraction));
    view! {
        <div class="connection" data-test="connection" data-state=state role="status">
            <span class="connection-words" title=words>
                <span class="dot" aria-hidden="true"></span>
                {words}
            </span>
            <Show when=move || pending.get() != 0>
                <span
                    class="connection-pending"
                    data-test="pending"
                    title=text::connection::PENDING_LONG
                >
                    {move || text::connection::pending(pending.get())}
                </span>
            </Show>
            {move || why().map(|why| view! { <span class="connection-why">{why}</span> })}
            {move || {
                full.get().map(|percent| {
                    let words = text::connection::nearly_full(percent);
                    view! { <span class="connection-why" data-test="nearly-full">{words}</span> }
                })
            }}
            {move || {
                way.get().map(|words| {
                    view! {
                        <span class="connection-act">
                            <button
                                class="button is-small connection-look"
                                data-test="connection-look"
                                on:click=move |_| app.go(Route::Account(account))
                            >
                                {words}
                            </button>
                        </span>
                    }
                })
            }}
            {move || {
                fraction().map(|fraction| {
                    view! { <progress class="connection-progress" max="1" value=fraction aria-label=words /> }
                })
            }}
        </div>
    }
}
