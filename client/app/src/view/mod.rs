use leptos::prelude::*;
#[component]
pub(crate) fn Root() -> impl IntoView { let app = crate::state::App::start(); provide_context(app); }
