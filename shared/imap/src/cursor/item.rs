//! What stands in a response.

use std::borrow::Cow;

use memchr::memchr;

/// A number of so many digits fits into 64 bits, whichever they are.
pub(super) const SAFE_DIGITS: usize = 19;

/// What stands next in a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Item<'a> {
    /// An atom, a number, a flag, `NIL`, or a section such as `BODY[1.MIME]<0>`.
    Atom(&'a [u8]),
    /// A quoted string without escapes, or a literal.
    String(&'a [u8]),
    /// A quoted string with its escapes.
    Escaped(&'a [u8]),
    /// A literal that was streamed: its number and size.
    Streamed(u64, u64),
    /// A list, whose items come next; it must be left with
    /// [`Cursor::leave`](super::Cursor::leave).
    List,
}

impl<'a> Item<'a> {
    /// The bytes of an atom or string; `None` for `NIL` and for lists.
    pub(crate) fn string(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => None,
            Self::Escaped(_) => self.spelled(),
            Self::Atom(bytes) | Self::String(bytes) => Some(bytes.into()),
            Self::Streamed(..) | Self::List => None,
        }
    }

    /// The same, also of a name that looks like `NIL`.
    pub(crate) fn spelled(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Atom(bytes) | Self::String(bytes) => Some(bytes.into()),
            Self::Escaped(bytes) => Some(unescaped(bytes).into()),
            Self::Streamed(..) | Self::List => None,
        }
    }

    /// Its number, also where a server put it in quotes.
    pub(crate) fn number<N: TryFrom<u64>>(self) -> Option<N> {
        let (Self::Atom(digits) | Self::String(digits)) = self else { return None };
        let (safe, rest) = digits.split_at(digits.len().min(SAFE_DIGITS));
        let mut number: u64 = 0;
        for byte in safe {
            number = number * 10 + digit(*byte)?;
        }
        for byte in rest {
            number = number.checked_mul(10)?.checked_add(digit(*byte)?)?;
        }
        (!digits.is_empty()).then_some(number)?.try_into().ok()
    }
}

fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(digit.into())
}

#[cold]
fn unescaped(mut bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    while let Some(at) = memchr(b'\\', bytes) {
        plain.extend(&bytes[..at]);
        // One that stands at the end escapes nothing.
        let escaped = (at + 1).min(bytes.len() - 1);
        plain.push(bytes[escaped]);
        bytes = &bytes[escaped + 1..];
    }
    plain.extend(bytes);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_quoted_and_must_fit() {
        assert_eq!(Item::String(b"7").number::<u32>(), Some(7));
        assert_eq!(Item::Atom(b"4294967295").number::<u32>(), Some(u32::MAX));
        assert_eq!(Item::Atom(b"4294967296").number::<u32>(), None);
        assert_eq!(Item::Atom(b"18446744073709551615").number::<u64>(), Some(u64::MAX));
        assert_eq!(Item::Atom(b"00000000000000000000000000042").number::<u64>(), Some(42));
        for none in ["18446744073709551616", "99999999999999999999999", "", "-1", "1x", "NIL"] {
            assert_eq!(Item::Atom(none.as_bytes()).number::<u64>(), None, "{none}");
        }
    }
}
