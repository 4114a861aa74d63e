//! Keys that work anywhere on the page.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use super::accounts;
use crate::{
    browser::focus,
    route::Route,
    shortcut::{Shortcut, shortcut},
    state::{App, draft::Audience, list::List},
};

/// Listens for shortcuts as long as the page lives.
pub(crate) fn listen(app: App) {
    let _ = window_event_listener(ev::keydown, move |event| {
        let Some(shortcut) = wanted(&event) else { return };
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
    if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    let inside = |selector| {
        target.as_ref().is_some_and(|target| matches!(target.closest(selector), Ok(Some(_))))
    };
    if inside("input, textarea, select, [contenteditable], .compose:not(.is-minimized)") {
        return None;
    }
    let shortcut = shortcut(&event.key(), inside("[role=listbox]"))?;
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
        Shortcut::Scroll if reading => focus::give(focus::MESSAGE),
        Shortcut::ToggleSeen => toggle_seen(app),
        Shortcut::Reply if reading => app.reply(Audience::Sender),
        Shortcut::ReplyAll if reading => app.reply(Audience::All),
        Shortcut::Forward if reading => app.forward(),
        Shortcut::Scroll | Shortcut::Reply | Shortcut::ReplyAll | Shortcut::Forward => {
            return false;
        }
        Shortcut::Compose => app.compose(),
        Shortcut::Refresh => app.refresh(),
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
        app.go(Route::Message(message));
    }
}

fn toggle_seen(app: App) {
    let row = app.list.with_untracked(|list| {
        let open = app.route.get_untracked().message();
        open.and_then(|message| list.find(message)).or_else(|| list.under_cursor()).cloned()
    });
    if let Some(row) = row {
        app.mark_seen(row.id, !row.flags.seen);
    }
}
