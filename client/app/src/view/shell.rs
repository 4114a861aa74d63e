//! The frame: three panes side by side, or one at a time on a narrow screen.

use leptos::prelude::*;
use postern_bridge::Access;

use super::{
    access::{AccessBanner, AccessPage},
    account::AccountPage,
    accounts::Accounts,
    folders::{self, Folders},
    icons::{self, Icon, Mark},
    list::MessageList,
    reader::ReadingPane,
    setup::Setup,
    status::{Busy, Status},
    storage::{Damaged, StorageNotice, StoragePage},
};
use crate::{
    browser::{self, theme::Theme},
    route::Route,
    state::{App, access::Door},
    text,
};

/// What the page as a whole shows.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    /// The engine did not start.
    Failed,
    /// What is stored can't be used.
    Damaged,
    /// The accounts are not known yet.
    Starting,
    /// There is no account, and the proxy asks for its access key first.
    Locked,
    /// There is no account.
    Welcome,
    /// There are accounts.
    Mail,
}

/// The frame.
#[component]
pub(crate) fn Shell() -> impl IntoView {
    let app = App::here();
    let stage = Memo::new(move |_| {
        app.accounts.with(|accounts| match (app.engine_failed.get(), accounts.known()) {
            (true, _) => Stage::Failed,
            (false, false) if app.storage_failed.with(Option::is_some) => Stage::Damaged,
            (false, false) => Stage::Starting,
            (false, true) if accounts.all().is_empty() => match app.door.with(Door::access) {
                Access::Unknown => Stage::Starting,
                Access::Needed | Access::Refused => Stage::Locked,
                Access::Open | Access::Kept => Stage::Welcome,
            },
            (false, true) => Stage::Mail,
        })
    });
    title(app);
    view! {
        <OfflineBanner />
        {move || match stage.get() {
            Stage::Failed => {
                view! {
                    <main class="alone">
                        <Status
                            glyph=icons::WARNING
                            title=text::shell::ENGINE_FAILED
                            detail=text::shell::ENGINE_FAILED_DETAIL
                        >
                            <button class="button is-primary" on:click=|_| browser::reload()>
                                {text::shell::RELOAD}
                            </button>
                        </Status>
                    </main>
                }
                    .into_any()
            }
            Stage::Damaged => view! { <Damaged /> }.into_any(),
            Stage::Starting => {
                view! {
                    <main class="alone">
                        <Busy text=text::shell::STARTING />
                    </main>
                }
                    .into_any()
            }
            Stage::Locked => view! { <AccessPage /> }.into_any(),
            Stage::Welcome => view! { <Setup first=true /> }.into_any(),
            Stage::Mail => {
                view! {
                    <AccessBanner />
                    <StorageNotice />
                    <Panes />
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn Panes() -> impl IntoView {
    let app = App::here();
    let pane = move || match app.route.get() {
        Route::Folders => "folders",
        Route::Mailbox(_) => "list",
        Route::Message(_) | Route::Found { .. } => "reader",
        Route::Setup | Route::Accounts | Route::Storage | Route::Account(_) => "page",
    };
    let page = Memo::new(move |_| match app.route.get() {
        page @ (Route::Setup | Route::Accounts | Route::Storage | Route::Account(_)) => Some(page),
        _ => None,
    });
    view! {
        <div class="shell" data-pane=pane>
            <div class="shell-side">
                <header class="brand">
                    <Mark />
                    <span class="brand-name">{text::NAME}</span>
                </header>
                <button
                    class="button is-primary shell-compose"
                    data-test="compose-open"
                    title=text::shell::COMPOSE_LONG
                    on:click=move |_| app.compose()
                >
                    <Icon glyph=icons::WRITE />
                    <span class="shell-compose-label">{text::shell::COMPOSE}</span>
                </button>
                <Folders />
                <Tools />
            </div>
            {move || match page.get() {
                Some(Route::Setup) => view! { <Setup first=false /> }.into_any(),
                Some(Route::Account(account)) => {
                    view! { <AccountPage account /> }.into_any()
                }
                Some(Route::Storage) => view! { <StoragePage /> }.into_any(),
                Some(_) => view! { <Accounts /> }.into_any(),
                None => {
                    view! {
                        <MessageList />
                        <ReadingPane />
                    }
                        .into_any()
                }
            }}
        </div>
    }
}

/// What concerns the whole page: theme, shortcuts, accounts.
#[component]
fn Tools() -> impl IntoView {
    let app = App::here();
    view! {
        <footer class="tools">
            <button
                class="button is-quiet"
                data-test="accounts-open"
                on:click=move |_| app.go(Route::Accounts)
            >
                <Icon glyph=icons::ACCOUNTS />
                {text::shell::ACCOUNTS}
            </button>
            <button
                class="button is-icon tools-keys"
                title=text::shell::SHORTCUTS
                aria-label=text::shell::SHORTCUTS
                on:click=move |_| app.help.set(true)
            >
                <Icon glyph=icons::KEYBOARD />
            </button>
            <ThemeSwitch />
        </footer>
    }
}

/// Light, dark, or as the system says.
#[component]
pub(crate) fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(Theme::remembered());
    Effect::new(move |_| theme.get().apply());
    let label = move || match theme.get() {
        Theme::System => text::shell::THEME_SYSTEM,
        Theme::Light => text::shell::THEME_LIGHT,
        Theme::Dark => text::shell::THEME_DARK,
    };
    let glyph = Signal::derive(move || match theme.get() {
        Theme::System => icons::SYSTEM,
        Theme::Light => icons::LIGHT,
        Theme::Dark => icons::DARK,
    });
    view! {
        <button
            class="button is-icon"
            data-test="theme"
            title=label
            aria-label=label
            on:click=move |_| theme.update(|theme| *theme = theme.next())
        >
            <Icon glyph />
        </button>
    }
}

#[component]
fn OfflineBanner() -> impl IntoView {
    let app = App::here();
    view! {
        <Show when=move || !app.online.get()>
            <p class="offline-banner" data-test="offline-banner" role="status">
                <Icon glyph=icons::OFFLINE />
                {text::shell::OFFLINE}
            </p>
        </Show>
    }
}

fn title(app: App) {
    Effect::new(move |_| {
        let route = app.route.get();
        let subject =
            app.reader.with(|reader| reader.view().map(|message| message.subject.clone()));
        let title = app.mailboxes.with(|mailboxes| {
            let mailbox = || route.mailbox().and_then(|id| mailboxes.get(id)).map(folders::name);
            let place = match route {
                Route::Setup => Some(text::setup::ADD_TITLE.to_owned()),
                Route::Accounts | Route::Account(_) => Some(text::accounts::TITLE.to_owned()),
                Route::Storage => Some(text::backup::TITLE.to_owned()),
                _ => subject.filter(|subject| !subject.trim().is_empty()).or_else(mailbox),
            };
            text::shell::title(&place.unwrap_or_default(), mailboxes.unread_in_inboxes())
        });
        document().set_title(&title);
    });
}
