//! Dialogs: what waits for an answer, over the page.

mod choose_folder;
mod confirm;
mod name_folder;
mod tags;

use leptos::{ev, html, prelude::*};
use postern_bridge::Change;

use self::{choose_folder::ChooseFolder, confirm::Confirm, name_folder::NameFolder, tags::Tags};
use super::{
    icons::{self, Icon},
    storage::{ImportInto, SaveFolder},
};
use crate::{
    browser::focus,
    state::{App, command::Purpose, dialog::Dialog},
    text,
};

/// The dialog, while there is one.
#[component]
pub(crate) fn DialogHost() -> impl IntoView {
    let app = App::here();
    move || {
        app.dialog.get().map(|dialog| match dialog {
            Dialog::ChooseFolder(purpose, messages) => {
                let account = move || {
                    let mailbox = app.route.get_untracked().mailbox()?;
                    app.mailboxes.with_untracked(|all| all.get(mailbox).map(|own| own.account))
                };
                let title = match purpose {
                    Purpose::Move => text::change::MOVE_TO,
                    Purpose::Copy => text::change::COPY_TO,
                };
                let here = app.route.get_untracked().mailbox();
                view! {
                    <ChooseFolder
                        title
                        account=account()
                        offer=move |mailbox| mailbox.may.take_messages && Some(mailbox.id) != here
                        on_choose=move |mailbox| {
                            if let Some(to) = mailbox {
                                app.put_into(purpose, messages.clone(), to);
                            }
                        }
                    />
                }
                    .into_any()
            }
            Dialog::PlaceFolder(id) => {
                let moved = app.mailboxes.with_untracked(|all| all.get(id).cloned());
                moved
                    .map(|moved| {
                        let name = moved.name.clone();
                        view! {
                            <ChooseFolder
                                title=text::change::PLACE_IN
                                account=Some(moved.account)
                                top=moved.parent.is_some()
                                offer=move |mailbox| {
                                    mailbox.may.have_children && mailbox.id != id
                                        && Some(mailbox.id) != moved.parent
                                        && !app
                                            .mailboxes
                                            .with_untracked(|all| all.is_within(mailbox.id, id))
                                }
                                on_choose=move |parent| {
                                    let name = name.clone();
                                    app.change(Change::MoveMailbox { mailbox: id, parent, name }, true);
                                }
                            />
                        }
                    })
                    .into_any()
            }
            Dialog::Tags(messages, count) => view! { <Tags messages count /> }.into_any(),
            Dialog::NewFolder(account, parent) => {
                view! {
                    <NameFolder
                        title=text::change::NEW_FOLDER
                        name=String::new()
                        yes=text::change::CREATE
                        on_name=move |name| {
                            app.change(Change::CreateMailbox { account, parent, name }, true);
                        }
                    />
                }
                    .into_any()
            }
            Dialog::RenameFolder(id) => {
                let renamed = app.mailboxes.with_untracked(|all| all.get(id).cloned());
                renamed
                    .map(|renamed| {
                        let parent = renamed.parent;
                        view! {
                            <NameFolder
                                title=text::change::RENAME_FOLDER
                                name=renamed.name
                                yes=text::change::RENAME
                                on_name=move |name| {
                                    app.change(Change::MoveMailbox { mailbox: id, parent, name }, true);
                                }
                            />
                        }
                    })
                    .into_any()
            }
            Dialog::SaveFolder(mailbox) => view! { <SaveFolder mailbox /> }.into_any(),
            Dialog::ImportInto(mailbox) => view! { <ImportInto mailbox /> }.into_any(),
            Dialog::Confirm(question) => view! { <Confirm question /> }.into_any(),
        })
    }
}

/// A dialog's frame: the browser keeps the keyboard in it and closes it on Escape.
#[component]
pub(super) fn Frame(
    /// What it is about.
    title: String,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let app = App::here();
    let dialog = NodeRef::<html::Dialog>::new();
    let before = StoredValue::new_local(focus::current());
    on_cleanup(move || {
        before.try_with_value(|before| focus::give_back(before.as_ref()));
    });
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            // Fails only for a dialog that is open already.
            let _ = dialog.show_modal();
        }
    });
    view! {
        <dialog
            class="dialog"
            data-test="dialog"
            aria-labelledby="dialog-title"
            node_ref=dialog
            on:cancel=move |event: ev::Event| {
                event.prevent_default();
                app.dialog.set(None);
            }
        >
            <header class="sheet-head">
                <h2 id="dialog-title">{title}</h2>
                <button
                    class="button is-icon"
                    data-test="dialog-close"
                    aria-label=text::shell::CLOSE
                    on:click=move |_| app.dialog.set(None)
                >
                    <Icon glyph=icons::CLOSE />
                </button>
            </header>
            {children()}
        </dialog>
    }
}
