//! Frames that carry nothing: pings, pongs, and empty pieces of messages.

use std::time::{Duration, Instant};

use super::Violation;

/// How many frames that carry nothing a page may send.
#[derive(Clone, Copy, Debug)]
pub struct FloodLimit {
    /// So many at once.
    pub burst: u16,
    /// After that, one in this time.
    pub interval: Duration,
}

/// Counts them.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    /// When all of them will be forgotten: each is remembered for one interval.
    until: Option<Instant>,
}

impl Flood {
    /// Counts one.
    ///
    /// # Errors
    ///
    /// If it is one too many.
    pub(crate) fn count(&mut self, now: Instant, limit: FloodLimit) -> Result<(), Violation> {
        let until = self.until.filter(|until| *until > now).unwrap_or(now) + limit.interval;
        if until - now > limit.interval * u32::from(limit.burst) {
            return Err(Violation::Flood);
        }
        self.until = Some(until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fine_and_then_one_in_each_interval() {
        let limit = FloodLimit { burst: 3, interval: Duration::from_secs(1) };
        let start = Instant::now();
        let mut flood = Flood::default();
        let mut count = |millis| flood.count(start + Duration::from_millis(millis), limit);
        assert_eq!([count(0), count(0), count(0)], [Ok(()); 3]);
        assert_eq!(count(999), Err(Violation::Flood));
        assert_eq!(count(1000), Ok(()));
        assert_eq!(count(1001), Err(Violation::Flood));
        assert_eq!([count(9000), count(9000), count(9000)], [Ok(()); 3]);
        assert_eq!(count(9000), Err(Violation::Flood));
    }
}
