//! The address bar and the way back.

use leptos::{
    ev,
    prelude::{window, window_event_listener},
};
use wasm_bindgen::JsValue;

use crate::route::Route;

/// The route that the address bar names.
pub(crate) fn current() -> Route {
    Route::parse(&window().location().hash().unwrap_or_default())
}

/// Writes a route into the address bar; `replace` leaves no way back to the one before.
pub(crate) fn write(route: Route, replace: bool) {
    let fragment = Some(route.fragment());
    // Browsers refuse more than some hundred calls in half a minute; the page works without.
    let _ = window().history().and_then(|history| {
        if replace {
            history.replace_state_with_url(&JsValue::NULL, "", fragment.as_deref())
        } else {
            history.push_state_with_url(&JsValue::NULL, "", fragment.as_deref())
        }
    });
}

/// Tells of each route that the person goes back or forward to, or types.
pub(crate) fn on_change(tell: impl Fn(Route) + Clone + 'static) {
    let told = tell.clone();
    // Both listeners live as long as the page.
    let _ = window_event_listener(ev::popstate, move |_| told(current()));
    let _ = window_event_listener(ev::hashchange, move |_| tell(current()));
}
