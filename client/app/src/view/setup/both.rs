//! That the mailbox is set up already, over the other protocol.

use leptos::prelude::*;

use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// What it means to use both protocols for one mailbox, if that is what is about to happen.
#[component]
pub(super) fn BothProtocols() -> impl IntoView {
    let app = App::here();
    let sentence = Memo::new(move |_| {
        let (address, protocol) =
            app.form.with(|form| (form.address.trim().to_owned(), form.protocol()));
        app.accounts.with(|accounts| {
            let other = accounts.all().iter().find(|other| {
                other.protocol != protocol && other.identity.address.eq_ignore_ascii_case(&address)
            });
            other.map(|other| text::pop3::shared_mailbox(protocol, &other.identity.address))
        })
    });
    move || {
        sentence.get().map(|sentence| {
            view! {
                <p class="note is-warning" data-test="setup-shared-mailbox" role="status">
                    <Icon glyph=icons::WARNING />
                    {sentence}
                </p>
            }
        })
    }
}
