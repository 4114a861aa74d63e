//! What the engines of one browser profile say to each other.

use js_sys::Uint8Array;
use postern_bridge::{ClientId, Down, Up, WireError};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

const NAME: &str = "postern";

/// What one engine says; all others hear it.
#[derive(Deserialize, Serialize)]
pub(super) enum Notice {
    /// To the leader: what the person wants.
    Intent {
        /// Counts up for each page, so that an intent is taken once.
        number: u64,
        /// The intent.
        up: Up,
    },
    /// From the leader: an intent has been taken; if it has an answer, that is still to come.
    Taken {
        /// The page that it came from.
        client: ClientId,
        /// Its number.
        number: u64,
    },
    /// From the leader: what changed.
    Delta(Down),
    /// From a new leader: what the one before it knew of the pages is gone.
    Lead,
}

/// The channel.
pub(super) struct Channel {
    channel: BroadcastChannel,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Channel {
    /// Joins; passes on what the others say. `None` if the browser does not offer it.
    pub(super) fn join(heard: impl Fn(Result<Notice, WireError>) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(NAME).ok()?;
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            heard(postern_bridge::from_bytes(&Uint8Array::new(&event.data()).to_vec()));
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self { channel, _on_message: on_message })
    }

    /// Says something to all others.
    pub(super) fn say(&self, notice: &Notice) {
        let bytes = Uint8Array::from(&postern_bridge::to_bytes(notice)[..]);
        self.channel.post_message(&bytes).expect("an open channel takes byte arrays");
    }
}
