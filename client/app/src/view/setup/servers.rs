//! The incoming and the outgoing server.

use leptos::prelude::*;
use postern_bridge::Security;

use super::{field::TextField, problem_with, security::SecurityField};
use crate::{
    state::{
        App,
        setup::{Field, Form, Server},
    },
    text,
};

/// The fields' names that tests know them by.
struct Tests {
    host: &'static str,
    port: &'static str,
    security: &'static str,
    username: &'static str,
}

const INCOMING: Tests = Tests {
    host: "setup-in-host",
    port: "setup-in-port",
    security: "setup-in-security",
    username: "setup-in-username",
};

const OUTGOING: Tests = Tests {
    host: "setup-out-host",
    port: "setup-out-port",
    security: "setup-out-security",
    username: "setup-out-username",
};

/// One server's part of the form.
#[derive(Clone, Copy)]
struct Part {
    title: &'static str,
    tests: &'static Tests,
    host_field: Field,
    port_field: Field,
    name_field: Option<Field>,
    host: fn(&Form) -> String,
    port: fn(&Form) -> String,
    username: fn(&Form) -> String,
    security: fn(&Form) -> Security,
    server_mut: fn(&mut Form) -> &mut Server,
}

/// Both servers.
#[component]
pub(super) fn Servers(form: RwSignal<Form>) -> impl IntoView {
    let incoming = Part {
        title: text::setup::INCOMING,
        tests: &INCOMING,
        host_field: Field::IncomingHost,
        port_field: Field::IncomingPort,
        name_field: Some(Field::Username),
        host: Form::incoming_host,
        port: Form::incoming_port,
        username: Form::username,
        security: Form::incoming_security,
        server_mut: |form| &mut form.incoming,
    };
    let outgoing = Part {
        title: text::setup::OUTGOING,
        tests: &OUTGOING,
        host_field: Field::OutgoingHost,
        port_field: Field::OutgoingPort,
        name_field: None,
        host: Form::outgoing_host,
        port: Form::outgoing_port,
        username: Form::outgoing_username,
        security: Form::outgoing_security,
        server_mut: |form| &mut form.outgoing,
    };
    view! {
        <h3>{text::setup::SERVERS_TITLE}</h3>
        <p class="field-hint">{text::setup::SERVERS_DETAIL}</p>
        <div class="servers">
            <ServerFields form part=incoming />
            <ServerFields form part=outgoing />
        </div>
    }
}

#[component]
fn ServerFields(form: RwSignal<Form>, part: Part) -> impl IntoView {
    let app = App::here();
    let read = move |value: fn(&Form) -> String| Signal::derive(move || form.with(value));
    let change = move |change: &dyn Fn(&mut Server)| {
        form.update(|form| change((part.server_mut)(form)));
    };
    let of = move |field: Option<Field>| {
        Signal::derive(move || field.and_then(|field| problem_with(app, field)))
    };
    view! {
        <fieldset class="server">
            <legend>{part.title}</legend>
            <div class="fields is-host">
                <TextField
                    label=text::setup::HOST
                    test=part.tests.host
                    inputmode="url"
                    problem=of(Some(part.host_field))
                    value=read(part.host)
                    on_type=move |host| change(&|server| server.host = Some(host.clone()))
                />
                <TextField
                    label=text::setup::PORT
                    test=part.tests.port
                    inputmode="numeric"
                    problem=of(Some(part.port_field))
                    value=read(part.port)
                    on_type=move |port| change(&|server| server.port = Some(port.clone()))
                />
            </div>
            <SecurityField
                test=part.tests.security
                security=Signal::derive(move || {
                    form.with(part.security)
                })
                on_choose=move |chosen| change(&|server| server.security = Some(chosen))
            />
            <TextField
                label=text::setup::USERNAME
                test=part.tests.username
                autocomplete="username"
                problem=of(part.name_field)
                value=read(part.username)
                on_type=move |name| change(&|server| server.username = Some(name.clone()))
            />
        </fieldset>
    }
}
