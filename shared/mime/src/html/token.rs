//! HTML cut into tags and text (WHATWG HTML section 13.2.5, as far as a sanitiser needs it).
//!
//! Nothing is built and nothing is recursive, and each byte is looked at once, so no shape of input
//! is expensive. What comes out is never trusted: it is written again, with every value quoted, and
//! parsed by the real parser of the sanitiser.

use std::borrow::Cow;

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
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let name =
            rest[1..].bytes().take(32).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#');
        let end = 1 + name.count();
        // The semicolon may be missing (section 13.2.5.73).
        let reference = format!("{};", &rest[..end]);
        let consumed = end + usize::from(rest[end..].starts_with(';'));
        let before = decoded.len();
        mail_parser::decoders::html::add_html_token(&mut decoded, reference.as_bytes(), false);
        if decoded[before..] == reference {
            decoded.truncate(before);
            decoded.push_str(&rest[..consumed]);
        }
        rest = &rest[consumed..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}
