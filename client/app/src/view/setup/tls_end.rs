//! Who makes the secure connections, and so who can read the mail.

use leptos::prelude::*;
use postern_bridge::TlsEnd;

use super::protocol::Choice;
use crate::{
    state::setup::Form,
    text,
    view::icons::{self, Icon},
};

/// Where TLS ends.
#[component]
pub(super) fn TlsEndChoice(form: RwSignal<Form>) -> impl IntoView {
    let end = Memo::new(move |_| form.with(Form::tls_end));
    let choose = move |chosen| form.update(|form| form.tls_end = Some(chosen));
    let means = move || match end.get() {
        TlsEnd::Proxy => text::setup::TLS_END_PROXY_MEANS,
        TlsEnd::Browser => text::setup::TLS_END_BROWSER_MEANS,
    };
    view! {
        <fieldset class="question">
            <legend>{text::setup::TLS_END}</legend>
            <Choice
                group="setup-tls-end"
                test="setup-tls-end-proxy"
                label=text::setup::TLS_END_PROXY
                chosen=move || end.get() == TlsEnd::Proxy
                on_choose=move || choose(TlsEnd::Proxy)
            />
            <Choice
                group="setup-tls-end"
                test="setup-tls-end-browser"
                label=text::setup::TLS_END_BROWSER
                chosen=move || end.get() == TlsEnd::Browser
                on_choose=move || choose(TlsEnd::Browser)
            />
        </fieldset>
        <p class="note">
            <Icon glyph=icons::SHIELD />
            {means}
        </p>
    }
}
