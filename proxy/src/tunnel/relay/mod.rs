//! Carries bytes both ways until an end is reached.
//!
//! One task does both directions, by turns, and never waits for one of them alone. Bytes pass through
//! a place that all tunnels of a thread share. What a tunnel itself holds is bounded: towards the
//! server by the window that was granted to the page, towards the page by one chunk, which is read
//! from the server only when the page has granted it and has taken the one before. Over HTTP/2 the
//! HTTP library holds some chunks more of a page that is slow.

mod chatter;
mod clock;
mod direction;

use std::{
    io::{self, IoSlice},
    mem,
    pin::{Pin, pin},
    str,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use futures_util::future::poll_fn;
use postern_tunnel::{FromPage, FromProxy, Refusal, Refused, TlsMode, credit::Budget};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use self::{
    chatter::Chatter,
    clock::{Clock, Due},
    direction::{Down, Half, Up, say},
};
use super::{
    open::Way,
    page::Page,
    refusal::{bad_request, refuse, shutting_down},
    upstream::Upstream,
};
use crate::{
    access::Guest,
    client_hello::{ClientHelloGate, Verdict},
    limits::{Limits, PIECES, ROUNDS},
    metrics::OpenTunnel,
    policy::Host,
    server::Shared,
    websocket::{Incoming, Kind, Violation, scratch},
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

    fn poll_from_page(&mut self, cx: &mut Context<'_>) -> Step {
        if self.start_tls == StartTls::Asked {
            return Poll::Pending; // What comes next belongs into TLS.
        }
        scratch::with(|place| {
            let input = ready!(self.page.poll_read(cx, place)).map_err(|error| broken(&error))?;
            Poll::Ready(if input.is_empty() { Err(Stop::PageGone) } else { self.take(cx, input) })
        })
    }

    /// Does what the page says.
    fn take(&mut self, cx: &mut Context<'_>, mut input: &mut [u8]) -> Result<(), Stop> {
        let now = Instant::now();
        self.clock.page_seen(now);
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let result = loop {
            match self.page.decode(&mut input, now.into_std()) {
                // Nothing for the server: to take nothing of it would look as if it were deaf.
                Ok(Some(Incoming::Data { kind: Kind::Binary, bytes: [], .. })) => {}
                Ok(Some(Incoming::Data { kind: Kind::Binary, bytes, .. })) => {
                    if let Err(refused) = self.stream_bytes(bytes, now) {
                        break Err(Stop::Refused(refused));
                    }
                    pieces[count] = IoSlice::new(bytes);
                    count += 1;
                }
                Ok(Some(Incoming::Data { kind: Kind::Text, bytes, last })) => {
                    let carried = self.up.bytes + self.down.bytes;
                    if last && let Err(flood) = self.chatter.count(carried, now.into_std()) {
                        break Err(Stop::Violation(flood));
                    }
                    if let Err(refused) = self.text(bytes, last) {
                        break Err(Stop::Refused(refused));
                    }
                    if self.start_tls == StartTls::Asked {
                        self.page.put_back(input);
                        break Ok(());
                    }
                }
                Ok(Some(Incoming::Close(_))) => break Err(Stop::PageGone),
                Ok(None) => break Ok(()),
                Err(violation) => break Err(Stop::Violation(violation)),
            }
            if count == PIECES {
                self.pass_on(cx, &mut pieces);
                count = 0;
            }
        };
        self.pass_on(cx, &mut pieces[..count]);
        result
    }

    fn stream_bytes(&mut self, bytes: &[u8], now: Instant) -> Result<(), Refused> {
        if self.up.half != Half::Open {
            return Err(bad_request("The page went on after it had finished."));
        }
        let overrun = |_| bad_request("The page sent more than it was granted.");
        self.up.window.arrived(bytes.len()).map_err(overrun)?;
        self.up.bytes += bytes.len() as u64;
        self.clock.carried(now);
        if let Some(gate) = &mut self.gate
            && gate.inspect(bytes)? == Verdict::Passed
        {
            // What was held back goes first.
            self.gate = None;
        }
        Ok(())
    }

    /// Writes what the server takes at once, and keeps the rest.
    fn pass_on(&mut self, cx: &mut Context<'_>, mut pieces: &mut [IoSlice<'_>]) {
        if pieces.is_empty() || self.up.deaf {
            return;
        }
        if self.gate.is_none() && self.up.unsent.is_empty() {
            match Pin::new(&mut self.server).poll_write_vectored(cx, pieces) {
                Poll::Ready(result) => {
                    let taken = result.unwrap_or(0);
                    self.taken(taken);
                    IoSlice::advance_slices(&mut pieces, taken);
                }
                Poll::Pending => {}
            }
        }
        if self.up.deaf {
            return;
        }
        for piece in pieces {
            self.up.unsent.extend_from_slice(piece);
        }
    }

    /// The server has taken bytes; if none, it takes no more.
    fn taken(&mut self, bytes: usize) {
        if bytes == 0 {
            self.up.go_deaf();
        } else {
            self.down.controls.credit += self.up.sent(bytes).unwrap_or(0);
        }
    }

    /// A piece of a control message.
    fn text(&mut self, bytes: &[u8], last: bool) -> Result<(), Refused> {
        if !last {
            self.text.extend_from_slice(bytes);
            return Ok(());
        }
        if self.text.is_empty() {
            return self.control(bytes);
        }
        let mut text = mem::take(&mut self.text);
        text.extend_from_slice(bytes);
        self.control(&text)
    }

    fn control(&mut self, text: &[u8]) -> Result<(), Refused> {
        let message = str::from_utf8(text).ok().and_then(|text| FromPage::from_text(text).ok());
        let message = message
            .ok_or_else(|| bad_request("The page said something that is not understood."))?;
        match message {
            FromPage::Open(_) => Err(bad_request("The tunnel is open already.")),
            FromPage::Credit(bytes) => {
                let overrun = |_| bad_request("The page granted more than anybody needs.");
                self.down.allowance.grant(bytes).map_err(overrun)
            }
            FromPage::Return(credit) => {
                let overrun = |_| bad_request("The page returned more than it was granted.");
                self.up.window.returned(credit).map_err(overrun)
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
            let taken = ready!(server.poll_write(cx, &self.up.unsent)).unwrap_or(0);
            self.up.unsent.advance(taken);
            self.taken(taken);
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
        if !self.page.is_sent() {
            return self.page.poll_flush(cx).map_err(|error| broken(&error));
        }
        if self.down.controls.queue(&mut self.page) {
            return Poll::Ready(Ok(()));
        }
        self.poll_from_server(cx)
    }

    /// Passes on what the server has to say, within what the page takes.
    fn poll_from_server(&mut self, cx: &mut Context<'_>) -> Step {
        let available = self.down.allowance.available();
        let waits = self.gate.is_some() || self.start_tls == StartTls::Asked;
        if self.down.finished || waits {
            return Poll::Pending;
        }
        scratch::with(|place| {
            let end = place.len().min(scratch::HEADROOM.saturating_add(available));
            let mut buffer = ReadBuf::new(&mut place[scratch::HEADROOM..end]);
            let read = match available {
                0 => ready!(self.server.poll_end(cx)),
                _ => ready!(Pin::new(&mut self.server).poll_read(cx, &mut buffer)),
            };
            let count = buffer.filled().len();
            Poll::Ready(match read {
                Ok(()) if count > 0 => {
                    // The read was bounded by what is available.
                    let _ = self.down.allowance.take(count);
                    self.down.bytes += count as u64;
                    self.clock.carried(Instant::now());
                    let frame = &mut place[..scratch::HEADROOM + count];
                    let sent = self.page.send_binary(cx, frame, scratch::HEADROOM);
                    sent.map_err(|error| broken(&error))
                }
                Ok(()) if !self.up.deaf => {
                    self.down.finished = true;
                    say(&mut self.page, &FromProxy::Finish);
                    Ok(())
                }
                result => {
                    debug!(error = ?result.err(), "lost");
                    let message = format!("The connection with {} broke.", self.host);
                    Err(Stop::Refused(refuse(Refusal::Lost, message)))
                }
            })
        })
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
