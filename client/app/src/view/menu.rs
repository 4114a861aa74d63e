//! The menu that is open, over everything else.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::icons::{self, Icon};
use crate::{
    browser::focus,
    state::{App, command::Command, dialog::Menu},
    text,
};

/// Opens a menu below the button that was pressed.
pub(super) fn open_below(app: App, event: &MouseEvent, commands: Vec<Command>) {
    let button = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = button else { return };
    let place = button.get_bounding_client_rect();
    app.menu.set(Some(Menu { x: place.left(), y: place.bottom(), commands }));
}

/// Opens a menu where the pointer is.
pub(super) fn open_at_pointer(app: App, event: &MouseEvent, commands: Vec<Command>) {
    event.prevent_default();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    app.menu.set(Some(Menu { x, y, commands }));
}

/// The menu, while there is one.
#[component]
pub(crate) fn MenuHost() -> impl IntoView {
    let app = App::here();
    move || app.menu.get().map(|menu| view! { <OpenMenu menu /> })
}

#[component]
fn OpenMenu(menu: Menu) -> impl IntoView {
    let app = App::here();
    let list = NodeRef::<html::Div>::new();
    let before = StoredValue::new_local(focus::current());
    on_cleanup(move || {
        before.try_with_value(|before| focus::give_back(before.as_ref()));
    });
    let Menu { x, y, commands } = menu;
    Effect::new(move |_| {
        let Some(list) = list.get() else { return };
        keep_in_view(&list, x, y);
        step(&list, 0);
    });
    let on_key = move |event: KeyboardEvent| {
        let Some(list) = list.get_untracked() else { return };
        match event.key().as_str() {
            "ArrowDown" => step(&list, 1),
            "ArrowUp" => step(&list, -1),
            "Escape" | "Tab" => app.menu.set(None),
            _ => return,
        }
        event.prevent_default();
    };
    let entry = move |command: Command| {
        let danger = matches!(
            command,
            Command::DeleteForGood | Command::DeleteFolder(_) | Command::EmptyFolder(_)
        );
        let (glyph, label) = (icons::of_command(&command), text::change::label(&command));
        // It keeps the focus, so that whoever comes to it hears why.
        let why = untrack(|| app.forbids(&command)).map(text::change::forbidden);
        view! {
            <button
                class="menu-entry"
                class:is-danger=danger
                role="menuitem"
                tabindex="-1"
                data-test="menu-entry"
                title=why
                aria-disabled=why.map(|_| "true")
                on:click=move |_| {
                    app.menu.set(None);
                    app.obey(command.clone());
                }
            >
                <Icon glyph />
                {label}
            </button>
        }
    };
    view! {
        <div
            class="menu-veil"
            on:click=move |_| app.menu.set(None)
            on:contextmenu=move |event| {
                event.prevent_default();
                app.menu.set(None);
            }
        >
            <div
                class="menu"
                role="menu"
                aria-label=text::change::MENU
                node_ref=list
                on:keydown=on_key
                on:click=|event| event.stop_propagation()
            >
                {commands.into_iter().map(entry).collect_view()}
            </div>
        </div>
    }
}

/// Puts the menu at a place, or as near to it as it is wholly in view.
fn keep_in_view(list: &HtmlElement, x: f64, y: f64) {
    const MARGIN: f64 = 8.0;
    let page = document().document_element();
    let (width, height) = page.map_or((0, 0), |page| (page.client_width(), page.client_height()));
    let within =
        |wanted: f64, size: i32, room: i32| wanted.min(f64::from(room - size) - MARGIN).max(MARGIN);
    let style = leptos::web_sys::HtmlElement::style(list);
    let left = within(x, list.offset_width(), width);
    let top = within(y, list.offset_height(), height);
    // Fails only for what is no property's name.
    let _ = style.set_property("left", &format!("{left}px"));
    let _ = style.set_property("top", &format!("{top}px"));
}

/// Gives the focus to the entry so many below the one that has it; the last is followed by the
/// first. With 0, to the first.
fn step(list: &HtmlElement, by: i32) {
    let entries = list.children();
    let count = i32::try_from(entries.length()).unwrap_or(i32::MAX);
    if count == 0 {
        return;
    }
    let focused = document().active_element();
    let now = (0..count).find(|at| entries.item(at.unsigned_abs()) == focused).unwrap_or(0);
    let next = (now + by).rem_euclid(count);
    if let Some(entry) = entries.item(next.unsigned_abs())
        && let Some(entry) = entry.dyn_ref::<HtmlElement>()
    {
        let _ = entry.focus();
    }
}
