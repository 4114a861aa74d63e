//! The bytes of strings in responses.

use std::{fmt, ops::Deref};

use smallvec::SmallVec;

/// Bytes that are kept in place; longer ones take memory of their own. Most names, addresses and
/// dates are shorter.
const IN_PLACE: usize = 32;

/// The bytes of a string, as they came.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text(SmallVec<[u8; IN_PLACE]>);

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Text {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Text {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == other[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_kept() {
        for length in [0, 1, IN_PLACE, IN_PLACE + 1, 1000] {
            let bytes = vec![b'x'; length];
            assert_eq!(*Text::from(&*bytes), *bytes);
        }
        assert_eq!(format!("{:?}", Text::from(b"a\xff")), r#""a\xff""#);
    }
}
