//! Whether anything happens on an HTTP/2 connection.
//!
//! HTTP/2 has no head that must arrive in time: a client that answers pings could hold a connection
//! for ever. So it is over when nothing has moved for some time: no request, and no part of an
//! answer that the client took.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::{
    body::{Frame, SizeHint},
    rt::Executor,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::task::TaskTracker;

use crate::limits::HTTP2_PIECE;

/// What has happened last, and what is still under way.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Inner>);

struct Inner {
    last: Mutex<Instant>,
    /// Requests and tunnels, also what hyper still wants to send of those that are over.
    streams: TaskTracker,
    /// How many of them are live tunnels. A tunnel may be silent, and has limits of its own.
    tunnels: AtomicUsize,
    /// The last of them is over.
    left: Notify,
}

/// A stream that is a tunnel, or about to be one, until this is dropped.
#[must_use]
pub(crate) struct LiveTunnel(Activity);

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
            tunnels: AtomicUsize::new(0),
            left: Notify::new(),
        }
    }
}

impl Activity {
    /// Something has moved.
    pub(super) fn moved(&self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// One of the streams wants to be a tunnel.
    pub(super) fn tunnel(&self) -> LiveTunnel {
        self.0.tunnels.fetch_add(1, Ordering::Relaxed);
        LiveTunnel(self.clone())
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

    /// Ends when a tunnel has ended that was the last one then.
    pub(super) async fn left_by_tunnels(&self) {
        self.0.left.notified().await;
    }

    /// Whether one of the streams is a tunnel, or about to be one.
    pub(super) fn has_tunnels(&self) -> bool {
        self.0.tunnels.load(Ordering::Relaxed) > 0
    }

    fn last(&self) -> Instant {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every stream that is left is a live tunnel.
    fn may_be_silent(&self) -> bool {
        let tunnels = self.0.tunnels.load(Ordering::Relaxed);
        tunnels > 0 && self.0.streams.len() <= tunnels
    }
}

impl Drop for LiveTunnel {
    fn drop(&mut self) {
        self.0.moved();
        if self.0.0.tunnels.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.0.left.notify_one();
        }
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
        let count = self.rest.len().min(HTTP2_PIECE);
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

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_connection_on_which_nothing_moves_is_idle() {
        let activity = Activity::default();
        timeout(LIMIT * 100, activity.idle(LIMIT)).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_takes_an_answer_slowly_is_not_idle() {
        let activity = Activity::default();
        let mut body = Paced::new(Body::from(vec![7; 10 * HTTP2_PIECE]), activity.clone());
        let taking = async {
            for _ in 0..10 {
                sleep_until(Instant::now() + LIMIT * 8).await;
                let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
                assert_eq!(frame.unwrap().unwrap().into_data().unwrap().len(), HTTP2_PIECE);
            }
        };
        tokio::select! {
            biased;
            () = taking => {}
            () = activity.idle(LIMIT * 50) => panic!("idle"),
        }
        assert!(body.is_end_stream());
    }

    #[tokio::test]
    async fn a_tunnel_may_be_silent_as_long_as_it_is_there() {
        let activity = Activity::default();
        let (end, ended) = oneshot::channel::<()>();
        activity.execute(async {
            let _ = ended.await;
        });
        let live = activity.tunnel();
        assert!(timeout(LIMIT * 5, activity.idle(LIMIT)).await.is_err());
        drop((end, live));
        timeout(LIMIT * 100, activity.idle(LIMIT)).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_tunnel_that_is_over_still_has_to_say_does_not_keep_the_connection() {
        let activity = Activity::default();
        activity.execute(std::future::pending::<()>());
        drop(activity.tunnel());
        timeout(LIMIT * 100, activity.idle(LIMIT)).await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_is_stuck_is_no_tunnel() {
        let activity = Activity::default();
        activity.execute(std::future::pending::<()>());
        timeout(LIMIT * 100, activity.idle(LIMIT)).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_says_how_long_it_is_and_comes_whole() {
        let bytes: Vec<u8> = (0..3 * HTTP2_PIECE + 1).map(|n| n as u8).collect();
        let mut body = Paced::new(Body::from(bytes.clone()), Activity::default());
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let first = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let first = first.unwrap().unwrap().into_data().unwrap();
        assert_eq!(body.size_hint().exact(), Some((bytes.len() - HTTP2_PIECE) as u64));
        let rest = to_bytes(Body::new(body), bytes.len()).await.unwrap();
        assert!([first, rest].concat() == bytes);
    }
}
