//! A face for somebody without a picture.

use leptos::prelude::*;

use crate::format;

const HUES: u32 = 8;

/// The initials of a name on a colour of its own.
#[component]
pub(crate) fn Avatar(
    /// The name or the address.
    #[prop(into)]
    name: Signal<String>,
) -> impl IntoView {
    view! {
        <span
            class="avatar"
            aria-hidden="true"
            data-hue=move || name.with(|name| format::hue(name, HUES))
        >
            {move || name.with(|name| format::initials(name))}
        </span>
    }
}
