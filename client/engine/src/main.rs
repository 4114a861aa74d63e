//! The page's engine: a worker that binds the client's logic to what a browser offers.
//!
//! | Module | Job |
//! |---|---|
//! | [`worker`] | the worker's own scope: messages from and to its page |
//! | [`store`] | the store in IndexedDB |
//! | [`clock`] | time |

mod clock;
#[cfg(feature = "conformance")]
mod conformance;
mod store;
mod worker;

fn main() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        let worker = worker::Worker::new();
        #[cfg(feature = "conformance")]
        if conformance::run_if_asked(&worker).await {}
    });
}
