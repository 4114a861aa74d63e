//! A folder to choose, found by typing.

use leptos::prelude::*;
use postern_bridge::{AccountId, MailboxId, MailboxView};
use web_sys::KeyboardEvent;

use super::Frame;
use crate::{
    state::App,
    text,
    view::{
        folders,
        icons::{self, Icon},
    },
};

/// An entry: a folder, or `None` for the place above all folders.
type Entry = (Option<MailboxId>, String, u8, icons::Glyph);

/// A field to type in, above the folders that have it in their name.
#[component]
pub(super) fn ChooseFolder(
    /// What it is about.
    title: &'static str,
    /// Whose folders.
    account: Option<AccountId>,
    /// Whether the place above all folders can be chosen.
    #[prop(default = false)]
    top: bool,
    /// Whether a folder can be chosen.
    offer: impl Fn(&MailboxView) -> bool + Send + Sync + 'static,
    /// Takes the choice.
    on_choose: impl Fn(Option<MailboxId>) + Send + Sync + 'static,
) -> impl IntoView {
    let app = App::here();
    let typed = RwSignal::new(String::new());
    let cursor = RwSignal::new(0_usize);
    let entries = Memo::new(move |_| {
        let wanted = typed.with(|typed| typed.trim().to_lowercase());
        let matches = |name: &str| name.to_lowercase().contains(&wanted);
        app.mailboxes.with(|mailboxes| {
            let all = account.and_then(|account| mailboxes.of(account)).unwrap_or_default();
            let folder = |mailbox: &MailboxView| -> Entry {
                // Found by typing, a folder stands without those that it is nested in.
                let depth = if wanted.is_empty() { mailbox.depth } else { 0 };
                (Some(mailbox.id), folders::name(mailbox), depth, icons::of_role(mailbox.role))
            };
            let above: Entry = (None, text::change::TOP.to_owned(), 0, icons::FOLDER);
            let above = top.then_some(above).filter(|(_, name, ..)| matches(name));
            let offered = all.iter().filter(|mailbox| offer(mailbox)).map(folder);
            above.into_iter().chain(offered.filter(|(_, name, ..)| matches(name))).collect()
        })
    });
    let choose = StoredValue::new(move |choice: Option<MailboxId>| {
        app.dialog.set(None);
        on_choose(choice);
    });
    let on_key = move |event: KeyboardEvent| {
        let count = entries.with_untracked(Vec::<Entry>::len);
        let at = cursor.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => cursor.set((at + 1).min(count.saturating_sub(1))),
            "ArrowUp" => cursor.set(at.saturating_sub(1)),
            "Enter" => {
                if let Some((choice, ..)) = entries.with_untracked(|all| all.get(at).cloned()) {
                    choose.with_value(|choose| choose(choice));
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let entry = move |(at, (id, name, depth, glyph)): (usize, Entry)| {
        view! {
            <li
                id=format!("choice-{at}")
                class="choice"
                role="option"
                data-test="choice"
                style=("--depth", depth.to_string())
                aria-selected=move || (cursor.get() == at).to_string()
                on:click=move |_| choose.with_value(|choose| choose(id))
            >
                <Icon glyph />
                <bdi>{name}</bdi>
            </li>
        }
    };
    view! {
        <Frame title=title.to_owned()>
            <input
                class="input"
                type="search"
                data-test="find-folder"
                role="combobox"
                autofocus
                autocomplete="off"
                placeholder=text::change::FIND_FOLDER
                aria-label=text::change::FIND_FOLDER
                aria-expanded="true"
                aria-controls="choices"
                aria-activedescendant=move || format!("choice-{}", cursor.get())
                prop:value=typed
                on:keydown=on_key
                on:input:target=move |event| {
                    typed.set(event.target().value());
                    cursor.set(0);
                }
            />
            <ul id="choices" class="choices" role="listbox" aria-label=title>
                {move || entries.get().into_iter().enumerate().map(entry).collect_view()}
            </ul>
            <Show when=move || entries.with(Vec::is_empty)>
                <p class="dialog-detail" role="status">
                    {text::change::NO_FOLDER}
                </p>
            </Show>
        </Frame>
    }
}
