//! COPYUID: which UIDs became which (RFC 4315 section 3).

use std::ops::RangeInclusive;

use crate::{SequenceSet, token::Token};

/// Which UIDs of the selected mailbox became which in another. The order of the server's two lists
/// pairs them, so they are kept as they came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CopiedUids {
    /// The other mailbox's UIDVALIDITY.
    pub uid_validity: u32,
    source: Vec<RangeInclusive<u32>>,
    destination: Vec<RangeInclusive<u32>>,
}

impl CopiedUids {
    /// Reads the payload; `None` also if the two lists are not of one length.
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [uid_validity, source, destination] = arguments else { return None };
        let copied = Self {
            uid_validity: uid_validity.number()?,
            source: ranges(source)?,
            destination: ranges(destination)?,
        };
        (count(&copied.source) == count(&copied.destination)).then_some(copied)
    }

    /// How many messages were copied. A hostile server can name four thousand million in ten bytes:
    /// look here before taking all [`pairs`](Self::pairs).
    pub fn count(&self) -> u64 {
        count(&self.source)
    }

    /// Each message's UID here and its UID there.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        self.source.iter().cloned().flatten().zip(self.destination.iter().cloned().flatten())
    }

    /// The UIDs here.
    pub fn sources(&self) -> Option<SequenceSet> {
        SequenceSet::from_ranges(self.source.iter().cloned())
    }

    /// The UIDs there.
    pub fn destinations(&self) -> Option<SequenceSet> {
        SequenceSet::from_ranges(self.destination.iter().cloned())
    }
}

fn count(ranges: &[RangeInclusive<u32>]) -> u64 {
    ranges.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum()
}

/// The ranges in the order in which they came, each ascending (RFC 4315 section 4: `4:2` is `2:4`).
fn ranges(token: &Token<'_>) -> Option<Vec<RangeInclusive<u32>>> {
    token.atom()?.split(|byte| *byte == b',').map(SequenceSet::parse_range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::Limits,
        token::{Arena, text_tokens},
    };

    fn copied(text: &str) -> Option<CopiedUids> {
        let arena = Arena::default();
        CopiedUids::parse(text_tokens(text.as_bytes(), &arena, &Limits::default()).items)
    }

    #[test]
    fn the_order_of_the_lists_pairs_them() {
        let cases: [(&str, &[(u32, u32)]); 4] = [
            ("38505 304,319:320 3956:3958", &[(304, 3956), (319, 3957), (320, 3958)]),
            ("1 5,3 10,11", &[(5, 10), (3, 11)]),
            ("1 4:2 9:7", &[(2, 7), (3, 8), (4, 9)]),
            ("1 1:2 8,3", &[(1, 8), (2, 3)]),
        ];
        for (text, pairs) in cases {
            assert_eq!(copied(text).unwrap().pairs().collect::<Vec<_>>(), pairs, "{text}");
        }
    }

    #[test]
    fn lists_that_do_not_fit_together_are_no_answer() {
        for text in ["1 2:4 7", "1 2", "1 x 2", "1 0 1", "1 * 2", "1 \"2\" 3", ""] {
            assert_eq!(copied(text), None, "{text}");
        }
    }

    #[test]
    fn a_huge_copy_is_counted_without_being_listed() {
        let copied = copied("1 1:4294967295 1:4294967295").unwrap();
        assert_eq!(copied.count(), 4_294_967_295);
        assert_eq!(copied.sources(), copied.destinations());
    }
}
