//! Restoring a backup, and importing mail.

use leptos::{html, prelude::*};
use postern_bridge::{ImportTarget, MailboxId};

use crate::{
    browser::files,
    state::App,
    text,
    view::{
        folders,
        icons::{self, Icon},
    },
};

/// The kinds of files that the browser offers first.
pub(super) const BACKUPS: &str = ".zip,application/zip";
const MAIL: &str = ".mbox,.mbx,.eml,.zip,message/rfc822,application/mbox,application/zip";

/// Both ways.
#[component]
pub(super) fn BringBack() -> impl IntoView {
    let app = App::here();
    let folders = move || local_folders(app);
    let chosen = RwSignal::new(None::<MailboxId>);
    let into = move || chosen.get().or_else(|| folders().first().map(|(id, _)| *id));
    view! {
        <section class="card setup-form" aria-labelledby="bring-back-title">
            <h2 id="bring-back-title">{text::backup::BRING_BACK}</h2>
            <div class="way">
                <p class="field-hint">{text::backup::RESTORE_DETAIL}</p>
                <FileButton
                    label=text::backup::RESTORE
                    test="restore-file"
                    accept=BACKUPS
                    target=Signal::stored(Some(ImportTarget::Restore))
                />
            </div>
            <Show when=move || !folders().is_empty()>
                <hr />
                <div class="way">
                    <p class="field-hint">{text::backup::IMPORT_DETAIL}</p>
                    <div class="field">
                        <label>
                            <span class="field-label">{text::backup::INTO}</span>
                            <select
                                class="input"
                                data-test="import-into"
                                on:change:target=move |event| {
                                    chosen.set(event.target().value().parse().ok().map(MailboxId));
                                }
                            >
                                <For each=folders key=Clone::clone let((id, name))>
                                    <option value=id.0.to_string()>{name}</option>
                                </For>
                            </select>
                        </label>
                    </div>
                    <FileButton
                        label=text::backup::IMPORT
                        test="import-file"
                        accept=MAIL
                        target=Signal::derive(move || into().map(ImportTarget::Mailbox))
                    />
                </div>
            </Show>
        </section>
    }
}

/// A button that has the person pick a file, which is then read; or several, where mail goes into one
/// folder.
#[component]
pub(super) fn FileButton(
    /// What it says.
    label: &'static str,
    /// The name that tests know its field by.
    test: &'static str,
    /// The kinds of files.
    accept: &'static str,
    /// Where the mail goes.
    target: Signal<Option<ImportTarget>>,
) -> impl IntoView {
    let app = App::here();
    let field = NodeRef::<html::Input>::new();
    let busy = move || app.transfer.with(|transfer| transfer.running().is_some());
    view! {
        <button
            type="button"
            class="button"
            aria-disabled=move || busy().to_string()
            on:click=move |_| {
                if let Some(field) = field.get_untracked().filter(|_| !busy()) {
                    field.click();
                }
            }
        >
            <Icon glyph=icons::FILE />
            {label}
        </button>
        <input
            type="file"
            hidden
            data-test=test
            accept=accept
            multiple=move || matches!(target.get(), Some(ImportTarget::Mailbox(_)))
            node_ref=field
            on:change:target=move |event| {
                let picked = event.target();
                let files = files::all(picked.files());
                // The same file can be picked again.
                picked.set_value("");
                if let Some(target) = target.get_untracked() {
                    app.read_mail(files, target);
                }
            }
        />
    }
}

/// The folders that are kept in this browser, with their accounts.
fn local_folders(app: App) -> Vec<(MailboxId, String)> {
    app.accounts.with(|accounts| {
        app.mailboxes.with(|mailboxes| {
            let of = |account: &postern_bridge::AccountView| {
                let address = account.identity.address.clone();
                let own = mailboxes.of(account.id).unwrap_or_default().to_vec();
                own.into_iter()
                    .filter(|mailbox| mailbox.local && mailbox.may.take_messages)
                    .map(move |mailbox| {
                        let indent = "\u{2003}".repeat(mailbox.depth.into());
                        (mailbox.id, format!("{indent}{} – {address}", folders::name(&mailbox)))
                    })
                    .collect::<Vec<_>>()
            };
            accounts.all().iter().flat_map(of).collect()
        })
    })
}
