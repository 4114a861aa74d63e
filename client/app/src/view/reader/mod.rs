//! The reading pane.

mod attachments;
mod body;
mod header;

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{Intent, MessageId, MessageView};

use self::{attachments::Attachments, body::Body, header::Header};
use super::{
    icons::{self, Glyph, Icon},
    status::{Busy, Status},
};
use crate::{
    route::Route,
    state::{App, draft::Audience, reader::Reader},
    text,
};

/// The opened message, or what keeps it from being shown.
#[component]
pub(crate) fn ReadingPane() -> impl IntoView {
    let app = App::here();
    view! {
        <main class="reader pane" aria-label=text::reader::LABEL>
            {move || match app.reader.get() {
                Reader::Closed => {
                    view! {
                        <Status
                            glyph=icons::READ
                            title=text::reader::CHOOSE
                            detail=text::reader::CHOOSE_DETAIL
                        />
                    }
                        .into_any()
                }
                Reader::Opening(_) => {
                    view! {
                        <Bar message=None />
                        <Busy text=text::reader::LOADING />
                    }
                        .into_any()
                }
                Reader::Failed(message, problem) => {
                    view! {
                        <Bar message=None />
                        <Status
                            glyph=icons::WARNING
                            title=text::reader::FAILED
                            detail=problem.sentence
                        >
                            <button class="button" on:click=move |_| try_again(app, message)>
                                {text::reader::TRY_AGAIN}
                            </button>
                        </Status>
                    }
                        .into_any()
                }
                Reader::Open(message) => {
                    view! {
                        <Bar message=Some(message.id) />
                        <Message message />
                    }
                        .into_any()
                }
            }}
        </main>
    }
}

#[component]
fn Message(message: Arc<MessageView>) -> impl IntoView {
    view! {
        <article class="message">
            <Header message=Arc::clone(&message) />
            <Body message=Arc::clone(&message) />
            <Attachments message />
        </article>
    }
}

/// What can be done with the message.
#[component]
fn Bar(message: Option<MessageId>) -> impl IntoView {
    let app = App::here();
    let seen = Memo::new(move |_| {
        app.list.with(|list| message.and_then(|id| list.find(id)).is_none_or(|row| row.flags.seen))
    });
    let off = message.is_none();
    let toggle_seen = move |_| {
        if let Some(message) = message {
            app.mark_seen(message, !seen.get_untracked());
        }
    };
    let seen_label = move || {
        if seen.get() { text::reader::MARK_UNREAD } else { text::reader::MARK_READ }
    };
    let seen_glyph = Signal::derive(move || if seen.get() { icons::UNREAD } else { icons::READ });
    view! {
        <header class="pane-bar reader-bar">
            <button
                class="button is-icon only-narrow"
                data-test="reader-back"
                aria-label=text::shell::BACK
                on:click=move |_| app.go(app.route.get_untracked().parent())
            >
                <Icon glyph=icons::BACK />
            </button>
            <Answer
                test="reader-reply"
                glyph=icons::REPLY
                label=text::reader::REPLY
                off
                on_press=move || app.reply(Audience::Sender)
            />
            <Answer
                test="reader-reply-all"
                glyph=icons::REPLY_ALL
                label=text::reader::REPLY_ALL
                off
                on_press=move || app.reply(Audience::All)
            />
            <Answer
                test="reader-forward"
                glyph=icons::FORWARD
                label=text::reader::FORWARD
                off
                on_press=move || app.forward()
            />
            <button
                class="button is-icon reader-seen"
                data-test="reader-seen"
                title=seen_label
                aria-label=seen_label
                disabled=off
                on:click=toggle_seen
            >
                <Icon glyph=seen_glyph />
            </button>
            <button
                class="button is-icon only-wide"
                data-test="reader-close"
                title=text::shell::CLOSE
                aria-label=text::shell::CLOSE
                on:click=move |_| app.go(app.route.get_untracked().parent())
            >
                <Icon glyph=icons::CLOSE />
            </button>
        </header>
    }
}

#[component]
fn Answer(
    /// The name that tests know it by.
    test: &'static str,
    /// Its icon.
    glyph: Glyph,
    /// What it does.
    label: &'static str,
    /// Whether there is nothing to answer.
    off: bool,
    /// Does it.
    on_press: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            class="button is-quiet reader-answer"
            data-test=test
            title=label
            disabled=off
            on:click=move |_| on_press()
        >
            <Icon glyph />
            <span class="reader-answer-label">{label}</span>
        </button>
    }
}

fn try_again(app: App, message: MessageId) {
    if app.route.get_untracked() == Route::Message(message) {
        app.reader.set(Reader::Opening(message));
        app.send(Intent::OpenMessage { message });
    }
}
