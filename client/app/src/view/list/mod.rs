//! The message list of the open mailbox.

mod bar;
mod row;
mod rows;
mod search;

use leptos::prelude::*;
use postern_bridge::{Connection, Intent, SearchState};

pub(super) use self::bar::CommandButton;
use self::{bar::Bar, rows::Rows, search::SearchField};
use super::{
    icons,
    status::{Busy, Status},
};
use crate::{state::App, text};

/// What the list's pane shows.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Content {
    /// No mailbox is open.
    Closed,
    /// There are rows.
    Rows,
    /// There is no row, and the server was asked.
    Empty,
    /// Something is searched for, and nothing was found yet.
    Searching,
    /// Nothing was found; why.
    Nothing(&'static str),
    /// There is no row yet, and the server is being asked.
    Loading,
    /// There is no row, and no network.
    Offline,
    /// There is no row, and the server wants to be asked later.
    Waiting(String),
    /// There is no row, and the server can't be asked.
    Failed(String),
}

/// The list with its bar.
#[component]
pub(crate) fn MessageList() -> impl IntoView {
    let app = App::here();
    let content = Memo::new(move |_| content(app));
    view! {
        <section class="list pane" aria-label=text::list::LABEL>
            <Bar />
            <SearchField />
            {move || match content.get() {
                Content::Rows => view! { <Rows /> }.into_any(),
                Content::Loading => view! { <Busy text=text::list::LOADING /> }.into_any(),
                Content::Searching => view! { <Busy text=text::search::SEARCHING /> }.into_any(),
                Content::Nothing(why) => {
                    view! {
                        <Status glyph=icons::SEARCH title=text::search::NOTHING detail=why />
                    }
                        .into_any()
                }
                Content::Closed => {
                    view! {
                        <Status
                            glyph=icons::FOLDER
                            title=text::list::CHOOSE
                            detail=text::list::CHOOSE_DETAIL
                        />
                    }
                        .into_any()
                }
                Content::Empty => {
                    view! {
                        <Status
                            glyph=icons::INBOX
                            title=text::list::EMPTY
                            detail=text::list::EMPTY_DETAIL
                        />
                    }
                        .into_any()
                }
                Content::Offline => {
                    view! {
                        <Status
                            glyph=icons::OFFLINE
                            title=text::list::OFFLINE
                            detail=text::list::OFFLINE_DETAIL
                        />
                    }
                        .into_any()
                }
                Content::Waiting(why) => {
                    view! {
                        <Status
                            glyph=icons::LATER
                            title=text::list::WAITING
                            detail=why
                        />
                    }
                        .into_any()
                }
                Content::Failed(why) => {
                    view! {
                        <Status glyph=icons::WARNING title=text::list::FAILED detail=why>
                            <button class="button" on:click=move |_| try_again(app)>
                                {text::list::TRY_AGAIN}
                            </button>
                        </Status>
                    }
                        .into_any()
                }
            }}
        </section>
    }
}

fn content(app: App) -> Content {
    let (mailbox, total, fresh) =
        app.list.with(|list| (list.mailbox(), list.total(), list.fresh()));
    let Some(mailbox) = mailbox else { return Content::Closed };
    let found = app.list.with(|list| {
        let search = list.searched()?;
        let is_open = list.is_outdated() || search.state == Some(SearchState::Searching);
        Some(if is_open {
            Content::Searching
        } else {
            Content::Nothing(text::search::nothing(search.scope, search.state.as_ref()))
        })
    });
    if total.is_some_and(|total| total > 0) {
        return Content::Rows;
    }
    if let Some(found) = found {
        return found;
    }
    if total == Some(0) && fresh {
        return Content::Empty;
    }
    let connection = app.mailboxes.with(|mailboxes| {
        let account = mailboxes.get(mailbox)?.account;
        app.accounts.with(|accounts| accounts.get(account).map(|found| found.connection.clone()))
    });
    match connection {
        _ if !app.online.get() => Content::Offline,
        Some(Connection::Failed { sentence, .. }) => Content::Failed(sentence),
        Some(Connection::Waiting(why)) => Content::Waiting(why),
        _ => Content::Loading,
    }
}

fn try_again(app: App) {
    if let Some(mailbox) = app.list.with_untracked(|list| list.mailbox()) {
        app.send(Intent::OpenMailbox { mailbox });
    }
}
