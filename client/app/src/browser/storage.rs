//! Asking the browser to keep what is stored (the Storage standard).

use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;

/// Asks the browser to keep what is stored until the person removes it; whether it will.
///
/// Some browsers ask the person, others decide by themselves: for an installed app, a bookmark or a
/// page that is visited often.
pub(crate) async fn persist() -> bool {
    // Undefined outside secure contexts, whatever the type says.
    let manager = window().navigator().storage();
    if manager.is_undefined() {
        return false;
    }
    let Ok(asked) = manager.persist() else { return false };
    JsFuture::from(asked).await.is_ok_and(|kept| kept.is_truthy())
}
