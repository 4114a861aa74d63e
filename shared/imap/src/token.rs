//! A tolerant tree of tokens: what is common to all responses, before anything is understood.
//!
//! Reading never fails outright: it gives what could be read and the first defect, if there is one.

use std::borrow::Cow;

use crate::{framer::Segment, limits::Limits};

/// A token, borrowed from the response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// An atom, a number, a flag, `NIL`, or a section such as `BODY[1.MIME]<0>`.
    Atom(&'a [u8]),
    /// A quoted string, its escapes resolved.
    Quoted(Cow<'a, [u8]>),
    /// A literal.
    Literal(&'a [u8]),
    /// A literal that was streamed: its number and size.
    Streamed(u64, u64),
    /// A list.
    List(Vec<Token<'a>>),
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
    pub(crate) fn string(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(_) if self.is("NIL") => None,
            Self::Atom(bytes) | Self::Literal(bytes) => Some(bytes),
            Self::Quoted(bytes) => Some(bytes),
            Self::Streamed(..) | Self::List(_) => None,
        }
    }

    /// The same as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self) -> Option<String> {
        self.string().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// A number, also where a server put it in quotes.
    pub(crate) fn number<N: std::str::FromStr>(&self) -> Option<N> {
        std::str::from_utf8(self.string()?).ok()?.parse().ok()
    }

    /// The items of a list.
    pub(crate) fn list(&self) -> Option<&[Token<'a>]> {
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
    pub(crate) items: Vec<Token<'a>>,
    pub(crate) defect: Option<TokenDefect>,
}

/// Reads a response's tokens, from byte `skip` of its first text.
pub(crate) fn tokens<'a>(segments: &'a [Segment], skip: usize, limits: &Limits) -> Tokens<'a> {
    let mut reader = Reader { limits, open: vec![Vec::new()], too_deep: 0, count: 0, defect: None };
    for (index, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Text(text) => {
                let skip = if index == 0 { skip.min(text.len()) } else { 0 };
                reader.read_text(&text[skip..]);
            }
            Segment::Literal(bytes) => reader.push(Token::Literal(bytes)),
            Segment::Streamed(stream, size) => reader.push(Token::Streamed(*stream, *size)),
        }
    }
    reader.finish()
}

/// Reads the tokens of one text, such as the inside of a response code.
pub(crate) fn text_tokens<'a>(text: &'a [u8], limits: &Limits) -> Tokens<'a> {
    let mut reader = Reader { limits, open: vec![Vec::new()], too_deep: 0, count: 0, defect: None };
    reader.read_text(text);
    reader.finish()
}

struct Reader<'a, 'l> {
    limits: &'l Limits,
    /// The lists that are open, outermost first. Never empty.
    open: Vec<Vec<Token<'a>>>,
    /// Open lists beyond the limit.
    too_deep: usize,
    count: usize,
    defect: Option<TokenDefect>,
}

impl<'a> Reader<'a, '_> {
    fn read_text(&mut self, text: &'a [u8]) {
        let mut rest = text;
        while let Some(first) = rest.first() {
            rest = match first {
                b' ' | b'\r' | b'\t' => &rest[1..],
                b'(' => {
                    self.open_list();
                    &rest[1..]
                }
                b')' => {
                    self.close_list();
                    &rest[1..]
                }
                b'"' => self.read_quoted(&rest[1..]),
                _ => {
                    let (atom, behind) = rest.split_at(atom_length(rest));
                    self.push(Token::Atom(atom));
                    behind
                }
            };
        }
    }

    fn read_quoted(&mut self, text: &'a [u8]) -> &'a [u8] {
        let mut unescaped: Option<Vec<u8>> = None;
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            match byte {
                b'"' => {
                    let value = unescaped.map_or(Cow::Borrowed(&text[..at]), Cow::Owned);
                    self.push(Token::Quoted(value));
                    return &text[at + 1..];
                }
                b'\\' if at + 1 < text.len() => {
                    unescaped.get_or_insert_with(|| text[..at].to_vec()).push(text[at + 1]);
                    at += 2;
                }
                byte => {
                    if let Some(unescaped) = &mut unescaped {
                        unescaped.push(*byte);
                    }
                    at += 1;
                }
            }
        }
        self.note(TokenDefect::Unbalanced);
        self.push(Token::Quoted(unescaped.map_or(Cow::Borrowed(text), Cow::Owned)));
        &[]
    }

    fn open_list(&mut self) {
        if self.open.len() > self.limits.depth {
            self.note(TokenDefect::TooDeep);
            self.too_deep += 1;
        } else {
            self.open.push(Vec::new());
        }
    }

    fn close_list(&mut self) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if self.open.len() > 1 {
            let list = self.open.pop().unwrap_or_default();
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
        if let Some(list) = self.open.last_mut() {
            list.push(token);
        }
    }

    fn note(&mut self, defect: TokenDefect) {
        self.defect.get_or_insert(defect);
    }

    fn finish(mut self) -> Tokens<'a> {
        if self.open.len() > 1 || self.too_deep > 0 {
            self.note(TokenDefect::Unbalanced);
        }
        self.too_deep = 0;
        while self.open.len() > 1 {
            self.close_list();
        }
        Tokens { items: self.open.pop().unwrap_or_default(), defect: self.defect }
    }
}

/// How long the atom at the start of `text` is; at least one byte. Brackets keep what is between
/// them together, as in `BODY[HEADER.FIELDS (SUBJECT)]`.
fn atom_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b' ' | b'(' | b')' | b'\r' | b'\t' => break,
            b'[' => match memchr::memchr(b']', &text[at..]) {
                Some(length) => at += length + 1,
                None => at += 1,
            },
            _ => at += 1,
        }
    }
    at.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Token<'_>>, Option<TokenDefect>) {
        let limits = Limits { depth: 3, tokens: 6, ..Limits::default() };
        let tokens = text_tokens(text.as_bytes(), &limits);
        (tokens.items, tokens.defect)
    }

    fn atom(text: &str) -> Token<'_> {
        Token::Atom(text.as_bytes())
    }

    fn quoted(text: &str) -> Token<'_> {
        Token::Quoted(text.as_bytes().into())
    }

    #[test]
    fn atoms_strings_and_lists_are_read() {
        let cases: Vec<(&str, Vec<Token<'_>>)> = vec![
            ("", vec![]),
            ("A  B ", vec![atom("A"), atom("B")]),
            (r#"\Seen "a \"b\" \\" "#, vec![atom(r"\Seen"), quoted(r#"a "b" \"#)]),
            ("(A)(B)", vec![Token::List(vec![atom("A")]), Token::List(vec![atom("B")])]),
            (
                "BODY[HEADER.FIELDS (A B)]<0> 1",
                vec![atom("BODY[HEADER.FIELDS (A B)]<0>"), atom("1")],
            ),
            ("BODY[ A", vec![atom("BODY["), atom("A")]),
            ("\"\"", vec![quoted("")]),
        ];
        for (text, items) in cases {
            assert_eq!(read(text), (items, None), "{text}");
        }
    }

    #[test]
    fn literals_stand_where_they_were_announced() {
        let segments = [
            Segment::Text(b"* X (".to_vec()),
            Segment::Literal(b")\r\n".to_vec()),
            Segment::Text(b" B ".to_vec()),
            Segment::Streamed(4, 70_000),
            Segment::Text(b")".to_vec()),
        ];
        let items = tokens(&segments, 2, &Limits::default()).items;
        let list = vec![Token::Literal(b")\r\n"), atom("B"), Token::Streamed(4, 70_000)];
        assert_eq!(items, [atom("X"), Token::List(list)]);
    }

    #[test]
    fn what_does_not_match_is_a_defect_and_the_rest_is_kept() {
        let unbalanced = Some(TokenDefect::Unbalanced);
        assert_eq!(read("(A"), (vec![Token::List(vec![atom("A")])], unbalanced));
        assert_eq!(read("A) B"), (vec![atom("A"), atom("B")], unbalanced));
        assert_eq!(read("\"A"), (vec![quoted("A")], unbalanced));
    }

    #[test]
    fn lists_of_the_limit_are_read_and_deeper_ones_are_left_out() {
        let three = |inner| vec![Token::List(vec![Token::List(vec![Token::List(inner)])])];
        assert_eq!(read("(((A)))"), (three(vec![atom("A")]), None));
        assert_eq!(read("((((A))))"), (three(vec![]), Some(TokenDefect::TooDeep)));
    }

    #[test]
    fn a_hundred_thousand_open_brackets_do_no_harm() {
        let (items, defect) = text_tokens_owned(&"(".repeat(100_000));
        assert_eq!((items, defect), (1, Some(TokenDefect::TooDeep)));
    }

    fn text_tokens_owned(text: &str) -> (usize, Option<TokenDefect>) {
        let tokens = text_tokens(text.as_bytes(), &Limits::default());
        (tokens.items.len(), tokens.defect)
    }

    #[test]
    fn tokens_of_the_limit_are_read_and_more_are_left_out() {
        assert_eq!(read("1 2 3 4 5 6").1, None);
        let (items, defect) = read("1 2 3 4 5 6 7");
        assert_eq!((items.len(), defect), (6, Some(TokenDefect::TooMany)));
    }

    #[test]
    fn numbers_may_be_quoted_and_must_fit() {
        assert_eq!(atom("4294967295").number::<u32>(), Some(u32::MAX));
        assert_eq!(quoted("7").number::<u32>(), Some(7));
        assert_eq!(atom("4294967296").number::<u32>(), None);
        assert_eq!(atom("NIL").number::<u32>(), None);
    }
}
