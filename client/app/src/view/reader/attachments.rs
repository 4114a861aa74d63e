//! The files that came with a message. They are saved, never opened here.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{AttachmentView, MessageId, MessageView};

use crate::{
    format,
    state::App,
    text,
    view::icons::{self, Glyph, Icon},
};

/// All attachments of a message.
#[component]
pub(crate) fn Attachments(message: Arc<MessageView>) -> impl IntoView {
    let count = message.attachments.len();
    (count > 0).then(|| {
        let items = message
            .attachments
            .iter()
            .cloned()
            .map(|attachment| view! { <Item message=message.id attachment /> })
            .collect_view();
        view! {
            <footer class="attachments">
                <h2>{text::reader::attachments(count)}</h2>
                <ul>{items}</ul>
            </footer>
        }
    })
}

#[component]
fn Item(message: MessageId, attachment: AttachmentView) -> impl IntoView {
    let app = App::here();
    let AttachmentView { section, name, media_type, size } = attachment;
    let awaited = (message, section.clone());
    let busy = Memo::new(move |_| {
        app.downloads.with(|downloads| downloads.values().any(|download| *download == awaited))
    });
    let label = text::reader::download(&name);
    let whole_name = name.clone();
    view! {
        <li class="attachment" data-test="attachment">
            <span class="attachment-picture">
                <Icon glyph=glyph(&media_type) />
            </span>
            <bdi class="attachment-name" title=whole_name>
                {name}
            </bdi>
            <span class="attachment-size">
                {move || {
                    if busy.get() { text::reader::DOWNLOADING.to_owned() } else { format::size(size) }
                }}
            </span>
            <button
                class="button is-icon"
                data-test="attachment-download"
                title=text::reader::DOWNLOAD
                aria-label=label
                disabled=move || busy.get()
                on:click=move |_| app.fetch_attachment(message, section.clone())
            >
                <Icon glyph=icons::DOWNLOAD />
            </button>
        </li>
    }
}

fn glyph(media_type: &str) -> Glyph {
    match media_type.split('/').next() {
        Some("image") => icons::IMAGE,
        Some("text") => icons::TEXT,
        Some("message") => icons::READ,
        _ => icons::FILE,
    }
}
