//! How much time has passed, as far as more than this device's clock tells.
//!
//! A clock may leap: a battery is empty, a virtual machine wakes up, somebody sets the wrong year. What
//! is deleted by age would then be deleted too early. So time counts that passed in small steps, from
//! one download to the next, and of a longer step as much as the mail that has come since tells by its
//! dates; of the rest, three days count. Whoever comes back after weeks to a mailbox without new mail
//! has messages deleted some days later than was chosen, and never earlier.

use serde::{Deserialize, Serialize};

use super::{DAY, limits::MAX_LEAPS};

/// How long a step of the clock may be that nothing else explains.
const UNEXPLAINED: i64 = 3 * DAY;

/// What is remembered of an account's clock.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Elapsed {
    /// When it was looked at last, in milliseconds since 1970 (UTC).
    last: Option<i64>,
    /// The oldest first.
    leaps: Vec<Leap>,
}

/// A step of the clock that nothing else explains.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Leap {
    /// What the clock showed after it.
    until: i64,
    /// How many milliseconds were too many.
    by: i64,
}

impl Elapsed {
    /// Since when the clock was not looked at, if a step to `now` needs an explanation.
    pub(super) fn unexplained_since(&self, now: i64) -> Option<i64> {
        self.last.filter(|last| now.saturating_sub(*last) > UNEXPLAINED)
    }

    /// The clock shows `now`; the newest mail that has come since it was looked at last was sent at
    /// `sent`.
    pub(super) fn observe(&mut self, now: i64, sent: Option<i64>) {
        let Some(last) = self.last.replace(now) else { return };
        let step = now.saturating_sub(last);
        let explained = sent.map_or(0, |sent| sent.min(now).saturating_sub(last)).max(UNEXPLAINED);
        if step > explained {
            self.leaps.push(Leap { until: now, by: step - explained });
        }
        // One that goes back takes the last leaps back.
        let mut back = step.saturating_neg().max(0);
        while back > 0
            && let Some(leap) = self.leaps.last_mut()
        {
            let taken = back.min(leap.by);
            (back, leap.by) = (back - taken, leap.by - taken);
            self.leaps.pop_if(|leap| leap.by == 0);
        }
        if self.leaps.len() > MAX_LEAPS {
            let first = self.leaps.remove(0);
            self.leaps[0].by = self.leaps[0].by.saturating_add(first.by);
        }
    }

    /// How many milliseconds have certainly passed from `then` to `now`.
    pub(super) fn since(&self, then: i64, now: i64) -> i64 {
        let within = |leap: &Leap| leap.by.min(leap.until.saturating_sub(then)).max(0);
        let too_many = self.leaps.iter().map(within).fold(0_i64, i64::saturating_add);
        now.saturating_sub(then).saturating_sub(too_many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: i64 = 365 * DAY;

    /// What has passed since 0, after looks at these times, each with the date of the newest mail.
    fn passed(looks: &[(i64, Option<i64>)]) -> i64 {
        let mut elapsed = Elapsed::default();
        looks.iter().for_each(|(now, sent)| elapsed.observe(*now, *sent));
        elapsed.since(0, looks.last().map_or(0, |look| look.0))
    }

    #[test]
    fn time_counts_as_far_as_it_is_explained() {
        let cases = [
            // Small steps.
            (vec![(0, None), (3 * DAY, None), (6 * DAY, None)], 6 * DAY),
            // A long one, alone and with mail of that time.
            (vec![(0, None), (14 * DAY, None)], 3 * DAY),
            (vec![(0, None), (14 * DAY, Some(13 * DAY))], 13 * DAY),
            (vec![(0, None), (14 * DAY, Some(-DAY))], 3 * DAY),
            // Mail of the future tells no more than the clock.
            (vec![(0, None), (14 * DAY, Some(i64::MAX))], 14 * DAY),
            // A leap, and the days after it.
            (vec![(0, None), (YEAR, None), (YEAR + DAY, None), (YEAR + 2 * DAY, None)], 5 * DAY),
            // A leap that was set right.
            (vec![(0, None), (YEAR, None), (DAY, None), (2 * DAY, None)], 2 * DAY),
            (vec![(0, None), (i64::MAX, None)], 3 * DAY),
        ];
        for (looks, expected) in cases {
            assert_eq!(passed(&looks), expected, "{looks:?}");
        }
    }

    #[test]
    fn what_came_after_a_leap_is_of_its_own_age() {
        let mut elapsed = Elapsed::default();
        elapsed.observe(0, None);
        elapsed.observe(YEAR, None);
        assert_eq!(elapsed.since(YEAR, YEAR + DAY), DAY);
        assert_eq!(elapsed.since(YEAR / 2, YEAR + DAY), DAY, "a time that there never was");
        assert_eq!(elapsed.unexplained_since(YEAR + 3 * DAY), None);
        assert_eq!(elapsed.unexplained_since(YEAR + 3 * DAY + 1), Some(YEAR));
    }

    #[test]
    fn the_most_leaps_are_kept_and_of_more_none_is_forgotten() {
        let mut elapsed = Elapsed::default();
        for number in 0..=i64::try_from(MAX_LEAPS).unwrap() + 1 {
            elapsed.observe(number * YEAR, None);
        }
        assert_eq!(elapsed.leaps.len(), MAX_LEAPS);
        let leaps = i64::try_from(MAX_LEAPS).unwrap() + 1;
        assert_eq!(elapsed.since(0, leaps * YEAR), leaps * 3 * DAY);
    }
}
