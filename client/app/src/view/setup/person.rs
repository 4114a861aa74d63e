//! Name, address and password.

use leptos::prelude::*;

use super::{field::TextField, problem_with};
use crate::{
    state::{
        App,
        setup::{Field, Form},
    },
    text,
};

/// Name, address and password.
#[component]
pub(super) fn Person(form: RwSignal<Form>) -> impl IntoView {
    view! {
        <div class="fields is-two">
            <Name form />
            <Login form />
        </div>
    }
}

/// The name that others see.
#[component]
pub(super) fn Name(form: RwSignal<Form>) -> impl IntoView {
    view! {
        <TextField
            label=text::setup::NAME
            test="setup-name"
            autocomplete="name"
            hint=text::setup::NAME_HINT
            problem=Signal::stored(None)
            value=Signal::derive(move || form.with(|form| form.name.clone()))
            on_type=move |name| form.update(|form| form.name = name)
        />
    }
}

/// Address and password.
#[component]
pub(super) fn Login(form: RwSignal<Form>) -> impl IntoView {
    let app = App::here();
    view! {
        <TextField
            label=text::setup::ADDRESS
            test="setup-address"
            autocomplete="email"
            inputmode="email"
            problem=Signal::derive(move || problem_with(app, Field::Address))
            value=Signal::derive(move || form.with(|form| form.address.clone()))
            on_type=move |address| form.update(|form| form.set_address(address))
        />
        <TextField
            label=text::setup::PASSWORD
            test="setup-password"
            kind="password"
            autocomplete="current-password"
            hint=text::setup::PASSWORD_HINT
            problem=Signal::derive(move || problem_with(app, Field::Password))
            value=Signal::derive(move || form.with(|form| form.password.clone()))
            on_type=move |password| form.update(|form| form.password = password)
        />
    }
}
