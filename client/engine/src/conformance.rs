//! The store's conformance suite in a real browser.
//!
//! A worker whose address ends in `#conformance` runs it instead of the engine, and posts one
//! message `{name, error}` for each case, with `error` null if it passed; then one whose `name` is
//! null: all cases have run.

use js_sys::{JsString, Object, Reflect};
use postern_mail::store::conformance;
use wasm_bindgen::prelude::*;

use crate::{clock::BrowserClock, store::IndexedDbStore, worker::Worker};
use postern_mail::Clock;

/// Runs the suite if the worker was started for it; says whether it was.
pub(crate) async fn run_if_asked(worker: &Worker) -> bool {
    if worker.hash() != "#conformance" {
        return false;
    }
    // New databases each time: those of an earlier run may be there still.
    let run = BrowserClock.now();
    let open = async |name: &str| IndexedDbStore::open(&format!("{run}-{name}")).await;
    for case in conformance::run(open).await {
        post(worker, Some(case.name), case.failure.as_deref());
    }
    post(worker, None, None);
    true
}

fn post(worker: &Worker, name: Option<&str>, error: Option<&str>) {
    let message = Object::new();
    for (field, text) in [("name", name), ("error", error)] {
        let text = text.map_or(JsValue::NULL, |text| JsString::from(text).into());
        Reflect::set(&message, &field.into(), &text).expect("a new object takes any field");
    }
    worker.post(&message);
}
