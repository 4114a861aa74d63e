//! The quick ways through what stands as it does in most responses; all else takes the usual way.

use super::{Cursor, Item, item::SAFE_DIGITS};
use crate::scan::quote_or_escape;

impl<'a> Cursor<'a> {
    /// Passes over these very bytes if they come next.
    #[inline]
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> bool {
        let behind = self.place.text.strip_prefix(bytes);
        self.place.text = behind.unwrap_or(self.place.text);
        behind.is_some()
    }

    /// Takes the item that comes next if it is this one, of which a space is the last byte, and another
    /// follows.
    #[inline]
    pub(crate) fn pass_name(&mut self, name: &[u8]) -> bool {
        let behind = self.place.text.strip_prefix(name);
        let behind = behind.filter(|behind| !matches!(behind, [] | [b')' | b' ', ..]));
        match (behind, self.place.items.checked_sub(1)) {
            (Some(behind), Some(left)) => {
                (self.place.text, self.place.items) = (behind, left);
                true
            }
            _ => false,
        }
    }

    /// Takes the string that comes next, if it stands there as most do: behind one space or none, in
    /// quotes, without escapes.
    #[inline]
    pub(crate) fn plain_string(&mut self) -> Option<&'a [u8]> {
        let ([b' ', b'"', text @ ..] | [b'"', text @ ..]) = self.place.text else { return None };
        let end = quote_or_escape(text).filter(|end| text[*end] == b'"')?;
        self.place.items = self.place.items.checked_sub(1)?;
        self.place.text = &text[end + 1..];
        Some(&text[..end])
    }

    /// As [`value`](Self::value), quicker where the item is a string that stands there as most do.
    #[inline]
    pub(crate) fn quick_value(&mut self) -> Option<Item<'a>> {
        match self.plain_string() {
            Some(bytes) => Some(Item::String(bytes)),
            None => self.value(),
        }
    }

    /// Passes over NIL if it comes next, and stands there as most do.
    #[inline]
    pub(crate) fn pass_nil(&mut self) -> bool {
        let [b' ', b'N', b'I', b'L', rest @ ..] = self.place.text else { return false };
        let passes = matches!(rest, [b' ' | b')', ..]) && self.place.items > 0;
        if passes {
            self.place.items -= 1;
            self.place.text = rest;
        }
        passes
    }

    /// The next item as a number, also where a server put it in quotes.
    #[inline]
    pub(crate) fn number<N: TryFrom<u64>>(&mut self) -> Option<N> {
        let text = self.place.text.strip_prefix(b" ").unwrap_or(self.place.text);
        let length = text.iter().take(SAFE_DIGITS).take_while(|own| own.is_ascii_digit()).count();
        let is_plain = length > 0 && matches!(text.get(length), Some(b' ' | b')'));
        if !(is_plain && self.place.items > 0) {
            return self.value()?.number();
        }
        self.place.items -= 1;
        self.place.text = &text[length..];
        let digit = |number: u64, byte: &u8| number * 10 + u64::from(byte - b'0');
        text[..length].iter().fold(0, digit).try_into().ok()
    }
}
