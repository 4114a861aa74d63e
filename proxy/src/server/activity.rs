//! Whether anything happens on an HTTP/2 connection.
//!
//! HTTP/2 has no head that must arrive in time: a client that answers pings could hold a connection
//! for ever. So it is over when nothing has moved for some time: no request, and no part of an
//! answer that the client took.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::{
    body::{Frame, SizeHint},
    rt::Executor,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use crate::limits::CHUNK;

/// What has happened last, and what is still under way.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Inner>);

struct Inner {
    last: Mutex<Instant>,
    /// Requests and tunnels.
    streams: TaskTracker,
    /// Whether one of them was a tunnel. A tunnel may be silent, and has limits of its own.
    has_tunnel: AtomicBool,
}

/// The body of an answer, in pieces that the client takes one by one.
pub(super) struct Paced {
    body: Body,
    rest: Bytes,
    activity: Activity,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            last: Mutex::new(Instant::now()),
            streams: TaskTracker::new(),
            has_tunnel: AtomicBool::new(false),
        }
    }
}

impl Activity {
    /// Something has moved.
    pub(super) fn moved(&self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// One of the streams becomes a tunnel.
    pub(super) fn tunnel(&self) {
        self.0.has_tunnel.store(true, Ordering::Relaxed);
    }

    /// Ends once nothing has moved for this long.
    pub(super) async fn idle(&self, limit: Duration) {
        let mut since = self.last();
        loop {
            sleep_until(since + limit).await;
            let last = self.last();
            if last == since && !self.may_be_silent() {
                return;
            }
            since = if last == since { Instant::now() } else { last };
        }
    }

    fn last(&self) -> Instant {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_be_silent(&self) -> bool {
        self.0.has_tunnel.load(Ordering::Relaxed) && !self.0.streams.is_empty()
    }
}

/// Runs the connection's streams, and so knows how many there are.
impl<F> Executor<F> for Activity
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.streams.spawn(stream);
    }
}

impl Paced {
    pub(super) fn new(body: Body, activity: Activity) -> Self {
        Self { body, rest: Bytes::new(), activity }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // Whoever asks has room at the client.
        self.activity.moved();
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let count = self.rest.len().min(CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(count)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
