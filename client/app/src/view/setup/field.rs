//! A field with its label.

use leptos::prelude::*;

/// A one-line field with its label and a hint.
#[component]
pub(in crate::view) fn TextField(
    /// What to write here.
    label: &'static str,
    /// The name that tests know it by.
    test: &'static str,
    /// What is in it.
    #[prop(into)]
    value: Signal<String>,
    /// Takes over what was typed.
    on_type: impl Fn(String) + 'static,
    /// What is wrong with it, if anything.
    problem: Signal<Option<String>>,
    /// The kind of field.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// The keyboard that a phone shows.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// What to know about it.
    #[prop(optional)]
    hint: Option<&'static str>,
) -> impl IntoView {
    let hint_id = format!("{test}-hint");
    let problem_id = format!("{test}-problem");
    let described = {
        let (hint_id, problem_id) = (hint_id.clone(), problem_id.clone());
        move || match (problem.with(Option::is_some), hint) {
            (true, _) => Some(problem_id.clone()),
            (false, Some(_)) => Some(hint_id.clone()),
            (false, None) => None,
        }
    };
    view! {
        <div class="field" class:is-blamed=move || problem.with(Option::is_some)>
            <label>
                <span class="field-label">{label}</span>
                <input
                    class="input"
                    type=kind
                    data-test=test
                    name=test
                    autocomplete=autocomplete
                    inputmode=inputmode
                    autocapitalize="none"
                    spellcheck="false"
                    dir="auto"
                    aria-invalid=move || problem.with(Option::is_some).to_string()
                    aria-describedby=described
                    prop:value=value
                    on:input:target=move |event| {
                        on_type(event.target().value());
                    }
                />
            </label>
            <p class="field-problem" id=problem_id>
                {problem}
            </p>
            {hint.map(|hint| view! { <p class="field-hint" id=hint_id>{hint}</p> })}
        </div>
    }
}
