//! The worker's own scope: messages from and to the page that started it.

use std::cell::RefCell;

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use postern_bridge::{Delta, Down, Problem, ProblemKind, Up};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent, WorkerNavigator};

/// This worker.
#[derive(Clone)]
pub(crate) struct Worker {
    scope: DedicatedWorkerGlobalScope,
}

impl Worker {
    /// The worker that this program runs in.
    pub(crate) fn this() -> Self {
        Self { scope: js_sys::global().unchecked_into() }
    }

    /// Where the worker's script came from, such as `https://mail.example.org`.
    pub(crate) fn origin(&self) -> String {
        self.scope.location().origin()
    }

    /// What follows the `#` in the worker's address, with the `#`; may be empty.
    #[cfg(any(feature = "conformance", feature = "measure"))]
    pub(crate) fn hash(&self) -> String {
        self.scope.location().hash()
    }

    /// The browser's cryptography.
    pub(crate) fn crypto(&self) -> web_sys::Crypto {
        self.scope.crypto().expect("every browser that runs WebAssembly has it")
    }

    /// What the browser offers beyond the scope itself.
    pub(crate) fn navigator(&self) -> WorkerNavigator {
        self.scope.navigator()
    }

    /// Passes on what the page sends from now on, and what it sent while the engine was loading.
    pub(crate) fn listen(&self, heard: impl Fn(Up) + 'static) {
        let worker = self.clone();
        let receive =
            move |data: JsValue| match postern_bridge::from_bytes(&Uint8Array::new(&data).to_vec())
            {
                Ok(up) => heard(up),
                Err(_) => worker.problem(
                    ProblemKind::Gone,
                    "The page and its engine are of different versions. Reload the page.".into(),
                ),
            };
        for data in self.waiting() {
            receive(data);
        }
        let on_message =
            Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| receive(event.data()));
        self.scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // The handler lives as long as the worker.
        on_message.forget();
    }

    /// What the loader script has kept.
    fn waiting(&self) -> Vec<JsValue> {
        let waiting = Reflect::get(&self.scope, &"waiting".into()).ok();
        waiting.and_then(|list| list.dyn_into::<Array>().ok()).map_or(Vec::new(), |list| {
            let messages = list.to_vec();
            list.set_length(0);
            messages
        })
    }

    /// Fetches the file of public roots; `None` if the server no longer has it.
    ///
    /// # Errors
    ///
    /// If the server can't be reached.
    pub(crate) async fn fetch_roots(&self) -> Result<Option<Vec<u8>>, JsValue> {
        let fetch: Function = Reflect::get(&self.scope, &"fetchRoots".into())?.dyn_into()?;
        let fetched: Promise = fetch.call0(&self.scope)?.dyn_into()?;
        let file = JsFuture::from(fetched).await?;
        Ok((!file.is_null()).then(|| Uint8Array::new(&file).to_vec()))
    }

    /// Sends a delta to the page.
    pub(crate) fn send(&self, down: &Down) {
        let bytes = Uint8Array::from(&postern_bridge::to_bytes(down)[..]).buffer();
        self.scope
            .post_message_with_transfer(&bytes, &Array::of1(&bytes))
            .expect("a buffer that nobody else holds can be transferred");
    }

    /// Tells the page what is wrong.
    pub(crate) fn problem(&self, kind: ProblemKind, sentence: String) {
        let delta = Delta::Problem(Problem::new(kind, sentence));
        self.send(&Down { client: None, delta });
    }

    /// Ends the worker; what it has sent still arrives.
    fn close(&self) {
        self.scope.close();
    }

    /// Posts a message that is not of the bridge.
    #[cfg(any(feature = "conformance", feature = "measure"))]
    pub(crate) fn post(&self, message: &JsValue) {
        self.scope.post_message(message).expect("plain objects can be cloned");
    }
}

/// From now on a panic is told to the console and to the page, and ends the worker.
pub(crate) fn tell_panics() {
    thread_local! {
        static TOLD: RefCell<bool> = const { RefCell::new(false) };
    }
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        let worker = Worker::this();
        // Once is enough, and a panic while telling must not go round in circles.
        if !TOLD.replace(true) {
            worker.problem(
                ProblemKind::Gone,
                "Postern has run into a fault of its own and stopped. Reload the page to go on; \
                 what is stored is safe."
                    .into(),
            );
        }
        // The locks go with the worker, so that another page can take the lead.
        worker.close();
    }));
}
