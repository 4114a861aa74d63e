//! A tunnel: a WebSocket to the proxy that carries one byte stream.

use std::time::Duration;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use postern_bridge::TlsSession;
use postern_mail::{Transport, TransportError};
use postern_tunnel::{FromPage, Open, SUBPROTOCOL, credit::Budget};

use super::{
    socket::{Event, Socket},
    stream::Stream,
};
use crate::limits::{FRAME, UNSENT};

/// How often to look whether the browser has sent what waits in its buffer; it tells nobody.
const BUFFER_POLL: Duration = Duration::from_millis(4);

/// A byte stream through the tunnel.
pub(super) struct Tunnel {
    socket: Socket,
    stream: Stream,
}

impl Tunnel {
    /// Connects to the proxy, and through it to a server.
    pub(super) async fn open(
        url: &str,
        open: &Open,
        windows: &Budget,
    ) -> Result<Self, TransportError> {
        // What to open comes with the request, so that the proxy connects while it answers.
        let subprotocols = [SUBPROTOCOL, &open.to_subprotocol()];
        let socket = Socket::open(url, &subprotocols).ok_or(TransportError::Offline)?;
        let mut tunnel = Self { socket, stream: Stream::new(&open.host, open.port, windows) };
        while !tunnel.stream.is_open() {
            let event = tunnel.socket.next().await;
            tunnel.handle(event);
            tunnel.stream.check()?;
        }
        Ok(tunnel)
    }

    /// Takes what has arrived, without waiting.
    fn catch_up(&mut self) {
        while let Some(event) = self.socket.next_now() {
            self.handle(event);
        }
    }

    /// Checks that no byte has arrived that nobody has read.
    ///
    /// # Errors
    ///
    /// If one has, or the stream has ended.
    pub(super) fn check_quiet(&mut self) -> Result<(), TransportError> {
        self.catch_up();
        self.stream.check_quiet()
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Text(text) => {
                if let Some(credit) = self.stream.text(&text) {
                    // If the socket is gone, so is the tunnel, and with it all credit.
                    let _ = self.send(&FromPage::Return(credit));
                }
            }
            Event::Binary(bytes) => self.stream.binary(bytes),
            Event::Closed => self.stream.closed(),
        }
    }

    fn send(&self, message: &FromPage) -> Result<(), TransportError> {
        self.socket.send_text(&message.to_text()).ok_or(TransportError::Lost)
    }

    /// Waits for a moment, or until something happens.
    async fn wait_a_moment(&mut self) {
        let millis = u32::try_from(BUFFER_POLL.as_millis()).expect("it is a few milliseconds");
        let pause = TimeoutFuture::new(millis);
        let happened = {
            let next = std::pin::pin!(self.socket.next());
            match select(next, pause).await {
                Either::Left((event, _)) => Some(event),
                Either::Right(_) => None,
            }
        };
        if let Some(event) = happened {
            self.handle(event);
        }
    }
}

impl Transport for Tunnel {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        loop {
            if let Some((bytes, grant)) = self.stream.take() {
                if let Some(grant) = grant {
                    // If the socket is gone, what has arrived can still be read.
                    let _ = self.send(&FromPage::Credit(grant));
                }
                return Ok(bytes);
            }
            if self.stream.is_finished()? {
                return Ok(Vec::new());
            }
            let event = self.socket.next().await;
            self.handle(event);
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            self.catch_up();
            self.stream.check()?;
            if self.socket.unsent() > UNSENT {
                self.wait_a_moment().await;
                continue;
            }
            let count = self.stream.spend(rest.len().min(FRAME));
            if count == 0 {
                let event = self.socket.next().await;
                self.handle(event);
                continue;
            }
            let (frame, later) = rest.split_at(count);
            self.socket.send_binary(frame).ok_or(TransportError::Lost)?;
            rest = later;
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        self.catch_up();
        self.stream.begin_tls()?;
        self.send(&FromPage::StartTls)?;
        while !self.stream.is_secured() {
            let event = self.socket.next().await;
            self.handle(event);
            self.stream.check()?;
        }
        Ok(())
    }

    fn tls(&self) -> Option<TlsSession> {
        self.stream.tls().cloned()
    }

    async fn close(&mut self) {
        // Nobody is left to tell if this fails.
        let _ = self.send(&FromPage::Finish);
        self.socket.close();
    }
}
