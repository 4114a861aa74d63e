//! The form that changes an account.

use leptos::prelude::*;
use postern_bridge::{AccountId, Protocol, ServerRole, TlsEnd};

use super::{part, preview::DeletionPreview};
use crate::{
    browser::focus,
    state::{
        App,
        account::{Changing, Edit, Field, Outcome, ServerEdit},
    },
    text,
    view::{
        certificate::Refused,
        icons::{self, Icon},
        setup::{
            ExtentChoice, ProofChoice, RetentionChoice, SecurityField, TextField, TlsEndChoice,
            Unprotected,
        },
    },
};

/// Name, servers, password, where TLS ends, and what a POP3 account leaves on the server.
#[component]
pub(super) fn Settings(
    /// The account.
    account: AccountId,
    /// What is in the form.
    edit: RwSignal<Edit>,
) -> impl IntoView {
    let app = App::here();
    // What was said about other settings than those in the form is no longer true.
    Effect::new(move |before: Option<Edit>| {
        let now = edit.get();
        if before.is_some_and(|before| now.differs(&before)) {
            app.changing.update(|changing| changing.outcome = None);
        }
        now
    });
    // The password is not kept longer than it is needed.
    let saved =
        Memo::new(move |_| app.changing.with(|changing| changing.outcome == Some(Outcome::Saved)));
    Effect::new(move |_| {
        if saved.get() {
            edit.update(|edit| edit.password.clear());
        }
    });
    let downloads = part(app, account, |account| account.protocol == Protocol::Pop3);
    let busy = move || app.changing.with(Changing::is_busy);
    view! {
        <form
            class="card setup-form"
            novalidate
            data-test="account-form"
            on:submit=move |event| {
                event.prevent_default();
                submit(app, account, edit);
            }
        >
            <h2>{text::account::EDIT}</h2>
            <TlsEndChoice
                group="account-tls-end"
                end=Signal::derive(move || edit.with(Edit::tls_end))
                on_choose=move |end| edit.update(|edit| edit.set_tls_end(end))
            />
            <div class="servers">
                <ServerFields edit server=ServerRole::Incoming />
                <ServerFields edit server=ServerRole::Outgoing />
            </div>
            <Unprotected shown=Signal::derive(move || edit.with(Edit::is_unprotected)) />
            <Show when=move || downloads.get() == Some(true)>
                <RetentionChoice
                    retention=Signal::derive(move || edit.with(|edit| edit.retention))
                    on_choose=move |retention| edit.update(|edit| edit.retention = retention)
                />
                <DeletionPreview
                    account
                    retention=Signal::derive(move || edit.with(|edit| edit.retention))
                />
                <ExtentChoice
                    extent=Signal::derive(move || edit.with(|edit| edit.extent))
                    on_choose=move |extent| edit.update(|edit| edit.extent = extent)
                />
            </Show>
            <div class="fields is-two">
                <TextField
                    label=text::setup::NAME
                    test="account-name"
                    autocomplete="name"
                    hint=text::setup::NAME_HINT
                    problem=Signal::stored(None)
                    value=Signal::derive(move || edit.with(|edit| edit.name.clone()))
                    on_type=move |name| edit.update(|edit| edit.name = name)
                />
                <TextField
                    label=text::account::NEW_PASSWORD
                    test="account-password"
                    kind="password"
                    autocomplete="current-password"
                    hint=text::account::NEW_PASSWORD_HINT
                    problem=Signal::stored(None)
                    value=Signal::derive(move || edit.with(|edit| edit.password.clone()))
                    on_type=move |password| edit.update(|edit| edit.password = password)
                />
            </div>
            <ProofChoice
                test="account-token"
                proof=Signal::derive(move || edit.with(|edit| edit.proof))
                on_choose=move |proof| edit.update(|edit| edit.proof = proof)
            />
            <Result />
            <footer class="setup-actions">
                <button
                    type="submit"
                    class="button is-primary"
                    data-test="account-save"
                    aria-disabled=move || busy().to_string()
                >
                    {move || if busy() { text::account::SAVING } else { text::account::SAVE }}
                </button>
                <p class="field-hint">{text::account::TESTED_FIRST}</p>
            </footer>
        </form>
        <RefusedChange account edit />
    }
}

/// Sends the settings again from a refusal, and takes the focus from there: it goes with the refusal.
fn submit_again(app: App, account: AccountId, edit: RwSignal<Edit>) {
    focus::give("[data-test=account-save]");
    submit(app, account, edit);
}

/// Sends the settings with both secure connections made in the browser.
pub(super) fn connect_here(app: App, account: AccountId, edit: RwSignal<Edit>) {
    edit.update(|edit| edit.set_tls_end(TlsEnd::Browser));
    // Only then: the form, now changed, first forgets what was said about it before.
    request_animation_frame(move || submit_again(app, account, edit));
}

fn submit(app: App, account: AccountId, edit: RwSignal<Edit>) {
    if app.changing.with_untracked(Changing::is_busy) {
        return;
    }
    let change = app.accounts.with_untracked(|accounts| {
        let present = accounts.get(account)?;
        Some(edit.with_untracked(|edit| edit.change(present)))
    });
    // An account that is gone has no settings; the page says so.
    let Some(change) = change else { return };
    match change {
        Ok(change) => app.change_account(account, change),
        Err((field, sentence)) => {
            app.changing.update(|own| own.outcome = Some(Outcome::Wrong(field, sentence)));
            focus::give(focus::INVALID);
        }
    }
}

/// The fields' names that tests know them by.
struct Tests {
    host: &'static str,
    port: &'static str,
    security: &'static str,
    username: &'static str,
}

const INCOMING: Tests = Tests {
    host: "account-in-host",
    port: "account-in-port",
    security: "account-in-security",
    username: "account-in-username",
};

const OUTGOING: Tests = Tests {
    host: "account-out-host",
    port: "account-out-port",
    security: "account-out-security",
    username: "account-out-username",
};

#[component]
fn ServerFields(edit: RwSignal<Edit>, server: ServerRole) -> impl IntoView {
    let app = App::here();
    let (title, tests) = match server {
        ServerRole::Incoming => (text::setup::INCOMING, &INCOMING),
        ServerRole::Outgoing => (text::setup::OUTGOING, &OUTGOING),
    };
    let read = move |value: fn(&ServerEdit) -> &String| {
        Signal::derive(move || edit.with(|edit| value(edit.server(server)).clone()))
    };
    let problem = move |field: Field| {
        Signal::derive(move || {
            app.changing.with(|changing| match changing.outcome {
                Some(Outcome::Wrong(wrong, sentence)) if wrong == field => Some(sentence.into()),
                _ => None,
            })
        })
    };
    let change = move |change: &dyn Fn(&mut ServerEdit)| {
        edit.update(|edit| change(edit.server_mut(server)));
    };
    view! {
        <fieldset class="server">
            <legend>{title}</legend>
            <div class="fields is-host">
                <TextField
                    label=text::setup::HOST
                    test=tests.host
                    inputmode="url"
                    problem=problem(Field::Host(server))
                    value=read(|server| &server.host)
                    on_type=move |host| change(&|server| server.host.clone_from(&host))
                />
                <TextField
                    label=text::setup::PORT
                    test=tests.port
                    inputmode="numeric"
                    problem=problem(Field::Port(server))
                    value=read(|server| &server.port)
                    on_type=move |port| change(&|server| server.port.clone_from(&port))
                />
            </div>
            <SecurityField
                test=tests.security
                security=Signal::derive(move || edit.with(|edit| edit.server(server).security))
                on_choose=move |security| change(&|server| server.security = security)
            />
            <TextField
                label=text::setup::USERNAME
                test=tests.username
                autocomplete="username"
                problem=problem(Field::Username(server))
                value=read(|server| &server.username)
                on_type=move |name| change(&|server| server.username.clone_from(&name))
            />
        </fieldset>
    }
}

/// What came of the change, read out when it comes.
#[component]
fn Result() -> impl IntoView {
    let app = App::here();
    let outcome = Memo::new(move |_| {
        app.changing.with(|changing| match &changing.outcome {
            Some(Outcome::Saved) => Some(Ok(())),
            Some(Outcome::Failed(problem)) => Some(Err(problem.sentence.clone())),
            Some(Outcome::Wrong(..)) | None => None,
        })
    });
    let state = move || match outcome.get() {
        Some(Ok(())) => "good",
        Some(Err(_)) => "bad",
        None => "none",
    };
    let glyph = Signal::derive(move || match outcome.get() {
        Some(Err(_)) => icons::WARNING,
        _ => icons::GOOD,
    });
    let words = move || match outcome.get() {
        Some(Ok(())) => text::account::SAVED.to_owned(),
        Some(Err(sentence)) => sentence,
        None => String::new(),
    };
    view! {
        <div class="setup-result" data-test="account-result" data-state=state role="alert">
            <Icon glyph />
            <p>{words}</p>
        </div>
    }
}

/// The certificate that the change failed for.
#[component]
fn RefusedChange(account: AccountId, edit: RwSignal<Edit>) -> impl IntoView {
    let app = App::here();
    let refused = Memo::new(move |_| {
        app.changing.with(|changing| match &changing.outcome {
            Some(Outcome::Failed(problem)) => problem.certificate.as_deref().cloned(),
            _ => None,
        })
    });
    let busy = Signal::derive(move || app.changing.with(Changing::is_busy));
    view! {
        {move || {
            refused
                .get()
                .map(|refused| {
                    let (host, port) = (refused.host.clone(), refused.port);
                    let trust = move |fingerprint| {
                        edit.update(|edit| edit.trust(&host, port, fingerprint));
                        submit_again(app, account, edit);
                    };
                    view! {
                        <Refused
                            id="refused-change"
                            asked=true
                            refused
                            before=None
                            busy
                            on_retry=Callback::new(move |()| submit_again(app, account, edit))
                            on_trust=Callback::new(trust)
                            on_browser=Some(Callback::new(move |()| connect_here(app, account, edit)))
                        />
                    }
                })
        }}
    }
}
