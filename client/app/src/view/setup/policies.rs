//! What a new POP3 account downloads, and what it leaves on the server.

use leptos::prelude::*;

use super::{ExtentChoice, RetentionChoice};
use crate::state::setup::Form;

/// The choices that a POP3 account begins with; all of them can be changed later.
#[component]
pub(super) fn Policies(form: RwSignal<Form>) -> impl IntoView {
    view! {
        <RetentionChoice
            retention=Signal::derive(move || form.with(|form| form.retention))
            on_choose=move |retention| form.update(|form| form.retention = retention)
        />
        <ExtentChoice
            extent=Signal::derive(move || form.with(|form| form.extent))
            on_choose=move |extent| form.update(|form| form.extent = extent)
        />
    }
}
