//! Which messages a command is about.

use std::{fmt, ops::RangeInclusive};

use crate::SequenceSet;

/// Which messages a command is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Uids<'a> {
    /// Those with these UIDs.
    Set(&'a SequenceSet),
    /// Those that the last search with RETURN (SAVE) found (RFC 5182).
    Saved,
}

impl<'a> From<&'a SequenceSet> for Uids<'a> {
    fn from(set: &'a SequenceSet) -> Self {
        Self::Set(set)
    }
}

impl fmt::Display for Uids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) => set.fmt(f),
            Self::Saved => f.write_str("$"),
        }
    }
}

/// Some of the messages that a command finds, by their place (RFC 9394 section 3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    places: RangeInclusive<u32>,
    from_end: bool,
}

impl Window {
    /// By places from the first, which has place 1; zero counts as one.
    pub fn oldest(places: RangeInclusive<u32>) -> Self {
        Self { places, from_end: false }
    }

    /// By places from the last, which has place 1; zero counts as one.
    pub fn newest(places: RangeInclusive<u32>) -> Self {
        Self { places, from_end: true }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        let (start, end) = ((*self.places.start()).max(1), (*self.places.end()).max(1));
        write!(f, "{sign}{start}:{sign}{end}")
    }
}
