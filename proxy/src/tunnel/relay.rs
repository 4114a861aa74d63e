//! Carries bytes both ways until an end is reached.
//!
//! One task does both directions, by turns, and never waits for one of them alone. What it holds is
//! bounded: towards the server by the window that was granted to the page, towards the page by one
//! chunk, which is read from the server only when the page has granted it and can take it.

use std::{
    mem,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use axum::{
    Error,
    extract::ws::{Message, WebSocket},
};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Sink, Stream, future::poll_fn};
use postern_tunnel::{
    FromPage, FromProxy, Refusal, Refused, TlsInfo, TlsMode,
    credit::{Allowance, Window},
};
use tokio::{
    io::AsyncWrite,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use super::{
    client_hello::{ClientHelloGate, Verdict},
    open::Way,
    refusal::{bad_request, refuse, shutting_down},
    upstream::Upstream,
};
use crate::{
    limits::{Limits, WINDOW},
    policy::Host,
    server::Shared,
};

/// A tunnel that carries bytes.
pub(super) struct Relay {
    page: WebSocket,
    server: Upstream,
    host: Host,
    start_tls: StartTls,
    /// What the page's first bytes must still pass.
    gate: Option<ClientHelloGate>,
    up: Up,
    down: Down,
    clock: Clock,
}

/// From the page to the server.
struct Up {
    window: Window,
    /// What the page said and the server has not taken; never more than the window.
    unsent: BytesMut,
    unflushed: bool,
    half: Half,
    /// The server takes no more, though it may still have something to say.
    deaf: bool,
    bytes: u64,
}

/// From the server to the page.
struct Down {
    allowance: Allowance,
    controls: Controls,
    unflushed: bool,
    finished: bool,
    bytes: u64,
}

/// Control messages that wait for the WebSocket to take them.
#[derive(Default)]
struct Controls {
    credit: u32,
    secured: Option<Box<TlsInfo>>,
    ping: bool,
}

/// When what happened last.
struct Clock {
    opened: Instant,
    carried: Instant,
    page_seen: Instant,
    pinged: Option<Instant>,
}

/// What the page has to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Half {
    Open,
    /// Its end has arrived, and must be passed on.
    Finishing,
    Finished,
}

/// Whether the page may ask for TLS, once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum StartTls {
    NotAllowed,
    Allowed,
    Asked,
}

/// How a tunnel ended, with what is left of it.
pub(super) enum Ended {
    /// Both sides have finished.
    Complete(WebSocket),
    /// The page has closed the WebSocket, or vanished; the server has not taken the bytes.
    PageGone(Upstream, BytesMut),
    /// It can't go on.
    Refused(WebSocket, Refused),
}

/// Something that is not the carrying of bytes.
enum Event {
    Complete,
    /// Everything that the page said before has gone to the server.
    StartTls,
}

/// Why the carrying of bytes stops.
enum Stop {
    PageGone,
    Refused(Refused),
}

/// Whether something was moved, and what went wrong.
type Step = Poll<Result<(), Stop>>;

impl Relay {
    pub(super) fn new(page: WebSocket, way: Way) -> Self {
        let now = Instant::now();
        Self {
            page,
            server: way.server,
            host: way.host,
            start_tls: match way.tls {
                TlsMode::ProxyStartTls => StartTls::Allowed,
                TlsMode::EndToEnd | TlsMode::Proxy | TlsMode::None => StartTls::NotAllowed,
            },
            gate: way.gate,
            up: Up {
                window: Window::new(WINDOW),
                unsent: BytesMut::new(),
                unflushed: false,
                half: Half::Open,
                deaf: false,
                bytes: 0,
            },
            down: Down {
                allowance: Allowance::new(way.credit),
                controls: Controls::default(),
                unflushed: false,
                finished: false,
                bytes: 0,
            },
            clock: Clock { opened: now, carried: now, page_seen: now, pinged: None },
        }
    }

    /// Carries bytes until an end is reached.
    pub(super) async fn run(mut self, shared: &Shared) -> Ended {
        loop {
            match self.carry(shared).await {
                Ok(Event::Complete) => {
                    self.log("complete");
                    return Ended::Complete(self.page);
                }
                Ok(Event::StartTls) => {
                    let limit = shared.limits().handshake;
                    match self.server.start_tls(&shared.tls, &self.host, limit).await {
                        Ok((server, info)) => {
                            self.server = server;
                            self.start_tls = StartTls::NotAllowed;
                            self.down.controls.secured = Some(info.into());
                        }
                        Err(refused) => {
                            info!(code = ?refused.code, "refused");
                            return Ended::Refused(self.page, refused);
                        }
                    }
                }
                Err(Stop::PageGone) => {
                    self.log("page gone");
                    // What has not passed the gate must not go out now.
                    let unsent = if self.gate.is_none() { self.up.unsent } else { BytesMut::new() };
                    return Ended::PageGone(self.server, unsent);
                }
                Err(Stop::Refused(refused)) => {
                    self.log(&format!("{:?}", refused.code));
                    return Ended::Refused(self.page, refused);
                }
            }
        }
    }

    fn log(&self, ending: &str) {
        info!(up = self.up.bytes, down = self.down.bytes, ending, "closed");
    }

    async fn carry(&mut self, shared: &Shared) -> Result<Event, Stop> {
        let mut timer = pin!(sleep_until(self.tick(shared.limits())?));
        loop {
            tokio::select! {
                biased;
                event = poll_fn(|cx| self.poll(cx)) => return event,
                () = shared.stopping.cancelled() => return Err(Stop::Refused(shutting_down())),
                () = &mut timer => timer.as_mut().reset(self.tick(shared.limits())?),
            }
        }
    }

    /// Moves what can be moved.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Stop>> {
        loop {
            let mut moved = false;
            for step in [Self::poll_from_page, Self::poll_to_server, Self::poll_to_page] {
                if let Poll::Ready(result) = step(self, cx) {
                    result?;
                    moved = true;
                }
            }
            if self.start_tls == StartTls::Asked && self.up.is_sent() {
                return Poll::Ready(Ok(Event::StartTls));
            }
            let finished = self.up.half == Half::Finished && self.down.finished;
            if finished && !self.down.unflushed {
                return Poll::Ready(Ok(Event::Complete));
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }

    fn poll_from_page(&mut self, cx: &mut Context<'_>) -> Step {
        if self.start_tls == StartTls::Asked {
            return Poll::Pending; // What comes next belongs into TLS.
        }
        let message = match ready!(Pin::new(&mut self.page).poll_next(cx)) {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Poll::Ready(Err(broken(&error))),
            None => return Poll::Ready(Err(Stop::PageGone)),
        };
        self.clock.page_seen = Instant::now();
        self.clock.pinged = None;
        Poll::Ready(match message {
            Message::Binary(bytes) => self.stream_bytes(&bytes).map_err(Stop::Refused),
            Message::Text(text) => self.control(&text).map_err(Stop::Refused),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Stop::PageGone),
        })
    }

    fn stream_bytes(&mut self, bytes: &Bytes) -> Result<(), Refused> {
        if self.up.half != Half::Open {
            return Err(bad_request("The page went on after it had finished."));
        }
        let overrun = |_| bad_request("The page sent more than it was granted.");
        self.up.window.arrived(bytes.len()).map_err(overrun)?;
        self.up.bytes += bytes.len() as u64;
        self.clock.carried = self.clock.page_seen;
        if !self.up.deaf {
            self.up.unsent.extend_from_slice(bytes);
        }
        if let Some(gate) = &mut self.gate
            && gate.inspect(bytes)? == Verdict::Passed
        {
            self.gate = None;
        }
        Ok(())
    }

    fn control(&mut self, text: &str) -> Result<(), Refused> {
        let message = FromPage::from_text(text)
            .map_err(|_| bad_request("The page said something that is not understood."))?;
        match message {
            FromPage::Open(_) => Err(bad_request("The tunnel is open already.")),
            FromPage::Credit(bytes) => {
                let overrun = |_| bad_request("The page granted more than anybody needs.");
                self.down.allowance.grant(bytes).map_err(overrun)
            }
            FromPage::StartTls
                if self.start_tls == StartTls::Allowed && self.up.half == Half::Open =>
            {
                self.start_tls = StartTls::Asked;
                Ok(())
            }
            FromPage::StartTls => Err(bad_request("TLS can't be started here.")),
            FromPage::Finish if self.up.half == Half::Open => {
                self.up.half = Half::Finishing;
                Ok(())
            }
            FromPage::Finish => Err(bad_request("The page finished twice.")),
        }
    }

    fn poll_to_server(&mut self, cx: &mut Context<'_>) -> Step {
        if self.gate.is_some() {
            return Poll::Pending;
        }
        let server = Pin::new(&mut self.server);
        if !self.up.unsent.is_empty() {
            match ready!(server.poll_write(cx, &self.up.unsent)) {
                Ok(bytes) if bytes > 0 => {
                    self.up.unflushed = true;
                    self.down.controls.credit += self.up.sent(bytes).unwrap_or(0);
                }
                _ => self.up.go_deaf(),
            }
        } else if self.up.unflushed {
            if ready!(server.poll_flush(cx)).is_err() {
                self.up.go_deaf();
            }
            self.up.unflushed = false;
        } else if self.up.half == Half::Finishing {
            if ready!(server.poll_shutdown(cx)).is_err() {
                self.up.go_deaf();
            }
            self.up.half = Half::Finished;
        } else {
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_to_page(&mut self, cx: &mut Context<'_>) -> Step {
        if let Err(error) = ready!(Pin::new(&mut self.page).poll_ready(cx)) {
            return Poll::Ready(Err(broken(&error)));
        }
        let message = match self.down.controls.next() {
            Some(message) => Poll::Ready(message),
            None => self.poll_from_server(cx)?,
        };
        if let Poll::Ready(message) = message {
            self.down.unflushed = true;
            let sent = Pin::new(&mut self.page).start_send(message);
            return Poll::Ready(sent.map_err(|error| broken(&error)));
        }
        if self.down.unflushed {
            let flushed = ready!(Pin::new(&mut self.page).poll_flush(cx));
            self.down.unflushed = false;
            return Poll::Ready(flushed.map_err(|error| broken(&error)));
        }
        Poll::Pending
    }

    /// What the server has to say, within what the page takes.
    fn poll_from_server(&mut self, cx: &mut Context<'_>) -> Result<Poll<Message>, Stop> {
        let available = self.down.allowance.available();
        let waits = self.gate.is_some() || self.start_tls == StartTls::Asked;
        if self.down.finished || available == 0 || waits {
            return Ok(Poll::Pending);
        }
        match self.server.poll_chunk(cx, available) {
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(Ok(bytes)) if !bytes.is_empty() => {
                // The read was bounded by what is available.
                let _ = self.down.allowance.take(bytes.len());
                self.down.bytes += bytes.len() as u64;
                self.clock.carried = Instant::now();
                Ok(Poll::Ready(Message::Binary(bytes)))
            }
            Poll::Ready(Ok(_)) if !self.up.deaf => {
                self.down.finished = true;
                Ok(Poll::Ready(text(&FromProxy::Finish)))
            }
            Poll::Ready(result) => {
                debug!(error = ?result.err(), "lost");
                let message = format!("The connection with {} broke.", self.host);
                Err(Stop::Refused(refuse(Refusal::Lost, message)))
            }
        }
    }

    /// Does what is due, and says when the next thing is.
    fn tick(&mut self, limits: &Limits) -> Result<Instant, Stop> {
        let now = Instant::now();
        let stop = |code, message: &str| Err(Stop::Refused(refuse(code, message)));
        let idle = self.clock.carried + limits.idle;
        if now >= idle {
            return stop(Refusal::Idle, "Nothing was sent or received for too long.");
        }
        let end = self.clock.opened + limits.lifetime;
        if now >= end {
            return stop(Refusal::TooMany, "The connection has been open for as long as it may.");
        }
        let mut next = idle.min(end);
        if self.gate.is_some() {
            let deadline = self.clock.opened + limits.handshake;
            if now >= deadline {
                return stop(Refusal::BadRequest, "The page did not begin with TLS in time.");
            }
            next = next.min(deadline);
        }
        let pinged = self.clock.pinged;
        if now >= pinged.unwrap_or(self.clock.page_seen) + limits.ping {
            if pinged.is_some() {
                return Err(Stop::PageGone);
            }
            self.clock.pinged = Some(now);
            self.down.controls.ping = true;
        }
        let ping = self.clock.pinged.unwrap_or(self.clock.page_seen) + limits.ping;
        Ok(next.min(ping))
    }
}

impl Up {
    fn is_sent(&self) -> bool {
        self.unsent.is_empty() && !self.unflushed
    }

    /// The server has taken bytes; returns what to grant the page for them.
    fn sent(&mut self, bytes: usize) -> Option<u32> {
        self.unsent.advance(bytes);
        if self.unsent.is_empty() {
            self.unsent = BytesMut::new(); // An idle tunnel needs no memory.
        }
        self.window.consumed(bytes)
    }

    fn go_deaf(&mut self) {
        self.deaf = true;
        self.unsent = BytesMut::new();
    }
}

impl Controls {
    fn next(&mut self) -> Option<Message> {
        if let Some(info) = self.secured.take() {
            return Some(text(&FromProxy::Secured(*info)));
        }
        if self.credit > 0 {
            return Some(text(&FromProxy::Credit(mem::take(&mut self.credit))));
        }
        mem::take(&mut self.ping).then(|| Message::Ping(Bytes::new()))
    }
}

fn text(message: &FromProxy) -> Message {
    Message::text(message.to_text())
}

fn broken(error: &Error) -> Stop {
    debug!(%error, "the WebSocket broke");
    Stop::PageGone
}
