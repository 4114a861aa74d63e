//! The page's engine: a worker that binds the client's logic to what a browser offers.
//!
//! It is started by `worker.js`. The page posts [`Up`](postern_bridge::Up)s and gets
//! [`Down`](postern_bridge::Down)s, both as `ArrayBuffer`s that hold the bridge's encoding.
//!
//! | Module | Job |
//! |---|---|
//! | [`worker`] | the worker's own scope: messages from and to its page |
//! | [`leader`] | one engine of all pages leads; the others go through it |
//! | [`host`] | gathers the following for the client's logic |
//! | [`store`] | the store, in IndexedDB |
//! | [`storage`] | how the browser keeps what is stored |
//! | [`access`] | the right to open tunnels: tokens, and the key that they are given for |
//! | [`transport`] | byte streams to mail servers, through the proxy's tunnel |
//! | [`discovery`] | which servers an address has, by the proxy's word |
//! | [`vault`] | secrets under a key that never leaves the browser |
//! | [`clock`], [`random`] | time and randomness |
//! | [`digests`] | SHA-256, made outside of this thread |
//! | [`limits`] | sizes that bound memory |

mod access;
mod clock;
#[cfg(feature = "conformance")]
mod conformance;
mod digests;
mod discovery;
mod host;
mod leader;
mod limits;
#[cfg(feature = "measure")]
mod measure;
mod random;
mod storage;
mod store;
mod transport;
mod vault;
mod worker;

use worker::Worker;

fn main() {
    worker::tell_panics();
    wasm_bindgen_futures::spawn_local(async {
        let worker = Worker::this();
        #[cfg(feature = "conformance")]
        if conformance::run_if_asked(&worker).await {
            return;
        }
        #[cfg(feature = "measure")]
        if measure::run_if_asked(&worker).await {
            return;
        }
        leader::run(worker).await;
    });
}
