//! Carries bytes both ways until an end is reached.
//!
//! One task does both directions, by turns, and never waits for one of them alone. What it holds is
//! bounded: towards the server by the window that was granted to the page, towards the page by one
//! chunk, which is read from the server only when the page has granted it and can take it.

mod clock;
mod direction;

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use axum::{
    Error,
    extract::ws::{Message, WebSocket},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, Stream, future::poll_fn};
use postern_tunnel::{FromPage, FromProxy, Refusal, Refused, TlsMode};
use tokio::{
    io::AsyncWrite,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use self::{
    clock::{Clock, Due},
    direction::{Down, Half, Up, text},
};
use super::{
    open::Way,
    refusal::{bad_request, refuse, shutting_down},
    upstream::Upstream,
};
use crate::{
    client_hello::{ClientHelloGate, Verdict},
    limits::Limits,
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
        Self {
            page,
            server: way.server,
            host: way.host,
            start_tls: match way.tls {
                TlsMode::ProxyStartTls => StartTls::Allowed,
                TlsMode::EndToEnd | TlsMode::Proxy | TlsMode::None => StartTls::NotAllowed,
            },
            gate: way.gate,
            up: Up::new(),
            down: Down::new(way.credit),
            clock: Clock::new(Instant::now()),
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
        let now = Instant::now();
        self.clock.page_seen(now);
        Poll::Ready(match message {
            Message::Binary(bytes) => self.stream_bytes(&bytes, now).map_err(Stop::Refused),
            Message::Text(text) => self.control(&text).map_err(Stop::Refused),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(Stop::PageGone),
        })
    }

    fn stream_bytes(&mut self, bytes: &Bytes, now: Instant) -> Result<(), Refused> {
        if self.up.half != Half::Open {
            return Err(bad_request("The page went on after it had finished."));
        }
        let overrun = |_| bad_request("The page sent more than it was granted.");
        self.up.window.arrived(bytes.len()).map_err(overrun)?;
        self.up.bytes += bytes.len() as u64;
        self.clock.carried(now);
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
                self.clock.carried(Instant::now());
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
        let stop = |code, message: &str| Err(Stop::Refused(refuse(code, message)));
        loop {
            return match self.clock.due(Instant::now(), limits, self.gate.is_some()) {
                Due::Nothing(next) => Ok(next),
                Due::Ping => {
                    self.down.controls.ping = true;
                    continue;
                }
                Due::PageGone => Err(Stop::PageGone),
                Due::Idle => stop(Refusal::Idle, "Nothing was sent or received for too long."),
                Due::LifetimeOver => {
                    stop(Refusal::TooMany, "The connection has been open for as long as it may.")
                }
                Due::FirstBytesLate => {
                    stop(Refusal::BadRequest, "The page did not begin with TLS in time.")
                }
            };
        }
    }
}

fn broken(error: &Error) -> Stop {
    debug!(%error, "the WebSocket broke");
    Stop::PageGone
}
