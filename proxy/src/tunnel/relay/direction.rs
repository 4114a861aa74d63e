//! The two directions of a tunnel: what each holds and may still do.

use std::mem;

use bytes::BytesMut;
use postern_tunnel::{
    FromProxy, TlsInfo,
    credit::{Allowance, Budget, Window},
};

use crate::{
    limits::{WIDEST_WINDOW, WINDOW},
    tunnel::page::Page,
    websocket::{Kind, Opcode},
};

/// From the page to the server.
pub(super) struct Up {
    pub(super) window: Window,
    /// What the page said and the server has not taken; never more than the window.
    pub(super) unsent: BytesMut,
    pub(super) unflushed: bool,
    pub(super) half: Half,
    /// The server takes no more, though it may still have something to say.
    pub(super) deaf: bool,
    /// Stream bytes so far.
    pub(super) bytes: u64,
}

/// From the server to the page.
pub(super) struct Down {
    pub(super) allowance: Allowance,
    pub(super) controls: Controls,
    pub(super) finished: bool,
    /// The server has much to say: more than it is worth to look at.
    pub(super) in_bulk: bool,
    /// Stream bytes so far.
    pub(super) bytes: u64,
}

/// Control messages that wait for the WebSocket to take them.
#[derive(Default)]
pub(super) struct Controls {
    pub(super) credit: u32,
    pub(super) secured: Option<Box<TlsInfo>>,
    pub(super) reclaim: Option<u32>,
    pub(super) ping: bool,
}

/// What the page has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Half {
    Open,
    /// Its end has arrived, and must be passed on.
    Finishing,
    Finished,
}

impl Up {
    pub(super) fn new(windows: &Budget) -> Self {
        Self {
            window: Window::new(WINDOW, WIDEST_WINDOW, windows),
            unsent: BytesMut::new(),
            unflushed: false,
            half: Half::Open,
            deaf: false,
            bytes: 0,
        }
    }

    /// Whether the server has everything that the page said.
    pub(super) fn is_sent(&self) -> bool {
        self.unsent.is_empty() && !self.unflushed
    }

    /// The server has taken bytes; returns what to grant the page for them.
    pub(super) fn sent(&mut self, bytes: usize) -> Option<u32> {
        self.unflushed = true;
        if self.unsent.is_empty() {
            self.unsent = BytesMut::new(); // An idle tunnel needs no memory.
        }
        self.window.consumed(bytes)
    }

    /// The server takes no more.
    pub(super) fn go_deaf(&mut self) {
        self.deaf = true;
        self.unflushed = false;
        self.unsent = BytesMut::new();
    }
}

impl Down {
    pub(super) fn new(credit: u32) -> Self {
        Self {
            allowance: Allowance::new(credit),
            controls: Controls::default(),
            finished: false,
            in_bulk: false,
            bytes: 0,
        }
    }

    /// So many bytes, which were available, are on their way.
    pub(super) fn sent(&mut self, bytes: usize) {
        let _ = self.allowance.take(bytes);
        self.bytes += bytes as u64;
    }
}

impl Controls {
    /// Queues what there is, before any stream bytes; says whether there was anything.
    pub(super) fn queue(&mut self, page: &mut Page) -> bool {
        if let Some(info) = self.secured.take() {
            say(page, &FromProxy::Secured(*info));
        } else if self.credit > 0 {
            say(page, &FromProxy::Credit(mem::take(&mut self.credit)));
        } else if let Some(keep) = self.reclaim.take() {
            say(page, &FromProxy::Reclaim(keep));
        } else if mem::take(&mut self.ping) {
            page.queue(Opcode::Ping, &[]);
        } else {
            return false;
        }
        true
    }
}

/// Queues a control message.
pub(super) fn say(page: &mut Page, message: &FromProxy) {
    page.queue(Opcode::Message(Kind::Text), message.to_text().as_bytes());
}
