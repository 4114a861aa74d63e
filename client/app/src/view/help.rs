//! The list of keyboard shortcuts.

use leptos::{html, prelude::*};

use super::icons::{self, Icon};
use crate::{browser::focus, state::App, text};

/// The list, over the page, while it is asked for.
#[component]
pub(crate) fn Help() -> impl IntoView {
    let app = App::here();
    view! {
        <Show when=move || app.help.get()>
            <Sheet />
        </Show>
    }
}

#[component]
fn Sheet() -> impl IntoView {
    let app = App::here();
    let close = NodeRef::<html::Button>::new();
    let before = StoredValue::new_local(focus::current());
    on_cleanup(move || {
        before.try_with_value(|before| focus::give_back(before.as_ref()));
    });
    Effect::new(move |_| {
        if let Some(close) = close.get() {
            // Fails only for what can't have the focus.
            let _ = close.focus();
        }
    });
    let keys = |keys: &'static [&'static str]| {
        keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()
    };
    view! {
        <div class="overlay" on:click=move |_| app.help.set(false)>
            <section
                class="sheet"
                role="dialog"
                aria-modal="true"
                aria-label=text::shortcuts::TITLE
                on:click=|event| event.stop_propagation()
                on:keydown=|event| {
                    // The button is all that can have the focus in here.
                    if event.key() == "Tab" {
                        event.prevent_default();
                    }
                }
            >
                <header class="sheet-head">
                    <h2>{text::shortcuts::TITLE}</h2>
                    <button
                        class="button is-icon"
                        node_ref=close
                        aria-label=text::shell::CLOSE
                        on:click=move |_| app.help.set(false)
                    >
                        <Icon glyph=icons::CLOSE />
                    </button>
                </header>
                <dl class="shortcuts">
                    {text::shortcuts::LIST
                        .iter()
                        .map(|(names, what)| {
                            view! {
                                <div>
                                    <dt>{*what}</dt>
                                    <dd>{keys(names)}</dd>
                                </div>
                            }
                        })
                        .collect_view()}
                </dl>
            </section>
        </div>
    }
}
