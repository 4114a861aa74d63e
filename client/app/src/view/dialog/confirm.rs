//! A question before something that can't be undone.

use leptos::prelude::*;

use super::Frame;
use crate::{
    state::{App, dialog::Question},
    text,
    view::folders,
};

/// The question; the answer that changes nothing comes first.
#[component]
pub(super) fn Confirm(question: Question) -> impl IntoView {
    let app = App::here();
    let name = match &question {
        Question::EmptyFolder(id) | Question::DeleteFolder(id) => {
            let id = *id;
            app.mailboxes.with_untracked(|all| all.get(id).map(folders::name).unwrap_or_default())
        }
        Question::DeleteForGood { .. } => String::new(),
    };
    let (title, detail, yes) = text::change::question(&question, &name);
    view! {
        <Frame title>
            <p class="dialog-detail">{detail}</p>
            <footer class="dialog-actions">
                <button class="button" autofocus data-test="dialog-no" on:click=move |_| app.dialog.set(None)>
                    {text::change::CANCEL}
                </button>
                <button
                    class="button is-danger is-primary"
                    data-test="dialog-yes"
                    on:click=move |_| {
                        app.dialog.set(None);
                        app.confirm(question.clone());
                    }
                >
                    {yes}
                </button>
            </footer>
        </Frame>
    }
}
