//! The demo mailbox in one click.

use leptos::{prelude::*, task::spawn_local};
use postern_bridge::Protocol;

use crate::{
    browser::config,
    state::{App, demo::Demo, setup::Progress},
    text,
};

/// The offer, when the proxy has a demo.
#[component]
pub(super) fn DemoCard() -> impl IntoView {
    let app = App::here();
    let demo = RwSignal::new(None::<Demo>);
    spawn_local(async move {
        if let Some(found) = config::fetch_demo().await {
            // The page may have been left meanwhile.
            let _ = demo.try_set(Some(found));
        }
    });
    let add = move |protocol| {
        if let Some(demo) = demo.get_untracked()
            && !app.setup.with_untracked(Progress::is_busy)
        {
            app.add_account(demo.draft(protocol));
        }
    };
    let busy = move || app.setup.with(Progress::is_busy);
    view! {
        <Show when=move || demo.with(Option::is_some)>
            <section class="card demo">
                <div class="demo-words">
                    <h2>{text::setup::DEMO_TITLE}</h2>
                    <p>{text::setup::DEMO_DETAIL}</p>
                </div>
                <div class="demo-actions">
                    <button
                        class="button is-primary"
                        data-test="try-demo"
                        aria-disabled=move || busy().to_string()
                        on:click=move |_| add(Protocol::Imap)
                    >
                        {text::setup::DEMO}
                    </button>
                    <button
                        class="button"
                        data-test="try-demo-pop3"
                        aria-disabled=move || busy().to_string()
                        on:click=move |_| add(Protocol::Pop3)
                    >
                        {text::setup::DEMO_POP3}
                    </button>
                </div>
            </section>
        </Show>
    }
}
