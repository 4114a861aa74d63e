//! The list's bar: the folder's name, or what can be done to the picked messages.

use leptos::prelude::*;

use super::super::{
    folders,
    icons::{self, Icon},
    menu,
};
use crate::{
    state::{
        App,
        command::{Command, Purpose},
    },
    text,
};

/// The bar.
#[component]
pub(super) fn Bar() -> impl IntoView {
    let app = App::here();
    let picking = Memo::new(move |_| app.picked.with(|picked| !picked.is_empty()));
    move || {
        if picking.get() { view! { <Picked /> }.into_any() } else { view! { <Title /> }.into_any() }
    }
}

#[component]
fn Title() -> impl IntoView {
    let app = App::here();
    let mailbox = Memo::new(move |_| {
        let id = app.list.with(|list| list.mailbox())?;
        app.mailboxes.with(|mailboxes| mailboxes.get(id).cloned())
    });
    let name =
        move || mailbox.with(|mailbox| mailbox.as_ref().map(folders::name).unwrap_or_default());
    let counts = move || {
        mailbox.with(|mailbox| mailbox.as_ref().map(|m| text::list::count(m.total, m.unread)))
    };
    let grouped = Memo::new(move |_| {
        mailbox.with(|mailbox| mailbox.as_ref().is_some_and(|m| m.conversations))
    });
    // What was found are single messages.
    let searching = move || app.list.with(|list| list.searched().is_some());
    let group_label = move || match grouped.get() {
        true => text::conversation::UNGROUP,
        false => text::conversation::GROUP,
    };
    view! {
        <header class="pane-bar">
            <button
                class="button is-icon only-narrow"
                aria-label=text::shell::BACK
                on:click=move |_| app.go(app.route.get_untracked().parent())
            >
                <Icon glyph=icons::BACK />
            </button>
            <div class="pane-title">
                <h1>
                    <bdi>{name}</bdi>
                </h1>
                <p>{counts}</p>
            </div>
            <button
                class="button is-icon"
                data-test="conversations"
                title=group_label
                aria-label=text::conversation::GROUP
                aria-pressed=move || grouped.get().to_string()
                hidden=move || mailbox.with(Option::is_none)
                disabled=searching
                on:click=move |_| app.toggle_conversations()
            >
                <Icon glyph=icons::CONVERSATION />
            </button>
            <button
                class="button is-icon"
                data-test="refresh"
                title=text::shell::REFRESH
                aria-label=text::shell::REFRESH
                on:click=move |_| app.refresh()
            >
                <Icon glyph=icons::REFRESH />
            </button>
        </header>
    }
}

/// How many are picked, and what can be done to them.
#[component]
fn Picked() -> impl IntoView {
    let app = App::here();
    let traits = Memo::new(move |_| app.target_traits());
    let count = move || {
        let total = app.list.with(|list| list.total().unwrap_or(0));
        app.picked.with(|picked| text::change::picked(picked.count(total)))
    };
    let more = move || {
        let mut commands = traits.get_untracked().menu();
        commands.insert(0, Command::PickAll);
        commands
    };
    view! {
        <header class="pane-bar list-picked" data-test="picked-bar">
            <button
                class="button is-icon"
                data-test="pick-none"
                title=text::change::PICK_NONE
                aria-label=text::change::PICK_NONE
                on:click=move |_| app.picked.update(|picked| picked.clear())
            >
                <Icon glyph=icons::CLOSE />
            </button>
            <p class="list-picked-count" role="status">
                {count}
            </p>
            <CommandButton command=Signal::derive(move || traits.get().archive()) />
            <CommandButton command=Signal::derive(move || Some(traits.get().delete())) />
            <CommandButton command=Signal::derive(|| Some(Command::ChooseFolder(Purpose::Move))) />
            <CommandButton command=Signal::derive(move || Some(traits.get().toggle_seen())) />
            <button
                class="button is-icon"
                data-test="picked-more"
                title=text::change::MORE
                aria-label=text::change::MORE
                aria-haspopup="menu"
                on:click=move |event| menu::open_below(app, &event, more())
            >
                <Icon glyph=icons::MORE />
            </button>
        </header>
    }
}

/// A button that does something to messages; none if there is nothing to do.
#[component]
pub(in crate::view) fn CommandButton(
    /// What it does.
    command: Signal<Option<Command>>,
    /// Whether it can't be pressed.
    #[prop(default = false)]
    off: bool,
    /// Whether it is about the opened message, whatever is picked.
    #[prop(default = false)]
    opened: bool,
    /// Its further classes.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    let app = App::here();
    let label = move || command.with(|command| command.as_ref().map(text::change::label));
    let why = Memo::new(move |_| {
        let command = command.get()?;
        let message = app.route.get().message().filter(|_| opened);
        let need = match message {
            Some(message) => app.forbids_in(&command, [message.mailbox]),
            None => app.forbids(&command),
        };
        need.map(text::change::forbidden)
    });
    let title = move || why.get().or_else(label);
    let glyph =
        Signal::derive(move || command.with(|c| c.as_ref().map_or(icons::MORE, icons::of_command)));
    view! {
        <button
            class=format!("button is-icon {class}")
            data-test=move || command.with(|c| c.as_ref().map(test_name))
            title=title
            aria-label=label
            aria-disabled=move || why.get().map(|_| "true")
            hidden=move || command.with(Option::is_none)
            disabled=off
            on:click=move |_| {
                if let Some(command) = command.get_untracked() {
                    if opened {
                        app.picked.update(|picked| picked.clear());
                    }
                    app.obey(command);
                }
            }
        >
            <Icon glyph />
        </button>
    }
}

/// The name that tests know a command's button by.
fn test_name(command: &Command) -> &'static str {
    match command {
        Command::Archive => "do-archive",
        Command::Delete | Command::DeleteForGood => "do-delete",
        Command::Junk | Command::NotJunk => "do-junk",
        Command::ChooseFolder(_) => "do-move",
        Command::Seen(_) => "do-seen",
        Command::Starred(_) => "do-star",
        _ => "do",
    }
}
