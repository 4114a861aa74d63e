//! From the server to the page, within what the page takes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use postern_tunnel::{FromProxy, Refusal};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};
use tracing::debug;

use super::{Relay, StartTls, Step, Stop, broken, direction::say, splice};
use crate::{
    limits::{SPLICED, WORTH_SPLICING},
    tunnel::refusal::refuse,
    websocket::{Kind, Opcode, header, scratch},
};

impl Relay {
    pub(super) fn poll_to_page(&mut self, cx: &mut Context<'_>) -> Step {
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
        if self.down.in_bulk
            && available > 0
            && let Some(spliced) = self.splice(available)
        {
            return Poll::Ready(spliced);
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
                    self.down.sent(count);
                    self.down.in_bulk = scratch::HEADROOM + count == place.len();
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
                result => Err(self.lost(result.err().as_ref())),
            })
        })
    }

    /// Passes bytes on without having them in memory, if there are any for which that can be done.
    fn splice(&mut self, available: usize) -> Option<Result<(), Stop>> {
        let (server, page) = (self.server.tcp()?, self.page.stream().tcp()?);
        let filled = match splice::fill(server, available.min(SPLICED)) {
            Ok(filled) => filled?,
            Err(error) => return Some(Err(self.lost(Some(&error)))),
        };
        let count = filled.len();
        let (header, length) = header(Opcode::Message(Kind::Binary), count);
        let rest = filled.send(page, &header[..length]);
        self.down.sent(count);
        self.down.in_bulk = count >= WORTH_SPLICING;
        self.clock.carried(Instant::now());
        Some(rest.map(|rest| self.page.sent_past(rest)).map_err(|error| broken(&error)))
    }

    /// The server has broken off.
    fn lost(&self, error: Option<&io::Error>) -> Stop {
        debug!(?error, "lost");
        let message = format!("The connection with {} broke.", self.host);
        Stop::Refused(refuse(Refusal::Lost, message))
    }
}
