//! The service worker: it keeps the page for offline use and brings new versions.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration,
    ServiceWorkerState,
};

const SCRIPT: &str = "/service-worker.js";

/// What becomes of a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    /// A new one waits to take over.
    Ready,
    /// The first one could not be kept, as where there is too little room: without a network the page does
    /// not load. It is tried again each time that the page loads.
    NotKept,
    /// One is there.
    Kept,
}

/// Registers the service worker and tells what becomes of its versions.
///
/// Where there can be none (a private window, an old browser, a page without TLS) nothing happens: the
/// page works, but not offline.
pub(crate) async fn register(tell: impl Fn(Version) + Clone + 'static) {
    let Some(container) = container() else { return };
    let kept = tell.clone();
    // Another page may bring it.
    on_control(move || kept(Version::Kept));
    let registration = match JsFuture::from(container.register(SCRIPT)).await {
        Ok(registration) => registration.unchecked_into::<ServiceWorkerRegistration>(),
        Err(error) => {
            if !is_forbidden(&error) {
                tell(Version::NotKept);
            }
            return;
        }
    };
    if registration.waiting().is_some() {
        tell(Version::Ready);
    }
    // The browser may have found it before anybody listened.
    match registration.installing() {
        Some(worker) => follow(worker, &registration, tell.clone()),
        None if is_without(&registration) => tell(Version::NotKept),
        None => {}
    }
    let found = registration.clone();
    let on_found = Closure::<dyn Fn()>::new(move || {
        if let Some(worker) = found.installing() {
            follow(worker, &found, tell.clone());
        }
    });
    registration.set_onupdatefound(Some(on_found.as_ref().unchecked_ref()));
    // The listener lives as long as the page.
    on_found.forget();
}

/// The service worker that answers this page's requests, if there is one.
pub(super) fn controller() -> Option<ServiceWorker> {
    container()?.controller()
}

/// Tells each time that a service worker begins to answer this page's requests.
pub(super) fn on_control(told: impl Fn() + 'static) {
    let Some(container) = container() else { return };
    let told = Closure::<dyn Fn()>::new(told);
    // Fails for no listener that there is.
    let _ = container
        .add_event_listener_with_callback("controllerchange", told.as_ref().unchecked_ref());
    // The listener lives as long as the page.
    told.forget();
}

/// Lets the new version take over and loads the page from it.
pub(crate) async fn take_over() {
    let Some(waiting) = waiting().await else { return super::reload() };
    if let Some(container) = container() {
        let on_change = Closure::<dyn Fn()>::new(super::reload);
        container.set_oncontrollerchange(Some(on_change.as_ref().unchecked_ref()));
        on_change.forget();
    }
    if waiting.post_message(&JsValue::from_str("take-over")).is_err() {
        super::reload();
    }
}

async fn waiting() -> Option<ServiceWorker> {
    let registration = JsFuture::from(container()?.get_registration()).await.ok()?;
    registration.dyn_into::<ServiceWorkerRegistration>().ok()?.waiting()
}

/// Tells what becomes of a version that is being installed.
fn follow(
    worker: ServiceWorker,
    registration: &ServiceWorkerRegistration,
    tell: impl Fn(Version) + 'static,
) {
    let (changed, registration) = (worker.clone(), registration.clone());
    let on_change = Closure::<dyn Fn()>::new(move || match changed.state() {
        // The very first version has nothing to replace.
        ServiceWorkerState::Installed if controller().is_some() => tell(Version::Ready),
        ServiceWorkerState::Redundant if is_without(&registration) => tell(Version::NotKept),
        // What becomes of it later, as when the person removes what is stored, is another matter.
        ServiceWorkerState::Activated => changed.set_onstatechange(None),
        _ => {}
    });
    worker.set_onstatechange(Some(on_change.as_ref().unchecked_ref()));
    // The listener lives as long as the page.
    on_change.forget();
}

/// Whether the browser lets no page have a service worker here.
fn is_forbidden(error: &JsValue) -> bool {
    let name = error.dyn_ref::<DomException>().map(DomException::name);
    name.is_some_and(|name| matches!(name.as_str(), "SecurityError" | "NotSupportedError"))
}

/// Whether no version is there, or on its way.
fn is_without(registration: &ServiceWorkerRegistration) -> bool {
    let workers = [registration.installing(), registration.waiting(), registration.active()];
    workers.iter().all(Option::is_none)
}

fn container() -> Option<ServiceWorkerContainer> {
    // Undefined outside secure contexts, whatever the type says.
    let container = window().navigator().service_worker();
    (!container.is_undefined()).then_some(container)
}
