//! What a pane says when it has nothing to show.

use leptos::prelude::*;

use super::icons::{Glyph, Icon};

/// A picture, a headline and a sentence in the middle of a pane, with a way on below.
#[component]
pub(crate) fn Status(
    /// The picture.
    glyph: Glyph,
    /// The headline.
    #[prop(into)]
    title: String,
    /// What it means or what to do.
    #[prop(into)]
    detail: String,
    /// A button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="status" role="status">
            <span class="status-picture">
                <Icon glyph />
            </span>
            <h2>{title}</h2>
            <p>{detail}</p>
            {children.map(|children| children())}
        </div>
    }
}

/// Work that goes on in a pane. It shows only when it lasts, so that nothing flickers.
#[component]
pub(crate) fn Busy(
    /// What is awaited.
    text: &'static str,
) -> impl IntoView {
    view! {
        <div class="busy" role="status">
            <span class="spinner" aria-hidden="true"></span>
            {text}
        </div>
    }
}
