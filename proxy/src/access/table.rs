//! What is known of each client address, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// Records of clients, in two generations: what was asked for since the last change, and before.
///
/// The generations change when the young one is full, or old enough; what nobody asked for since
/// the change before is then forgotten, unless it is in use. So whatever addresses clients come
/// from, there are never more than twice `capacity` records and those in use.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    young: HashMap<K, Arc<V>>,
    old: HashMap<K, Arc<V>>,
    capacity: usize,
    period: Duration,
    changed: Instant,
}

impl<K: Copy + Eq + Hash, V: Default> Table<K, V> {
    /// A record is remembered for `period` at least, unless there are more than `capacity`.
    pub(super) fn new(capacity: usize, period: Duration, now: Instant) -> Self {
        let (young, old) = Default::default();
        Self { young, old, capacity, period, changed: now }
    }

    /// A client's record; a new one for a client that is not known.
    pub(super) fn record(&mut self, client: K, now: Instant) -> Arc<V> {
        if let Some(record) = self.young.get(&client) {
            return record.clone();
        }
        if self.young.len() >= self.capacity
            || now.saturating_duration_since(self.changed) >= self.period
        {
            self.change(now);
        }
        let record = self.old.remove(&client).unwrap_or_default();
        self.young.entry(client).or_insert(record).clone()
    }

    fn change(&mut self, now: Instant) {
        self.changed = now;
        let mut forgotten = mem::replace(&mut self.old, mem::take(&mut self.young));
        // Nobody can get at what only this table holds, so nobody begins to use it now.
        forgotten.retain(|_, record| Arc::strong_count(record) > 1);
        self.old.extend(forgotten);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn table(capacity: usize, now: Instant) -> Table<u64, AtomicU32> {
        Table::new(capacity, HOUR, now)
    }

    #[test]
    fn a_client_is_remembered_for_a_period_and_forgotten_after_two() {
        let start = Instant::now();
        for (after, remembered) in [(Duration::ZERO, true), (HOUR, true), (3 * HOUR, false)] {
            let mut table = table(1000, start);
            table.record(1, start).store(7, Relaxed);
            // Others come now and then.
            for minutes in 0..=after.as_secs() / 60 {
                table.record(2 + minutes, start + Duration::from_secs(60 * minutes));
            }
            let value = table.record(1, start + after).load(Relaxed);
            assert_eq!(value == 7, remembered, "{after:?}");
        }
    }

    #[test]
    fn millions_of_addresses_take_no_more_room_than_there_is() {
        let now = Instant::now();
        let mut table = table(1000, now);
        let in_use = table.record(0, now);
        in_use.store(7, Relaxed);
        for client in 1..2_000_000 {
            table.record(client, now);
            assert!(table.young.len() <= 1000 && table.old.len() <= 1001);
        }
        assert_eq!(table.record(0, now).load(Relaxed), 7, "what is in use is kept");
    }
}
