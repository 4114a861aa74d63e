//! The link to the engine, which runs in a worker of its own.

use std::cell::Cell;

use js_sys::{Array, Uint8Array};
use leptos::prelude::{document, window};
use postern_bridge::{ClientId, Delta, Down, Intent, Up, from_bytes, to_bytes};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// What comes from the worker.
pub(crate) enum Event {
    /// Something changed.
    Delta(Delta),
    /// The worker did not start, or broke, or is of another version.
    Broken,
}

/// The engine's worker, as the page sees it.
pub(crate) struct Engine {
    client: ClientId,
    worker: Worker,
    last_request: Cell<u32>,
    // Dropping these would detach them from the worker.
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_error: Closure<dyn Fn(ErrorEvent)>,
}

impl Engine {
    /// Starts the worker whose script the page names in `<meta name="postern-engine">`.
    ///
    /// # Errors
    ///
    /// If the page names none or the browser has no module workers.
    pub(crate) fn start(on_event: impl Fn(Event) + Clone + 'static) -> Result<Self, JsValue> {
        let url = document()
            .query_selector("meta[name=postern-engine]")?
            .and_then(|meta| meta.get_attribute("content"))
            .ok_or("the page does not name its engine")?;
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&url, &options)?;

        let client = random_client()?;
        let tell = on_event.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let bytes = Uint8Array::new(&event.data()).to_vec();
            match from_bytes::<Down>(&bytes) {
                Ok(down) if down.client.is_none_or(|addressee| addressee == client) => {
                    tell(Event::Delta(down.delta));
                }
                Ok(_) => {}
                Err(_) => tell(Event::Broken),
            }
        });
        let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |_| on_event(Event::Broken));
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            client,
            worker,
            last_request: Cell::new(0),
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Tells the engine what the person wants.
    pub(crate) fn send(&self, intent: Intent) {
        let up = to_bytes(&Up { client: self.client, intent });
        let bytes = Uint8Array::from(up.as_slice());
        let transferred = Array::of1(&bytes.buffer());
        // Fails only for what can't be cloned or was transferred already; this is new bytes.
        let _ = self.worker.post_message_with_transfer(&bytes, &transferred);
    }

    /// A number for a request, so that its answer can be told from others.
    pub(crate) fn new_request(&self) -> u32 {
        let request = self.last_request.get().wrapping_add(1);
        self.last_request.set(request);
        request
    }
}

fn random_client() -> Result<ClientId, JsValue> {
    let mut bytes = [0; 8];
    window().crypto()?.get_random_values_with_u8_array(&mut bytes)?;
    Ok(ClientId(u64::from_le_bytes(bytes)))
}
