//! The rows in view, of a list of any length.
//!
//! As many elements as fit the view, and a few more, are made once. Scrolling gives an element that
//! leaves the view another row; it makes and removes none.

use std::{cell::Cell, rc::Rc};

use leptos::{ev, html, prelude::*};

use super::row::RowView;
use crate::{
    browser::{self, focus},
    state::{App, window},
    text,
};

/// A row's height, in units of the page's font size. The style sheet does not repeat it: it reads
/// `--row-height`.
const ROW_HEIGHT: f64 = 5.0;

/// The scrolled list.
#[component]
pub(crate) fn Rows() -> impl IntoView {
    let app = App::here();
    let scroller = NodeRef::<html::Div>::new();
    let row_height = (ROW_HEIGHT * browser::font_size()).round();
    let scroll_top = RwSignal::new(0.0);
    let view_height = RwSignal::new(0.0);
    let total = Memo::new(move |_| app.list.with(|list| list.total().unwrap_or(0)));
    let drawn = Memo::new(move |_| {
        window::drawn(scroll_top.get(), view_height.get(), row_height, total.get())
    });
    let slots = Memo::new(move |_| window::slots(view_height.get(), row_height));
    let cursor = Memo::new(move |_| app.list.with(|list| list.cursor()));

    let measure = move || {
        // A frame that was asked for may come when the list has gone.
        if let Some(scroller) = scroller.try_get_untracked().flatten() {
            let height = f64::from(scroller.client_height());
            view_height.set(height);
            app.page.set(((height / row_height) as u32).saturating_sub(1).max(1));
        }
    };
    Effect::new(move |_| {
        if scroller.get().is_some() {
            request_animation_frame(measure);
        }
    });
    let resized = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    // On a narrow screen the list has no height while another pane is shown.
    Effect::new(move |_| {
        app.route.track();
        request_animation_frame(measure);
        // The list is where the keyboard belongs when what had it has gone.
        focus::rescue();
    });

    // Another mailbox starts at its top, and so does what a search has found.
    let mailbox = Memo::new(move |_| {
        app.list.with(|list| {
            (list.mailbox(), list.searched().filter(|_| !list.is_outdated()).map(|own| own.request))
        })
    });
    Effect::new(move |before| {
        let mailbox = mailbox.get();
        if let (Some(before), Some(scroller)) = (before, scroller.get_untracked())
            && before != mailbox
        {
            scroller.set_scroll_top(0);
        }
        mailbox
    });

    ask_for(app, drawn);
    Effect::new(move |first: Option<()>| {
        app.reveal.track();
        if first.is_none() {
            return;
        }
        if let Some(scroller) = scroller.get_untracked() {
            let (row, top) = (cursor.get_untracked(), scroll_top.get_untracked());
            let view = view_height.get_untracked();
            if let Some(top) = window::scroll_to_show(row, top, view, row_height) {
                scroller.set_scroll_top(top as i32);
            }
        }
    });

    let active = move || {
        let cursor = cursor.get();
        drawn.get().contains(&cursor).then(|| row_id(cursor % slots.get()))
    };
    view! {
        <div
            class="rows"
            node_ref=scroller
            role="listbox"
            aria-multiselectable="true"
            tabindex="0"
            aria-label=text::list::LABEL
            aria-activedescendant=active
            style=("--row-height", format!("{row_height}px"))
            on:scroll=move |_| {
                if let Some(scroller) = scroller.get_untracked() {
                    scroll_top.set(f64::from(scroller.scroll_top()));
                }
            }
        >
            <div
                class="rows-all"
                role="presentation"
                style:height=move || format!("{}px", f64::from(total.get()) * row_height)
            >
                <For each=move || 0..slots.get() key=|slot| *slot let(slot)>
                    <RowView
                        id=row_id(slot)
                        index=Memo::new(move |_| {
                            let drawn = drawn.get();
                            let row = window::row_of_slot(slot, slots.get(), drawn.start);
                            drawn.contains(&row).then_some(row)
                        })
                        total
                        row_height
                    />
                </For>
            </div>
        </div>
    }
}

/// Asks the engine for what is drawn, once per frame at most.
fn ask_for(app: App, drawn: Memo<std::ops::Range<u32>>) {
    let waits = Rc::new(Cell::new(false));
    Effect::new(move |_| {
        drawn.track();
        if waits.replace(true) {
            return;
        }
        let waits = Rc::clone(&waits);
        request_animation_frame(move || {
            waits.set(false);
            if let Some(drawn) = drawn.try_get_untracked() {
                app.show_rows(&drawn);
            }
        });
    });
}

fn row_id(slot: u32) -> String {
    format!("row-{slot}")
}
