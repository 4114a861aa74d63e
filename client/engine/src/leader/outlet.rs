//! Where deltas and notices go.

use std::cell::Cell;

use postern_bridge::{ClientId, Down};

use super::channel::{Channel, Notice};
use crate::worker::Worker;

/// The ways out of this engine: to its page, and to the other engines.
pub(super) struct Outlet {
    worker: Worker,
    page: ClientId,
    channel: Option<Channel>,
    /// How many other pages wait for deltas.
    listeners: Cell<usize>,
}

impl Outlet {
    pub(super) fn new(worker: Worker, page: ClientId, channel: Option<Channel>) -> Self {
        Self { worker, page, channel, listeners: Cell::new(0) }
    }

    /// Says something to the other engines, if there is a way.
    pub(super) fn say(&self, notice: &Notice) {
        if let Some(channel) = &self.channel {
            channel.say(notice);
        }
    }

    /// Notes how many other pages there are; without any, deltas are not sent round.
    pub(super) fn set_listeners(&self, count: usize) {
        self.listeners.set(count);
    }

    /// As the leader, brings a delta to the page or pages that it is for.
    pub(super) fn deliver(&self, down: Down) {
        if down.client.is_none_or(|client| client == self.page) {
            self.worker.send(&down);
        }
        if down.client != Some(self.page) && self.listeners.get() > 0 {
            self.say(&Notice::Delta(down));
        }
    }
}
