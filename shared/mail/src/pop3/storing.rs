//! Storing what has come while the next messages come.
//!
//! The network, the page and the disk each take their time; together they take as long as the slowest.

use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, select},
};

use super::received::Received;

/// What is known of messages that are being stored.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) contents: Vec<Content>,
    /// Messages fetched when it was complete.
    pub(super) done: u32,
}

/// What tells a message that is not in the ledger yet from others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) sha256: [u8; 32],
    /// Whether it has no unique id.
    pub(super) is_unnamed: bool,
    /// Which one it is of those with the same bytes and none.
    pub(super) copy: u32,
}

impl Content {
    pub(super) fn of(received: &Received) -> Self {
        let Received { sha256, copy, listed, .. } = received;
        Self { sha256: *sha256, is_unnamed: listed.uidl.is_none(), copy: *copy }
    }
}

/// What is being stored, if anything; what comes of it is heard later.
pub(super) struct Storing<'a, T>(State<'a, T>);

enum State<'a, T> {
    Idle,
    Running(LocalBoxFuture<'a, T>),
    Done(T),
}

impl<'a, T> Storing<'a, T> {
    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self(State::Idle)
    }

    /// Begins to store, in place of what was stored before.
    pub(super) fn start(&mut self, storing: impl Future<Output = T> + 'a) {
        self.0 = State::Running(storing.boxed_local());
    }

    /// Does some work while it is stored. Both go on in turn, so that neither waits for ever for what the
    /// other one holds.
    pub(super) async fn beside<W>(&mut self, work: impl Future<Output = W>) -> W {
        let State::Running(storing) = &mut self.0 else { return work.await };
        match select(std::pin::pin!(work), storing).await {
            Either::Left((came, _)) => came,
            Either::Right((stored, work)) => {
                self.0 = State::Done(stored);
                work.await
            }
        }
    }

    /// Waits until it is stored; what came of it is told once.
    pub(super) async fn end(&mut self) -> Option<T> {
        match std::mem::replace(&mut self.0, State::Idle) {
            State::Idle => None,
            State::Running(storing) => Some(storing.await),
            State::Done(stored) => Some(stored),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::lock::Mutex;

    use super::*;
    use crate::testing::{block_on, give_way};

    #[test]
    fn what_is_stored_goes_on_beside_work_that_waits_for_it() {
        let lock = Mutex::new(());
        let mut storing = Storing::nothing();
        assert_eq!(block_on(storing.beside(async { 1 })), 1);
        assert_eq!(block_on(storing.end()), None);
        storing.start(async {
            let _held = lock.lock().await;
            give_way().await;
            2
        });
        let worked = block_on(storing.beside(async {
            give_way().await;
            let _held = lock.lock().await;
            3
        }));
        assert_eq!(worked, 3);
        assert_eq!(block_on(storing.end()), Some(2));
        assert_eq!(block_on(storing.end()), None);
    }
}
