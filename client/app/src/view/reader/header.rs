//! Who wrote to whom, when, and about what.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{Address, MessageView};

use crate::{format, text, view::avatar::Avatar};

/// Subject, people and date.
#[component]
pub(crate) fn Header(message: Arc<MessageView>) -> impl IntoView {
    let subject = match message.subject.trim() {
        "" => text::list::NO_SUBJECT.to_owned(),
        subject => subject.to_owned(),
    };
    let from = message.from.first().map(|from| from.label().to_owned()).unwrap_or_default();
    let short = message.date.map_or_else(|| text::reader::NO_DATE.to_owned(), format::row_date);
    let full = message.date.map(format::full_date).unwrap_or_default();
    let spelled = full.clone();
    view! {
        <header class="message-head">
            <h1 data-test="reader-subject" dir="auto">
                {subject}
            </h1>
            <div class="message-who">
                <Avatar name=from />
                <p class="message-from" data-test="reader-from">
                    {people(&message.from)}
                </p>
                <p class="message-date" title=full>
                    <span class="message-date-short" aria-hidden="true">
                        {short}
                    </span>
                    <span class="message-date-full">{spelled}</span>
                </p>
                {line(text::reader::TO, &message.to)}
                {line(text::reader::CC, &message.cc)}
            </div>
        </header>
    }
}

/// Sender's address and the recipients of a message of a conversation, whose name and date stand
/// above it.
#[component]
pub(crate) fn Recipients(message: Arc<MessageView>) -> impl IntoView {
    view! {
        <div class="letter-people" data-test="letter-people">
            {line(text::reader::FROM, &message.from)}
            {line(text::reader::TO, &message.to)}
            {line(text::reader::CC, &message.cc)}
        </div>
    }
}

fn line(label: &'static str, addresses: &[Address]) -> Option<impl IntoView + use<>> {
    (!addresses.is_empty()).then(|| {
        view! {
            <p class="message-to">
                <span class="message-label">{label}</span>
                {people(addresses)}
            </p>
        }
    })
}

/// Names with their addresses: a name alone can claim to be anybody's.
fn people(addresses: &[Address]) -> impl IntoView + use<> {
    addresses
        .iter()
        .cloned()
        .map(|Address { name, address }| {
            let named = !name.is_empty();
            view! {
                <span class="person">
                    {named.then(|| view! { <bdi class="person-name">{name}</bdi> })}
                    <bdi class="person-address">{address}</bdi>
                </span>
            }
        })
        .collect_view()
}
