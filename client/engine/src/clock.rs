//! Time, from the browser.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use postern_mail::Clock;

/// The longest that one browser timer can wait: it counts in 31 bits of milliseconds.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// The browser's clock and timers.
pub(crate) struct BrowserClock;

impl Clock for BrowserClock {
    fn now(&self) -> i64 {
        js_sys::Date::now() as i64
    }

    async fn sleep(&self, duration: Duration) {
        let mut left = duration;
        while !left.is_zero() {
            let turn = left.min(LONGEST);
            // Rounded up, so that it never wakes early.
            let millis = turn.as_micros().div_ceil(1_000);
            TimeoutFuture::new(u32::try_from(millis).unwrap_or(i32::MAX as u32)).await;
            left -= turn;
        }
    }
}
