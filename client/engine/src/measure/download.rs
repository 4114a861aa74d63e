//! How fast a tunnel brings bytes in a real browser.
//!
//! A worker whose address ends in `#measure=HOST,PORT,END,BYTES` downloads so many bytes from a
//! server that says nothing else, instead of being the engine. `END` is where TLS ends: `proxy`, or
//! the fingerprint of the certificate that is trusted in the browser. Then it posts one message
//! `{millis, memory, error}`: how long it took, how many bytes WebAssembly had of memory in the end,
//! and what went wrong, if anything.

use js_sys::{ArrayBuffer, Object, Reflect, WebAssembly};
use postern_bridge::{Endpoint, Security, TlsEnd};
use postern_mail::{Clock, Connector, Transport, TransportError};
use wasm_bindgen::prelude::*;

use crate::{access::Access, clock::BrowserClock, transport::TunnelConnector, worker::Worker};

/// Measures if the worker was started for it; says whether it was.
pub(crate) async fn run_if_asked(worker: &Worker) -> bool {
    let hash = worker.hash();
    let Some(asked) = hash.strip_prefix("#measure=") else { return false };
    let result = match parse(asked) {
        Some((endpoint, bytes)) => {
            let connector = TunnelConnector::new(&worker.origin(), Access::of_proxy());
            download(&connector, &endpoint, bytes).await.map_err(|error| error.to_string())
        }
        None => Err(format!("{asked} is not HOST,PORT,END,BYTES")),
    };
    let message = Object::new();
    let set = |field: &str, value: JsValue| {
        Reflect::set(&message, &field.into(), &value).expect("a new object takes any field");
    };
    match result {
        Ok(millis) => set("millis", (millis as f64).into()),
        Err(error) => set("error", error.into()),
    }
    set("memory", memory().into());
    worker.post(&message);
    true
}

fn parse(asked: &str) -> Option<(Endpoint, usize)> {
    let mut parts = asked.split(',');
    let (host, port) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let (tls_end, trusted) = match parts.next()? {
        "proxy" => (TlsEnd::Proxy, None),
        fingerprint => (TlsEnd::Browser, Some(fingerprint.parse().ok()?)),
    };
    let bytes = parts.next()?.parse().ok()?;
    Some((Endpoint { host, port, security: Security::Tls, tls_end, trusted }, bytes))
}

/// Downloads so many bytes; returns how many milliseconds that took, connecting included.
async fn download(
    connector: &TunnelConnector,
    endpoint: &Endpoint,
    bytes: usize,
) -> Result<i64, TransportError> {
    let start = BrowserClock.now();
    let mut stream = connector.connect(endpoint).await?;
    let mut received = 0;
    while received < bytes {
        let more = stream.read().await?.len();
        if more == 0 {
            return Err(TransportError::Lost);
        }
        received += more;
    }
    let took = BrowserClock.now() - start;
    stream.close().await;
    Ok(took)
}

/// The size of WebAssembly's memory, in bytes.
fn memory() -> u32 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    memory.buffer().unchecked_into::<ArrayBuffer>().byte_length()
}
