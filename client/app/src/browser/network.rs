//! Whether the browser has a network.

use leptos::{
    ev,
    prelude::{window, window_event_listener},
};

/// Whether there is a network now. "Yes" may be wrong, "no" is right.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Tells when the network comes or goes.
pub(crate) fn on_change(tell: impl Fn(bool) + Clone + 'static) {
    let told = tell.clone();
    // Both listeners live as long as the page.
    let _ = window_event_listener(ev::online, move |_| told(true));
    let _ = window_event_listener(ev::offline, move |_| tell(false));
}
