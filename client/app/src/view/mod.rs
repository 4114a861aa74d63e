//! What is drawn. A view takes data from the state and emits intents; it decides nothing.

#![expect(unreachable_pub, reason = "the component macro makes a component's properties public")]

mod access;
mod account;
mod accounts;
mod avatar;
mod certificate;
mod compose;
mod connection;
mod dialog;
mod folders;
mod help;
mod icons;
mod keys;
mod list;
mod menu;
mod reader;
mod setup;
mod shell;
mod status;
mod storage;
mod toasts;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    browser::update::{self, Version},
    state::{App, toasts::Toasts},
};

/// The whole page.
#[component]
pub(crate) fn Root() -> impl IntoView {
    let app = App::start();
    provide_context(app);
    app.follow();
    app.restore_draft();
    app.restore_put_off();
    keys::listen(app);
    spawn_local(update::register(move |version| match version {
        Version::Ready => app.toasts.update(Toasts::update_ready),
        Version::NotKept => app.page_not_kept.set(true),
        Version::Kept => app.page_not_kept.set(false),
    }));
    view! {
        <shell::Shell />
        <compose::Compose />
        <help::Help />
        <dialog::DialogHost />
        <menu::MenuHost />
        <toasts::ToastList />
    }
}
