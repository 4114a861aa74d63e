//! Reads a response item by item, without a tree: for those that come by the ten thousand.
//!
//! It takes the same as the tree of [`token`](crate::token) does, and like that it never fails
//! outright: what is damaged is noted, and the rest is read.

use std::borrow::Cow;

use memchr::memchr;
use smol_str::SmolStr;

use crate::{
    framer::{Literal, RawResponse},
    limits::Limits,
    response::Text,
    token::TokenDefect,
};

/// Words of at most so many bytes are put into lower case in place.
const SHORT: usize = 23;

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
    /// A list, whose items come next; it must be left with [`Cursor::leave`].
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
}

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

/// A place in a response.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    /// The response, in which the literals are.
    bytes: &'a [u8],
    /// What is left of the text up to the next literal.
    text: &'a [u8],
    literals: &'a [Literal],
    /// How many lists are open.
    depth: usize,
    max_depth: usize,
    /// How many items may still come.
    items: usize,
    defect: Option<TokenDefect>,
}

impl<'a> Cursor<'a> {
    /// At byte `skip` of a response's first text.
    pub(crate) fn new(raw: RawResponse<'a>, skip: usize, limits: &Limits) -> Self {
        let (bytes, literals) = raw.parts();
        let text = &raw.line()[skip.min(raw.line().len())..];
        let (max_depth, items) = (limits.depth, limits.tokens);
        Self { bytes, text, literals, depth: 0, max_depth, items, defect: None }
    }

    /// The next item of the list that is open; `None` at its end.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Item<'a>> {
        loop {
            let item = match self.text {
                [b' ' | b'\r' | b'\t', behind @ ..] => {
                    self.text = behind;
                    continue;
                }
                [b'"', behind @ ..] => self.quoted(behind),
                [b'(', behind @ ..] => {
                    self.text = behind;
                    if self.depth >= self.max_depth {
                        self.pass_too_deep();
                        continue;
                    }
                    self.depth += 1;
                    Item::List
                }
                [b')', ..] if self.depth > 0 => return None,
                [b')', behind @ ..] => {
                    self.text = behind;
                    self.note(TokenDefect::Unbalanced);
                    continue;
                }
                [] => self.literal()?,
                [b'N', b'I', b'L', b' ' | b')', ..] => {
                    let (nil, behind) = self.text.split_at(3);
                    self.text = behind;
                    Item::Atom(nil)
                }
                text => {
                    let (atom, behind) = text.split_at(atom_length(text));
                    self.text = behind;
                    Item::Atom(atom)
                }
            };
            match self.items.checked_sub(1) {
                Some(left) => self.items = left,
                None => {
                    self.note(TokenDefect::TooMany);
                    (self.text, self.literals) = (&[], &[]);
                    return None;
                }
            }
            return Some(item);
        }
    }

    /// Leaves the list that was entered last, whatever is left of it.
    pub(crate) fn leave(&mut self) {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.next().is_some() {
                continue;
            }
            match self.text.split_first() {
                Some((_, behind)) => {
                    self.text = behind;
                    self.depth -= 1;
                }
                None => {
                    self.note(TokenDefect::Unbalanced);
                    self.depth = outside;
                }
            }
        }
    }

    /// Reads the next item if it is a list; what is not read of it is passed over.
    pub(crate) fn list<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match self.next()? {
            Item::List => {
                let inside = self.depth;
                let value = read(self);
                while self.depth >= inside {
                    self.leave();
                }
                Some(value)
            }
            _ => None,
        }
    }

    /// Passes over the next item.
    pub(crate) fn skip(&mut self) {
        if self.next() == Some(Item::List) {
            self.leave();
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
        if item == Item::List {
            self.leave();
        }
        Some(item)
    }

    /// The next item's bytes; `None` for `NIL` and for lists.
    pub(crate) fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        self.value()?.string()
    }

    /// The same, empty if there are none.
    pub(crate) fn text(&mut self) -> Text {
        match self.value() {
            Some(Item::String(bytes)) => Text::from(bytes),
            Some(item) => item.string().as_deref().map(Text::from).unwrap_or_default(),
            None => Text::default(),
        }
    }

    /// The same as a word in lower case; bytes that are not UTF-8 are replaced.
    pub(crate) fn word(&mut self) -> SmolStr {
        self.string().map(|bytes| lower(&[&bytes])).unwrap_or_default()
    }

    /// The next item as a number, also where a server put it in quotes.
    pub(crate) fn number<N: TryFrom<u64>>(&mut self) -> Option<N> {
        number(self.value()?)
    }

    /// Whether the next item is a list.
    pub(crate) fn is_at_list(&mut self) -> bool {
        self.pass_spaces();
        self.text.first() == Some(&b'(') && self.depth < self.max_depth
    }

    /// Whether nothing is left of the list that is open.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.pass_spaces();
        match self.text.first() {
            Some(byte) => *byte == b')' && self.depth > 0,
            None => self.literals.is_empty(),
        }
    }

    /// Passes over all that is left; returns the first defect.
    pub(crate) fn finish(mut self) -> Option<TokenDefect> {
        while self.depth > 0 || self.next().is_some() {
            if self.depth > 0 {
                self.leave();
            }
        }
        self.defect
    }

    fn pass_spaces(&mut self) {
        while let [b' ' | b'\r' | b'\t', behind @ ..] = self.text {
            self.text = behind;
        }
    }

    /// Takes the literal behind the text that has ended.
    fn literal(&mut self) -> Option<Item<'a>> {
        let (literal, behind) = self.literals.split_first()?;
        let end = behind.first().map_or(self.bytes.len(), |next| next.announced);
        self.text = &self.bytes[literal.end..end];
        self.literals = behind;
        Some(match literal.streamed {
            Some((stream, size)) => Item::Streamed(stream, size),
            None => Item::String(&self.bytes[literal.start..literal.end]),
        })
    }

    #[inline]
    fn quoted(&mut self, text: &'a [u8]) -> Item<'a> {
        match quote_or_escape(text) {
            Some(end) if text[end] == b'"' => {
                self.text = &text[end + 1..];
                Item::String(&text[..end])
            }
            Some(first_escape) => {
                let mut at = first_escape;
                while let Some(more) = quote_or_escape(text.get(at..).unwrap_or_default()) {
                    at += more;
                    if text[at] == b'"' {
                        self.text = &text[at + 1..];
                        return Item::Escaped(&text[..at]);
                    }
                    at += 2;
                }
                self.unended(Item::Escaped(text))
            }
            None => self.unended(Item::String(text)),
        }
    }

    fn unended(&mut self, quoted: Item<'a>) -> Item<'a> {
        self.note(TokenDefect::Unbalanced);
        self.text = &[];
        quoted
    }

    /// Passes over a list beyond the limit, from behind its beginning.
    #[cold]
    fn pass_too_deep(&mut self) {
        self.note(TokenDefect::TooDeep);
        let mut open = 1;
        while open > 0 {
            match self.text {
                [b'(', behind @ ..] => (self.text, open) = (behind, open + 1),
                [b')', behind @ ..] => (self.text, open) = (behind, open - 1),
                [b'"', behind @ ..] => drop(self.quoted(behind)),
                [] => {
                    if self.literal().is_none() {
                        return self.note(TokenDefect::Unbalanced);
                    }
                }
                text => self.text = &text[atom_length(text)..],
            }
        }
    }

    fn note(&mut self, defect: TokenDefect) {
        self.defect.get_or_insert(defect);
    }
}

/// Where the first quote or backslash is, sought eight bytes at a time: most strings are too short
/// for a search that has to be prepared.
#[inline]
fn quote_or_escape(text: &[u8]) -> Option<usize> {
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

/// An item as a number, also where a server put it in quotes.
pub(crate) fn number<N: TryFrom<u64>>(item: Item<'_>) -> Option<N> {
    let digits = item.string()?;
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number.checked_mul(10)?.checked_add(digit.into())).flatten()
    });
    number.filter(|_| !digits.is_empty())?.try_into().ok()
}

/// Pieces of a word, joined and in lower case; bytes that are not UTF-8 are replaced.
pub(crate) fn lower(pieces: &[&[u8]]) -> SmolStr {
    let mut short = [0; SHORT];
    let mut length = 0;
    for piece in pieces {
        let Some(place) = short.get_mut(length..length + piece.len()) else {
            return long_lower(pieces);
        };
        place.copy_from_slice(piece);
        length += piece.len();
    }
    short.make_ascii_lowercase();
    match std::str::from_utf8(&short[..length]) {
        Ok(word) => SmolStr::new(word),
        Err(_) => long_lower(pieces),
    }
}

#[cold]
fn long_lower(pieces: &[&[u8]]) -> SmolStr {
    String::from_utf8_lossy(&pieces.concat()).to_ascii_lowercase().into()
}

/// How long the atom at the start of `text` is; at least one byte. Brackets keep what is between
/// them together, as in `BODY[HEADER.FIELDS (SUBJECT)]`.
pub(crate) fn atom_length(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let ends = |byte: &u8| matches!(byte, b' ' | b'(' | b')' | b'\r' | b'\t' | b'[');
        let Some(length) = text[at..].iter().position(ends) else { return text.len() };
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
    use crate::{
        framer::{Frame, Framer},
        token::{Arena, Token, tokens},
    };

    fn limits() -> Limits {
        Limits { depth: 3, tokens: 6, ..Limits::default() }
    }

    /// All that a cursor gives, as text: strings in quotes, lists in brackets.
    fn show(cursor: &mut Cursor<'_>) -> String {
        let mut shown = Vec::new();
        while let Some(item) = cursor.next() {
            let text = item.spelled().unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            shown.push(match item {
                Item::Atom(_) => text.into_owned(),
                Item::String(_) | Item::Escaped(_) => format!("'{text}'"),
                Item::Streamed(stream, size) => format!("<#{stream}: {size}>"),
                Item::List => {
                    let inner = show(cursor);
                    cursor.leave();
                    format!("({inner})")
                }
            });
        }
        shown.join(" ")
    }

    /// The same of a tree.
    fn show_tree(items: &[Token<'_>]) -> String {
        let show = |token: &Token<'_>| match token {
            Token::Atom(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Token::Quoted(bytes) | Token::Literal(bytes) => {
                format!("'{}'", String::from_utf8_lossy(bytes))
            }
            Token::Streamed(stream, size) => format!("<#{stream}: {size}>"),
            Token::List(items) => format!("({})", show_tree(items)),
        };
        items.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn with_response<T>(input: &str, read: impl FnOnce(RawResponse<'_>) -> T) -> T {
        let mut framer = Framer::new(Limits::default());
        let mut input = &*format!("{input}\r\n").into_bytes();
        loop {
            match framer.next(&mut input).unwrap() {
                Some(Frame::Response(raw)) => return read(raw),
                Some(_) => {}
                None => panic!("no whole response"),
            }
        }
    }

    #[test]
    fn it_reads_what_the_tree_reads() {
        let streamed = "x".repeat(70_000);
        let streamed = format!("* A ({{70000}}\r\n{streamed})");
        let cases = [
            "* ",
            "* A  B ",
            r#"* \Seen "a \"b\" \\" "#,
            "* (A)(B)",
            "* BODY[HEADER.FIELDS (A B)]<0> 1",
            "* BODY[ A",
            "* \"\"",
            "* \u{e4} \"\u{e4}\"",
            "* (A",
            "* A) B",
            "* \"A",
            r#"* "A\"#,
            r#"* "\"#,
            "* (((A)))",
            "* ((((A))))",
            "* ((((A) B) C) D) E",
            "* ((((A",
            "* 1 2 3 4 5 6",
            "* 1 2 3 4 5 6 7",
            "* X ({3}\r\n)\r\n B {2}\r\nab)",
            "* ({1}\r\n( A",
            &streamed,
        ];
        for case in cases {
            with_response(case, |raw| {
                let arena = Arena::default();
                let tree = tokens(raw, 2, &arena, &limits());
                let mut cursor = Cursor::new(raw, 2, &limits());
                assert_eq!(show(&mut cursor), show_tree(tree.items), "{case}");
                assert_eq!(cursor.finish(), tree.defect, "{case}");
            });
        }
    }

    #[test]
    fn what_is_not_read_of_a_list_is_passed_over() {
        with_response("* (A (B (C) \"D)\") E) F", |raw| {
            let mut cursor = Cursor::new(raw, 2, &Limits::default());
            let first = cursor.list(|list| list.next());
            assert_eq!(first, Some(Some(Item::Atom(b"A"))));
            assert_eq!(cursor.next(), Some(Item::Atom(b"F")));
            assert_eq!((cursor.next(), cursor.finish()), (None, None));
        });
    }

    #[test]
    fn a_hundred_thousand_open_brackets_do_no_harm() {
        with_response(&format!("* {}", "(".repeat(100_000)), |raw| {
            let mut cursor = Cursor::new(raw, 2, &Limits::default());
            cursor.skip();
            assert_eq!(cursor.finish(), Some(TokenDefect::TooDeep));
        });
    }

    #[test]
    fn words_of_any_length_are_put_into_lower_case() {
        assert_eq!(lower(&[b"BASE", b"64"]), "base64");
        assert_eq!(lower(&[&[b'A'; 40]]), "a".repeat(40).as_str());
        assert_eq!(lower(&[b"\xe4A"]), "\u{fffd}a");
    }
}
