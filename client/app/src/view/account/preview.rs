//! What the chosen settings would delete on a POP3 server, before they are saved.

use leptos::prelude::*;
use postern_bridge::{AccountId, Retention, StorageView};

use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// How many messages would be deleted, and what keeps them from being deleted.
#[component]
pub(super) fn DeletionPreview(
    /// The account.
    account: AccountId,
    /// What is chosen.
    retention: Signal<Retention>,
) -> impl IntoView {
    let app = App::here();
    // A download changes what there is to delete.
    let resting =
        Memo::new(move |_| app.accounts.with(|accounts| accounts.progress(account).is_none()));
    // So does what the person says of the browser, and what the browser promises.
    let care = Memo::new(move |_| {
        let told = |view: StorageView| (view.persistent, view.public_computer);
        app.care.with(|care| care.view().map(told))
    });
    Effect::new(move |_| {
        let (_, resting) = (care.get(), resting.get());
        if resting {
            app.preview_retention(account, retention.get());
        }
    });
    let preview = move || app.preview.with(|preview| preview.of(account, retention.get()).cloned());
    view! {
        <div class="deletion-preview" role="status">
            {move || {
                preview()
                    .map(|preview| match preview {
                        Ok(preview) => {
                            view! {
                                <p
                                    class="note"
                                    class:is-warning=preview.messages != 0
                                    data-test="retention-preview"
                                    data-messages=preview.messages
                                >
                                    <Icon glyph=icons::TRASH />
                                    {text::pop3::preview(retention.get(), &preview)}
                                </p>
                                {preview
                                    .hold
                                    .map(|hold| {
                                        view! {
                                            <p class="note" data-test="retention-hold">
                                                <Icon glyph=icons::SHIELD />
                                                {text::pop3::hold(hold)}
                                            </p>
                                        }
                                    })}
                            }
                                .into_any()
                        }
                        Err(sentence) => {
                            view! {
                                <p class="note is-warning">
                                    <Icon glyph=icons::WARNING />
                                    {sentence}
                                </p>
                            }
                                .into_any()
                        }
                    })
            }}
        </div>
    }
}
