//! Carries bytes both ways until an end is reached.
//!
//! One task does both directions, by turns, and never waits for one of them alone. Bytes pass through
//! a place that all tunnels of a thread share, or, where nobody must look at them, through a pipe
//! ([`splice`]). What a tunnel itself holds is bounded: towards the server by the window that was
//! granted to the page, towards the page by what is passed on at once, which is taken from the server
//! only when the page has granted it and has taken all before. Over HTTP/2 the HTTP library holds
//! some chunks more of a page that is slow.

mod chatter;
mod clock;
mod direction;
mod from_page;
mod from_server;
mod splice;

use std::{
    io,
    pin::pin,
    task::{Context, Poll},
};

use bytes::BytesMut;
use futures_util::future::poll_fn;
use postern_tunnel::{Refusal, Refused, TlsMode, credit::Budget};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info};

use self::{
    chatter::Chatter,
    clock::{Clock, Due},
    direction::{Down, Half, Up},
};
use super::{
    open::Way,
    page::Page,
    refusal::{refuse, shutting_down},
    upstream::Upstream,
};
use crate::{
    access::Guest,
    client_hello::ClientHelloGate,
    limits::{Limits, ROUNDS},
    metrics::OpenTunnel,
    policy::Host,
    server::Shared,
    websocket::Violation,
};

/// A tunnel that carries bytes.
pub(super) struct Relay {
    page: Page,
    server: Upstream,
    host: Host,
    start_tls: StartTls,
    /// What the page's first bytes must still pass.
    gate: Option<Box<ClientHelloGate>>,
    /// The beginning of a control message.
    text: Vec<u8>,
    chatter: Chatter,
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
    Complete(Page),
    /// The page has closed the WebSocket, or vanished; the server has not taken the bytes.
    PageGone(Page, Upstream, BytesMut),
    /// The page broke the WebSocket's rules.
    Violation(Page, Violation),
    /// It can't go on.
    Refused(Page, Refused),
}

impl Ended {
    /// Why it had to end, if not because a side wanted so.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Complete(_) | Self::PageGone(..) => None,
            Self::Violation(..) => Some(Refusal::BadRequest),
            Self::Refused(_, refused) => Some(refused.code),
        }
    }
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
    Violation(Violation),
    Refused(Refused),
}

/// Whether something was moved, and what went wrong.
type Step = Poll<Result<(), Stop>>;

impl Relay {
    pub(super) fn new(page: Page, way: Way, windows: &Budget) -> Self {
        Self {
            page,
            server: way.server,
            host: way.host,
            start_tls: match way.tls {
                TlsMode::ProxyStartTls => StartTls::Allowed,
                TlsMode::EndToEnd | TlsMode::Proxy | TlsMode::None => StartTls::NotAllowed,
            },
            gate: way.gate.map(Box::new),
            text: Vec::new(),
            chatter: Chatter::default(),
            up: Up::new(windows),
            down: Down::new(way.credit),
            clock: Clock::new(Instant::now()),
        }
    }

    /// Carries bytes until an end is reached.
    pub(super) async fn run(mut self, shared: &Shared, guest: &mut Guest) -> Ended {
        let mut counted = shared.metrics.tunnel_opened();
        loop {
            match self.carry(shared, &mut counted, guest).await {
                Ok(Event::Complete) => {
                    self.log("complete");
                    return Ended::Complete(self.page);
                }
                Ok(Event::StartTls) => {
                    let limit = shared.limits().handshake;
                    let upgrade = self.server.start_tls(&shared.tls, &self.host, limit);
                    let secured = tokio::select! {
                        secured = Box::pin(upgrade) => secured,
                        () = shared.stopping.cancelled() => Err(shutting_down()),
                    };
                    shared.metrics.server_handshake(secured.is_ok());
                    match secured {
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
                    return Ended::PageGone(self.page, self.server, unsent);
                }
                Err(Stop::Violation(violation)) => {
                    self.log(&violation.to_string());
                    return Ended::Violation(self.page, violation);
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

    async fn carry(
        &mut self,
        shared: &Shared,
        counted: &mut OpenTunnel,
        guest: &mut Guest,
    ) -> Result<Event, Stop> {
        let mut timer = pin!(sleep_until(self.tick(shared.limits())?));
        loop {
            tokio::select! {
                biased;
                event = poll_fn(|cx| {
                    let event = self.poll(cx);
                    counted.carried(self.up.bytes, self.down.bytes);
                    // Checked last, so that nothing that was moved is forgotten.
                    match guest.carried(self.up.bytes + self.down.bytes) {
                        Ok(()) => event,
                        Err(excess) => Poll::Ready(Err(Stop::Refused(excess.into()))),
                    }
                }) => return event,
                () = shared.stopping.cancelled() => return Err(Stop::Refused(shutting_down())),
                () = &mut timer => timer.as_mut().reset(self.tick(shared.limits())?),
            }
        }
    }

    /// Moves what can be moved, but not for so long that other tunnels wait.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Stop>> {
        for _ in 0..ROUNDS {
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
            if finished && self.page.is_sent() {
                return Poll::Ready(Ok(Event::Complete));
            }
            if !moved {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Does what is due, and says when the next thing is.
    fn tick(&mut self, limits: &Limits) -> Result<Instant, Stop> {
        let stop = |code, message: &str| Err(Stop::Refused(refuse(code, message)));
        loop {
            return match self.clock.due(Instant::now(), limits, self.gate.is_some()) {
                Due::Nothing(next) => Ok(next),
                Due::Ping => {
                    self.down.controls.ping = true;
                    self.down.controls.reclaim = self.up.window.reclaim();
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

fn broken(error: &io::Error) -> Stop {
    debug!(%error, "the WebSocket broke");
    Stop::PageGone
}
