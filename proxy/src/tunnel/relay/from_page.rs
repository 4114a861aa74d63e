//! From the page to the server: what the page says, and the bytes that go on.

use std::{
    io::IoSlice,
    mem,
    pin::Pin,
    str,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use postern_tunnel::{FromPage, Refused};
use tokio::{io::AsyncWrite, time::Instant};

use super::{Relay, StartTls, Step, Stop, broken, direction::Half};
use crate::{
    client_hello::Verdict,
    limits::PIECES,
    tunnel::refusal::bad_request,
    websocket::{Incoming, Kind, scratch},
};

impl Relay {
    pub(super) fn poll_from_page(&mut self, cx: &mut Context<'_>) -> Step {
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

    pub(super) fn poll_to_server(&mut self, cx: &mut Context<'_>) -> Step {
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
}
