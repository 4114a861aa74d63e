//! Saving a backup, and being reminded of it.

use leptos::prelude::*;
use postern_bridge::{AccountId, ExportFormat, ExportScope, Extent, Intent, Reminder};

use crate::{
    state::{App, storage::Care},
    text,
    view::icons::{self, Icon},
};

/// What is saved, as what, and how often to be reminded.
#[component]
pub(super) fn BackUp() -> impl IntoView {
    let app = App::here();
    let account = RwSignal::new(None::<AccountId>);
    let format = RwSignal::new(ExportFormat::Zip);
    let addresses = move || {
        app.accounts.with(|accounts| {
            let own = |account: &postern_bridge::AccountView| {
                let address = &account.identity.address;
                let protocol = text::backup::protocol(account.protocol);
                (account.id, format!("{address} ({protocol})"))
            };
            accounts.all().iter().map(own).collect::<Vec<_>>()
        })
    };
    let busy = move || app.transfer.with(|transfer| transfer.running().is_some());
    let save = move |_| {
        if busy() {
            return;
        }
        let chosen = account.get_untracked();
        let address = app
            .accounts
            .with_untracked(|accounts| Some(accounts.get(chosen?)?.identity.address.clone()));
        match (chosen, address) {
            (Some(id), Some(address)) => {
                app.save_mail(ExportScope::Account(id), format.get_untracked(), address);
            }
            _ => {
                let what = text::backup::EVERYTHING.to_owned();
                app.save_mail(ExportScope::Everything, format.get_untracked(), what);
            }
        }
    };
    view! {
        <section class="card setup-form" aria-labelledby="back-up-title">
            <h2 id="back-up-title">{text::backup::BACK_UP}</h2>
            <p class="field-hint">{text::backup::BACK_UP_DETAIL}</p>
            <div class="field">
                <label>
                    <span class="field-label">{text::backup::WHAT}</span>
                    <select
                        class="input"
                        data-test="backup-what"
                        on:change:target=move |event| {
                            account.set(event.target().value().parse().ok().map(AccountId));
                        }
                    >
                        <option value="">{text::backup::EVERYTHING}</option>
                        <For each=addresses key=Clone::clone let((id, address))>
                            <option value=id.0.to_string()>{address}</option>
                        </For>
                    </select>
                </label>
            </div>
            <FormatChoice format of_folder=false />
            <Show when=move || format.get() == ExportFormat::Zip && has_headers(app, account.get())>
                <p class="note" data-test="backup-headers">
                    <Icon glyph=icons::STORAGE />
                    {text::backup::HEADERS}
                </p>
            </Show>
            <Show when=move || app.gathers.get()>
                <p class="note" data-test="backup-gathered">
                    <Icon glyph=icons::STORAGE />
                    {text::backup::GATHERED}
                </p>
            </Show>
            <footer class="setup-actions">
                <button
                    class="button is-primary"
                    data-test="backup-save"
                    aria-disabled=move || busy().to_string()
                    on:click=save
                >
                    <Icon glyph=icons::DOWNLOAD />
                    {text::backup::SAVE}
                </button>
                <ReminderChoice />
            </footer>
        </section>
    }
}

/// Whether an account that is saved, or any of all, leaves parts of its mail on the server.
fn has_headers(app: App, chosen: Option<AccountId>) -> bool {
    app.accounts.with(|accounts| {
        let mut saved = accounts.all().iter().filter(|own| chosen.is_none_or(|id| own.id == id));
        saved.any(|own| own.extent != Extent::Whole)
    })
}

/// The kind of file.
#[component]
pub(super) fn FormatChoice(
    /// What is chosen.
    format: RwSignal<ExportFormat>,
    /// Whether a folder alone is saved.
    of_folder: bool,
) -> impl IntoView {
    let (zip, zip_detail, mbox_detail) = if of_folder {
        (
            text::backup::ZIP_FOLDER,
            text::backup::ZIP_FOLDER_DETAIL,
            text::backup::MBOX_FOLDER_DETAIL,
        )
    } else {
        (text::backup::ZIP, text::backup::ZIP_DETAIL, text::backup::MBOX_DETAIL)
    };
    let choice = move |own: ExportFormat, test, label, detail| {
        view! {
            <label class="choice is-tall">
                <input
                    type="radio"
                    name="backup-format"
                    data-test=test
                    prop:checked=move || format.get() == own
                    on:change=move |_| format.set(own)
                />
                <span class="choice-words">
                    <span>{label}</span>
                    <span class="field-hint">{detail}</span>
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="question">
            <legend>{text::backup::FORMAT}</legend>
            {choice(ExportFormat::Zip, "backup-zip", zip, zip_detail)}
            {choice(ExportFormat::Mbox, "backup-mbox", text::backup::MBOX, mbox_detail)}
        </fieldset>
    }
}

#[component]
fn ReminderChoice() -> impl IntoView {
    let app = App::here();
    let chosen = Memo::new(move |_| app.care.with(Care::reminder));
    let option = move |(at, (reminder, label)): (usize, (Reminder, &'static str))| {
        view! {
            <option value=at.to_string() selected=move || chosen.get() == reminder>
                {label}
            </option>
        }
    };
    view! {
        <label class="reminder">
            <span>{text::backup::REMIND}</span>
            <select
                class="input"
                data-test="backup-reminder"
                on:change:target=move |event| {
                    let at = event.target().value().parse::<usize>().ok();
                    if let Some((reminder, _)) = at.and_then(|at| text::backup::REMINDERS.get(at)) {
                        app.send(Intent::RemindOfBackup(*reminder));
                    }
                }
            >
                {text::backup::REMINDERS.into_iter().enumerate().map(option).collect_view()}
            </select>
        </label>
    }
}
