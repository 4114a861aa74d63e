//! A conversation: its messages one below the other, folded but for what is new.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{MessageId, Row};

use super::{
    attachments::Attachments,
    body::Body,
    header::Recipients,
    withheld::{CutText, HeaderOnly},
};
use crate::{
    browser::focus,
    format,
    state::{App, reader::Reader},
    text,
    view::{
        avatar::Avatar,
        icons::{self, Icon},
        status::Busy,
    },
};

/// All messages of the conversation that is open.
#[component]
pub(super) fn Conversation() -> impl IntoView {
    let app = App::here();
    let ids = Memo::new(move |_| {
        app.conversation.with(|own| own.messages().iter().map(|row| row.id).collect::<Vec<_>>())
    });
    let subject = Memo::new(move |_| {
        app.conversation.with(|own| {
            let first = own.messages().first().map(|row| row.subject.trim().to_owned());
            first.filter(|own| !own.is_empty()).unwrap_or(text::list::NO_SUBJECT.to_owned())
        })
    });
    let more = Memo::new(move |_| app.conversation.with(|own| own.more()));
    let opened = Memo::new(move |_| app.conversation.with(|own| own.message()));
    // Of a long conversation what is new is at the end.
    Effect::new(move |_| {
        if opened.get().is_some() {
            focus::show(focus::UNFOLDED_LETTER);
        }
    });
    view! {
        <div class="conversation" data-test="conversation">
            <header class="conversation-head">
                <h1 data-test="reader-subject" dir="auto">
                    {subject}
                </h1>
                <p>
                    {move || text::conversation::count(ids.with(Vec::len))}
                    <Show when=move || { more.get() > 0 }>
                        {move || text::conversation::more(more.get())}
                    </Show>
                </p>
            </header>
            <ol class="letters">
                <For each=move || ids.get() key=|id| *id let(id)>
                    <Letter id />
                </For>
            </ol>
        </div>
    }
}

/// One message, folded or not.
#[component]
fn Letter(id: MessageId) -> impl IntoView {
    let app = App::here();
    let row = Memo::new(move |_| app.conversation.with(|own| own.find(id).cloned()));
    let is_unfolded = Memo::new(move |_| app.conversation.with(|own| own.is_unfolded(id)));
    let reader = Memo::new(move |_| {
        if app.reader.with(|reader| reader.message() == Some(id)) {
            return app.reader.get();
        }
        app.conversation.with(|own| own.asked(id).cloned().unwrap_or_default())
    });
    let of = move |text: fn(&Row) -> String| move || row.with(|row| row.as_deref().map(text));
    let who = move || {
        let who = row.with(|row| row.as_ref().map(|row| row.correspondents.clone()));
        who.filter(|who| !who.trim().is_empty()).unwrap_or(text::list::NOBODY.to_owned())
    };
    let has =
        move |test: fn(&Row) -> bool| move || row.with(|row| row.as_deref().is_some_and(test));
    let body_id = format!("letter-{}-{}", id.mailbox.0, id.uid);
    view! {
        <li
            class="letter"
            data-test="letter"
            data-unfolded=move || is_unfolded.get().to_string()
            data-unread=move || has(|row| !row.flags.seen)().to_string()
        >
            <button
                class="letter-head"
                data-test="letter-head"
                aria-expanded=move || is_unfolded.get().to_string()
                aria-controls=body_id.clone()
                on:click=move |_| app.toggle_letter(id)
            >
                <Avatar name=Signal::derive(who) />
                <bdi class="letter-who">{who}</bdi>
                <span class="letter-preview" dir="auto" aria-hidden=move || is_unfolded.get().to_string()>
                    {of(|row| row.preview.clone())}
                </span>
                <Show when=has(|row| !row.flags.seen)>
                    <span class="row-unread" role="img" aria-label=text::list::UNREAD></span>
                </Show>
                <Show when=has(|row| row.has_attachments)>
                    <span class="row-mark" role="img" aria-label=text::list::HAS_ATTACHMENTS>
                        <Icon glyph=icons::ATTACHMENT />
                    </span>
                </Show>
                <Show when=has(|row| row.flags.flagged)>
                    <span
                        class="row-mark"
                        data-mark="star"
                        role="img"
                        aria-label=text::list::STARRED
                    >
                        <Icon glyph=icons::STAR />
                    </span>
                </Show>
                <span class="letter-date" title=of(|row| format::full_date(row.date))>
                    {of(|row| format::row_date(row.date))}
                </span>
            </button>
            <div class="letter-body" id=body_id hidden=move || !is_unfolded.get()>
                {move || is_unfolded.get().then(|| content(app, id, reader.get()))}
            </div>
        </li>
    }
}

/// What an unfolded message says, or what keeps it from being shown.
fn content(app: App, id: MessageId, reader: Reader) -> AnyView {
    match reader {
        Reader::Closed | Reader::Opening(_) => {
            view! { <Busy text=text::reader::LOADING /> }.into_any()
        }
        Reader::Failed(_, problem) => view! {
            <div class="message-notes" role="status">
                <p class="note is-bad">
                    <Icon glyph=icons::WARNING />
                    {problem.sentence}
                </p>
                <button
                    class="button is-small"
                    on:click=move |_| app.ask_again(id)
                >
                    {text::reader::TRY_AGAIN}
                </button>
            </div>
        }
        .into_any(),
        Reader::Open(message) => view! {
            <Recipients message=Arc::clone(&message) />
            {message.cut.clone().map(|section| view! { <CutText message=message.id section /> })}
            {match message.withheld {
                Some(withheld) => {
                    view! { <HeaderOnly message=message.id withheld /> }.into_any()
                }
                None => view! { <Body message=Arc::clone(&message) /> }.into_any(),
            }}
            <Attachments message />
        }
        .into_any(),
    }
}
