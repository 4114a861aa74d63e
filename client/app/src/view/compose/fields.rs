//! From, recipients, subject and text.

use leptos::{html, prelude::*};

use super::of;
use crate::{
    address,
    state::{
        App,
        draft::{Draft, DraftField},
    },
    text,
};

/// All fields of the message.
#[component]
pub(super) fn Fields() -> impl IntoView {
    let app = App::here();
    let text_area = NodeRef::<html::Textarea>::new();
    let written =
        Memo::new(move |_| of(app, String::new(), |composer| composer.draft.text.clone()));
    let answers = app.composer.with_untracked(|composer| {
        composer.as_ref().is_some_and(|composer| !composer.draft.to.is_empty())
    });
    Effect::new(move |_| {
        // An answer starts above the quoted text; a new message starts with its recipient.
        if let Some(area) = text_area.get().filter(|_| answers) {
            let _ = area.focus();
            let _ = area.set_selection_range(0, 0);
            area.set_scroll_top(0);
        }
    });
    view! {
        <div class="compose-fields">
            <From />
            <Line
                label=text::compose::TO
                test="compose-to"
                hint=text::compose::TO_HINT
                field=DraftField::To
                focus=!answers
                value=|draft| &mut draft.to
            />
            <Line
                label=text::compose::CC
                test="compose-cc"
                field=DraftField::Cc
                value=|draft| &mut draft.cc
            />
            <Line
                label=text::compose::BCC
                test="compose-bcc"
                field=DraftField::Bcc
                value=|draft| &mut draft.bcc
            />
            <Line label=text::compose::SUBJECT test="compose-subject" value=|draft| &mut draft.subject />
        </div>
        <textarea
            class="compose-text"
            data-test="compose-text"
            aria-label=text::compose::TEXT
            dir="auto"
            node_ref=text_area
            prop:value=move || written.get()
            on:input:target=move |event| {
                let text = event.target().value();
                app.change_composer(|composer| composer.draft.text = text);
            }
        ></textarea>
    }
}

#[component]
fn Line(
    label: &'static str,
    test: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] field: Option<DraftField>,
    #[prop(optional)] focus: bool,
    value: fn(&mut Draft) -> &mut String,
) -> impl IntoView {
    let app = App::here();
    let input = NodeRef::<html::Input>::new();
    let typed = Memo::new(move |_| {
        of(app, String::new(), |composer| value(&mut composer.draft.clone()).clone())
    });
    let blamed = Memo::new(move |_| {
        of(app, false, |composer| {
            let blamed = composer.problem.as_ref().and_then(|fault| fault.field);
            blamed.is_some() && blamed == field
        })
    });
    Effect::new(move |_| {
        if let Some(input) = input.get().filter(|_| focus) {
            let _ = input.focus();
        }
    });
    view! {
        <label class="compose-line" class:is-blamed=move || blamed.get()>
            <span>{label}</span>
            <input
                type="text"
                data-test=test
                placeholder=hint
                dir="auto"
                autocomplete="off"
                autocapitalize="none"
                aria-invalid=move || blamed.get().to_string()
                node_ref=input
                prop:value=move || typed.get()
                on:input:target=move |event| {
                    let typed = event.target().value();
                    app.change_composer(|composer| {
                        *value(&mut composer.draft) = typed;
                        composer.problem = None;
                    });
                }
            />
        </label>
    }
}

#[component]
fn From() -> impl IntoView {
    let app = App::here();
    let accounts = Memo::new(move |_| {
        app.accounts.with(|accounts| {
            let choice = |account: &postern_bridge::AccountView| {
                let own = postern_bridge::Address {
                    name: account.identity.name.clone(),
                    address: account.identity.address.clone(),
                };
                (account.id.0, address::join(&[own]))
            };
            accounts.all().iter().map(choice).collect::<Vec<_>>()
        })
    });
    let chosen = Memo::new(move |_| of(app, 0, |composer| composer.draft.account));
    view! {
        <label class="compose-line">
            <span>{text::compose::FROM}</span>
            <select
                data-test="compose-from"
                on:change:target=move |event| {
                    if let Ok(account) = event.target().value().parse() {
                        app.change_composer(|composer| composer.draft.account = account);
                    }
                }
            >
                <For each=move || accounts.get() key=|choice| choice.clone() let((id, label))>
                    <option value=id selected=move || chosen.get() == id>
                        {label}
                    </option>
                </For>
            </select>
        </label>
    }
}
