//! x
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

pub(crate) struct Worker {
    scope: DedicatedWorkerGlobalScope,
}
impl Worker {
    pub(crate) fn new() -> Self {
        Self { scope: js_sys::global().unchecked_into() }
    }
    pub(crate) fn hash(&self) -> String {
        self.scope.location().hash()
    }
    pub(crate) fn post(&self, message: &JsValue) {
        let _ = self.scope.post_message(message);
    }
}
