//! Byte streams to mail servers, through the proxy's tunnel: one WebSocket each.

mod socket;
mod stream;

use std::time::Duration;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use postern_bridge::{Endpoint, Security};
use postern_mail::{Connector, Transport, TransportError};
use postern_tunnel::{FromPage, Open, TlsMode};

use self::{
    socket::{Event, Socket},
    stream::Stream,
};
use crate::limits::{FRAME, UNSENT, WINDOW};

/// How often to look whether the browser has sent what waits in its buffer; it tells nobody.
const BUFFER_POLL: Duration = Duration::from_millis(4);

/// Opens tunnels to the proxy that served the page.
pub(crate) struct TunnelConnector {
    url: String,
}

impl TunnelConnector {
    /// `origin` is the page's, such as `https://mail.example.org`.
    pub(crate) fn new(origin: &str) -> Self {
        // `http` becomes `ws`, and `https` becomes `wss`.
        Self { url: format!("{}{}", origin.replacen("http", "ws", 1), postern_tunnel::PATH) }
    }
}

impl Connector for TunnelConnector {
    type Transport = Tunnel;

    async fn connect(&self, endpoint: &Endpoint) -> Result<Tunnel, TransportError> {
        let tls = match endpoint.security {
            Security::Tls => TlsMode::Proxy,
            Security::StartTls => TlsMode::ProxyStartTls,
            Security::Plain => TlsMode::None,
        };
        let host = endpoint.host.clone();
        let open = Open { host, port: endpoint.port, tls, credit: WINDOW, access: None };
        let socket = Socket::open(&self.url).ok_or(TransportError::Offline)?;
        let mut tunnel = Tunnel { socket, stream: Stream::new() };
        while !tunnel.stream.is_open() {
            match tunnel.socket.next().await {
                Event::Open => tunnel.send(&FromPage::Open(open.clone()))?,
                event => tunnel.handle(event),
            }
            tunnel.stream.check()?;
        }
        Ok(tunnel)
    }
}

/// A byte stream through the tunnel.
pub(crate) struct Tunnel {
    socket: Socket,
    stream: Stream,
}

impl Tunnel {
    fn handle(&mut self, event: Event) {
        match event {
            Event::Open => {}
            Event::Text(text) => self.stream.text(&text),
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
            while let Some(event) = self.socket.next_now() {
                self.handle(event);
            }
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
        while let Some(event) = self.socket.next_now() {
            self.handle(event);
        }
        self.stream.begin_tls()?;
        self.send(&FromPage::StartTls)?;
        while !self.stream.is_secured() {
            let event = self.socket.next().await;
            self.handle(event);
            self.stream.check()?;
        }
        Ok(())
    }

    async fn close(&mut self) {
        // Nobody is left to tell if this fails.
        let _ = self.send(&FromPage::Finish);
        self.socket.close();
    }
}
