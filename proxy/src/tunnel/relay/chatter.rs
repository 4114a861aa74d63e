//! Control messages: some for nothing, and more with the stream that they are for.

use std::time::Instant;

use crate::{
    limits::{CONTROLS, STREAM_PER_CONTROL},
    websocket::{Flood, Violation},
};

/// Counts the control messages that a page sends.
#[derive(Default)]
pub(super) struct Chatter {
    idle: Flood,
    /// Stream bytes, both ways together, up to the last message that was paid for with some.
    paid: u64,
}

impl Chatter {
    /// Counts one; so many stream bytes were carried before it.
    ///
    /// # Errors
    ///
    /// If it is one too many.
    pub(super) fn count(&mut self, carried: u64, now: Instant) -> Result<(), Violation> {
        if carried - self.paid >= STREAM_PER_CONTROL {
            self.paid = carried;
            return Ok(());
        }
        self.idle.count(now, CONTROLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_stream_there_are_so_many_and_then_one_in_each_interval() {
        let (mut chatter, start) = (Chatter::default(), Instant::now());
        for _ in 0..CONTROLS.burst {
            assert_eq!(chatter.count(0, start), Ok(()));
        }
        assert_eq!(chatter.count(0, start), Err(Violation::Flood));
        assert_eq!(chatter.count(0, start + CONTROLS.interval), Ok(()));
        assert_eq!(chatter.count(0, start + CONTROLS.interval), Err(Violation::Flood));
    }

    #[test]
    fn with_a_stream_there_may_be_more_as_it_goes_on() {
        let (mut chatter, start) = (Chatter::default(), Instant::now());
        while chatter.count(0, start).is_ok() {}
        for count in 1..1000 {
            assert_eq!(chatter.count(count * STREAM_PER_CONTROL, start), Ok(()));
        }
        let less = 1000 * STREAM_PER_CONTROL - 1;
        assert_eq!(chatter.count(less, start), Err(Violation::Flood));
    }
}
