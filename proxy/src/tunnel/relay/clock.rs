//! What becomes due on a tunnel when nothing happens.

use tokio::time::Instant;

use crate::limits::Limits;

/// When what happened last.
pub(super) struct Clock {
    opened: Instant,
    carried: Instant,
    page_seen: Instant,
    pinged: Option<Instant>,
}

/// What is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    /// Nothing before this moment.
    Nothing(Instant),
    /// The page must be asked whether it is still there.
    Ping,
    /// The page has not answered.
    PageGone,
    /// Nothing was carried for too long.
    Idle,
    /// The tunnel has lived for as long as it may.
    LifetimeOver,
    /// The page's first bytes were not there in time.
    FirstBytesLate,
}

impl Clock {
    /// The clock of a tunnel that opens now.
    pub(super) fn new(now: Instant) -> Self {
        Self { opened: now, carried: now, page_seen: now, pinged: None }
    }

    /// Stream bytes were carried.
    pub(super) fn carried(&mut self, now: Instant) {
        self.carried = now;
    }

    /// The page was heard.
    pub(super) fn page_seen(&mut self, now: Instant) {
        self.page_seen = now;
        self.pinged = None;
    }

    /// What is due now. `gated` says that the page's first bytes are still awaited.
    pub(super) fn due(&mut self, now: Instant, limits: &Limits, gated: bool) -> Due {
        let idle = self.carried + limits.idle;
        let end = self.opened + limits.lifetime;
        let first_bytes = gated.then(|| self.opened + limits.handshake);
        let ping = self.pinged.unwrap_or(self.page_seen) + limits.ping;
        if now >= idle {
            return Due::Idle;
        }
        if now >= end {
            return Due::LifetimeOver;
        }
        if first_bytes.is_some_and(|deadline| now >= deadline) {
            return Due::FirstBytesLate;
        }
        if now >= ping {
            return match self.pinged.replace(now) {
                Some(_) => Due::PageGone,
                None => Due::Ping,
            };
        }
        Due::Nothing(idle.min(end).min(ping).min(first_bytes.unwrap_or(idle)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn limits() -> Limits {
        Limits {
            handshake: seconds(5),
            idle: seconds(100),
            lifetime: seconds(1000),
            ping: seconds(30),
            ..Limits::default()
        }
    }

    #[test]
    fn a_silent_page_is_asked_once_and_then_gone() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let mut due = |at| clock.due(start + seconds(at), &limits(), false);
        assert_eq!(due(29), Due::Nothing(start + seconds(30)));
        assert_eq!(due(30), Due::Ping);
        assert_eq!(due(30), Due::Nothing(start + seconds(60)));
        assert_eq!(due(60), Due::PageGone);
    }

    #[test]
    fn a_page_that_answers_is_asked_again_later() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        assert_eq!(clock.due(start + seconds(30), &limits(), false), Due::Ping);
        clock.page_seen(start + seconds(31));
        let next = Due::Nothing(start + seconds(61));
        assert_eq!(clock.due(start + seconds(60), &limits(), false), next);
    }

    #[test]
    fn answers_to_pings_are_nothing_that_is_carried() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.page_seen(start + seconds(99));
        assert_eq!(clock.due(start + seconds(100), &limits(), false), Due::Idle);
        clock.carried(start + seconds(99));
        assert_ne!(clock.due(start + seconds(100), &limits(), false), Due::Idle);
    }

    #[test]
    fn a_busy_tunnel_ends_too() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.carried(start + seconds(999));
        clock.page_seen(start + seconds(999));
        let end = start + seconds(1000);
        assert_eq!(clock.due(start + seconds(999), &limits(), false), Due::Nothing(end));
        assert_eq!(clock.due(end, &limits(), false), Due::LifetimeOver);
    }

    #[test]
    fn first_bytes_have_a_deadline_while_they_are_awaited() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let deadline = start + seconds(5);
        assert_eq!(clock.due(start, &limits(), true), Due::Nothing(deadline));
        assert_eq!(clock.due(deadline, &limits(), true), Due::FirstBytesLate);
        assert_eq!(clock.due(deadline, &limits(), false), Due::Nothing(start + seconds(30)));
    }
}
