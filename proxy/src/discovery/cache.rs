//! What was found out a moment ago need not be found out again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

/// Keeps answers for a while, and lets those who ask the same at the same time wait for one answer.
pub(super) struct Cache<K, V> {
    most: usize,
    entries: Mutex<HashMap<K, Entry<V>>>,
}

struct Entry<V> {
    value: Arc<OnceCell<V>>,
    until: Instant,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// Keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default() }
    }

    /// The answer that is there at the time `now`, or else the one that `find` finds. `work` is more
    /// time than that takes, and `keep` says how long after `now` the answer stays.
    pub(super) async fn get(
        &self,
        key: K,
        now: Instant,
        work: Duration,
        keep: impl FnOnce(&V) -> Duration,
        find: impl Future<Output = V>,
    ) -> V {
        let value = self.entry(&key, now, now + work);
        let found = async {
            let found = find.await;
            self.prolong(&key, now + keep(&found));
            found
        };
        value.get_or_init(|| found).await.clone()
    }

    fn entry(&self, key: &K, now: Instant, until: Instant) -> Arc<OnceCell<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(key).filter(|entry| entry.until > now) {
            return entry.value.clone();
        }
        if entries.len() >= self.most {
            entries.retain(|_, entry| entry.until > now);
        }
        if entries.len() >= self.most {
            let first = entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                entries.remove(&first);
            }
        }
        let entry = Entry { value: Arc::default(), until };
        let value = entry.value.clone();
        entries.insert(key.clone(), entry);
        value
    }

    fn prolong(&self, key: &K, until: Instant) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(key) {
            entry.until = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    const WORK: Duration = Duration::from_secs(10);
    const KEEP: Duration = Duration::from_secs(60);

    /// A cache and how often an answer had to be found.
    struct Asked {
        cache: Cache<u32, u32>,
        found: Cell<u32>,
        start: Instant,
    }

    impl Asked {
        fn new(most: usize) -> Self {
            Self { cache: Cache::new(most), found: Cell::new(0), start: Instant::now() }
        }

        async fn ask(&self, key: u32, after: Duration) -> u32 {
            let find = async {
                self.found.set(self.found.get() + 1);
                self.found.get()
            };
            self.cache.get(key, self.start + after, WORK, |_| KEEP, find).await
        }
    }

    #[tokio::test]
    async fn an_answer_is_kept_until_it_expires() {
        let asked = Asked::new(4);
        for (after, expected) in [
            (Duration::ZERO, 1),
            (KEEP - Duration::from_millis(1), 1),
            (KEEP, 2),
            (KEEP * 2 - Duration::from_millis(1), 2),
        ] {
            assert_eq!(asked.ask(1, after).await, expected, "{after:?}");
        }
    }

    #[tokio::test]
    async fn it_never_holds_more_than_it_may() {
        let asked = Asked::new(2);
        for key in 1..=3 {
            asked.ask(key, Duration::from_secs(key.into())).await;
        }
        assert_eq!(asked.cache.entries.lock().unwrap().len(), 2);
        // The one that would have expired first had to go.
        assert_eq!(asked.ask(3, Duration::from_secs(3)).await, 3);
        assert_eq!(asked.ask(1, Duration::from_secs(3)).await, 4);
    }

    #[tokio::test]
    async fn those_who_ask_at_the_same_time_share_the_answer() {
        let asked = Asked::new(2);
        let (answer, answered) = oneshot::channel();
        let slow = async { answered.await.unwrap() };
        let first = asked.cache.get(1, asked.start, WORK, |_| KEEP, slow);
        let second = asked.ask(1, Duration::ZERO);
        let (first, second, ()) = tokio::join!(first, second, async { answer.send(7).unwrap() });
        assert_eq!((first, second, asked.found.get()), (7, 7, 0));
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_work_to_the_next() {
        let asked = Asked::new(2);
        let never = asked.cache.get(1, asked.start, WORK, |_| KEEP, std::future::pending());
        assert_eq!(never.now_or_never(), None);
        assert_eq!(asked.ask(1, Duration::ZERO).await, 1);
    }
}
