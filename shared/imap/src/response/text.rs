//! The bytes of strings in responses.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    rc::Rc,
};

/// The texts of a response that is no longer than this share one copy of it. In a longer one, which
/// may well be a whole message, each has memory of its own.
const SHARED: usize = 64 << 10;

/// The bytes of a string, as they came; those beyond 4 GiB are left out.
///
/// Texts of one response may share their memory: who wants to keep one for long should copy it.
#[derive(Clone, Default)]
pub struct Text {
    /// What it is cut from; `None` if it is empty.
    shared: Option<Rc<[u8]>>,
    start: u32,
    end: u32,
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.shared {
            Some(shared) => &shared[self.start as usize..self.end as usize],
            None => &[],
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let shared = (end > 0).then(|| Rc::from(&bytes[..end as usize]));
        Self { shared, start: 0, end }
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

impl Eq for Text {}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Text {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == other[..]
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// A response from which texts are cut.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
    /// The copy that they share; made when the first is cut.
    shared: Option<Rc<[u8]>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, shared: None }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Makes a text of a part of the response; of other bytes as well, in memory of its own.
    #[inline]
    pub(crate) fn cut(&mut self, part: &[u8]) -> Text {
        if part.is_empty() {
            return Text::default();
        }
        // Beyond the end if it is no part of the response.
        let start = part.as_ptr().addr().wrapping_sub(self.bytes.as_ptr().addr());
        let end = start.saturating_add(part.len());
        if self.bytes.len() > SHARED || end > self.bytes.len() {
            return Text::from(part);
        }
        let shared = self.shared.get_or_insert_with(|| Rc::from(self.bytes)).clone();
        Text { shared: Some(shared), start: start as u32, end: end as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_kept() {
        for length in [0, 1, 32, 1000, SHARED + 1] {
            let bytes = vec![b'x'; length];
            assert_eq!(*Text::from(&*bytes), *bytes);
        }
        assert_eq!(format!("{:?}", Text::from(b"a\xff")), r#""a\xff""#);
    }

    #[test]
    fn texts_of_a_response_share_one_copy_of_it() {
        let response = b"one two";
        let mut source = Source::new(response);
        let [one, two] = [&response[..3], &response[4..]].map(|part| source.cut(part));
        assert_eq!((&*one, &*two), (&b"one"[..], &b"two"[..]));
        assert!(Rc::ptr_eq(one.shared.as_ref().unwrap(), two.shared.as_ref().unwrap()));
        assert_eq!(source.cut(&response[3..3]), b"");
    }

    #[test]
    fn a_text_of_the_response_of_the_limit_shares_and_one_of_a_longer_has_its_own_memory() {
        let memory = |length: usize| {
            let response = vec![b'x'; length];
            let text = Source::new(&response).cut(&response[1..3]);
            assert_eq!(text, b"xx");
            text.shared.unwrap().len()
        };
        assert_eq!((memory(SHARED), memory(SHARED + 1)), (SHARED, 2));
    }

    #[test]
    fn what_is_no_part_of_the_response_becomes_a_text_as_well() {
        let (response, other) = (b"one".to_vec(), b"two".to_vec());
        let mut source = Source::new(&response);
        assert_eq!((source.cut(&response), source.cut(&other)), ("one".into(), "two".into()));
    }
}
