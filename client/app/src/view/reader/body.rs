//! What a message says: as designed, in a frame that can do nothing, or as text.

use std::sync::Arc;

use leptos::{either::Either, prelude::*};
use postern_bridge::{BodyView, MessageView};

use crate::{
    plain_text::{self, Span},
    text,
    view::icons::{self, Icon},
};

/// Deeper quotes look like this one.
const DEEPEST: usize = 4;

/// The text of a message.
#[component]
pub(crate) fn Body(message: Arc<MessageView>) -> impl IntoView {
    match &message.body {
        BodyView::Text(body) => Either::Left(view! { <PlainText body=body.clone() /> }),
        BodyView::Html { document, remote_blocked } => Either::Right(view! {
            <Html
                document=document.clone()
                remote_blocked=*remote_blocked
                text=message.text.clone()
            />
        }),
    }
}

#[component]
fn Html(document: String, remote_blocked: u32, text: String) -> impl IntoView {
    let as_text = RwSignal::new(false);
    let can_be_text = !text.trim().is_empty();
    let switch_label = move || {
        if as_text.get() { text::reader::AS_HTML } else { text::reader::AS_TEXT }
    };
    view! {
        <div class="message-notes">
            {(remote_blocked > 0)
                .then(|| {
                    view! {
                        <p class="note" data-test="remote-blocked">
                            <Icon glyph=icons::SHIELD />
                            {text::reader::remote_blocked(remote_blocked)}
                        </p>
                    }
                })}
            {can_be_text
                .then(|| {
                    view! {
                        <button
                            class="button is-quiet is-small"
                            data-test="reader-as-text"
                            on:click=move |_| as_text.update(|as_text| *as_text = !*as_text)
                        >
                            <Icon glyph=icons::TEXT />
                            {switch_label}
                        </button>
                    }
                })}
        </div>
        {move || {
            if as_text.get() {
                Either::Left(view! { <PlainText body=text.clone() /> })
            } else {
                Either::Right(view! { <Frame document=document.clone() /> })
            }
        }}
    }
}

/// The frame for HTML. Its sandbox lets links open in new tabs and nothing else: no script runs,
/// and the page's own origin is out of its reach. It can't be measured, so it has the pane's height
/// and scrolls inside.
#[component]
fn Frame(document: String) -> impl IntoView {
    view! {
        <iframe
            class="message-frame"
            data-test="reader-frame"
            title=text::reader::FRAME
            sandbox="allow-popups allow-popups-to-escape-sandbox"
            referrerpolicy="no-referrer"
            srcdoc=document
        ></iframe>
    }
}

/// Text as text: nothing in it is ever read as markup.
#[component]
fn PlainText(body: String) -> impl IntoView {
    if body.trim().is_empty() {
        return Either::Left(view! {
            <div class="message-text" data-test="reader-body-text">
                <p class="message-empty">{text::reader::EMPTY}</p>
            </div>
        });
    }
    let blocks = plain_text::blocks(&body)
        .into_iter()
        .map(|block| {
            view! {
                <div class="block" dir="auto" data-depth=block.depth.min(DEEPEST)>
                    {spans(&block.text)}
                </div>
            }
        })
        .collect_view();
    Either::Right(view! {
        <div class="message-text" data-test="reader-body-text" tabindex="0">
            {blocks}
        </div>
    })
}

fn spans(text: &str) -> impl IntoView + use<> {
    plain_text::spans(text)
        .into_iter()
        .map(|span| match span {
            Span::Text(text) => Either::Left(text.to_owned()),
            Span::Link(link) => Either::Right(view! {
                <a href=link.to_owned() target="_blank" rel="noopener noreferrer">
                    {link.to_owned()}
                </a>
            }),
        })
        .collect_view()
}
