//! One folder as a file, and a file into one folder.

use leptos::prelude::*;
use postern_bridge::{ExportFormat, ExportScope, ImportTarget, MailboxId};

use super::{read::FileButton, save::FormatChoice};
use crate::{
    route::Route,
    state::App,
    text,
    view::{dialog::Frame, folders},
};

/// As what a folder is saved.
#[component]
pub(in crate::view) fn SaveFolder(mailbox: MailboxId) -> impl IntoView {
    let app = App::here();
    let name = name(app, mailbox);
    let what = name.clone();
    let format = RwSignal::new(ExportFormat::Mbox);
    view! {
        <Frame title=text::backup::save_folder(&name)>
            <FormatChoice format of_folder=true />
            <footer class="dialog-actions">
                <button class="button" on:click=move |_| app.dialog.set(None)>
                    {text::change::CANCEL}
                </button>
                <button
                    class="button is-primary"
                    data-test="dialog-yes"
                    on:click=move |_| {
                        let scope = ExportScope::Mailbox(mailbox);
                        app.save_mail(scope, format.get_untracked(), what.clone());
                        app.dialog.set(None);
                        app.go(Route::Storage);
                    }
                >
                    {text::backup::SAVE_FOLDER}
                </button>
            </footer>
        </Frame>
    }
}

/// Which file is read into a folder.
#[component]
pub(in crate::view) fn ImportInto(mailbox: MailboxId) -> impl IntoView {
    let app = App::here();
    // Once a file is picked, the page tells how far it is.
    Effect::new(move |_| {
        if app.transfer.with(|transfer| transfer.running().is_some()) {
            app.dialog.set(None);
            app.go(Route::Storage);
        }
    });
    view! {
        <Frame title=text::backup::import_into(&name(app, mailbox))>
            <p class="dialog-detail">{text::backup::IMPORT_DETAIL}</p>
            <footer class="dialog-actions">
                <button class="button" on:click=move |_| app.dialog.set(None)>
                    {text::change::CANCEL}
                </button>
                <FileButton
                    label=text::backup::CHOOSE_FILE
                    test="import-into-file"
                    accept=".mbox,.mbx,.eml,.zip"
                    target=Signal::stored(Some(ImportTarget::Mailbox(mailbox)))
                />
            </footer>
        </Frame>
    }
}

fn name(app: App, mailbox: MailboxId) -> String {
    app.mailboxes.with_untracked(|all| all.get(mailbox).map(folders::name).unwrap_or_default())
}
