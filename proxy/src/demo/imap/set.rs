//! Sequence sets (RFC 9051, sequence-set).

use super::parse::{Cursor, Malformed};

/// Ranges of numbers; `*` is the largest number in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Ranges(Vec<(Bound, Bound)>),
    /// `$`: the result of the last SEARCH that was saved (RFC 5182).
    Saved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Number(u32),
    Last,
}

impl Bound {
    fn resolve(self, last: u32) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Last => last,
        }
    }
}

impl Set {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        if cursor.eat(b'$') {
            return Ok(Self::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            let from = bound(cursor)?;
            let to = if cursor.eat(b':') { bound(cursor)? } else { from };
            ranges.push((from, to));
            if !cursor.eat(b',') {
                return Ok(Self::Ranges(ranges));
            }
        }
    }

    /// Whether a number is in the set. `last` is what `*` stands for.
    pub(super) fn contains(&self, number: u32, last: u32, saved: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Saved => saved(),
            Self::Ranges(ranges) => ranges.iter().any(|(from, to)| {
                let (from, to) = (from.resolve(last), to.resolve(last));
                (from.min(to)..=from.max(to)).contains(&number)
            }),
        }
    }
}

fn bound(cursor: &mut Cursor<'_>) -> Result<Bound, Malformed> {
    if cursor.eat(b'*') {
        return Ok(Bound::Last);
    }
    match cursor.number()? {
        0 => Err(Malformed),
        number => Ok(Bound::Number(number)),
    }
}

/// Writes numbers in growing order as a sequence set: `1:3,7`.
pub(super) fn compact(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers.iter().copied() {
        match ranges.last_mut() {
            Some((_, to)) if to.checked_add(1) == Some(number) => *to = number,
            _ => ranges.push((number, number)),
        }
    }
    let ranges = ranges.iter().map(|(from, to)| match from == to {
        true => from.to_string(),
        false => format!("{from}:{to}"),
    });
    ranges.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str, last: u32) -> Vec<u32> {
        let set = Set::parse(&mut Cursor::new(text.as_bytes())).unwrap();
        (1..=9).filter(|number| set.contains(*number, last, || false)).collect()
    }

    #[test]
    fn ranges_may_be_reversed_and_the_star_is_the_last() {
        assert_eq!(members("3", 9), [3]);
        assert_eq!(members("1,3:4", 9), [1, 3, 4]);
        assert_eq!(members("4:3", 9), [3, 4]);
        assert_eq!(members("8:*", 9), [8, 9]);
        assert_eq!(members("*", 5), [5]);
        // RFC 9051: 9:* includes the last message even when it is below 9.
        assert_eq!(members("9:*", 7), [7, 8, 9]);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "0", ",", "1,", "1:", "a", "4294967296", ":1"] {
            assert_eq!(Set::parse(&mut Cursor::new(text.as_bytes())), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn numbers_in_a_row_become_a_range() {
        assert_eq!(compact(&[1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(compact(&[]), "");
        assert_eq!(compact(&[u32::MAX]), "4294967295");
    }
}
