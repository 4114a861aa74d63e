//! A tolerant tree of tokens: what is common to all responses, before anything is understood.
//!
//! Reading never fails outright: it gives what could be read and the first defect, if there is one.
//! The tree borrows its strings from the response and its lists from an [`Arena`], which is emptied
//! from one response to the next: reading a response takes next to nothing from the allocator.

use std::borrow::Cow;

use bumpalo::Bump;
use memchr::memchr2;

use crate::{
    framer::{RawResponse, Segment},
    limits::Limits,
    scan::atom_length,
};

/// More room than this is not kept from one response to the next.
const KEPT: usize = 256 << 10;

/// Where lists of tokens are kept while a response is being understood.
#[derive(Debug, Default)]
pub(crate) struct Arena(Bump);

impl Arena {
    /// Empties it for the next response.
    pub(crate) fn clear(&mut self) {
        if self.0.allocated_bytes() > KEPT {
            self.0 = Bump::new();
        } else {
            self.0.reset();
        }
    }
}

/// A token, borrowed from the response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// An atom, a number, a flag, `NIL`, or a section such as `BODY[1.MIME]<0>`.
    Atom(&'a [u8]),
    /// A quoted string, its escapes resolved.
    Quoted(&'a [u8]),
    /// A literal.
    Literal(&'a [u8]),
    /// A literal that was streamed: its number and size.
    Streamed(u64, u64),
    /// A list.
    List(&'a [Token<'a>]),
}

impl<'a> Token<'a> {
    /// The atom, in whatever case it came.
    pub(crate) fn atom(&self) -> Option<&'a [u8]> {
        match self {
            Self::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    /// Whether it is this atom, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.atom().is_some_and(|atom| atom.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The bytes of an atom or string; `None` for `NIL` and for lists.
    pub(crate) fn string(&self) -> Option<&'a [u8]> {
        match self {
            Self::Atom(_) if self.is("NIL") => None,
            Self::Atom(bytes) | Self::Literal(bytes) | Self::Quoted(bytes) => Some(bytes),
            Self::Streamed(..) | Self::List(_) => None,
        }
    }

    /// The same as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self) -> Option<String> {
        self.string().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The same, borrowed if it can be; empty where there is none.
    pub(crate) fn text_borrowed(&self) -> Cow<'a, str> {
        self.string().map(String::from_utf8_lossy).unwrap_or_default()
    }

    /// The same in upper case.
    pub(crate) fn upper(&self) -> Cow<'a, str> {
        match self.text_borrowed() {
            text if text.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                text.to_ascii_uppercase().into()
            }
            text => text,
        }
    }

    /// A number, also where a server put it in quotes.
    pub(crate) fn number<N: std::str::FromStr>(&self) -> Option<N> {
        std::str::from_utf8(self.string()?).ok()?.parse().ok()
    }

    /// The items of a list.
    pub(crate) fn list(&self) -> Option<&'a [Token<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

/// What is wrong with a response's tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenDefect {
    /// Lists are nested deeper than allowed; the deeper ones are left out.
    #[error("lists are nested too deeply")]
    TooDeep,
    /// There are more tokens than allowed; the rest is left out.
    #[error("there are too many tokens")]
    TooMany,
    /// A list or a quoted string does not end, or a list ends that did not begin.
    #[error("lists or quotes do not match")]
    Unbalanced,
}

/// What could be read, and the first defect.
pub(crate) struct Tokens<'a> {
    pub(crate) items: &'a [Token<'a>],
    pub(crate) defect: Option<TokenDefect>,
}

/// Reads a response's tokens, from byte `skip` of its first text.
pub(crate) fn tokens<'a>(
    raw: RawResponse<'a>,
    skip: usize,
    arena: &'a Arena,
    limits: &Limits,
) -> Tokens<'a> {
    let mut reader = Reader::new(arena, limits);
    reader.read_text(&raw.line()[skip.min(raw.line().len())..]);
    for segment in raw.rest() {
        match segment {
            Segment::Text(text) => reader.read_text(text),
            Segment::Literal(bytes) => reader.push(Token::Literal(bytes)),
            Segment::Streamed(stream, size) => reader.push(Token::Streamed(stream, size)),
        }
    }
    reader.finish()
}

/// Reads the tokens of one text, such as the inside of a response code.
pub(crate) fn text_tokens<'a>(text: &'a [u8], arena: &'a Arena, limits: &Limits) -> Tokens<'a> {
    let mut reader = Reader::new(arena, limits);
    reader.read_text(text);
    reader.finish()
}

struct Reader<'a, 'l> {
    arena: &'a Arena,
    limits: &'l Limits,
    /// The tokens of all lists that are open, outermost first.
    pending: Vec<Token<'a>>,
    /// Where in `pending` the lists that are open begin.
    open: Vec<usize>,
    /// Open lists beyond the limit.
    too_deep: usize,
    count: usize,
    defect: Option<TokenDefect>,
}

impl<'a, 'l> Reader<'a, 'l> {
    fn new(arena: &'a Arena, limits: &'l Limits) -> Self {
        Self {
            arena,
            limits,
            pending: Vec::with_capacity(32),
            open: Vec::with_capacity(8),
            too_deep: 0,
            count: 0,
            defect: None,
        }
    }

    fn read_text(&mut self, text: &'a [u8]) {
        let mut rest = text;
        while let [first, behind @ ..] = rest {
            rest = match first {
                b' ' | b'\r' | b'\t' => behind,
                b'(' => {
                    self.open_list();
                    behind
                }
                b')' => {
                    self.close_list();
                    behind
                }
                b'"' => self.read_quoted(behind),
                _ => {
                    let (atom, behind) = rest.split_at(atom_length(rest));
                    self.push(Token::Atom(atom));
                    behind
                }
            };
        }
    }

    fn read_quoted(&mut self, text: &'a [u8]) -> &'a [u8] {
        match memchr2(b'"', b'\\', text) {
            Some(end) if text[end] == b'"' => {
                self.push(Token::Quoted(&text[..end]));
                &text[end + 1..]
            }
            Some(first_escape) => self.read_escaped(text, first_escape),
            None => {
                self.note(TokenDefect::Unbalanced);
                self.push(Token::Quoted(text));
                &[]
            }
        }
    }

    /// Reads a quoted string from where it has its first backslash.
    fn read_escaped(&mut self, text: &'a [u8], mut at: usize) -> &'a [u8] {
        let mut unescaped = text[..at].to_vec();
        let behind = loop {
            match &text[at..] {
                [b'"', behind @ ..] => break behind,
                [b'\\', escaped, ..] => {
                    unescaped.push(*escaped);
                    at += 2;
                }
                [byte, ..] => {
                    unescaped.push(*byte);
                    at += 1;
                }
                [] => {
                    self.note(TokenDefect::Unbalanced);
                    break &[];
                }
            }
        };
        self.push(Token::Quoted(self.arena.0.alloc_slice_copy(&unescaped)));
        behind
    }

    fn open_list(&mut self) {
        if self.open.len() >= self.limits.depth {
            self.note(TokenDefect::TooDeep);
            self.too_deep += 1;
        } else {
            self.open.push(self.pending.len());
        }
    }

    fn close_list(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(start) = self.open.pop() {
            let list = self.arena.0.alloc_slice_copy(&self.pending[start..]);
            self.pending.truncate(start);
            self.push(Token::List(list));
        } else {
            self.note(TokenDefect::Unbalanced);
        }
    }

    fn push(&mut self, token: Token<'a>) {
        if self.too_deep > 0 {
            return;
        }
        if self.count >= self.limits.tokens {
            self.note(TokenDefect::TooMany);
            return;
        }
        self.count += 1;
        self.pending.push(token);
    }

    fn note(&mut self, defect: TokenDefect) {
        self.defect.get_or_insert(defect);
    }

    fn finish(mut self) -> Tokens<'a> {
        if !self.open.is_empty() || self.too_deep > 0 {
            self.note(TokenDefect::Unbalanced);
        }
        self.too_deep = 0;
        while !self.open.is_empty() {
            self.close_list();
        }
        Tokens { items: self.arena.0.alloc_slice_copy(&self.pending), defect: self.defect }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framer::{Frame, Framer};

    /// The tokens as text: strings in quotes, lists in brackets.
    fn show(items: &[Token<'_>]) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let show = |token: &Token<'_>| match token {
            Token::Atom(bytes) => text(bytes),
            Token::Quoted(bytes) => format!("'{}'", text(bytes)),
            Token::Literal(bytes) => format!("<{}>", text(bytes)),
            Token::Streamed(stream, size) => format!("<#{stream}: {size}>"),
            Token::List(items) => format!("({})", show(items)),
        };
        items.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn read(text: &str) -> (String, Option<TokenDefect>) {
        let limits = Limits { depth: 3, tokens: 6, ..Limits::default() };
        let arena = Arena::default();
        let tokens = text_tokens(text.as_bytes(), &arena, &limits);
        (show(tokens.items), tokens.defect)
    }

    #[test]
    fn atoms_strings_and_lists_are_read() {
        let cases = [
            ("", ""),
            ("A  B ", "A B"),
            (r#"\Seen "a \"b\" \\" "#, r#"\Seen 'a "b" \'"#),
            ("(A)(B)", "(A) (B)"),
            ("BODY[HEADER.FIELDS (A B)]<0> 1", "BODY[HEADER.FIELDS (A B)]<0> 1"),
            ("BODY[ A", "BODY[ A"),
            ("\"\"", "''"),
            ("\u{e4} \"\u{e4}\"", "\u{e4} '\u{e4}'"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), (expected.to_owned(), None), "{text}");
        }
    }

    #[test]
    fn literals_stand_where_they_were_announced() {
        let streamed = "x".repeat(70_000);
        let mut input =
            &*format!("* X ({{3}}\r\n)\r\n B {{70000}}\r\n{streamed})\r\n").into_bytes();
        let mut framer = Framer::new(Limits::default());
        while let Some(frame) = framer.next(&mut input).unwrap() {
            let Frame::Response(raw) = frame else { continue };
            let arena = Arena::default();
            let items = tokens(raw, 2, &arena, &Limits::default()).items;
            assert_eq!(show(items), "X (<)\r\n> B <#1: 70000>)");
            return;
        }
        panic!("no response");
    }

    #[test]
    fn what_does_not_match_is_a_defect_and_the_rest_is_kept() {
        let unbalanced = |text: &str| (text.to_owned(), Some(TokenDefect::Unbalanced));
        assert_eq!(read("(A"), unbalanced("(A)"));
        assert_eq!(read("A) B"), unbalanced("A B"));
        assert_eq!(read("\"A"), unbalanced("'A'"));
        assert_eq!(read(r#""A\"#), unbalanced(r"'A\'"));
    }

    #[test]
    fn lists_of_the_limit_are_read_and_deeper_ones_are_left_out() {
        assert_eq!(read("(((A)))"), ("(((A)))".into(), None));
        assert_eq!(read("((((A))))"), ("((()))".into(), Some(TokenDefect::TooDeep)));
    }

    #[test]
    fn a_hundred_thousand_open_brackets_do_no_harm() {
        let arena = Arena::default();
        let text = "(".repeat(100_000);
        let tokens = text_tokens(text.as_bytes(), &arena, &Limits::default());
        assert_eq!((tokens.items.len(), tokens.defect), (1, Some(TokenDefect::TooDeep)));
    }

    #[test]
    fn tokens_of_the_limit_are_read_and_more_are_left_out() {
        assert_eq!(read("1 2 3 4 5 6").1, None);
        assert_eq!(read("1 2 3 4 5 6 7"), ("1 2 3 4 5 6".into(), Some(TokenDefect::TooMany)));
    }

    #[test]
    fn numbers_may_be_quoted_and_must_fit() {
        assert_eq!(Token::Atom(b"4294967295").number::<u32>(), Some(u32::MAX));
        assert_eq!(Token::Quoted(b"7").number::<u32>(), Some(7));
        assert_eq!(Token::Atom(b"4294967296").number::<u32>(), None);
        assert_eq!(Token::Atom(b"NIL").number::<u32>(), None);
    }
}
