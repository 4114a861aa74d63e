//! A WebSocket as a queue of events.

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// What a WebSocket tells.
pub(super) enum Event {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// It is closed, in good order or not; the last event.
    Closed,
}

/// A WebSocket; closed when dropped.
///
/// The queue has no bound of its own: the tunnel's credit bounds it.
pub(super) struct Socket {
    socket: WebSocket,
    events: UnboundedReceiver<Event>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Starts to connect with these subprotocols; `None` if the browser does not allow it.
    pub(super) fn open(url: &str, subprotocols: &[&str]) -> Option<Self> {
        let subprotocols: Array = subprotocols.iter().map(|name| JsValue::from_str(name)).collect();
        let socket = WebSocket::new_with_str_sequence(url, &subprotocols).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let (sender, events) = unbounded();
        // The receiver outlives the handlers, which are gone when the socket is dropped.
        let on_message = Closure::<dyn FnMut(_)>::new({
            let sender = sender.clone();
            move |message: MessageEvent| {
                let data = message.data();
                let event = match data.as_string() {
                    Some(text) => Event::Text(text),
                    None => {
                        let buffer: ArrayBuffer = data.unchecked_into();
                        Event::Binary(Uint8Array::new(&buffer).to_vec())
                    }
                };
                drop(sender.unbounded_send(event));
            }
        });
        let on_close = Closure::<dyn FnMut(_)>::new(move |_: CloseEvent| {
            drop(sender.unbounded_send(Event::Closed));
        });
        // An error is always followed by a close, and says nothing more.
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { socket, events, _on_message: on_message, _on_close: on_close })
    }

    /// The next event. Cancel-safe.
    pub(super) async fn next(&mut self) -> Event {
        self.events.next().await.unwrap_or(Event::Closed)
    }

    /// The next event, if there is one already.
    pub(super) fn next_now(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Sends a text frame; `None` if the socket is not open.
    pub(super) fn send_text(&self, text: &str) -> Option<()> {
        self.is_open().then(|| self.socket.send_with_str(text).ok())?
    }

    /// Sends a binary frame; `None` if the socket is not open.
    pub(super) fn send_binary(&self, bytes: &[u8]) -> Option<()> {
        self.is_open().then(|| self.socket.send_with_u8_array(bytes).ok())?
    }

    fn is_open(&self) -> bool {
        self.socket.ready_state() == WebSocket::OPEN
    }

    /// Bytes that the browser has taken but not sent.
    pub(super) fn unsent(&self) -> u32 {
        self.socket.buffered_amount()
    }

    /// Closes the socket after what it has taken is sent.
    pub(super) fn close(&self) {
        // Fails only for a close code that is not allowed, and none is given.
        let _ = self.socket.close();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.close();
    }
}
