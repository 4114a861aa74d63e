//! One line of the list.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{Role, Row};
use web_sys::{DragEvent, MouseEvent};

use super::super::{
    avatar::Avatar,
    folders,
    icons::{self, Glyph, Icon},
    menu,
};
use crate::{
    format,
    state::{
        App,
        command::{Command, Purpose},
    },
    text,
};

/// One element of the list; which row it shows changes as the list is scrolled.
#[component]
pub(crate) fn RowView(
    /// The element's own name.
    id: String,
    /// The row that it shows, if any.
    index: Memo<Option<u32>>,
    /// How many rows there are.
    total: Memo<u32>,
    /// A row's height in CSS pixels.
    row_height: f64,
) -> impl IntoView {
    let app = App::here();
    let row = Memo::new(move |_| {
        let index = index.get()?;
        app.list.with(|list| list.row(index).cloned())
    });
    let at = move || index.get().unwrap_or_default();
    let has =
        move |test: fn(&Row) -> bool| move || row.with(|row| row.as_deref().is_some_and(test));
    let is_open = move || {
        let open = app.open_key();
        row.with(|row| {
            row.as_ref().is_some_and(|row| open == Some(row.key) || open == Some(row.id))
        })
    };
    let is_cursor = move || index.get() == Some(app.list.with(|list| list.cursor()));
    let unread = has(|row| !row.flags.seen);
    let is_picked = move || {
        row.with(|row| row.as_deref().is_some_and(|row| app.picked.with(|p| p.contains(row))))
    };
    let known = move || index.get_untracked().filter(|_| row.with_untracked(Option::is_some));
    let press = move |event: MouseEvent| {
        let (Some(index), Some(row)) = (known(), row.get_untracked()) else { return };
        if event.shift_key() {
            app.pick_to(index);
        } else if event.ctrl_key() || event.meta_key() {
            app.toggle_picked(index);
        } else {
            app.picked.update(|picked| picked.clear());
            app.list.update(|list| list.put_cursor(index));
            app.go(app.route_to(row.id));
        }
    };
    let pick = move |event: MouseEvent| {
        event.stop_propagation();
        match known() {
            Some(index) if event.shift_key() => app.pick_to(index),
            Some(index) => app.toggle_picked(index),
            None => {}
        }
    };
    let menu = move |event: MouseEvent| {
        if let Some(index) = known() {
            app.aim_at(index);
            menu::open_at_pointer(app, &event, app.target_traits().menu());
        }
    };
    let drag = move |event: DragEvent| {
        if let (Some(index), Some(data)) = (known(), event.data_transfer()) {
            app.aim_at(index);
            // Fails only for what is no type.
            let _ = data.set_data(folders::DRAGGED, "");
            let can_move = app.allows(&Command::ChooseFolder(Purpose::Move));
            data.set_effect_allowed(if can_move { "copyMove" } else { "copy" });
        }
    };
    view! {
        <div
            id=id
            class="row"
            role="option"
            data-test="row"
            data-index=move || index.get()
            data-unread=move || unread().to_string()
            aria-selected=move || (is_picked() || is_open()).to_string()
            aria-setsize=move || total.get()
            aria-posinset=move || at() + 1
            class:is-cursor=is_cursor
            class:is-open=is_open
            class:is-picked=is_picked
            draggable="true"
            class:is-unknown=move || row.with(Option::is_none)
            hidden=move || index.get().is_none()
            style:transform=move || format!("translateY({}px)", f64::from(at()) * row_height)
            on:click=press
            on:contextmenu=menu
            on:dragstart=drag
            on:dragend=move |_| app.picked.update(|picked| picked.clear())
        >
            <span class="row-pick" data-test="row-pick" title=text::change::PICK on:click=pick>
                <Avatar name=Signal::derive(move || of(row, face)) />
                <span class="row-check" aria-hidden="true">
                    <Icon glyph=icons::GOOD />
                </span>
            </span>
            <div class="row-line">
                <bdi class="row-who">
                    {move || of(row, |row| people(app, row))}
                </bdi>
                {count(row)}
                {mark(has(|row| row.flags.answered), icons::REPLY, "answered", text::list::ANSWERED)}
                {mark(has(|row| row.has_attachments), icons::ATTACHMENT, "attachment", text::list::HAS_ATTACHMENTS)}
                {mark(has(|row| row.flags.flagged), icons::STAR, "star", text::list::STARRED)}
                <span class="row-date">{move || of(row, |row| format::row_date(row.date))}</span>
            </div>
            <div class="row-line">
                <span class="row-subject" dir="auto">
                    {move || of(row, |row| or(&row.subject, text::list::NO_SUBJECT))}
                </span>
                {folder(app, row)}
                {tags(row)}
                <Show when=unread>
                    <span class="row-unread" role="img" aria-label=text::list::UNREAD></span>
                </Show>
            </div>
            <div class="row-preview" dir="auto">
                {move || of(row, |row| row.preview.clone())}
            </div>
        </div>
    }
}

/// How many messages a conversation has.
fn count(row: Memo<Option<Arc<Row>>>) -> impl IntoView {
    let messages = Memo::new(move |_| row.with(|row| row.as_ref().map_or(1, |row| row.messages)));
    let spelled = move || text::conversation::in_row(messages.get());
    view! {
        <Show when=move || { messages.get() > 1 }>
            <span class="row-count" data-test="row-count" role="img" aria-label=spelled title=spelled>
                {move || messages.get()}
            </span>
        </Show>
    }
}

fn mark(
    shown: impl Fn() -> bool + Send + Sync + 'static,
    glyph: Glyph,
    kind: &'static str,
    label: &'static str,
) -> impl IntoView {
    view! {
        <Show when=shown>
            <span class="row-mark" data-mark=kind role="img" aria-label=label title=label>
                <Icon glyph />
            </span>
        </Show>
    }
}

/// Whose face a row has: of a conversation, who began it.
fn face(row: &Row) -> String {
    let people = &*row.correspondents;
    let first = people.split(" … ").next().and_then(|own| own.split(", ").next());
    match row.messages {
        0 | 1 => people.to_owned(),
        _ => first.unwrap_or(people).to_owned(),
    }
}

/// Who a message is from or, of one that was found elsewhere among those sent, to.
fn people(app: App, row: &Row) -> String {
    let people = or(&row.correspondents, text::list::NOBODY);
    let id = row.id.mailbox;
    let role = app.mailboxes.with(|mailboxes| mailboxes.get(id).and_then(|own| own.role));
    let is_sent = matches!(role, Some(Role::Sent | Role::Drafts));
    match is_sent && app.list.with(|list| list.mailbox() != Some(id)) {
        true => text::search::to(&people),
        false => people,
    }
}

/// The folder of a message that was found in another one than that which is open.
fn folder(app: App, row: Memo<Option<Arc<Row>>>) -> impl IntoView {
    let name = Memo::new(move |_| {
        let id = row.with(|row| row.as_ref().map(|row| row.id.mailbox))?;
        let is_elsewhere = app.list.with(|list| list.mailbox() != Some(id));
        let name = || app.mailboxes.with(|mailboxes| mailboxes.get(id).map(folders::name));
        is_elsewhere.then(name).flatten()
    });
    move || name.get().map(|name| view! { <bdi class="tag row-folder">{name}</bdi> })
}

/// The message's tags; the row's height leaves room for the first two.
fn tags(row: Memo<Option<Arc<Row>>>) -> impl IntoView {
    let tags = Memo::new(move |_| {
        row.with(|row| {
            let keywords = row.as_deref().map(|row| &row.keywords[..]).unwrap_or_default();
            keywords
                .iter()
                .filter_map(|keyword| text::change::tag(keyword))
                .take(2)
                .collect::<Vec<_>>()
        })
    });
    move || {
        let tag = |tag| view! { <bdi class="tag row-tag">{tag}</bdi> };
        tags.get().into_iter().map(tag).collect_view()
    }
}

fn of(row: Memo<Option<Arc<Row>>>, text: impl FnOnce(&Row) -> String) -> String {
    row.with(|row| row.as_deref().map(text).unwrap_or_default())
}

fn or(text: &str, otherwise: &str) -> String {
    if text.trim().is_empty() { otherwise.to_owned() } else { text.to_owned() }
}
