//! How fast the engine is in a real browser.
//!
//! A worker measures instead of being the engine if its address ends in one of
//!
//! - `#measure=HOST,PORT,END,BYTES`: so many bytes are downloaded from a server that says nothing
//!   else;
//! - `#measure-sync=HOST,PORT,END,USER,PASSWORD,MESSAGES`: an inbox of so many messages comes into an
//!   empty database;
//! - `#measure-receive=HOST,PORT,END,USER,PASSWORD,MESSAGES`: so many messages come from a POP3
//!   server into an empty database;
//! - `#measure-part=HOST,PORT,END,USER,PASSWORD,SECTION`: so does a part of the inbox's first
//!   message.
//!
//! `END` is where TLS ends: `proxy`, or the fingerprint of the certificate that is trusted in the
//! browser. Then it posts one message `{millis, idle, memory, error}`: how long it took, how many
//! bytes WebAssembly had of memory before and in the end, and what went wrong, if anything.

mod download;
mod mail;
mod receive;

use js_sys::{ArrayBuffer, Object, Reflect, WebAssembly};
use postern_bridge::{Endpoint, Security, ServerLogin, TlsEnd};
use postern_mail::{Clock, MailError, Store, store::Packed};
use wasm_bindgen::prelude::*;

use crate::{clock::BrowserClock, host::BrowserHost, store::IndexedDbStore, worker::Worker};

/// What was measured.
struct Measured {
    millis: i64,
    /// Bytes of memory before.
    idle: u32,
}

/// Measures if the worker was started for it; says whether it was.
pub(crate) async fn run_if_asked(worker: &Worker) -> bool {
    let hash = worker.hash();
    let Some((what, asked)) = hash.split_once('=') else { return false };
    let result = match what {
        "#measure" => download::run(worker, asked).await,
        "#measure-sync" => mail::sync(worker, asked).await,
        "#measure-receive" => receive::run(worker, asked).await,
        "#measure-part" => mail::part(worker, asked).await,
        _ => return false,
    };
    let message = Object::new();
    let set = |field: &str, value: JsValue| {
        Reflect::set(&message, &field.into(), &value).expect("a new object takes any field");
    };
    match result {
        Ok(Measured { millis, idle }) => {
            set("millis", (millis as f64).into());
            set("idle", idle.into());
        }
        Err(error) => set("error", error.into()),
    }
    set("memory", memory().into());
    worker.post(&message);
    true
}

/// The server that `HOST,PORT,END,…` names, and what follows.
fn endpoint(asked: &str) -> Result<(Endpoint, Vec<&str>), String> {
    let fields: Vec<&str> = asked.split(',').collect();
    let [host, port, end, rest @ ..] = &fields[..] else {
        return Err(format!("{asked} does not begin with HOST,PORT,END"));
    };
    let port = port.parse().map_err(|_| format!("{port} is no port"))?;
    let (tls_end, trusted) = match *end {
        "proxy" => (TlsEnd::Proxy, None),
        digest => {
            let digest = digest.parse().map_err(|_| format!("{digest} is no fingerprint"))?;
            (TlsEnd::Browser, Some(digest))
        }
    };
    let host = (*host).to_owned();
    Ok((Endpoint { host, port, security: Security::Tls, tls_end, trusted }, rest.to_vec()))
}

/// The log-in that `HOST,PORT,END,USER,…` names, and what follows.
fn login(asked: &str) -> Result<(ServerLogin, Vec<&str>), String> {
    let (endpoint, rest) = endpoint(asked)?;
    let [username, rest @ ..] = &rest[..] else { return Err("USER is missing".into()) };
    Ok((ServerLogin { endpoint, username: (*username).into() }, rest.to_vec()))
}

/// The browser with a database that nobody has used before.
async fn host(worker: &Worker) -> Result<BrowserHost, MailError> {
    let store = IndexedDbStore::open(&format!("measure-{}", BrowserClock.now())).await?;
    let store = Packed::new(store);
    store.take_lead().await?;
    Ok(BrowserHost::new(store, &worker.navigator(), worker.crypto(), &worker.origin()))
}

/// The size of WebAssembly's memory, in bytes.
fn memory() -> u32 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.buffer().unchecked_into::<ArrayBuffer>().byte_length()
}
