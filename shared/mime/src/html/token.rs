//! HTML cut into tags and text (WHATWG HTML section 13.2.5, as far as a sanitiser needs it).
//!
//! Nothing is built and nothing is recursive, and each byte is looked at once, so no shape of input
//! is expensive. What comes out is never trusted: it is written again, with every value quoted, and
//! parsed by the real parser of the sanitiser.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

use crate::limits;

/// A piece of HTML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// Text with its character references not decoded.
    Text(&'a str),
    /// The content of an element whose content is not markup, such as `style`.
    Raw {
        /// The element's name, lower case.
        element: String,
        content: &'a str,
    },
    Start(Tag<'a>),
    /// An end tag's name, lower case.
    End(String),
}

/// A start tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tag<'a> {
    /// Lower case.
    pub(crate) name: String,
    /// Names in lower case, values with their character references not decoded; the first of each
    /// name, at most [`limits::HTML_ATTRIBUTES`].
    pub(crate) attributes: Vec<(String, &'a str)>,
}

/// Cuts HTML into tokens; comments, declarations and processing instructions are left out.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    rest: &'a str,
    /// The element whose raw content comes next.
    raw: Option<String>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(html: &'a str) -> Self {
        Self { rest: html, raw: None }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// What stands before the end tag of `element`, which is consumed too.
    fn raw_content(&mut self, element: String) -> Token<'a> {
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        let end = loop {
            let Some(found) = memchr::memmem::find(&bytes[at..], b"</") else { break bytes.len() };
            at += found;
            let name = &bytes[at + 2..];
            let after = name.get(element.len());
            if name.len() >= element.len()
                && name[..element.len()].eq_ignore_ascii_case(element.as_bytes())
                && after.is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
            {
                break at;
            }
            at += 2;
        };
        let content = self.take(end);
        self.rest = after_byte(self.rest, b'>');
        Token::Raw { element, content }
    }

    fn start_tag(&mut self) -> Tag<'a> {
        let name = self.tag_name();
        let mut attributes: Vec<(String, &str)> = Vec::new();
        loop {
            let skipped =
                self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            self.rest = skipped;
            match self.rest.as_bytes().first() {
                None => break,
                Some(b'>') => {
                    self.take(1);
                    break;
                }
                Some(_) => {}
            }
            let (attribute, value) = self.attribute();
            if attributes.len() < limits::HTML_ATTRIBUTES
                && !attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(attribute))
            {
                attributes.push((attribute.to_ascii_lowercase(), value));
            }
        }
        Tag { name, attributes }
    }

    fn tag_name(&mut self) -> String {
        let end = find(self.rest, |b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'));
        self.take(end).to_ascii_lowercase()
    }

    fn attribute(&mut self) -> (&'a str, &'a str) {
        // A name may start with `=` (section 13.2.5.32).
        let first = usize::from(self.rest.starts_with('='));
        let end = find(&self.rest[first..], |b| {
            b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'=')
        });
        let name = self.take(first + end);
        let Some(value) = self.rest.trim_ascii_start().strip_prefix('=') else { return (name, "") };
        self.rest = value.trim_ascii_start();
        let quote = match self.rest.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => {
                let end = find(self.rest, |b| b.is_ascii_whitespace() || b == b'>');
                return (name, self.take(end));
            }
        };
        self.take(1);
        let end = memchr::memchr(quote, self.rest.as_bytes()).unwrap_or(self.rest.len());
        let value = self.take(end);
        self.take(self.rest.len().min(1));
        (name, value)
    }

    /// After `<!`: a comment ends at `-->` or `--!>`, everything else at `>`.
    fn skip_declaration(&mut self) {
        let Some(comment) = self.rest.strip_prefix("<!--") else {
            self.rest = after_byte(self.rest, b'>');
            return;
        };
        if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
            self.rest = rest;
            return;
        }
        let bytes = comment.as_bytes();
        self.rest = memchr::memmem::find_iter(bytes, b"--")
            .find_map(|at| match &bytes[at + 2..] {
                [b'>', ..] => Some(&comment[at + 3..]),
                [b'!', b'>', ..] => Some(&comment[at + 4..]),
                // `find_iter` does not overlap: three dashes before the end.
                [b'-', b'>', ..] => Some(&comment[at + 4..]),
                _ => None,
            })
            .unwrap_or_default();
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(element) = self.raw.take() {
            return Some(self.raw_content(element));
        }
        loop {
            let bytes = self.rest.as_bytes();
            if bytes.is_empty() {
                return None;
            }
            let text = (0..)
                .scan(0, |at, _| {
                    *at += memchr::memchr(b'<', bytes.get(*at..)?)?;
                    let found = *at;
                    *at += 1;
                    Some(found)
                })
                .find(|at| starts_markup(&bytes[at + 1..]))
                .unwrap_or(bytes.len());
            if text > 0 {
                return Some(Token::Text(self.take(text)));
            }
            match bytes[1] {
                b'/' if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                    self.take(2);
                    return Some(Token::End(self.start_tag().name));
                }
                b'!' => self.skip_declaration(),
                b'/' | b'?' => self.rest = after_byte(self.rest, b'>'),
                _ => {
                    self.take(1);
                    let tag = self.start_tag();
                    if is_raw(&tag.name) {
                        self.raw = Some(tag.name.clone());
                    }
                    return Some(Token::Start(tag));
                }
            }
        }
    }
}

/// Whether a `<` before this begins anything but text (section 13.2.5.6).
fn starts_markup(after: &[u8]) -> bool {
    match after {
        [b'!' | b'?', ..] => true,
        [b'/', next, ..] => next.is_ascii_alphabetic() || !next.is_ascii_whitespace(),
        [first, ..] => first.is_ascii_alphabetic(),
        [] => false,
    }
}

/// Elements whose content is text and not markup, scripting being off.
fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "title"
            | "textarea"
            | "plaintext"
    )
}

fn find(text: &str, end: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(end).unwrap_or(text.len())
}

fn after_byte(text: &str, byte: u8) -> &str {
    memchr::memchr(byte, text.as_bytes()).map_or("", |at| &text[at + 1..])
}

/// Decodes the character references of a text or of an attribute value.
pub(crate) fn decode_references(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let name =
            rest[1..].bytes().take(32).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#');
        let end = 1 + name.count();
        // The semicolon may be missing (section 13.2.5.73).
        let consumed = end + usize::from(rest[end..].starts_with(';'));
        match reference(&rest[..end]) {
            Some(character) => decoded.push(character),
            None => decoded.push_str(&rest[..consumed]),
        }
        rest = &rest[consumed..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// What `&name`, without its semicolon, stands for.
///
/// The names are those of html5ever: mail-parser's table does not find them on 32-bit machines,
/// which WebAssembly is.
fn reference(name: &str) -> Option<char> {
    let name = name.strip_prefix('&')?;
    if let Some(number) = name.strip_prefix('#') {
        return numbered(number);
    }
    match NAMED_ENTITIES.get(&*format!("{name};")) {
        Some((code, 0)) => char::from_u32(*code).filter(|c| *c != '\0'),
        _ => None,
    }
}

/// What `&#number` stands for (section 13.2.5.80).
fn numbered(number: &str) -> Option<char> {
    let hexadecimal = number.strip_prefix(['x', 'X']);
    let (digits, radix) = hexadecimal.map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    let c = match code {
        0 => char::REPLACEMENT_CHARACTER,
        // Numbers of Windows-1252, as old programs wrote them.
        0x80..=0x9F => C1_REPLACEMENTS[code as usize - 0x80].unwrap_or('\u{FFFD}'),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_references_are_decoded_as_browsers_do() {
        for (text, decoded) in [
            ("a &amp; b", "a & b"),
            ("&lt;&gt;&quot;&nbsp;", "<>\"\u{a0}"),
            ("&#65;&#x42;&#X43;", "ABC"),
            ("&eacute;&Eacute;&hellip;", "éÉ…"),
            ("it&#146;s &#150; &#128;", "it’s – €"),
            ("AT&T R&D & co; &unknown; &", "AT&T R&D & co; &unknown; &"),
            ("&lt &amp", "< &"),
            ("&#xD800;&#1114112;", "\u{fffd}\u{fffd}"),
            ("&&&amp;&", "&&&&"),
        ] {
            assert_eq!(decode_references(text), decoded, "{text}");
        }
    }

    #[test]
    fn declarations_and_comments_end_where_browsers_end_them() {
        for (html, text) in [
            ("<!-- a --- -->b", "b"),
            ("<!-->b", "b"),
            ("<!--->b", "b"),
            ("<!--a--!>b", "b"),
            ("<!----->b", "b"),
            ("<!doctype html>b", "b"),
            ("<?xml a?>b", "b"),
            ("<![if x]>b<![endif]>", "b"),
            ("</ x>b", "</ x>b"),
            ("<!-- a", ""),
            ("1 < 2", "1 < 2"),
        ] {
            let found: String = Tokens::new(html)
                .map(|token| match token {
                    Token::Text(text) => text,
                    _ => "?",
                })
                .collect();
            assert_eq!(found, text, "{html}");
        }
    }
}
