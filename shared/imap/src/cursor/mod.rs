//! Reads a response item by item, without a tree: for those that come by the ten thousand.
//!
//! It takes the same as the tree of [`token`](crate::token) does, and like that it never fails
//! outright: what is damaged is noted, and the rest is read.

mod item;
mod quick;
#[cfg(test)]
mod tests;
mod word;

use std::borrow::Cow;

pub(crate) use item::Item;
use smol_str::SmolStr;
pub(crate) use word::media_type;
use word::word;

use crate::{
    framer::{Literal, RawResponse},
    limits::Limits,
    response::{Source, Text},
    scan::{atom_length, quote_or_escape},
    token::TokenDefect,
};

/// Reads a response.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    /// The response, in which the literals are, and of which texts are made.
    source: Source<'a>,
    max_depth: usize,
    place: Place<'a>,
}

/// A place in a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// What is left of the text up to the next literal.
    text: &'a [u8],
    literals: &'a [Literal],
    /// How many lists are open.
    depth: usize,
    /// How many items may still come.
    items: usize,
    /// The first defect up to here.
    defect: Option<TokenDefect>,
}

impl<'a> Cursor<'a> {
    /// At byte `skip` of a response's first text.
    pub(crate) fn new(raw: RawResponse<'a>, skip: usize, limits: &Limits) -> Self {
        let (bytes, literals) = raw.parts();
        let text = &raw.line()[skip.min(raw.line().len())..];
        let place = Place { text, literals, depth: 0, items: limits.tokens, defect: None };
        Self { source: Source::new(bytes), max_depth: limits.depth, place }
    }

    /// Where it is now.
    pub(crate) fn place(&self) -> Place<'a> {
        self.place
    }

    /// Goes back to where it was.
    pub(crate) fn go_back(&mut self, place: Place<'a>) {
        self.place = place;
    }

    /// What was read since it was at `place`; `None` if that is not a single piece of text.
    pub(crate) fn since(&self, place: Place<'a>) -> Option<&'a [u8]> {
        let same_text = self.place.literals.len() == place.literals.len();
        let length = place.text.len().checked_sub(self.place.text.len())?;
        same_text.then(|| &place.text[..length])
    }

    /// The next item of the list that is open; `None` at its end.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Item<'a>> {
        let mut text = self.place.text;
        loop {
            let (item, behind) = match text {
                [b' ' | b'\r' | b'\t', behind @ ..] => {
                    text = behind;
                    continue;
                }
                [b'"', behind @ ..] => match quote_or_escape(behind) {
                    Some(end) if behind[end] == b'"' => {
                        (Item::String(&behind[..end]), &behind[end + 1..])
                    }
                    found => self.odd_quoted(behind, found),
                },
                [b'(', behind @ ..] => {
                    if self.place.depth >= self.max_depth {
                        text = self.pass_too_deep(behind);
                        continue;
                    }
                    self.place.depth += 1;
                    (Item::List, behind)
                }
                [b')', ..] if self.place.depth > 0 => {
                    self.place.text = text;
                    return None;
                }
                [b')', behind @ ..] => {
                    text = behind;
                    self.note(TokenDefect::Unbalanced);
                    continue;
                }
                [] => {
                    self.place.text = text;
                    self.literal()?
                }
                [b'N', b'I', b'L', b' ' | b')', ..] => (Item::Atom(&text[..3]), &text[3..]),
                text => {
                    let (atom, behind) = text.split_at(atom_length(text));
                    (Item::Atom(atom), behind)
                }
            };
            self.place.text = behind;
            match self.place.items.checked_sub(1) {
                Some(left) => self.place.items = left,
                None => {
                    self.note(TokenDefect::TooMany);
                    (self.place.text, self.place.literals) = (&[], &[]);
                    return None;
                }
            }
            return Some(item);
        }
    }

    /// Takes the next item; true if it is a list, which is open then.
    #[inline]
    fn enter(&mut self) -> bool {
        if self.pass_nil() {
            return false;
        }
        match self.place.text {
            [b' ', b'(', text @ ..] | [b'(', text @ ..]
                if self.place.depth < self.max_depth && self.place.items > 0 =>
            {
                self.place.items -= 1;
                self.place.depth += 1;
                self.place.text = text;
                true
            }
            _ => self.next() == Some(Item::List),
        }
    }

    /// Leaves the list that was entered last, whatever is left of it.
    #[inline]
    pub(crate) fn leave(&mut self) {
        match self.place.text {
            [b')', behind @ ..] if self.place.depth > 0 => {
                self.place.text = behind;
                self.place.depth -= 1;
            }
            _ => self.pass_rest(),
        }
    }

    /// Leaves a list of which something is left.
    fn pass_rest(&mut self) {
        let outside = self.place.depth.saturating_sub(1);
        while self.place.depth > outside {
            if self.next().is_some() {
                continue;
            }
            match self.place.text.split_first() {
                Some((_, behind)) => {
                    self.place.text = behind;
                    self.place.depth -= 1;
                }
                None => {
                    self.note(TokenDefect::Unbalanced);
                    self.place.depth = outside;
                }
            }
        }
    }

    /// Reads the next item if it is a list; what is not read of it is passed over.
    #[inline]
    pub(crate) fn list<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if !self.enter() {
            return None;
        }
        let inside = self.place.depth;
        let value = read(self);
        while self.place.depth >= inside {
            self.leave();
        }
        Some(value)
    }

    /// Passes over the next item.
    pub(crate) fn skip(&mut self) {
        if !self.pass_nil() {
            self.value();
        }
    }

    /// The next item, and the one within where some servers put brackets around it.
    pub(crate) fn only(&mut self) -> Option<Item<'a>> {
        match self.next()? {
            Item::List => {
                let only = self.value();
                self.leave();
                only
            }
            bare => Some(bare),
        }
    }

    /// The next item, which is passed over if it is a list.
    #[inline]
    pub(crate) fn value(&mut self) -> Option<Item<'a>> {
        let item = self.next()?;
        if let Item::List = item {
            self.leave();
        }
        Some(item)
    }

    /// The next item's bytes; `None` for `NIL` and for lists.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        self.value()?.string()
    }

    /// The same as a text.
    pub(crate) fn text(&mut self) -> Option<Text> {
        if self.pass_nil() {
            return None;
        }
        match self.plain_string() {
            Some(bytes) => Some(self.cut(bytes)),
            None => self.string().map(|bytes| self.cut(&bytes)),
        }
    }

    /// Makes a text of bytes that were read.
    #[inline]
    pub(crate) fn cut(&mut self, bytes: &[u8]) -> Text {
        self.source.cut(bytes)
    }

    /// The same as a word in lower case; bytes that are not UTF-8 are replaced.
    pub(crate) fn word(&mut self) -> SmolStr {
        match self.plain_string() {
            Some(bytes) => word(bytes),
            None => self.string().map(|bytes| word(&bytes)).unwrap_or_default(),
        }
    }

    /// Whether the next item is a list.
    pub(crate) fn is_at_list(&mut self) -> bool {
        self.pass_spaces();
        self.place.text.first() == Some(&b'(') && self.place.depth < self.max_depth
    }

    /// Whether nothing is left of the list that is open.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.pass_spaces();
        match self.place.text.first() {
            Some(byte) => *byte == b')' && self.place.depth > 0,
            None => self.place.literals.is_empty(),
        }
    }

    /// Passes over all that is left; returns the first defect.
    pub(crate) fn finish(mut self) -> Option<TokenDefect> {
        while self.place.depth > 0 || self.next().is_some() {
            if self.place.depth > 0 {
                self.leave();
            }
        }
        self.place.defect
    }

    #[inline]
    fn pass_spaces(&mut self) {
        while let [b' ' | b'\r' | b'\t', behind @ ..] = self.place.text {
            self.place.text = behind;
        }
    }

    /// The literal behind the text that has ended, and the text behind that.
    #[cold]
    fn literal(&mut self) -> Option<(Item<'a>, &'a [u8])> {
        let (literal, behind) = self.place.literals.split_first()?;
        let bytes = self.source.bytes();
        let end = behind.first().map_or(bytes.len(), |next| next.announced);
        self.place.literals = behind;
        let item = match literal.streamed {
            Some((stream, size)) => Item::Streamed(stream, size),
            None => Item::String(&bytes[literal.start..literal.end]),
        };
        Some((item, &bytes[literal.end..end]))
    }

    /// A quoted string that has escapes or no end, and what is behind it; `found` is where its first
    /// quote or backslash is.
    #[cold]
    fn odd_quoted(&mut self, text: &'a [u8], found: Option<usize>) -> (Item<'a>, &'a [u8]) {
        let mut next = found;
        let mut at = 0;
        while let Some(more) = next {
            at += more;
            if text[at] == b'"' {
                return (Item::Escaped(&text[..at]), &text[at + 1..]);
            }
            at += 2;
            next = quote_or_escape(text.get(at..).unwrap_or_default());
        }
        self.note(TokenDefect::Unbalanced);
        (if found.is_some() { Item::Escaped(text) } else { Item::String(text) }, &[])
    }

    /// Passes over a list beyond the limit, from behind its beginning; what is behind it.
    #[cold]
    fn pass_too_deep(&mut self, mut text: &'a [u8]) -> &'a [u8] {
        self.note(TokenDefect::TooDeep);
        let mut open = 1;
        while open > 0 {
            text = match text {
                [b'(', behind @ ..] => {
                    open += 1;
                    behind
                }
                [b')', behind @ ..] => {
                    open -= 1;
                    behind
                }
                [b'"', behind @ ..] => self.odd_quoted(behind, quote_or_escape(behind)).1,
                [] => match self.literal() {
                    Some((_, behind)) => behind,
                    None => {
                        self.note(TokenDefect::Unbalanced);
                        return &[];
                    }
                },
                text => &text[atom_length(text)..],
            };
        }
        text
    }

    fn note(&mut self, defect: TokenDefect) {
        self.place.defect.get_or_insert(defect);
    }
}
