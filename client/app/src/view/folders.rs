//! The folder list: a section per account.

use leptos::prelude::*;
use postern_bridge::{AccountId, MailboxView, Protocol, Role};
use web_sys::{DragEvent, MouseEvent};

use super::{
    connection::ConnectionState,
    icons::{self, Icon},
    menu,
};
use crate::{
    route::Route,
    state::{
        App,
        command::{self, Command, Purpose},
    },
    text,
};

/// The type of what is dragged from the list: what is picked there.
pub(super) const DRAGGED: &str = "application/x-postern-messages";

/// All accounts with their folders.
#[component]
pub(crate) fn Folders() -> impl IntoView {
    let app = App::here();
    let accounts = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            let section = |account: &postern_bridge::AccountView| {
                (account.id, account.identity.address.clone(), account.protocol)
            };
            accounts.all().iter().map(section).collect::<Vec<_>>()
        })
    });
    view! {
        <nav class="folders" aria-label=text::folders::LABEL>
            <For each=move || accounts.get() key=|section| section.clone() let((id, address, protocol))>
                <section class="folders-account">
                    <header class="folders-head">
                        <h2>
                            <bdi>{address}</bdi>
                        </h2>
                        <span class="tag">
                            {match protocol {
                                Protocol::Imap => text::setup::IMAP,
                                Protocol::Pop3 => text::setup::POP3,
                            }}
                        </span>
                        <button
                            class="button is-icon is-small"
                            data-test="folder-new"
                            title=text::change::NEW_FOLDER
                            aria-label=text::change::NEW_FOLDER
                            on:click=move |_| app.obey(Command::NewFolder(id, None))
                        >
                            <Icon glyph=icons::ADD />
                        </button>
                        <ConnectionState account=id />
                    </header>
                    <AccountFolders account=id />
                </section>
            </For>
            <button class="button is-quiet folders-add" on:click=move |_| app.go(Route::Setup)>
                <Icon glyph=icons::ADD />
                {text::folders::ADD}
            </button>
        </nav>
    }
}

#[component]
fn AccountFolders(account: AccountId) -> impl IntoView {
    let app = App::here();
    let mailboxes = Memo::new(move |_| {
        app.mailboxes.with(|mailboxes| mailboxes.of(account).map(<[_]>::to_vec))
    });
    view! {
        <ul class="folders-list">
            {move || {
                mailboxes.with(Option::is_none).then(|| {
                    view! {
                        <li class="folder-unknown" aria-label=text::folders::LOADING></li>
                        <li class="folder-unknown"></li>
                        <li class="folder-unknown"></li>
                    }
                })
            }}
            <For
                each=move || mailboxes.get().unwrap_or_default()
                key=|mailbox| {
                    let shape = (mailbox.depth, mailbox.role, mailbox.selectable);
                    (mailbox.id, mailbox.name.clone(), shape, mailbox.subscribed)
                }
                let(mailbox)
            >
                <Folder mailbox />
            </For>
        </ul>
    }
}

#[component]
fn Folder(mailbox: MailboxView) -> impl IntoView {
    let app = App::here();
    let name = name(&mailbox);
    let MailboxView { id, role, depth, selectable, subscribed, .. } = mailbox;
    let unread = Memo::new(move |_| {
        app.mailboxes.with(|mailboxes| mailboxes.get(id).map_or(0, |mailbox| mailbox.unread))
    });
    let menu = move || {
        let commands = |mailbox: &MailboxView| command::folder_menu(mailbox);
        app.mailboxes.with_untracked(|all| all.get(id).map(commands).unwrap_or_default())
    };
    let on_menu = move |event: MouseEvent| {
        let commands = menu();
        if !commands.is_empty() {
            menu::open_at_pointer(app, &event, commands);
        }
    };
    // Messages are dropped on it; a file from elsewhere is none.
    let takes = move |event: &DragEvent| {
        let dragged = event.data_transfer().is_some_and(|data| {
            data.types().iter().any(|kind| kind.as_string().as_deref() == Some(DRAGGED))
        });
        dragged && app.takes_dragged(purpose(event), id)
    };
    let target = RwSignal::new(false);
    let on_over = move |event: DragEvent| {
        if takes(&event) {
            event.prevent_default();
            target.set(true);
        }
    };
    let on_drop = move |event: DragEvent| {
        target.set(false);
        if takes(&event) {
            event.prevent_default();
            app.obey(Command::PutInto(purpose(&event), id));
        }
    };
    let more = text::folders::more(&name);
    let current = move || (app.route.get().mailbox() == Some(id)).then_some("page");
    view! {
        <li
            class="folders-item"
            style=("--depth", depth.to_string())
            class:is-target=move || target.get()
            on:contextmenu=on_menu
            on:dragover=on_over
            on:dragleave=move |_| target.set(false)
            on:drop=on_drop
        >
            <button
                class="folder"
                data-test="folder"
                data-role=role_name(role)
                data-name=mailbox.name
                class:is-unsubscribed=!subscribed
                class:has-unread=move || unread.get() != 0
                aria-current=current
                disabled=!selectable
                on:click=move |_| app.go(Route::Mailbox(id))
            >
                <Icon glyph=icons::of_role(role) />
                <bdi class="folder-name">{name}</bdi>
                <Show when=move || unread.get() != 0>
                    <span class="count" aria-label=move || text::folders::unread(unread.get())>
                        {unread}
                    </span>
                </Show>
            </button>
            <button
                class="button is-icon is-small folder-more"
                data-test="folder-more"
                title=more.clone()
                aria-label=more
                aria-haspopup="menu"
                hidden=move || menu().is_empty()
                on:click=move |event| menu::open_below(app, &event, menu())
            >
                <Icon glyph=icons::MORE />
            </button>
        </li>
    }
}

/// What a drop would do.
fn purpose(event: &DragEvent) -> Purpose {
    if event.ctrl_key() { Purpose::Copy } else { Purpose::Move }
}

/// What a folder is called: by its role where it has one, so that every account reads alike.
pub(crate) fn name(mailbox: &MailboxView) -> String {
    match mailbox.role {
        Some(Role::Inbox) => text::folders::INBOX.to_owned(),
        Some(Role::Drafts) => text::folders::DRAFTS.to_owned(),
        Some(Role::Sent) => text::folders::SENT.to_owned(),
        Some(Role::Archive) => text::folders::ARCHIVE.to_owned(),
        Some(Role::Junk) => text::folders::JUNK.to_owned(),
        Some(Role::Trash) => text::folders::TRASH.to_owned(),
        None => mailbox.name.clone(),
    }
}

fn role_name(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Inbox) => "inbox",
        Some(Role::Drafts) => "drafts",
        Some(Role::Sent) => "sent",
        Some(Role::Archive) => "archive",
        Some(Role::Junk) => "junk",
        Some(Role::Trash) => "trash",
        None => "",
    }
}
