//! Keys that work anywhere on the page.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use super::accounts;
use crate::{
    browser::{self, focus},
    route::Route,
    shortcut::{Held, Shortcut, shortcut},
    state::{
        App,
        command::{Command, Purpose},
        draft::Audience,
        list::List,
    },
};

/// Listens for shortcuts as long as the page lives.
pub(crate) fn listen(app: App) {
    let _ = window_event_listener(ev::keydown, move |event| {
        let Some(shortcut) = wanted(&event) else { return };
        // They have the keyboard, even if nothing in them has the focus.
        let open =
            app.dialog.with_untracked(Option::is_some) || app.menu.with_untracked(Option::is_some);
        if open {
            return;
        }
        if app.help.get_untracked() {
            if shortcut == Shortcut::Back || shortcut == Shortcut::Help {
                event.prevent_default();
                app.help.set(false);
            }
            return;
        }
        if obey(app, shortcut) {
            event.prevent_default();
        }
    });
}

/// The shortcut that a key press means, unless it belongs to a field or to the browser.
fn wanted(event: &KeyboardEvent) -> Option<Shortcut> {
    if event.default_prevented() || event.alt_key() {
        return None;
    }
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    let inside = |selector| {
        target.as_ref().is_some_and(|target| matches!(target.closest(selector), Ok(Some(_))))
    };
    const TYPING: &str =
        "input, textarea, select, [contenteditable], .compose:not(.is-minimized), dialog, .menu";
    if inside(TYPING) {
        return None;
    }
    let held = Held { shift: event.shift_key(), control: event.ctrl_key() || event.meta_key() };
    let shortcut = shortcut(&event.key(), held, inside(".rows"))?;
    // A key that is held down moves, and does nothing else more than once.
    if event.repeat() && !shortcut.moves() {
        return None;
    }
    // A page has no list and no message; the way back and the help are all it needs.
    let allowed = matches!(shortcut, Shortcut::Back | Shortcut::Help);
    (allowed || !inside(".page")).then_some(shortcut)
}

/// Does what a shortcut asks for; false if there is nothing to do it to.
fn obey(app: App, shortcut: Shortcut) -> bool {
    let reading = app.route.get_untracked().message().is_some();
    match shortcut {
        Shortcut::Next => step(app, |list| list.move_cursor(1), reading),
        Shortcut::Previous => step(app, |list| list.move_cursor(-1), reading),
        Shortcut::PageDown => {
            let page = i64::from(app.page.get_untracked());
            step(app, |list| list.move_cursor(page), false)
        }
        Shortcut::PageUp => {
            let page = i64::from(app.page.get_untracked());
            step(app, |list| list.move_cursor(-page), false)
        }
        Shortcut::First => step(app, |list| list.put_cursor(0), false),
        Shortcut::Last => step(app, |list| list.put_cursor(u32::MAX), false),
        Shortcut::Open => open(app),
        Shortcut::Conversations if app.is_searching() => return false,
        Shortcut::Conversations => app.toggle_conversations(),
        Shortcut::NextLetter => return focus::step_letter(true),
        Shortcut::PreviousLetter => return focus::step_letter(false),
        Shortcut::Scroll if reading => focus::give(focus::MESSAGE),
        Shortcut::Pick => app.toggle_picked(app.list.with_untracked(List::cursor)),
        Shortcut::PickNext => pick(app, 1),
        Shortcut::PickPrevious => pick(app, -1),
        Shortcut::PickAll => app.obey(Command::PickAll),
        Shortcut::ToggleSeen => app.obey(app.target_traits().toggle_seen()),
        Shortcut::ToggleStarred => app.obey(app.target_traits().toggle_starred()),
        Shortcut::Tags => app.obey(Command::ChooseTags),
        Shortcut::Archive => match app.target_traits().archive() {
            Some(archive) => app.obey(archive),
            None => return false,
        },
        Shortcut::Delete => app.obey(app.target_traits().delete()),
        Shortcut::Junk => app.obey(app.target_traits().junk()),
        Shortcut::Move => app.obey(Command::ChooseFolder(Purpose::Move)),
        Shortcut::Undo => app.undo_last(),
        Shortcut::Reply if reading => app.reply(Audience::Sender),
        Shortcut::ReplyAll if reading => app.reply(Audience::All),
        Shortcut::Forward if reading => app.forward(),
        Shortcut::Scroll | Shortcut::Reply | Shortcut::ReplyAll | Shortcut::Forward => {
            return false;
        }
        Shortcut::Search if reading && browser::is_narrow() => return false,
        Shortcut::Search => focus::give(focus::SEARCH),
        Shortcut::Compose => app.compose(),
        Shortcut::Refresh => app.refresh(),
        Shortcut::Back if app.picked.with_untracked(|picked| !picked.is_empty()) => {
            app.picked.update(|picked| picked.clear());
        }
        Shortcut::Back
            if !reading
                && matches!(app.route.get_untracked(), Route::Mailbox(_))
                && app.end_search() => {}
        Shortcut::Back => {
            let route = app.route.get_untracked();
            match (route, route.parent()) {
                (Route::Setup | Route::Accounts, _) => accounts::leave(app),
                (_, Route::Folders) => return false,
                (_, parent) => app.go(parent),
            }
            focus::rescue();
        }
        Shortcut::Help => app.help.set(true),
    }
    true
}

fn step(app: App, step: impl FnOnce(&mut List), open_it: bool) {
    app.list.update(step);
    app.reveal.notify();
    if open_it {
        open(app);
    }
}

fn open(app: App) {
    let row = app.list.with_untracked(|list| list.under_cursor().map(|row| row.id));
    if let Some(message) = row {
        app.picked.update(|picked| picked.clear());
        app.go(app.route_to(message));
    }
}

/// Picks all rows from where the last one was picked to the one so many below the cursor.
fn pick(app: App, by: i64) {
    let (cursor, total) =
        app.list.with_untracked(|list| (list.cursor(), list.total().unwrap_or(0)));
    let last = i64::from(total.saturating_sub(1));
    let to = i64::from(cursor).saturating_add(by).clamp(0, last);
    app.pick_to(u32::try_from(to).unwrap_or(cursor));
    app.reveal.notify();
}
