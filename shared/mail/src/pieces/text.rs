//! What kind of text a message is, found while its bytes pass by. Pure.

/// What was seen of a message so far.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// Whether there is a NUL byte, which no text may have.
    pub has_nul: bool,
    header: Header,
}

/// What was seen of its header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Header {
    /// Whether the empty line behind it has come.
    is_over: bool,
    /// Whether its last line has anything in it.
    has_line: bool,
    /// Whether there is anything beyond ASCII.
    has_more: bool,
    /// Whether something is no UTF-8.
    is_broken: bool,
    /// A character of which the end has not come: at most three bytes.
    begun: Vec<u8>,
}

impl Seen {
    /// Takes the next bytes.
    pub fn take(&mut self, piece: &[u8]) {
        self.has_nul |= memchr::memchr(0, piece).is_some();
        self.header.take(piece);
    }

    /// Whether its header has UTF-8 beyond ASCII, and nothing that is no UTF-8 (RFC 6532).
    pub fn has_utf8_header(&self) -> bool {
        let Header { has_more, is_broken, begun, .. } = &self.header;
        *has_more && !is_broken && begun.is_empty()
    }
}

impl Header {
    fn take(&mut self, piece: &[u8]) {
        if self.is_over {
            return;
        }
        let piece = &piece[..self.end(piece)];
        if piece.is_ascii() && self.begun.is_empty() {
            return;
        }
        self.has_more = true;
        let text = [&self.begun, piece].concat();
        self.begun.clear();
        if let Err(error) = std::str::from_utf8(&text) {
            match error.error_len() {
                Some(_) => self.is_broken = true,
                None => self.begun = text[error.valid_up_to()..].to_vec(),
            }
        }
    }

    /// Where in a piece the header ends.
    fn end(&mut self, piece: &[u8]) -> usize {
        for (at, byte) in piece.iter().enumerate() {
            match byte {
                b'\n' if !self.has_line => {
                    self.is_over = true;
                    return at;
                }
                b'\n' => self.has_line = false,
                b'\r' => {}
                _ => self.has_line = true,
            }
        }
        piece.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(message: &[u8], size: usize) -> (bool, bool) {
        let mut seen = Seen::default();
        message.chunks(size).for_each(|piece| seen.take(piece));
        (seen.has_nul, seen.has_utf8_header())
    }

    #[test]
    fn utf_8_is_found_in_the_header_alone_however_it_is_split() {
        let cases: [(&[u8], _); 8] = [
            (b"Subject: x\r\n\r\nbody", (false, false)),
            ("Subject: Gr\u{fc}\u{df}e\r\n\r\nbody".as_bytes(), (false, true)),
            ("Subject: \u{1f331}\n\nbody".as_bytes(), (false, true)),
            ("Subject: x\r\n\r\nGr\u{fc}\u{df}e".as_bytes(), (false, false)),
            // It may be in any character set, and a character may lack its end.
            (b"Subject: Gr\xfc\xdfe\r\n\r\nbody", (false, false)),
            (b"Subject: Gr\xc3\xbc\xdfe\r\n\r\nbody", (false, false)),
            (b"Subject: \xc3", (false, false)),
            ("\r\nGr\u{fc}\u{df}e\0".as_bytes(), (true, false)),
        ];
        for (message, expected) in cases {
            for size in 1..=message.len() {
                assert_eq!(seen(message, size), expected, "{} {size}", message.escape_ascii());
            }
        }
    }
}
