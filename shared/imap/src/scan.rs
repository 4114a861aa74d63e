//! Finds where strings and atoms end.

use memchr::memchr;

/// The bytes that end an atom, and the one that opens a bracket in it.
const ATOM_MARKS: [bool; 256] = {
    let mut marks = [false; 256];
    let bytes = b" ()\r\t[";
    let mut at = 0;
    while at < bytes.len() {
        marks[bytes[at] as usize] = true;
        at += 1;
    }
    marks
};

/// Where the first quote or backslash is, sought eight bytes at a time: most strings are too short
/// for a search that has to be prepared.
#[inline]
pub(crate) fn quote_or_escape(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest top bit that is set is that of the first byte that is the wanted one.
        let marks = |wanted: u8| {
            let difference = word ^ (ONES * u64::from(wanted));
            difference.wrapping_sub(ONES) & !difference & TOPS
        };
        let found = marks(b'"') | marks(b'\\');
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    found.map(|at| words.len() * 8 + at)
}

/// How long the atom at the start of `text` is; at least one byte. Brackets keep what is between
/// them together, as in `BODY[HEADER.FIELDS (SUBJECT)]`.
#[inline]
pub(crate) fn atom_length(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let is_mark = |byte: &u8| ATOM_MARKS[usize::from(*byte)];
        let Some(length) = text[at..].iter().position(is_mark) else { return text.len() };
        at += length;
        if text[at] != b'[' {
            return at.max(1);
        }
        at += memchr(b']', &text[at..]).unwrap_or_default() + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_quote_or_backslash_is_found_wherever_it_is() {
        for length in 0..20 {
            for at in 0..length {
                for mark in [b'"', b'\\'] {
                    let mut text = vec![0xa2; length];
                    assert_eq!(quote_or_escape(&text), None);
                    text[at..].fill(mark);
                    assert_eq!(quote_or_escape(&text), Some(at));
                }
            }
        }
    }

    #[test]
    fn an_atom_goes_on_in_brackets() {
        let cases =
            [("A B", 1), ("BODY[A (B)]<0> 1", 14), ("A[ B", 2), (")", 1), ("[a]b[c d](", 9)];
        for (text, length) in cases {
            assert_eq!(atom_length(text.as_bytes()), length, "{text}");
        }
    }
}
