//! Reads the arguments of a command, piece by piece (RFC 9051 section 9).

use crate::demo::limits;

/// The arguments do not follow the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

type Parsed<T> = Result<T, Malformed>;

/// A place in a command.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(command: &'a [u8]) -> Self {
        Self { rest: command, depth: 0 }
    }

    /// The tag and the name in capitals, `UID` and the name after it as one.
    pub(super) fn command(&mut self) -> Parsed<(String, String)> {
        let tag = self.atom()?;
        self.space()?;
        let mut name = self.atom()?.to_ascii_uppercase();
        if name == "UID" {
            self.space()?;
            name = format!("UID {}", self.atom()?.to_ascii_uppercase());
        }
        Ok((tag, name))
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes this byte if it is next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// One space, or several from a careless client.
    pub(super) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ')?;
        while self.eat(b' ') {}
        Ok(())
    }

    /// Takes spaces, if there are any, and says so.
    pub(super) fn eat_space(&mut self) -> bool {
        self.space().is_ok()
    }

    /// The end of the command.
    pub(super) fn end(&mut self) -> Parsed<()> {
        self.eat_space();
        if self.rest == b"\r\n" || self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest == b"\r\n" || self.rest.is_empty()
    }

    /// Characters as long as they satisfy a condition; at least one.
    pub(super) fn take(&mut self, condition: impl Fn(u8) -> bool) -> Parsed<String> {
        let length = self.rest.iter().position(|byte| !condition(*byte)).unwrap_or(self.rest.len());
        if length == 0 {
            return Err(Malformed);
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        String::from_utf8(taken.to_vec()).map_err(|_| Malformed)
    }

    pub(super) fn atom(&mut self) -> Parsed<String> {
        self.take(|byte| byte > b' ' && byte != 0x7f && !b"(){%*\"\\]".contains(&byte))
    }

    /// An atom in capitals, or nothing if the next thing is none.
    pub(super) fn keyword(&mut self) -> Option<String> {
        self.atom().ok().map(|atom| atom.to_ascii_uppercase())
    }

    /// A flag, with its backslash if it has one.
    pub(super) fn flag(&mut self) -> Parsed<String> {
        let system = self.eat(b'\\');
        let name = self.atom()?;
        Ok(if system { format!("\\{name}") } else { name })
    }

    pub(super) fn number(&mut self) -> Parsed<u32> {
        self.take(|byte| byte.is_ascii_digit())?.parse().map_err(|_| Malformed)
    }

    /// A quoted string or a literal.
    pub(super) fn string(&mut self) -> Parsed<Vec<u8>> {
        if self.eat(b'"') {
            return self.quoted();
        }
        self.eat(b'~');
        self.expect(b'{')?;
        let length = self.number()? as usize;
        if !self.eat(b'+') {
            self.eat(b'-');
        }
        self.expect(b'}')?;
        self.expect(b'\r')?;
        self.expect(b'\n')?;
        let literal = self.rest.get(..length).ok_or(Malformed)?;
        self.rest = &self.rest[length..];
        Ok(literal.to_vec())
    }

    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let (first, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            match first {
                b'"' => return Ok(text),
                b'\\' => {
                    let (escaped, rest) = self.rest.split_first().ok_or(Malformed)?;
                    self.rest = rest;
                    text.push(*escaped);
                }
                b'\r' | b'\n' => return Err(Malformed),
                other => text.push(*other),
            }
        }
    }

    pub(super) fn astring(&mut self) -> Parsed<Vec<u8>> {
        self.astring_with(b"")
    }

    /// A mailbox pattern, which may hold `%` and `*` outside quotes.
    pub(super) fn pattern(&mut self) -> Parsed<Vec<u8>> {
        self.astring_with(b"%*")
    }

    fn astring_with(&mut self, more: &[u8]) -> Parsed<Vec<u8>> {
        match self.peek().ok_or(Malformed)? {
            b'"' | b'{' => self.string(),
            b'~' if self.rest.get(1) == Some(&b'{') => self.string(),
            _ => {
                let inside = |byte: u8| {
                    byte > b' '
                        && byte != 0x7f
                        && (more.contains(&byte) || !b"(){%*\"\\".contains(&byte))
                };
                self.take(inside).map(String::into_bytes)
            }
        }
    }

    pub(super) fn astring_text(&mut self) -> Parsed<String> {
        String::from_utf8(self.astring()?).map_err(|_| Malformed)
    }

    /// A parenthesised list, which may be empty.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect(b'(')?;
        self.deeper(|cursor| {
            let mut items = Vec::new();
            cursor.eat_space();
            while !cursor.eat(b')') {
                items.push(item(cursor)?);
                if !cursor.eat_space() && cursor.peek() != Some(b')') {
                    return Err(Malformed);
                }
            }
            Ok(items)
        })
    }

    /// Parses something nested, as long as it is not nested too deeply.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == limits::NESTING {
            return Err(Malformed);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_in_every_form() {
        for (text, expected) in [
            (&b"INBOX "[..], &b"INBOX"[..]),
            (b"\"a \\\"b\\\\\" ", b"a \"b\\"),
            (b"{3}\r\na b ", b"a b"),
            (b"{3+}\r\n\0\r\n ", b"\0\r\n"),
            (b"~{1}\r\nx", b"x"),
            (b"\"\"", b""),
            ("\"Grüße\"".as_bytes(), "Grüße".as_bytes()),
        ] {
            assert_eq!(Cursor::new(text).astring().as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn broken_strings_are_refused() {
        for text in
            [&b""[..], b"\"open", b"\"\\", b"{5}\r\nab", b"{x}\r\n", b"{1}", b"(", b"\"a\r\n\""]
        {
            assert_eq!(Cursor::new(text).astring(), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_list_may_be_nested_up_to_the_limit_and_no_further() {
        fn nested(cursor: &mut Cursor<'_>) -> Parsed<()> {
            cursor.list(nested).map(|_| ())
        }
        let text = |depth| [b"(".repeat(depth), b")".repeat(depth)].concat();
        assert_eq!(nested(&mut Cursor::new(&text(limits::NESTING))), Ok(()));
        assert_eq!(nested(&mut Cursor::new(&text(limits::NESTING + 1))), Err(Malformed));
    }
}
