//! A leaky bucket: how much may come at once, and over time.

use std::time::{Duration, Instant};

/// How much of something may come: `capacity` at once, and after that as fast as a full bucket
/// empties in `period`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    capacity: f64,
    period: Duration,
}

/// How full the bucket is; in units of what is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    level: f64,
    /// When that was so; `None` for a bucket that was never used.
    at: Option<Instant>,
}

impl Rate {
    /// So much in a period. Counts are exact up to 2⁵³.
    pub(super) fn new(capacity: u64, period: Duration) -> Self {
        Self { capacity: capacity as f64, period }
    }
}

impl Bucket {
    /// Takes one more, unless the bucket is full.
    #[must_use]
    pub(super) fn admit(&mut self, rate: Rate, now: Instant) -> bool {
        self.leak(rate, now);
        let fits = self.level + 1.0 <= rate.capacity;
        if fits {
            self.level += 1.0;
        }
        fits
    }

    /// Gives one back that was taken.
    pub(super) fn give_back(&mut self) {
        self.level = (self.level - 1.0).max(0.0);
    }

    /// Takes what has come already, whether it fits or not.
    pub(super) fn add(&mut self, amount: u64, rate: Rate, now: Instant) {
        self.leak(rate, now);
        self.level += amount as f64;
    }

    /// Whether more has come than may.
    pub(super) fn is_over(&mut self, rate: Rate, now: Instant) -> bool {
        self.leak(rate, now);
        self.level > rate.capacity
    }

    fn leak(&mut self, rate: Rate, now: Instant) {
        if let Some(at) = self.at.replace(now) {
            let periods = now.saturating_duration_since(at).div_duration_f64(rate.period);
            self.level = (self.level - periods * rate.capacity).max(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> Rate {
        Rate::new(3, Duration::from_secs(60))
    }

    #[test]
    fn as_many_as_may_are_taken_and_not_one_more() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        let taken = [(); 4].map(|()| bucket.admit(rate(), now));
        assert_eq!(taken, [true, true, true, false]);
    }

    #[test]
    fn places_come_free_one_by_one() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        while bucket.admit(rate(), now) {}
        let mut at = |seconds| bucket.admit(rate(), now + Duration::from_secs(seconds));
        assert!(!at(19));
        assert!(at(20));
        assert!(!at(21));
        assert!(at(40));
        let after_a_long_time = [(); 4].map(|()| at(4000));
        assert_eq!(after_a_long_time, [true, true, true, false]);
    }

    #[test]
    fn what_has_come_already_counts_even_if_it_is_too_much() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        bucket.add(3, rate(), now);
        assert!(!bucket.is_over(rate(), now));
        bucket.add(1, rate(), now);
        assert!(bucket.is_over(rate(), now));
        assert!(!bucket.is_over(rate(), now + Duration::from_secs(20)));
    }

    #[test]
    fn gigabytes_are_counted_to_the_byte() {
        let rate = Rate::new(20_000_000_000, Duration::from_secs(3600));
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        bucket.add(20_000_000_000, rate, now);
        assert!(!bucket.is_over(rate, now));
        bucket.add(1, rate, now);
        assert!(bucket.is_over(rate, now));
    }
}
