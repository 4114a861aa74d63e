//! Which intents of a page a leader has taken.

use std::collections::BTreeSet;

use crate::limits::RECENT_INTENTS;

/// The numbers of a page's latest intents.
///
/// At a hand-over they come out of order: a page repeats what the leader before had not seen to,
/// while what it wanted since may be known already.
#[derive(Default)]
pub(super) struct Taken {
    numbers: BTreeSet<u64>,
}

impl Taken {
    /// Notes an intent; says whether it is new.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let is_new = self.numbers.insert(number);
        if self.numbers.len() > RECENT_INTENTS {
            self.numbers.pop_first();
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_that_comes_late_is_new_once() {
        let mut taken = Taken::default();
        let new = [4, 3, 3, 4, 5].map(|number| taken.insert(number));
        assert_eq!(new, [true, true, false, false, true]);
    }

    #[test]
    fn as_many_as_the_limit_are_remembered_and_not_one_more() {
        let mut taken = Taken::default();
        let limit = RECENT_INTENTS as u64;
        assert!((1..=limit).all(|number| taken.insert(number)));
        assert!(!taken.insert(1));
        assert!(taken.insert(limit + 1));
        assert_eq!(taken.numbers.len(), RECENT_INTENTS);
        assert!(!taken.insert(2));
    }
}
