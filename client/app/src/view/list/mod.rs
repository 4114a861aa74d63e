//! The message list of the open mailbox.

mod bar;
mod row;
mod rows;

use leptos::prelude::*;
use postern_bridge::{Connection, Intent};

pub(super) use self::bar::CommandButton;
use self::{bar::Bar, rows::Rows};
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
            {move || match content.get() {
                Content::Rows => view! { <Rows /> }.into_any(),
                Content::Loading => view! { <Busy text=text::list::LOADING /> }.into_any(),
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
                            glyph=icons::OFFLINE
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
    match total {
        Some(1..) => return Content::Rows,
        Some(0) if fresh => return Content::Empty,
        _ => {}
    }
    let connection = app.mailboxes.with(|mailboxes| {
        let account = mailboxes.get(mailbox)?.account;
        app.accounts.with(|accounts| accounts.get(account).map(|found| found.connection.clone()))
    });
    match connection {
        _ if !app.online.get() => Content::Offline,
        Some(Connection::Failed(why)) => Content::Failed(why),
        Some(Connection::Waiting(why)) => Content::Waiting(why),
        _ => Content::Loading,
    }
}

fn try_again(app: App) {
    if let Some(mailbox) = app.list.with_untracked(|list| list.mailbox()) {
        app.send(Intent::OpenMailbox { mailbox });
    }
}
