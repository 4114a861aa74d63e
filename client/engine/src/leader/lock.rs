//! The browser's locks, held by name across all pages and workers of one origin.

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::WorkerNavigator;

#[wasm_bindgen]
extern "C" {
    /// [`LockManager`](https://www.w3.org/TR/web-locks/#api-lock-manager).
    #[derive(Clone)]
    pub(super) type LockManager;

    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, options: &Object, granted: &Function) -> Promise;
}

/// The browser's locks; `None` on a page that did not come over HTTPS.
pub(super) fn manager(navigator: &WorkerNavigator) -> Option<LockManager> {
    let locks = Reflect::get(navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}

/// A lock, held until it is dropped or its worker ends.
pub(super) struct Lock {
    _release: oneshot::Sender<()>,
}

/// Waits for the lock of this name; `None` if the browser does not give it.
pub(super) async fn acquire(locks: &LockManager, name: &str) -> Option<Lock> {
    let (granted, is_granted) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let on_granted = Closure::once_into_js(move |_lock: JsValue| -> Promise {
        // If nobody waits any more, `release` is gone, and so is the lock at once.
        let _ = granted.send(());
        future_to_promise(async move {
            // The lock is given back when this promise is settled: when `release` is dropped.
            let _ = released.await;
            Ok(JsValue::UNDEFINED)
        })
    });
    // Settled when the lock is given back; or before it was granted, if the browser refuses it.
    let request = JsFuture::from(locks.request(name, &Object::new(), on_granted.unchecked_ref()));
    match select(is_granted, request).await {
        Either::Left((Ok(()), _)) => Some(Lock { _release: release }),
        Either::Left((Err(_), _)) | Either::Right(_) => None,
    }
}
