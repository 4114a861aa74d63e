//! Message content between `+OK` and the lone dot (RFC 1939 section 3).

use memchr::memmem;

/// Takes the dots away that the server put in front of lines, and finds the end.
///
/// Only CR LF ends a line here. A server that passes bare line feeds of a message on would
/// otherwise let the message's author write the server's next answers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Unstuff {
    /// At the start of a line.
    #[default]
    LineStart,
    /// A dot began the line; not yet known whether it is the end.
    Dot,
    /// A dot and CR.
    DotCr,
    /// Within a line.
    Text,
    /// Within a line, after CR.
    TextCr,
}

impl Unstuff {
    /// Takes content from `input` and appends it to `content`; true at the end, with the rest left
    /// in `input`.
    pub(crate) fn take(&mut self, input: &mut &[u8], content: &mut Vec<u8>) -> bool {
        while let [first, rest @ ..] = *input {
            match (*self, *first) {
                (Self::LineStart, b'.') => {
                    *self = Self::Dot;
                    *input = rest;
                }
                (Self::Dot, b'\r') => {
                    *self = Self::DotCr;
                    *input = rest;
                }
                (Self::DotCr, b'\n') => {
                    *self = Self::LineStart;
                    *input = rest;
                    return true;
                }
                (Self::DotCr, _) => {
                    content.push(b'\r');
                    *self = Self::TextCr;
                }
                (Self::TextCr, b'\n') => {
                    content.push(b'\n');
                    *self = Self::LineStart;
                    *input = rest;
                }
                _ => self.take_text(input, content),
            }
        }
        false
    }

    /// Copies up to the next line that begins with a dot, or all there is.
    fn take_text(&mut self, input: &mut &[u8], content: &mut Vec<u8>) {
        let (text, rest, next) = match memmem::find(input, b"\r\n.") {
            Some(at) => (&input[..at + 2], &input[at + 2..], Self::LineStart),
            None => (*input, &[][..], Self::after(input)),
        };
        content.extend_from_slice(text);
        *input = rest;
        *self = next;
    }

    fn after(text: &[u8]) -> Self {
        match text {
            [.., b'\r', b'\n'] => Self::LineStart,
            [.., b'\r'] => Self::TextCr,
            _ => Self::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &[(&[u8], &[u8])] = &[
        (b".\r\n", b""),
        (b"Subject: a\r\n\r\ntext\r\n.\r\n", b"Subject: a\r\n\r\ntext\r\n"),
        (b"..\r\n...\r\n..a\r\n.\r\n", b".\r\n..\r\n.a\r\n"),
        (b"a.\r\nb\r\n.\r\n", b"a.\r\nb\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        // Bare line ends within a message are neither changed nor taken for the end.
        (b"a\n.\nb\r\r\n.\r\n", b"a\n.\nb\r\r\n"),
        (b"a\n.\r\n+OK\r\n.\r\n", b"a\n.\r\n+OK\r\n"),
        (b"a\r.\r\n.\r\n", b"a\r.\r\n"),
        // A dot that nobody doubled is dropped, like a doubled one.
        (b".a\r\n.\rb\r\n.\r\r\n.\r\n", b"a\r\n\rb\r\n\r\r\n"),
    ];

    #[test]
    fn content_is_the_same_however_it_is_cut() {
        for (wire, expected) in CASES {
            let mut with_rest = wire.to_vec();
            with_rest.extend(b"+OK");
            for size in 1..=with_rest.len() {
                let mut unstuff = Unstuff::default();
                let mut content = Vec::new();
                let mut left = 0;
                for mut piece in with_rest.chunks(size) {
                    if left > 0 {
                        left += piece.len();
                    } else if unstuff.take(&mut piece, &mut content) {
                        left = piece.len();
                        // The end may be the end of a piece; what follows is then still to come.
                        if left == 0 {
                            break;
                        }
                    }
                }
                assert_eq!(content, *expected, "{:?} by {size}", String::from_utf8_lossy(wire));
                assert!(left == 3 || left == 0, "the end was found in the wrong place");
            }
        }
    }
}
