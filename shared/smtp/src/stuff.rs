//! A message on its way between DATA and the final dot (RFC 5321 section 4.5.2).

/// Doubles the dot at the start of a line, and lets a line end only with CR LF.
///
/// A bare CR or LF becomes CR LF: servers that take one of them for the end of a line would
/// otherwise find the end of the message where its author put it ("SMTP smuggling").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stuff {
    /// At the start of a line.
    LineStart,
    /// Within a line.
    Text,
    /// After a CR that has been written, with its LF.
    AfterCr,
}

impl Stuff {
    /// At the start of a message.
    pub(crate) fn new() -> Self {
        Self::LineStart
    }

    /// The next piece, as it goes on the wire.
    pub(crate) fn take(&mut self, content: &[u8]) -> Vec<u8> {
        let mut wire = Vec::with_capacity(content.len() + content.len() / 64 + 2);
        let mut rest = content;
        while let [first, after @ ..] = rest {
            match (*self, *first) {
                (Self::AfterCr, b'\n') => {
                    *self = Self::LineStart;
                    rest = after;
                }
                (_, b'\r') => {
                    wire.extend_from_slice(b"\r\n");
                    *self = Self::AfterCr;
                    rest = after;
                }
                (_, b'\n') => {
                    wire.extend_from_slice(b"\r\n");
                    *self = Self::LineStart;
                    rest = after;
                }
                (Self::LineStart | Self::AfterCr, b'.') => {
                    wire.extend_from_slice(b"..");
                    *self = Self::Text;
                    rest = after;
                }
                _ => {
                    let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    wire.extend_from_slice(&rest[..end]);
                    *self = Self::Text;
                    rest = &rest[end..];
                }
            }
        }
        wire
    }

    /// The end of the message: ends the last line if need be, then the dot.
    pub(crate) fn finish(self) -> &'static [u8] {
        match self {
            Self::LineStart | Self::AfterCr => b".\r\n",
            Self::Text => b"\r\n.\r\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_goes_out_the_same_however_it_is_cut() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"", b".\r\n"),
            (b"Subject: a\r\n\r\ntext\r\n", b"Subject: a\r\n\r\ntext\r\n.\r\n"),
            (b"no end", b"no end\r\n.\r\n"),
            (b".\r\n..\r\n.a\r\na.b\r\n", b"..\r\n...\r\n..a\r\na.b\r\n.\r\n"),
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\nb\r", b"a\r\n\r\nb\r\n.\r\n"),
            (b"a\n\r\nb", b"a\r\n\r\nb\r\n.\r\n"),
        ];
        for (content, expected) in cases {
            for size in 1..=content.len().max(1) {
                let mut stuff = Stuff::new();
                let mut wire: Vec<u8> =
                    content.chunks(size).flat_map(|piece| stuff.take(piece)).collect();
                wire.extend(stuff.finish());
                assert_eq!(wire, *expected, "{:?} by {size}", String::from_utf8_lossy(content));
            }
        }
    }
}
