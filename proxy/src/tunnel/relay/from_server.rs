//! From the server to the page, within what the page takes.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use postern_tunnel::{FromProxy, Refusal};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};
use tracing::debug;

use super::{Relay, StartTls, Step, Stop, broken, direction::say};
use crate::{tunnel::refusal::refuse, websocket::scratch};

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
}
