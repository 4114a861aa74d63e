//! The files that go along.

use leptos::prelude::*;

use super::of;
use crate::{
    format,
    state::App,
    text,
    view::icons::{self, Icon},
};

/// All files, each of which can be taken out again.
#[component]
pub(super) fn AttachmentBar() -> impl IntoView {
    let app = App::here();
    let files = Memo::new(move |_| {
        of(app, vec![], |composer| {
            let files = composer.attachments.iter().enumerate();
            files.map(|(at, file)| (at, file.name.clone(), file.content.len())).collect()
        })
    });
    let remove = move |at: usize| {
        app.change_composer(|composer| {
            composer.attachments.remove(at);
            composer.problem = None;
        });
    };
    view! {
        <ul class="compose-files">
            <For each=move || files.get() key=|file| file.clone() let((at, name, size))>
                <li class="chip" data-test="compose-attachment">
                    <Icon glyph=icons::ATTACHMENT />
                    <bdi>{name}</bdi>
                    <span class="chip-detail">{format::size(size as u64)}</span>
                    <button
                        class="button is-icon is-small"
                        aria-label=text::compose::REMOVE
                        on:click=move |_| remove(at)
                    >
                        <Icon glyph=icons::CLOSE />
                    </button>
                </li>
            </For>
        </ul>
    }
}
