//! A download of which nobody holds more than a piece: the service worker asks for its bytes as the
//! browser writes them to the disk. `service-worker.js` has the other end.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, encode_uri_component};
use leptos::{
    ev,
    prelude::{
        IntervalHandle, WindowListenerHandle, document, set_interval_with_handle, set_timeout,
        window, window_event_listener,
    },
};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, HtmlIFrameElement, MessageChannel, MessageEvent, MessagePort, ServiceWorker,
};

use super::update;

/// How long the browser may take to begin the download; then it can't do it in this way.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the service worker is told to stay: browsers end one that is idle for 30 seconds.
const STAY: Duration = Duration::from_secs(10);

/// A download that has begun; given up when dropped before its end.
pub(crate) struct Stream {
    line: Rc<Line>,
    /// What was sent to the download's address.
    frame: HtmlIFrameElement,
    staying: Option<IntervalHandle>,
    /// What gives it up when the page goes.
    leaving: Option<WindowListenerHandle>,
    _heard: Closure<dyn Fn(MessageEvent)>,
}

impl Stream {
    /// Begins a download under a name; `None` where no service worker controls the page, or the
    /// browser does not begin one in this way.
    pub(crate) async fn open(name: &str) -> Option<Self> {
        let worker = update::controller()?;
        let id = window().crypto().ok()?.random_uuid();
        let channel = MessageChannel::new().ok()?;
        let frame: HtmlIFrameElement = document().create_element("iframe").ok()?.unchecked_into();
        frame.set_hidden(true);
        let line = Rc::new(Line {
            port: channel.port1(),
            sending: RefCell::default(),
            is_silent: Cell::default(),
        });
        let address = format!("/download/{id}/{}", String::from(encode_uri_component(name)));
        let (begun, begins) = promise();
        let heard = {
            let (line, frame, begins) = (line.clone(), frame.clone(), begins.clone());
            Closure::new(move |event: MessageEvent| match event.data().as_string().as_deref() {
                Some("ready") => frame.set_src(&address),
                Some("begun") => call(&begins, &true.into()),
                Some("pull") => line.pulled(),
                _ => line.lose(),
            })
        };
        line.port.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        let leaving = {
            let port = line.port.clone();
            window_event_listener(ev::pagehide, move |_| abort(&port))
        };
        let mut stream = Self { line, frame, staying: None, leaving: Some(leaving), _heard: heard };
        document().body()?.append_child(&stream.frame).ok()?;
        let offer = object([("download", &id), ("name", name)])?;
        worker.post_message_with_transferable(&offer, &Array::of1(&channel.port2())).ok()?;
        set_timeout(move || call(&begins, &false.into()), PATIENCE);
        let has_begun = JsFuture::from(begun).await.is_ok_and(|begun| begun.is_truthy());
        if has_begun {
            let line = Rc::downgrade(&stream.line);
            let ask = move || {
                if let Some(line) = line.upgrade() {
                    // One that a new version has replaced hears nothing any more.
                    if line.is_silent.replace(true) {
                        return line.lose();
                    }
                    // Fails only for what can't be sent.
                    let _ = ask_to_stay(&worker, &id, line);
                }
            };
            stream.staying = set_interval_with_handle(ask, STAY).ok();
        }
        has_begun.then_some(stream)
    }

    /// Takes the next bytes; the promise is kept when the browser has come to them, and broken when it
    /// takes no more.
    pub(crate) fn write(&self, bytes: &[u8]) -> Promise {
        self.line.send(Uint8Array::from(bytes).into())
    }

    /// All bytes are there; the promise is kept when the browser has taken them.
    pub(crate) fn close(&self) -> Promise {
        self.line.send("end".into())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        abort(&self.line.port);
        self.line.port.close();
        self.line.lose();
        self.frame.remove();
        if let Some(staying) = self.staying.take() {
            staying.clear();
        }
        if let Some(leaving) = self.leaving.take() {
            leaving.remove();
        }
    }
}

/// Has the service worker give the download up; means nothing after its end.
fn abort(port: &MessagePort) {
    // Fails only for what can't be sent.
    let _ = port.post_message(&"abort".into());
}

/// The way to the service worker.
struct Line {
    port: MessagePort,
    sending: RefCell<Sending>,
    /// Whether the service worker has yet to say that it still has the download.
    is_silent: Cell<bool>,
}

/// What is on its way.
#[derive(Default)]
struct Sending {
    /// Whether the service worker has asked for a piece that it has not got.
    is_wanted: bool,
    /// Whether it takes no more.
    is_lost: bool,
    waiting: VecDeque<Piece>,
}

/// A piece that waits, and whom to tell.
struct Piece {
    content: JsValue,
    taken: Function,
    lost: Function,
}

impl Line {
    fn send(&self, content: JsValue) -> Promise {
        Promise::new(&mut |taken, lost| {
            let piece = Piece { content: content.clone(), taken, lost };
            self.sending.borrow_mut().waiting.push_back(piece);
            self.go_on();
        })
    }

    fn pulled(&self) {
        self.sending.borrow_mut().is_wanted = true;
        self.go_on();
    }

    fn lose(&self) {
        self.sending.borrow_mut().is_lost = true;
        self.go_on();
    }

    /// Sends what is wanted, or tells those who wait that nothing is any more.
    fn go_on(&self) {
        loop {
            let mut sending = self.sending.borrow_mut();
            if !sending.is_wanted && !sending.is_lost {
                return;
            }
            let Some(piece) = sending.waiting.pop_front() else { return };
            sending.is_wanted = false;
            let is_lost = sending.is_lost;
            drop(sending);
            if is_lost || self.post(&piece.content).is_err() {
                call(&piece.lost, &stopped());
            } else {
                call(&piece.taken, &JsValue::UNDEFINED);
            }
        }
    }

    fn post(&self, content: &JsValue) -> Result<(), JsValue> {
        match content.dyn_ref::<Uint8Array>() {
            // Handed over, not copied.
            Some(bytes) => {
                self.port.post_message_with_transferable(content, &Array::of1(&bytes.buffer()))
            }
            None => self.port.post_message(content),
        }
    }
}

/// Has the service worker stay, and hears whether it is still the one that has the download.
fn ask_to_stay(worker: &ServiceWorker, id: &str, line: Rc<Line>) -> Result<(), JsValue> {
    let channel = MessageChannel::new()?;
    let answered = Closure::once_into_js(move |event: MessageEvent| {
        line.is_silent.set(false);
        if event.data().is_falsy() {
            line.lose();
        }
    });
    channel.port1().set_onmessage(Some(answered.unchecked_ref()));
    let question = object([("stay", id)]).ok_or(JsValue::UNDEFINED)?;
    worker.post_message_with_transferable(&question, &Array::of1(&channel.port2()))
}

/// What the promises of a download are broken with that goes no further.
fn stopped() -> JsValue {
    DomException::new_with_message_and_name("the download was stopped", "AbortError")
        .map_or_else(|error| error, JsValue::from)
}

/// A promise, and what keeps it.
fn promise() -> (Promise, Function) {
    let mut keep = None;
    let promise = Promise::new(&mut |resolve, _| keep = Some(resolve));
    (promise, keep.expect("a promise calls what makes it at once"))
}

fn object<const N: usize>(entries: [(&str, &str); N]) -> Option<Object> {
    let object = Object::new();
    for (name, value) in entries {
        Reflect::set(&object, &name.into(), &value.into()).ok()?;
    }
    Some(object)
}

/// Calls one of a promise's own functions, which never throw.
fn call(settle: &Function, with: &JsValue) {
    let _ = settle.call1(&JsValue::UNDEFINED, with);
}
