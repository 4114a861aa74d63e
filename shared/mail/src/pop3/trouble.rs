//! Messages that break the connection: the others come first, and after some tries they are left for a
//! while.

use serde::{Deserialize, Serialize};

use super::{
    limits::{LEFT, MAX_TROUBLES, TRIES},
    listing::Listed,
};

/// A message at which downloads broke off.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Trouble {
    /// Its unique id; empty if it has none, and its size is all that is known.
    #[serde(with = "serde_bytes")]
    uidl: Vec<u8>,
    /// Its size in bytes, as it is listed.
    size: u64,
    /// How often in a row.
    tries: u32,
    /// When it was tried last, in milliseconds since 1970 (UTC).
    last: i64,
}

impl Trouble {
    fn is_about(&self, uidl: &[u8], size: u64) -> bool {
        self.uidl == uidl && (!uidl.is_empty() || self.size == size)
    }
}

/// The messages at which downloads of an account broke off.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Troubles(Vec<Trouble>);

impl Troubles {
    /// A download broke off while this message came.
    pub(super) fn note(&mut self, listed: &Listed, now: i64) {
        let uidl = listed.uidl.clone().unwrap_or_default();
        let at = self.0.iter().position(|own| own.is_about(&uidl, listed.size));
        let tries = at.map_or(0, |at| self.0.remove(at).tries).saturating_add(1);
        if self.0.len() == MAX_TROUBLES {
            self.0.remove(0);
        }
        self.0.push(Trouble { uidl, size: listed.size, tries, last: now });
    }

    /// A message has come.
    pub(super) fn forget_listed(&mut self, listed: &Listed) {
        self.forget(listed.uidl.as_deref().unwrap_or_default(), listed.size);
    }

    /// The person wants a message to be tried again.
    pub(super) fn forget(&mut self, uidl: &[u8], size: u64) {
        self.0.retain(|own| !own.is_about(uidl, size));
    }

    /// How often in a row downloads broke off at this message.
    pub(super) fn tries(&self, listed: &Listed) -> u32 {
        self.of(listed).map_or(0, |own| own.tries)
    }

    /// Whether this message is left at `now`: it broke the connection too often, and was tried not long
    /// ago.
    pub(super) fn holds(&self, listed: &Listed, now: i64) -> bool {
        let is_recent = |own: &Trouble| (own.last..own.last.saturating_add(LEFT)).contains(&now);
        self.of(listed).is_some_and(|own| own.tries >= TRIES && is_recent(own))
    }

    fn of(&self, listed: &Listed) -> Option<&Trouble> {
        let uidl = listed.uidl.as_deref().unwrap_or_default();
        self.0.iter().find(|own| own.is_about(uidl, listed.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(uidl: &str, size: u64) -> Listed {
        Listed { number: 1, size, uidl: (!uidl.is_empty()).then(|| uidl.into()) }
    }

    #[test]
    fn a_message_is_left_for_a_while_after_some_tries() {
        let mut troubles = Troubles::default();
        for (uidl, other) in [("a", ""), ("", "a")] {
            let (own, other) = (listed(uidl, 5), listed(other, 5));
            for _ in 1..TRIES {
                troubles.note(&own, 10);
                assert!(troubles.tries(&own) > 0 && !troubles.holds(&own, 10));
            }
            troubles.note(&own, 10);
            let at = [10, 9 + LEFT, 10 + LEFT, 9].map(|now| troubles.holds(&own, now));
            assert_eq!(at, [true, true, false, false], "a clock that was set back holds nothing");
            assert_eq!(troubles.tries(&other), 0);
            troubles.forget(uidl.as_bytes(), 5);
            assert_eq!(troubles.tries(&own), 0);
        }
    }

    #[test]
    fn the_most_messages_are_remembered_and_of_one_more_the_oldest_is_not() {
        let mut troubles = Troubles::default();
        for number in 0..=MAX_TROUBLES {
            troubles.note(&listed(&number.to_string(), 1), 0);
        }
        assert_eq!(troubles.0.len(), MAX_TROUBLES);
        assert_eq!(["0", "1"].map(|uidl| troubles.tries(&listed(uidl, 1))), [0, 1]);
    }
}
