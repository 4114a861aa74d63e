//! Who makes the secure connections, and so who can read the mail.

use leptos::prelude::*;
use postern_bridge::TlsEnd;

use super::protocol::Choice;
use crate::{
    text,
    view::icons::{self, Icon},
};

/// Where TLS ends.
#[component]
pub(in crate::view) fn TlsEndChoice(
    /// The name of the group; tests know the choices by it as well.
    group: &'static str,
    /// What is chosen.
    end: Signal<TlsEnd>,
    /// Takes over what was chosen.
    on_choose: impl Fn(TlsEnd) + Copy + 'static,
) -> impl IntoView {
    let (browser, proxy) = match group {
        "account-tls-end" => ("account-tls-end-browser", "account-tls-end-proxy"),
        _ => ("setup-tls-end-browser", "setup-tls-end-proxy"),
    };
    let means = move || match end.get() {
        TlsEnd::Proxy => text::setup::TLS_END_PROXY_MEANS,
        TlsEnd::Browser => text::setup::TLS_END_BROWSER_MEANS,
    };
    view! {
        <fieldset class="question">
            <legend>{text::setup::TLS_END}</legend>
            <Choice
                group
                test=browser
                label=text::setup::TLS_END_BROWSER
                chosen=move || end.get() == TlsEnd::Browser
                on_choose=move || on_choose(TlsEnd::Browser)
            />
            <Choice
                group
                test=proxy
                label=text::setup::TLS_END_PROXY
                chosen=move || end.get() == TlsEnd::Proxy
                on_choose=move || on_choose(TlsEnd::Proxy)
            />
        </fieldset>
        <p class="note" role="status">
            <Icon glyph=icons::SHIELD />
            <span>{means}</span>
        </p>
    }
}
