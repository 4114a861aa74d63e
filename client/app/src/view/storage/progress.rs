//! The file that is being written or read, and what came of it.

use leptos::prelude::*;
use postern_bridge::ExportScope;

use crate::{
    format,
    state::{
        App,
        accounts::fraction,
        transfer::{Kind, Outcome, Transfer},
    },
    text,
    view::icons::{self, Icon},
};

/// How far it is, with a way to stop it; then what came of it.
#[component]
pub(super) fn TransferState() -> impl IntoView {
    let app = App::here();
    let running = Memo::new(move |_| app.transfer.with(|own| own.running().is_some()));
    let asks = Memo::new(move |_| app.transfer.with(|own| own.asked().is_some()));
    let ended = Memo::new(move |_| {
        app.transfer.with(|own| Some((own.name().to_owned(), own.ended()?.clone())))
    });
    view! {
        <Show when=move || asks.get()>
            <Asking />
        </Show>
        <Show when=move || running.get() && !asks.get()>
            <Running />
        </Show>
        {move || {
            ended.get().map(|(name, (kind, outcome))| view! { <Ended name kind outcome /> })
        }}
    }
}

#[component]
fn Running() -> impl IntoView {
    let app = App::here();
    let words = move || {
        app.transfer
            .with(|own| text::backup::progress(own.name(), own.place(), own.progress().as_ref()))
    };
    let done = move || app.transfer.with(|own| own.progress().as_ref().and_then(fraction));
    view! {
        <section class="card transfer" data-test="transfer">
            <p role="status">{words}</p>
            {move || match done() {
                Some(done) => view! { <progress max="1" value=done aria-label=words></progress> }.into_any(),
                None => view! { <progress aria-label=words></progress> }.into_any(),
            }}
            <button
                class="button"
                data-test="transfer-stop"
                on:click=move |_| app.stop_transfer()
            >
                {text::backup::STOP}
            </button>
        </section>
    }
}

/// Asks whether a download was saved: a backup that is not there must not count as one.
#[component]
fn Asking() -> impl IntoView {
    let app = App::here();
    let words = move || app.transfer.with(|own| text::backup::is_it_saved(own.name()));
    view! {
        <section class="card transfer" data-test="transfer-asks">
            <p role="status">{words}</p>
            <button
                class="button is-primary"
                data-test="transfer-saved"
                on:click=move |_| app.confirm_saved()
            >
                {text::backup::IS_SAVED}
            </button>
            <button
                class="button"
                data-test="transfer-lost"
                on:click=move |_| app.stop_transfer()
            >
                {text::backup::IS_NOT_SAVED}
            </button>
        </section>
    }
}

#[component]
fn Ended(name: String, kind: Kind, outcome: Outcome) -> impl IntoView {
    let app = App::here();
    let (state, glyph, words, problems) = match (outcome, kind) {
        (Outcome::Exported(own), kind) => {
            let of_folder = matches!(kind, Kind::Export(ExportScope::Mailbox(_)));
            let accounts = own.incomplete.iter().filter(|_| !of_folder);
            let incomplete: Vec<String> = app.accounts.with_untracked(|all| {
                let known = accounts.filter_map(|account| all.get(*account));
                known.map(|account| account.identity.address.clone()).collect()
            });
            let size = format::size(own.bytes);
            let words = text::backup::exported(&name, &own, &size, &incomplete);
            ("good", icons::GOOD, words, Vec::new())
        }
        (Outcome::Imported(own), _) => {
            let words = text::backup::imported(&name, &own);
            ("good", icons::GOOD, words, own.problems)
        }
        (Outcome::ImportedAll(own), _) => {
            let words = text::backup::imported_all(&own);
            let (state, glyph) = match own.refused {
                0 => ("good", icons::GOOD),
                refused if refused == own.files => ("bad", icons::WARNING),
                _ => ("mixed", icons::WARNING),
            };
            (state, glyph, words, [own.refusals, own.sum.problems].concat())
        }
        (Outcome::Failed(sentence), _) => ("bad", icons::WARNING, sentence, Vec::new()),
        (Outcome::Stopped, Kind::Export(_)) => {
            ("none", icons::FILE, text::backup::EXPORT_STOPPED.to_owned(), Vec::new())
        }
        (Outcome::Stopped, Kind::Import(_)) => {
            ("none", icons::FILE, text::backup::STOPPED.to_owned(), Vec::new())
        }
    };
    view! {
        <section class="card transfer" data-test="transfer-ended" data-state=state role="status">
            <p class="transfer-words">
                <Icon glyph />
                <span>{words}</span>
            </p>
            <button
                class="button"
                on:click=move |_| app.transfer.update(Transfer::forget)
            >
                {text::backup::DISMISS}
            </button>
            {(!problems.is_empty())
                .then(|| {
                    view! {
                        <ul class="transfer-problems">
                            {problems.into_iter().map(|line| view! { <li dir="auto">{line}</li> }).collect_view()}
                        </ul>
                    }
                })}
        </section>
    }
}
