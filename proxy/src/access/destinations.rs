//! How many different mail servers somebody has asked for in the last hour.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

/// For how long a destination counts.
const PERIOD: Duration = Duration::from_secs(60 * 60);

/// Destinations of the last hour. Never more than the limit that is asked with.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    /// When each was last asked for.
    seen: HashMap<u32, Instant>,
}

/// A destination as it is kept: a keyed hash, so that nobody can choose two that look alike.
#[derive(Debug, Default)]
pub(super) struct Fingerprints(RandomState);

impl Fingerprints {
    /// A server, or a host whatever its port.
    pub(super) fn of(&self, host: &str, port: Option<u16>) -> u32 {
        // The lower half is as good as any.
        self.0.hash_one((host, port)) as u32
    }
}

impl Destinations {
    /// Whether this is one of `limit` in the last hour; notes it if so.
    #[must_use]
    pub(super) fn admit(&mut self, destination: u32, limit: usize, now: Instant) -> bool {
        if let Some(last) = self.seen.get_mut(&destination) {
            // Those that are gone on with need no second place.
            *last = now;
            return true;
        }
        if self.seen.len() >= limit {
            self.seen.retain(|_, last| now.saturating_duration_since(*last) < PERIOD);
        }
        let fits = self.seen.len() < limit;
        if fits {
            self.seen.insert(destination, now);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_be_and_not_one_more_until_an_hour_has_passed() {
        let (mut destinations, now) = (Destinations::default(), Instant::now());
        let mut admit = |which, minutes: u64| {
            destinations.admit(which, 2, now + Duration::from_secs(60 * minutes))
        };
        assert!(admit(1, 0));
        assert!(admit(2, 10));
        assert!(!admit(3, 20));
        assert!(admit(1, 30), "one that is known needs no place");
        assert!(!admit(3, 69));
        assert!(admit(3, 70), "the second was asked for an hour ago");
        assert!(!admit(2, 71));
        assert_eq!(destinations.seen.len(), 2);
    }

    #[test]
    fn host_and_port_make_a_destination() {
        let fingerprints = Fingerprints::default();
        let of = |host, port| fingerprints.of(host, port);
        assert_eq!(of("mail.example.org", Some(993)), of("mail.example.org", Some(993)));
        assert_ne!(of("mail.example.org", Some(993)), of("mail.example.org", Some(143)));
        assert_ne!(of("mail.example.org", Some(993)), of("mail.example.com", Some(993)));
        assert_ne!(of("mail.example.org", None), of("mail.example.org", Some(993)));
    }
}
