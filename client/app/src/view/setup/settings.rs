//! Adding and testing; and the question before a password goes to another domain.

use leptos::prelude::*;

use super::{
    blame, both::BothProtocols, refused::RefusedCertificate, result::TestResult, start::domain,
};
use crate::{
    browser::focus,
    state::{
        App,
        setup::{Form, Progress, Stranger},
    },
    text,
    view::icons::{self, Icon},
};

/// What to do with the settings.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Ask {
    /// Try them.
    Test,
    /// Try them, and keep them if they work.
    Add,
}

/// The form around settings: what came of them, the buttons that send them, and others beside.
#[component]
pub(super) fn Settings(
    /// Further buttons.
    beside: AnyView,
    /// The settings.
    children: Children,
) -> impl IntoView {
    let app = App::here();
    // What the person wanted when the question came up.
    let asking = RwSignal::new(None::<Ask>);
    let busy = move || app.setup.with(Progress::is_busy).to_string();
    // Other settings may have other strangers: the question is no longer about what it says.
    Effect::new(move |_| {
        app.form.track();
        asking.set(None);
    });
    view! {
        <form
            class="card setup-form"
            novalidate
            autocomplete="on"
            on:submit=move |event| {
                event.prevent_default();
                submit(app, asking, Ask::Add);
            }
        >
            {children()}
            <BothProtocols />
            <TestResult />
            {move || asking.get().map(|ask| view! { <Question ask asking /> })}
            <footer class="setup-actions" hidden=move || asking.with(Option::is_some)>
                <button
                    type="submit"
                    class="button is-primary"
                    data-test="setup-add"
                    aria-disabled=busy
                >
                    {move || {
                        if app.setup.with(|setup| setup.adding.is_some()) {
                            text::setup::ADDING
                        } else {
                            text::setup::ADD
                        }
                    }}
                </button>
                <button
                    type="button"
                    class="button"
                    data-test="setup-test"
                    aria-disabled=busy
                    on:click=move |_| submit(app, asking, Ask::Test)
                >
                    {move || {
                        if app.setup.with(|setup| setup.testing.is_some()) {
                            text::setup::TESTING
                        } else {
                            text::setup::TEST
                        }
                    }}
                </button>
                {beside}
            </footer>
        </form>
        <RefusedCertificate asking />
    }
}

/// Names the hosts that would get the password, and who named them.
#[component]
fn Question(ask: Ask, asking: RwSignal<Option<Ask>>) -> impl IntoView {
    let app = App::here();
    let (strangers, domain) = app.form.with_untracked(|form| (form.strangers(), domain(form)));
    let accepted = strangers.clone();
    let hosts = strangers.into_iter().map(|stranger| host(stranger, &domain)).collect_view();
    let yes = move |_| {
        app.form.update(|form| form.accept(&accepted));
        asking.set(None);
        submit(app, asking, ask);
        focus::give("[data-test=setup-add]");
    };
    let no = move |_| {
        asking.set(None);
        app.setup.update(|setup| setup.tell(text::discovery::NOT_SENT));
        focus::give("[data-test=setup-by-hand], [data-test=setup-in-host]");
    };
    view! {
        <section
            class="stranger"
            data-test="setup-stranger"
            role="alertdialog"
            aria-labelledby="stranger-title"
        >
            <Icon glyph=icons::SHIELD />
            <div class="stranger-words">
                <h3 id="stranger-title" tabindex="-1">
                    {text::discovery::ASK_TITLE}
                </h3>
                <ul>{hosts}</ul>
                <p>{text::discovery::ASK_WARNING}</p>
                <div class="setup-actions">
                    <button
                        type="button"
                        class="button is-primary"
                        data-test="setup-stranger-yes"
                        on:click=yes
                    >
                        {text::discovery::ASK_YES}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-test="setup-stranger-no"
                        on:click=no
                    >
                        {text::discovery::ASK_NO}
                    </button>
                </div>
            </div>
        </section>
    }
}

fn host(stranger: Stranger, domain: &str) -> impl IntoView + use<> {
    let about = text::discovery::stranger(&stranger.source, domain);
    view! {
        <li>
            <bdi class="stranger-host">{stranger.host}</bdi>
            <span>{text::discovery::not_of(domain)} " " {about}</span>
        </li>
    }
}

/// Sends the settings, unless a field has to be mended or the person has to be asked first.
pub(super) fn submit(app: App, asking: RwSignal<Option<Ask>>, ask: Ask) {
    if app.setup.with_untracked(Progress::is_busy) {
        return;
    }
    match app.form.with_untracked(Form::draft) {
        Err((field, sentence)) => blame(app, field, sentence),
        Ok(_) if app.form.with_untracked(|form| !form.strangers().is_empty()) => {
            asking.set(Some(ask));
            focus::give("#stranger-title");
        }
        Ok(draft) => match ask {
            Ask::Test => app.test_account(draft),
            Ask::Add => app.add_account(draft),
        },
    }
}
