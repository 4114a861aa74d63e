//! What was found, and what is still to choose.

use leptos::prelude::*;
use postern_bridge::{Candidate, Protection, Protocol, Service, TlsEnd};

use super::{
    person::Name,
    policies::Policies,
    protocol::ProtocolChoice,
    settings::Settings,
    start::domain,
    ways::{AddressButton, ByHandButton},
};
use crate::{
    state::{App, setup::Form},
    text,
    view::icons::{self, Icon},
};

/// The servers that were found, and the choice between protocols if there is one.
#[component]
pub(super) fn Found() -> impl IntoView {
    let app = App::here();
    let form = app.form;
    let only = Memo::new(move |_| form.with(Form::only));
    let beside = view! { <ByHandButton /> }.into_any();
    view! {
        <Settings beside>
            <header class="found-head">
                <div>
                    <h2 class="step-title" tabindex="-1">
                        {text::discovery::FOUND_TITLE}
                    </h2>
                    <p class="field-hint">{move || form.with(source)}</p>
                </div>
                <p class="found-address">
                    <bdi>{move || form.with(|form| form.address.trim().to_owned())}</bdi>
                    <AddressButton
                        label=text::discovery::CHANGE_ADDRESS
                        test="setup-change"
                        small=true
                    />
                </p>
            </header>
            <dl class="found" data-test="setup-found">
                {move || {
                    form.with(|form| {
                        let name = form.username();
                        let sender = form.outgoing_username();
                        [
                            (text::setup::INCOMING, form.found_incoming().cloned(), name),
                            (text::setup::OUTGOING, form.found_outgoing().cloned(), sender),
                        ]
                    })
                        .into_iter()
                        .filter_map(|(title, found, name)| {
                            Some(view! { <Server title found=found? name /> })
                        })
                        .collect_view()
                }}
            </dl>
            <Show when=move || form.with(Form::is_refused_passwords)>
                <p class="note is-warning">
                    <Icon glyph=icons::WARNING />
                    {text::discovery::NO_PASSWORDS}
                </p>
            </Show>
            {move || match only.get() {
                None => view! { <ProtocolChoice form /> }.into_any(),
                Some(only) => {
                    view! {
                        <p class="advice">{text::discovery::only(only)}</p>
                        <Show when=move || only == Protocol::Pop3>
                            <Policies form />
                        </Show>
                    }
                        .into_any()
                }
            }}
            <Name form />
            <p class="note">
                <Icon glyph=icons::SHIELD />
                <span>{move || form.with(readers)}</span>
            </p>
        </Settings>
    }
}

#[component]
fn Server(title: &'static str, found: Candidate, name: String) -> impl IntoView {
    let protection = match found.protection {
        Protection::Tls => text::discovery::TLS,
        Protection::StartTls => text::discovery::STARTTLS,
    };
    let answers = found.offers.is_some();
    let state = if answers { text::discovery::ANSWERS } else { text::discovery::SILENT };
    view! {
        <div class="found-server">
            <dt>
                {title} <span class="tag" class:is-good=answers>
                    {state}
                </span>
            </dt>
            <dd>
                <bdi class="found-host">{found.host}</bdi>
                <span class="found-facts">
                    {protocol(found.service)} " · " {found.port} " · " {protection}
                </span>
                <span class="found-facts">
                    {text::setup::USERNAME} " " <bdi>{name}</bdi>
                </span>
            </dd>
        </div>
    }
}

fn protocol(service: Service) -> &'static str {
    match service {
        Service::Imap => "IMAP",
        Service::Pop3 => "POP3",
        Service::Submission => "SMTP",
    }
}

/// Who can read the mail.
fn readers(form: &Form) -> &'static str {
    match form.tls_end() {
        TlsEnd::Browser => text::discovery::READ_HERE,
        TlsEnd::Proxy => text::discovery::READ_BY_PROXY,
    }
}

fn source(form: &Form) -> String {
    let found = form.found_incoming().or_else(|| form.found_outgoing());
    found.map_or_else(String::new, |found| text::discovery::source(&found.source, &domain(form)))
}
