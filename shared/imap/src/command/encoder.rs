//! Puts a command into bytes: atoms as they are, all else quoted or as literals.

use crate::{mailbox_name::Spelling, response::Flag};

/// A piece of a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Bytes to send as they are.
    Text(Vec<u8>),
    /// Bytes to send as a literal, in the form that the server takes.
    Literal(Vec<u8>),
    /// The same, but the bytes come in pieces while they are sent; NUL bytes only if it is binary.
    Content {
        /// How many bytes.
        size: u64,
        /// Whether any byte may be in it.
        binary: bool,
    },
}

/// An argument that can't be sent in any form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidArgument {
    /// A NUL byte, which IMAP has no form for.
    #[error("text with a NUL byte can't be sent")]
    Nul,
    /// A line break where there can be only one line.
    #[error("text of several lines can't be sent here")]
    LineBreak,
    /// A flag with a character that no flag may have.
    #[error("a flag's name has a character that is not allowed")]
    Flag,
    /// A section that is not made of numbers and points, or a header field that has no such name.
    #[error("a part's number is not valid")]
    Section,
    /// A word with a character that no such word may have.
    #[error("a word has a character that is not allowed")]
    Atom,
    /// Nothing, where something must be.
    #[error("there is nothing to ask for")]
    Empty,
    /// A search with conditions inside conditions beyond all reason.
    #[error("the search is nested too deeply")]
    TooDeep,
    /// A token, which must not be sent as a password.
    #[error("a token can't be used where a password is asked for")]
    Token,
    /// A date that has no form on the wire.
    #[error("a date is beyond the calendar")]
    Date,
}

/// Longer strings go out as literals: servers limit the length of a line.
const QUOTED_MAX: usize = 500;

/// Collects a command's parts.
#[derive(Debug)]
pub(crate) struct Encoder {
    parts: Vec<Part>,
    text: Vec<u8>,
    spelling: Spelling,
}

impl Encoder {
    /// Begins with the command's name, or any text that needs no quoting.
    pub(crate) fn new(name: &str) -> Self {
        Self { parts: Vec::new(), text: name.as_bytes().to_vec(), spelling: Spelling::default() }
    }

    /// From here on, UTF-8 may stand in quotes if that is how the server spells it.
    pub(crate) fn spelled(mut self, spelling: Spelling) -> Self {
        self.spelling = spelling;
        self
    }

    /// Appends text that needs no quoting.
    pub(crate) fn text(mut self, text: &str) -> Self {
        // What follows a bracket needs no space.
        let text = if self.text.ends_with(b"(") { text.trim_start_matches(' ') } else { text };
        self.text.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends a space and a string in quotes, or as a literal where quotes can't hold it.
    pub(crate) fn string(mut self, string: &[u8]) -> Result<Self, InvalidArgument> {
        self.text.push(b' ');
        self.unspaced(string)
    }

    /// Appends a string without the space before it, for the first of a list.
    pub(crate) fn unspaced(mut self, string: &[u8]) -> Result<Self, InvalidArgument> {
        if string.contains(&0) {
            return Err(InvalidArgument::Nul);
        }
        if string.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return Err(InvalidArgument::LineBreak);
        }
        let printable = |byte: &u8| matches!(byte, b' '..=b'~');
        let utf8 = self.spelling == Spelling::Utf8
            && std::str::from_utf8(string).is_ok_and(|text| !text.contains(char::is_control));
        if string.len() > QUOTED_MAX || !(utf8 || string.iter().all(printable)) {
            return Ok(self.literal(string.to_vec()));
        }
        self.text.push(b'"');
        for byte in string {
            if matches!(byte, b'"' | b'\\') {
                self.text.push(b'\\');
            }
            self.text.push(*byte);
        }
        self.text.push(b'"');
        Ok(self)
    }

    /// Appends a literal; the text before it ends in a space.
    pub(crate) fn literal(mut self, bytes: Vec<u8>) -> Self {
        self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        self.parts.push(Part::Literal(bytes));
        self
    }

    /// Appends a literal of so many bytes that come later; the text before it ends in a space, or in
    /// a tilde if it is binary.
    pub(crate) fn content(mut self, size: u64, binary: bool) -> Self {
        self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        self.parts.push(Part::Content { size, binary });
        self
    }

    /// Appends a space and a list of flags.
    pub(crate) fn flags(self, flags: &[Flag]) -> Result<Self, InvalidArgument> {
        let names: Vec<_> = flags.iter().map(Flag::as_str).collect();
        if !names.iter().all(|name| is_flag(name)) {
            return Err(InvalidArgument::Flag);
        }
        Ok(self.text(" (").text(&names.join(" ")).text(")"))
    }

    /// The parts; the last is always text.
    pub(crate) fn finish(mut self) -> Vec<Part> {
        self.parts.push(Part::Text(self.text));
        self.parts
    }
}

/// Whether it may stand where a flag is (RFC 9051 section 9, `flag`).
pub(super) fn is_flag(name: &str) -> bool {
    is_atom(name.strip_prefix('\\').unwrap_or(name))
}

/// Whether it may stand without quotes (RFC 9051 section 9, `atom`).
pub(super) fn is_atom(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Result<Vec<Part>, InvalidArgument> {
        Ok(Encoder::new("X").string(bytes)?.finish())
    }

    #[test]
    fn strings_can_not_break_out() {
        let quoted = |text: &str| Ok(vec![Part::Text(format!("X {text}").into_bytes())]);
        let literal = |bytes: &[u8]| {
            Ok(vec![Part::Text(b"X ".to_vec()), Part::Literal(bytes.to_vec()), Part::Text(vec![])])
        };
        assert_eq!(string(b""), quoted(r#""""#));
        assert_eq!(string(b"INBOX"), quoted(r#""INBOX""#));
        assert_eq!(string(br#"a"b\c {5}"#), quoted(r#""a\"b\\c {5}""#));
        for bytes in [&b"a\tb"[..], "\u{e4}".as_bytes(), &[b'x'; 501]] {
            assert_eq!(string(bytes), literal(bytes));
        }
        for bytes in [&b"a\r\nA1 LOGOUT"[..], b"a\n", b"\r"] {
            assert_eq!(string(bytes), Err(InvalidArgument::LineBreak));
        }
        assert_eq!(string(b"a\0b"), Err(InvalidArgument::Nul));
    }

    #[test]
    fn utf_8_stands_in_quotes_only_where_it_was_enabled() {
        let parts = |string: &[u8], spelling| {
            Encoder::new("X").spelled(spelling).string(string).unwrap().finish()
        };
        let text = "\"\u{e4}\"";
        let quoted = [Part::Text("X \"\\\"\u{e4}\\\"\"".as_bytes().to_vec())];
        assert_eq!(parts(text.as_bytes(), Spelling::Utf8), quoted);
        assert_eq!(parts(text.as_bytes(), Spelling::ModifiedUtf7).len(), 3);
        assert_eq!(parts(b"\xff", Spelling::Utf8).len(), 3);
        assert_eq!(parts("\u{85}".as_bytes(), Spelling::Utf8).len(), 3);
    }

    #[test]
    fn flags_can_not_break_out() {
        let flags = |name: &str| Encoder::new("X").flags(&[Flag::parse(name)]).map(Encoder::finish);
        assert_eq!(flags(r"\seen"), Ok(vec![Part::Text(br"X (\Seen)".to_vec())]));
        assert_eq!(flags("$Junk"), Ok(vec![Part::Text(b"X ($Junk)".to_vec())]));
        for name in ["", "\\", "a b", "a)", "a\r\nb", "a\\b", "\u{e4}", "*"] {
            assert_eq!(flags(name), Err(InvalidArgument::Flag), "{name}");
        }
    }
}
