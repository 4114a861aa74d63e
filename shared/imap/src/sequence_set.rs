//! Sets of UIDs or sequence numbers (RFC 9051 section 9, `sequence-set`).

use std::{fmt, ops::RangeInclusive};

/// A set of UIDs (or sequence numbers); never empty, so that it can always be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SequenceSet {
    /// Ascending, apart, not empty.
    ranges: Vec<RangeInclusive<u32>>,
}

impl SequenceSet {
    /// The set of these numbers, in any order; `None` if there are none. Zero is no number.
    pub fn from_numbers(numbers: impl IntoIterator<Item = u32>) -> Option<Self> {
        Self::from_ranges(numbers.into_iter().map(|number| number..=number))
    }

    /// The set of all numbers in these ranges; `None` if there are none.
    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<u32>>) -> Option<Self> {
        let mut given: Vec<_> = ranges
            .into_iter()
            .map(|range| (*range.start()).max(1)..=*range.end())
            .filter(|range| !range.is_empty())
            .collect();
        given.sort_unstable_by_key(|range| *range.start());
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for range in given {
            match ranges.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => ranges.push(range),
            }
        }
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    /// Reads a set as a server sends it: numbers only, without `*` and zero.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let ranges: Option<Vec<_>> =
            text.split(|byte| *byte == b',').map(Self::parse_range).collect();
        Self::from_ranges(ranges?)
    }

    /// Reads a number or a range, which may run backwards. Zero is no number.
    pub(crate) fn parse_range(text: &[u8]) -> Option<RangeInclusive<u32>> {
        let text = std::str::from_utf8(text).ok()?;
        let (one, other) = text.split_once(':').unwrap_or((text, text));
        let (one, other): (u32, u32) = (one.parse().ok()?, other.parse().ok()?);
        let (start, end) = (one.min(other), one.max(other));
        (start > 0).then_some(start..=end)
    }

    /// The ranges, ascending and apart.
    pub fn ranges(&self) -> &[RangeInclusive<u32>] {
        &self.ranges
    }

    /// How many numbers it holds. A hostile server can name four thousand million in ten bytes:
    /// look here before taking [`numbers`](Self::numbers).
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum()
    }

    /// Whether it holds this number.
    pub fn contains(&self, number: u32) -> bool {
        let at = self.ranges.partition_point(|range| *range.end() < number);
        self.ranges.get(at).is_some_and(|range| range.contains(&number))
    }

    /// The numbers, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.ranges.iter().cloned().flatten()
    }
}

impl From<u32> for SequenceSet {
    /// The set of one number; zero, which is none, counts as one.
    fn from(number: u32) -> Self {
        Self { ranges: vec![number.max(1)..=number.max(1)] }
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (start, end) if start == end => write!(f, "{comma}{start}")?,
                (start, end) => write!(f, "{comma}{start}:{end}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_a_range() {
        let cases: &[(&[u32], &str)] = &[
            (&[5], "5"),
            (&[3, 1, 2], "1:3"),
            (&[1, 2, 4, 7, 6, 2], "1:2,4,6:7"),
            (&[0, u32::MAX, u32::MAX - 1], "4294967294:4294967295"),
        ];
        for (numbers, text) in cases {
            let set = SequenceSet::from_numbers(numbers.iter().copied()).unwrap();
            assert_eq!(set.to_string(), *text);
        }
        assert_eq!(SequenceSet::from_numbers([]), None);
        assert_eq!(SequenceSet::from_numbers([0]), None);
    }

    #[test]
    fn a_servers_set_is_read() {
        let set = SequenceSet::parse(b"9:7,3,4").unwrap();
        assert_eq!(set.numbers().collect::<Vec<_>>(), [3, 4, 7, 8, 9]);
        for damaged in ["", "1:*", "1,,2", "x", "4294967296", "0:5"] {
            assert_eq!(SequenceSet::parse(damaged.as_bytes()), None, "{damaged}");
        }
    }

    #[test]
    fn a_set_knows_what_it_holds() {
        let set = SequenceSet::parse(b"3:4,7:9").unwrap();
        let held: Vec<_> = (0..12).filter(|number| set.contains(*number)).collect();
        assert_eq!(held, [3, 4, 7, 8, 9]);
    }

    #[test]
    fn a_huge_set_is_counted_without_being_listed() {
        assert_eq!(SequenceSet::parse(b"1:4294967295").unwrap().count(), 4_294_967_295);
    }
}
