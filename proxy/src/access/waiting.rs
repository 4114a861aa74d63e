//! Pages that have a WebSocket and have not shown a token yet.
//!
//! There is room for so many. When one more comes, the one that has waited longest must go: a page
//! shows its token at once, so that strangers who show none don't keep it out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Room for pages that wait.
#[derive(Clone)]
pub(super) struct WaitingRoom {
    most: usize,
    waiting: Arc<Mutex<Waiting>>,
}

/// A place there, until it is dropped.
pub(super) struct Place {
    number: u64,
    turned_out: CancellationToken,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who came later has a higher number.
#[derive(Default)]
struct Waiting {
    next: u64,
    places: BTreeMap<u64, CancellationToken>,
}

impl WaitingRoom {
    /// Room for this many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Arc::default() }
    }

    /// A place, which may have been another's.
    pub(super) fn enter(&self) -> Place {
        let mut waiting = lock(&self.waiting);
        if waiting.places.len() >= self.most
            && let Some((_, first)) = waiting.places.pop_first()
        {
            first.cancel();
        }
        let (number, turned_out) = (waiting.next, CancellationToken::new());
        waiting.next += 1;
        waiting.places.insert(number, turned_out.clone());
        Place { number, turned_out, waiting: self.waiting.clone() }
    }
}

impl Place {
    /// Ends when the place was given to another.
    pub(super) async fn turned_out(&self) {
        self.turned_out.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.waiting).places.remove(&self.number);
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    // Nothing panics between two changes that belong together.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_out(place: &Place) -> bool {
        place.turned_out().now_or_never().is_some()
    }

    #[test]
    fn one_more_than_there_is_room_for_turns_out_who_came_first() {
        let room = WaitingRoom::new(2);
        let (first, second) = (room.enter(), room.enter());
        assert!(!is_out(&first) && !is_out(&second));
        let third = room.enter();
        assert!(is_out(&first) && !is_out(&second) && !is_out(&third));
        // Whose place was another's leaves it to that one.
        drop(first);
        assert_eq!(lock(&room.waiting).places.len(), 2);
    }

    #[test]
    fn who_leaves_makes_room() {
        let room = WaitingRoom::new(2);
        let first = room.enter();
        drop(room.enter());
        let _third = room.enter();
        assert!(!is_out(&first));
        assert_eq!(lock(&room.waiting).places.len(), 2);
    }
}
