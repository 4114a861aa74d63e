//! Short notes in the corner.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use postern_bridge::Intent;

use super::icons::{self, Icon};
use crate::{
    browser::{self, focus, update},
    route::Route,
    state::{
        App,
        composer::Composer,
        toasts::{Action, Toast, Tone},
    },
    text,
};

/// How long a passing note stays.
const STAY: Duration = Duration::from_secs(6);

/// All notes.
#[component]
pub(crate) fn ToastList() -> impl IntoView {
    let app = App::here();
    // What the window says in which a message is written isn't said again over it.
    let told = Memo::new(move |_| {
        app.composer.with(|composer| composer.as_ref().and_then(Composer::told))
    });
    let toasts = move || {
        let told = told.get();
        let is_new = |toast: &&Toast| Some(&toast.text) != told.as_ref();
        app.toasts.with(|toasts| toasts.all().iter().filter(is_new).cloned().collect::<Vec<_>>())
    };
    view! {
        <div class="toasts" role="region" aria-label=text::toast::LABEL aria-live="polite">
            <For each=toasts key=|toast| toast.id let(toast)>
                <ToastView toast />
            </For>
        </div>
    }
}

#[component]
fn ToastView(toast: Toast) -> impl IntoView {
    let app = App::here();
    let Toast { id, tone, text, actions, passing, .. } = toast;
    let close = move || {
        app.toasts.update(|toasts| toasts.close(id));
        focus::rescue();
    };
    if passing {
        set_timeout(close, STAY);
    }
    let (tone_name, role) = match tone {
        Tone::Busy => ("busy", "status"),
        Tone::Info => ("info", "status"),
        Tone::Good => ("good", "status"),
        Tone::Bad => ("bad", "alert"),
    };
    let picture = match tone {
        Tone::Busy => view! { <span class="spinner" aria-hidden="true"></span> }.into_any(),
        Tone::Info => view! { <Icon glyph=icons::INBOX /> }.into_any(),
        Tone::Good => view! { <Icon glyph=icons::GOOD /> }.into_any(),
        Tone::Bad => view! { <Icon glyph=icons::WARNING /> }.into_any(),
    };
    let button = move |action| {
        let label = match action {
            Action::RetrySend(_) => text::toast::RETRY,
            Action::SendNow(_) => text::toast::SEND_NOW,
            Action::FileAgain(_) => text::toast::FILE_AGAIN,
            Action::DiscardSend(_) => text::toast::DISCARD,
            Action::Update => text::toast::UPDATE,
            Action::Reload => text::shell::RELOAD,
            Action::Undo(_) => text::change::UNDO,
            Action::ShowCertificate(_) => text::account::LOOK,
            Action::OpenSettings(_) => text::account::OPEN_SETTINGS,
        };
        view! {
            <button
                class="button is-small"
                data-test="toast-action"
                on:click=move |_| act(app, id, action)
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="toast" data-test="toast" data-tone=tone_name role=role>
            {picture}
            <p dir="auto">{text}</p>
            <button
                class="button is-icon is-small toast-close"
                aria-label=text::toast::DISMISS
                on:click=move |_| close()
            >
                <Icon glyph=icons::CLOSE />
            </button>
            {(!actions.is_empty())
                .then(|| {
                    view! {
                        <div class="toast-actions">
                            {actions.into_iter().map(button).collect_view()}
                        </div>
                    }
                })}
        </div>
    }
}

fn act(app: App, toast: u32, action: Action) {
    match action {
        Action::RetrySend(outbox) | Action::SendNow(outbox) | Action::FileAgain(outbox) => {
            app.send(Intent::RetrySend { outbox });
        }
        Action::DiscardSend(outbox) => app.send(Intent::DiscardSend { outbox }),
        Action::Update => spawn_local(update::take_over()),
        Action::Reload => browser::reload(),
        Action::Undo(change) => {
            app.toasts.update(|toasts| toasts.close(toast));
            app.undo(change);
        }
        Action::ShowCertificate(account) | Action::OpenSettings(account) => {
            app.toasts.update(|toasts| toasts.close(toast));
            app.go(Route::Account(account));
        }
    }
}
