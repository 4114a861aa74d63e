//! What the proxy says about itself.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::state::demo::Demo;

/// The demo that the proxy offers. `None` if it offers none, or can't be asked: then there is no
/// network and nothing to try.
pub(crate) async fn fetch_demo() -> Option<Demo> {
    let response = JsFuture::from(window().fetch_with_str("/api/config")).await.ok()?;
    let response: Response = response.dyn_into().ok().filter(Response::ok)?;
    let config = JsFuture::from(response.json().ok()?).await.ok()?;
    let demo = member(&config, "demo")?;
    let server = |name| {
        let server = member(&demo, name)?;
        let port = member(&server, "port")?.as_f64()?;
        Some((member(&server, "host")?.as_string()?, port as u16))
    };
    Some(Demo {
        address: member(&demo, "address")?.as_string()?,
        password: member(&demo, "password")?.as_string()?,
        imap: server("imap")?,
        pop3: server("pop3")?,
        submission: server("submission")?,
        fingerprint: member(&demo, "fingerprint")?.as_string()?.parse().ok()?,
    })
}

fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into())
        .ok()
        .filter(|value| !value.is_null() && !value.is_undefined())
}
