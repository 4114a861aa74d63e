//! The window in which a message is written.

mod attachments;
mod fields;

use std::time::Duration;

use leptos::{ev, html, prelude::*, task::spawn_local};
use postern_bridge::AccountId;
use web_sys::{DragEvent, File, KeyboardEvent};

use self::{attachments::AttachmentBar, fields::Fields};
use super::icons::{self, Icon};
use crate::{
    browser::{files, focus},
    route::Route,
    state::{
        App,
        composer::{Composer, Fault, MOST_ATTACHED, Stage},
    },
    text,
};

/// How often what is written is saved among the drafts, if it has changed.
const AUTOSAVE: Duration = Duration::from_secs(10);

/// The window, while a message is being written.
#[component]
pub(crate) fn Compose() -> impl IntoView {
    let app = App::here();
    let open = Memo::new(move |_| app.composer.with(Option::is_some));
    Effect::new(move |_| app.save_draft());
    // Fails only where there are no timers; then a draft is saved when it is closed.
    let _ = set_interval_with_handle(move || app.autosave(), AUTOSAVE);
    view! {
        <Show when=move || open.get()>
            <Window />
        </Show>
    }
}

#[component]
fn Window() -> impl IntoView {
    let app = App::here();
    let minimized = Memo::new(move |_| of(app, false, |composer| composer.minimized));
    let discarding = Memo::new(move |_| of(app, false, |composer| composer.discarding));
    let handing = Memo::new(move |_| of(app, false, |composer| composer.stage != Stage::Writing));
    let problem = Memo::new(move |_| of(app, None, |composer| composer.problem.clone()));
    let title = move || {
        let subject = of(app, String::new(), |composer| composer.draft.subject.clone());
        if subject.trim().is_empty() { text::compose::TITLE.to_owned() } else { subject }
    };
    let dragging = RwSignal::new(false);
    let on_drop = move |event: DragEvent| {
        event.prevent_default();
        dragging.set(false);
        attach(app, files::all(event.data_transfer().and_then(|data| data.files())));
    };
    let on_key = move |event: KeyboardEvent| {
        let send = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
        if send {
            event.prevent_default();
            send_draft(app);
        } else if event.key() == "Escape" {
            event.prevent_default();
            app.change_composer(|composer| {
                if composer.discarding {
                    composer.discarding = false;
                } else {
                    composer.minimized = true;
                }
            });
        }
    };
    keep_focus(minimized, discarding);
    view! {
        <section
            class="compose"
            role="dialog"
            aria-label=text::compose::TITLE
            class:is-minimized=move || minimized.get()
            class:is-dragging=move || dragging.get()
            on:keydown=on_key
            on:dragover=move |event: DragEvent| {
                event.prevent_default();
                dragging.set(true);
            }
            on:dragleave=move |_| dragging.set(false)
            on:drop=on_drop
            on:paste=move |event| {
                let pasted = files::all(event.clipboard_data().and_then(|data| data.files()));
                if !pasted.is_empty() {
                    event.prevent_default();
                    attach(app, pasted);
                }
            }
        >
            <header class="compose-head">
                <h2 dir="auto">{title}</h2>
                <MinimizeButton minimized />
                <button
                    class="button is-icon"
                    data-test="compose-close"
                    title=text::compose::CLOSE
                    aria-label=text::compose::CLOSE
                    disabled=move || handing.get()
                    on:click=move |_| app.close_composer()
                >
                    <Icon glyph=icons::CLOSE />
                </button>
            </header>
            <div class="compose-body" hidden=move || minimized.get()>
                <Fields />
                {move || {
                    problem.get().map(|problem| {
                        view! {
                            <p class="note is-warning" data-test="compose-problem" role="alert">
                                <Icon glyph=icons::WARNING />
                                {problem.sentence}
                                {problem.settings.map(|account| view! { <SettingsButton account /> })}
                            </p>
                        }
                    })
                }}
                <AttachmentBar />
                <Show when=move || discarding.get() fallback=move || view! { <Actions handing /> }>
                    <DiscardQuestion />
                </Show>
            </div>
            <div class="compose-drop" aria-hidden="true">
                {text::compose::DROP_HERE}
            </div>
        </section>
    }
}

/// Leads to the settings in which something is to be mended; what is written stays.
#[component]
fn SettingsButton(account: AccountId) -> impl IntoView {
    let app = App::here();
    let open = move |_| {
        app.change_composer(|composer| composer.minimized = true);
        app.go(Route::Account(account));
    };
    view! {
        <button class="button" data-test="compose-settings" on:click=open>
            {text::account::OPEN_SETTINGS}
        </button>
    }
}

#[component]
fn MinimizeButton(minimized: Memo<bool>) -> impl IntoView {
    let app = App::here();
    let label = move || {
        if minimized.get() { text::compose::EXPAND } else { text::compose::MINIMIZE }
    };
    let glyph =
        Signal::derive(move || if minimized.get() { icons::EXPAND } else { icons::MINIMIZE });
    view! {
        <button
            class="button is-icon"
            data-test="compose-minimize"
            title=label
            aria-label=label
            aria-expanded=move || (!minimized.get()).to_string()
            on:click=move |_| {
                app.change_composer(|composer| composer.minimized = !composer.minimized);
            }
        >
            <Icon glyph />
        </button>
    }
}

#[component]
fn Actions(handing: Memo<bool>) -> impl IntoView {
    let app = App::here();
    let picker = NodeRef::<html::Input>::new();
    let pick = move |_: ev::MouseEvent| {
        if let Some(picker) = picker.get_untracked() {
            picker.click();
        }
    };
    let picked = move |_: ev::Event| {
        if let Some(picker) = picker.get_untracked() {
            attach(app, files::all(picker.files()));
            // The same file can be picked again after it was removed.
            picker.set_value("");
        }
    };
    view! {
        <footer class="compose-actions">
            <button
                class="button is-primary"
                data-test="compose-send"
                title=text::compose::SEND_HINT
                disabled=move || handing.get()
                on:click=move |_| send_draft(app)
            >
                <Icon glyph=icons::SEND />
                {move || if handing.get() { text::compose::SENDING } else { text::compose::SEND }}
            </button>
            <button
                class="button is-icon"
                title=text::compose::ATTACH
                aria-label=text::compose::ATTACH
                on:click=pick
            >
                <Icon glyph=icons::ATTACHMENT />
            </button>
            <input
                class="compose-picker"
                type="file"
                multiple
                data-test="compose-attach"
                aria-label=text::compose::ATTACH
                tabindex="-1"
                node_ref=picker
                on:change=picked
            />
            <button
                class="button is-icon compose-discard"
                data-test="compose-discard"
                title=text::compose::DISCARD
                aria-label=text::compose::DISCARD
                disabled=move || handing.get()
                on:click=move |_| app.discard()
            >
                <Icon glyph=icons::TRASH />
            </button>
        </footer>
    }
}

#[component]
fn DiscardQuestion() -> impl IntoView {
    let app = App::here();
    view! {
        <footer class="compose-actions" role="alert">
            <p>{text::compose::DISCARD_QUESTION}</p>
            <button
                class="button is-danger is-primary"
                data-test="compose-discard-yes"
                on:click=move |_| app.throw_away()
            >
                {text::compose::DISCARD_YES}
            </button>
            <button
                class="button compose-keep"
                on:click=move |_| app.change_composer(|composer| composer.discarding = false)
            >
                {text::compose::DISCARD_NO}
            </button>
        </footer>
    }
}

/// Sends the message, or goes to the field that keeps it from being sent.
fn send_draft(app: App) {
    app.send_draft();
    focus::give(".compose [aria-invalid=true]");
}

/// Keeps the keyboard in the window while the window changes, and gives it back when it closes.
fn keep_focus(minimized: Memo<bool>, discarding: Memo<bool>) {
    let before = StoredValue::new_local(focus::current());
    on_cleanup(move || {
        // The person may have gone elsewhere in the meantime.
        if focus::current().is_none_or(|now| matches!(now.closest(".compose"), Ok(Some(_)))) {
            before.try_with_value(|before| focus::give_back(before.as_ref()));
        }
    });
    Effect::new(move |was: Option<(bool, bool)>| {
        let now = (minimized.get(), discarding.get());
        match (was, now) {
            // The fields themselves know which of them comes first.
            (None, _) => {}
            (Some((_, false)), (_, true)) => focus::give(".compose-keep"),
            (Some((false, _)), (true, _)) => focus::give(".compose-head button"),
            (Some((true, _)), (false, _)) | (Some((_, true)), (_, false)) => {
                focus::give(".compose-text");
            }
            _ => {}
        }
        now
    });
}

/// Something of the message that is being written.
fn of<T>(app: App, none: T, read: impl FnOnce(&Composer) -> T) -> T {
    app.composer.with(|composer| composer.as_ref().map_or(none, read))
}

/// Reads files and adds them; what is too big is not even read.
fn attach(app: App, files: Vec<File>) {
    spawn_local(async move {
        for file in files {
            if file.size() > MOST_ATTACHED as f64 {
                app.change_composer(|composer| composer.refuse(&file.name()));
                continue;
            }
            let read = files::read(&file).await;
            app.change_composer(|composer| match read {
                Some(attachment) => composer.attach(attachment),
                None => {
                    composer.problem = Some(Fault::of(text::compose::unreadable(&file.name())));
                }
            });
        }
    });
}
