//! Local folders, copied to an IMAP account.

use leptos::prelude::*;
use postern_bridge::{AccountId, AccountView, CopyState, Intent, Protocol};

use crate::{
    state::{App, accounts::fraction},
    text,
    view::icons::{self, Icon},
};

/// From which account to which, and how far it is. Shown where there is one of each kind.
#[component]
pub(super) fn CopyToImap() -> impl IntoView {
    let app = App::here();
    let of = move |protocol| {
        Memo::new(move |_| {
            app.accounts.with(|accounts| {
                let own = accounts.all().iter().filter(|account| account.protocol == protocol);
                let labelled = |own: &AccountView| (own.id, own.identity.address.clone());
                own.map(labelled).collect::<Vec<_>>()
            })
        })
    };
    let (sources, targets) = (of(Protocol::Pop3), of(Protocol::Imap));
    let from = RwSignal::new(None::<AccountId>);
    let to = RwSignal::new(None::<AccountId>);
    let first =
        |all: Memo<Vec<(AccountId, String)>>| all.with(|all| all.first().map(|(id, _)| *id));
    let from_now = move || from.get().or_else(|| first(sources));
    let to_now = move || to.get().or_else(|| first(targets));
    view! {
        <Show when=move || sources.with(|all| !all.is_empty()) && targets.with(|all| !all.is_empty())>
            <section class="card setup-form" aria-labelledby="copy-title" data-test="copy-to-imap">
                <h2 id="copy-title">{text::backup::COPY}</h2>
                <p class="field-hint">{text::backup::COPY_DETAIL}</p>
                <div class="fields is-two copy-fields">
                    <AccountField label=text::backup::COPY_FROM test="copy-from" accounts=sources chosen=from />
                    <AccountField label=text::backup::COPY_TO test="copy-to" accounts=targets chosen=to />
                </div>
                <Copies />
                <footer class="setup-actions">
                    <button
                        type="button"
                        class="button"
                        data-test="copy-start"
                        on:click=move |_| {
                            if let Some((from, to)) = from_now().zip(to_now()) {
                                app.send(Intent::CopyToImap { from, to });
                            }
                        }
                    >
                        <Icon glyph=icons::COPY />
                        {text::backup::COPY_START}
                    </button>
                </footer>
            </section>
        </Show>
    }
}

#[component]
fn AccountField(
    label: &'static str,
    test: &'static str,
    accounts: Memo<Vec<(AccountId, String)>>,
    chosen: RwSignal<Option<AccountId>>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label>
                <span class="field-label">{label}</span>
                <select
                    class="input"
                    data-test=test
                    on:change:target=move |event| {
                        chosen.set(event.target().value().parse().ok().map(AccountId));
                    }
                >
                    <For each=move || accounts.get() key=Clone::clone let((id, address))>
                        <option value=id.0.to_string()>{address}</option>
                    </For>
                </select>
            </label>
        </div>
    }
}

/// How far each copy is.
#[component]
fn Copies() -> impl IntoView {
    let app = App::here();
    let copies = move || {
        app.copies.with(|copies| {
            copies.iter().map(|(from, (_, state))| (*from, state.clone())).collect::<Vec<_>>()
        })
    };
    move || {
        copies()
            .into_iter()
            .map(|(from, state)| {
                let address = app.accounts.with_untracked(|accounts| {
                    accounts.get(from).map(|own| own.identity.address.clone()).unwrap_or_default()
                });
                let (name, button) = match state {
                    CopyState::Running(_) => ("running", text::backup::STOP),
                    CopyState::Waiting(_) => ("waiting", text::backup::STOP),
                    CopyState::Done { .. } => ("done", text::backup::DISMISS),
                    CopyState::Failed(_) => ("failed", text::backup::DISMISS),
                };
                let done = match &state {
                    CopyState::Running(progress) => fraction(progress),
                    _ => None,
                };
                view! {
                    <div class="transfer copy" data-test="copy-state" data-state=name>
                        <p role="status">{text::backup::copy_state(&address, &state)}</p>
                        {done.map(|done| view! { <progress max="1" value=done></progress> })}
                        <button
                            type="button"
                            class="button"
                            on:click=move |_| app.send(Intent::StopCopy { from })
                        >
                            {button}
                        </button>
                    </div>
                }
            })
            .collect_view()
    }
}
