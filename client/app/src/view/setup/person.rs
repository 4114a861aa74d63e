//! Name, address and password.

use leptos::prelude::*;

use super::{field::TextField, is_blamed};
use crate::{
    state::{
        App,
        setup::{Field, Form},
    },
    text,
};

/// Who the person is.
#[component]
pub(super) fn Person(form: RwSignal<Form>) -> impl IntoView {
    let app = App::here();
    view! {
        <div class="fields is-two">
            <TextField
                label=text::setup::NAME
                test="setup-name"
                autocomplete="name"
                hint=text::setup::NAME_HINT
                blamed=false
                value=Signal::derive(move || form.with(|form| form.name.clone()))
                on_type=move |name| form.update(|form| form.name = name)
            />
            <TextField
                label=text::setup::ADDRESS
                test="setup-address"
                autocomplete="email"
                inputmode="email"
                blamed=Signal::derive(move || is_blamed(app, Field::Address))
                value=Signal::derive(move || form.with(|form| form.address.clone()))
                on_type=move |address| form.update(|form| form.address = address)
            />
            <TextField
                label=text::setup::PASSWORD
                test="setup-password"
                kind="password"
                autocomplete="current-password"
                hint=text::setup::PASSWORD_HINT
                blamed=Signal::derive(move || is_blamed(app, Field::Password))
                value=Signal::derive(move || form.with(|form| form.password.clone()))
                on_type=move |password| form.update(|form| form.password = password)
            />
        </div>
    }
}
