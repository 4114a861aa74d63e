//! The reading pane.

mod attachments;
mod body;
mod conversation;
mod header;
mod withheld;

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{Intent, MessageId, MessageView, Role};

use self::{
    attachments::Attachments,
    body::Body,
    conversation::Conversation,
    header::Header,
    withheld::{CutText, HeaderOnly},
};
use super::{
    icons::{self, Glyph, Icon},
    list::CommandButton,
    menu,
    status::{Busy, Status},
};
use crate::{
    state::{
        App,
        command::{Command, Purpose, Traits},
        draft::Audience,
        reader::Reader,
    },
    text,
};

/// The opened message, or what keeps it from being shown.
#[component]
pub(crate) fn ReadingPane() -> impl IntoView {
    let app = App::here();
    let conversation =
        Memo::new(move |_| app.conversation.with(|own| own.message().filter(|_| own.is_shown())));
    view! {
        <main class="reader pane" aria-label=text::reader::LABEL>
            {move || match conversation.get() {
                Some(message) => {
                    view! {
                        <Bar message=Some(message) />
                        <Conversation />
                    }
                        .into_any()
                }
                None => view! { <Single /> }.into_any(),
            }}
        </main>
    }
}

/// One message by itself.
#[component]
fn Single() -> impl IntoView {
    let app = App::here();
    view! {
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
    }
}

#[component]
fn Message(message: Arc<MessageView>) -> impl IntoView {
    view! {
        <article class="message">
            <Header message=Arc::clone(&message) />
            {message.cut.clone().map(|section| view! { <CutText message=message.id section /> })}
            {match message.withheld {
                Some(withheld) => view! { <HeaderOnly message=message.id withheld /> }.into_any(),
                None => view! { <Body message=Arc::clone(&message) /> }.into_any(),
            }}
            <Attachments message />
        </article>
    }
}

/// What can be done with the message.
#[component]
fn Bar(message: Option<MessageId>) -> impl IntoView {
    let app = App::here();
    let traits = Memo::new(move |_| app.opened_traits());
    let off = message.is_none();
    let is_draft = move || traits.get().role == Some(Role::Drafts);
    let command = |of: fn(Traits) -> Option<Command>| Signal::derive(move || of(traits.get()));
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
            <Show when=is_draft>
                <button
                    class="button is-primary"
                    data-test="reader-write-on"
                    disabled=off
                    on:click=move |_| {
                        if let Some(message) = message {
                            app.open_draft(message);
                        }
                    }
                >
                    <Icon glyph=icons::WRITE />
                    {text::reader::WRITE_ON}
                </button>
            </Show>
            <Show when=move || !is_draft()>
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
            </Show>
            <span class="reader-gap"></span>
            <CommandButton command=command(Traits::archive) off opened=true />
            <CommandButton command=command(|traits| Some(traits.delete())) off opened=true />
            <CommandButton command=command(|_| Some(Command::ChooseFolder(Purpose::Move))) off opened=true class="only-wide" />
            <CommandButton command=command(|traits| Some(traits.toggle_starred())) off opened=true class="only-wide" />
            <CommandButton command=command(|traits| Some(traits.toggle_seen())) off opened=true class="only-wide" />
            <button
                class="button is-icon"
                data-test="reader-more"
                title=text::change::MORE
                aria-label=text::change::MORE
                aria-haspopup="menu"
                disabled=off
                on:click=move |event| {
                    app.picked.update(|picked| picked.clear());
                    menu::open_below(app, &event, traits.get_untracked().menu());
                }
            >
                <Icon glyph=icons::MORE />
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
    if app.route.get_untracked().message() == Some(message) {
        app.reader.set(Reader::Opening(message));
        app.send(Intent::OpenMessage { message });
    }
}
