//! When something is done by time.

use std::time::Duration;

/// When a server is asked again, whatever else happens until then.
#[derive(Clone, Copy)]
pub(super) struct Appointment {
    /// In milliseconds since 1970 (UTC).
    at: i64,
    pause: Duration,
}

impl Appointment {
    /// So long after `now`.
    pub(super) fn after(pause: Duration, now: i64) -> Self {
        let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        Self { at: now.saturating_add(millis), pause }
    }

    /// How long it is until then at `now`; a clock that was set back does not make it longer.
    pub(super) fn wait(self, now: i64) -> Duration {
        let left = u64::try_from(self.at.saturating_sub(now)).unwrap_or(0);
        Duration::from_millis(left).min(self.pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_meanwhile_does_not_put_off_the_next_question() {
        let next = Appointment::after(Duration::from_secs(300), 1_000);
        for (now, seconds) in [(1_000, 300), (101_000, 200), (301_000, 0), (9_000_000, 0)] {
            assert_eq!(next.wait(now), Duration::from_secs(seconds), "at {now}");
        }
        // A clock that was set back.
        assert_eq!(next.wait(i64::MIN), Duration::from_secs(300));
    }
}
