//! How a connection is protected.

use leptos::prelude::*;
use postern_bridge::Security;

use crate::{
    text,
    view::icons::{self, Icon},
};

/// TLS, STARTTLS or nothing.
#[component]
pub(in crate::view) fn SecurityField(
    /// The name that tests know it by.
    test: &'static str,
    /// What is chosen.
    security: Signal<Security>,
    /// Takes over what was chosen.
    on_choose: impl Fn(Security) + 'static,
) -> impl IntoView {
    let option = move |value, label| {
        view! {
            <option value=name(value) selected=move || security.get() == value>
                {label}
            </option>
        }
    };
    view! {
        <div class="field">
            <label>
                <span class="field-label">{text::setup::SECURITY}</span>
                <select
                    class="input"
                    data-test=test
                    on:change:target=move |event| on_choose(by_name(&event.target().value()))
                >
                    {option(Security::Tls, text::setup::SECURITY_TLS)}
                    {option(Security::StartTls, text::setup::SECURITY_STARTTLS)}
                    {option(Security::Plain, text::setup::SECURITY_PLAIN)}
                </select>
            </label>
        </div>
    }
}

/// What it means that a connection has no protection.
#[component]
pub(in crate::view) fn Unprotected(
    /// Whether one has none.
    shown: Signal<bool>,
) -> impl IntoView {
    view! {
        <Show when=move || shown.get()>
            <p class="note is-warning" data-test="unprotected">
                <Icon glyph=icons::WARNING />
                {text::setup::UNPROTECTED}
            </p>
        </Show>
    }
}

fn name(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::Plain => "plain",
    }
}

fn by_name(name: &str) -> Security {
    match name {
        "starttls" => Security::StartTls,
        "plain" => Security::Plain,
        _ => Security::Tls,
    }
}
