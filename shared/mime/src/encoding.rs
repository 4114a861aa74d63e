//! Content transfer encodings (RFC 2045 section 6) and character sets.
//!
//! Decoding never fails: what cannot be decoded is skipped or kept as it is, so that a damaged part
//! shows as much as possible.

use mail_parser::decoders::charsets::map::charset_decoder;

use crate::limits;

/// How a part's content is encoded for transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or one that is not known.
    Identity,
    Base64,
    QuotedPrintable,
}

impl TransferEncoding {
    pub(crate) fn named(name: &str) -> Self {
        // Some senders add a comment or a semicolon.
        let name = name.split([';', '(', ' ']).next().unwrap_or_default();
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }

    pub(crate) fn decode(self, encoded: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => encoded.to_vec(),
            Self::Base64 => decode_base64(encoded),
            Self::QuotedPrintable => decode_quoted_printable(encoded),
        }
    }

    /// The size after decoding, without decoding.
    pub(crate) fn decoded_len(self, encoded: &[u8]) -> usize {
        match self {
            Self::Identity => encoded.len(),
            Self::Base64 => {
                encoded.iter().filter(|byte| BASE64[usize::from(**byte)] < 64).count() * 3 / 4
            }
            Self::QuotedPrintable => decode_quoted_printable(encoded).len(),
        }
    }
}

/// Values of the base64 alphabet; 64 for everything else.
const BASE64: [u8; 256] = {
    let mut table = [64; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table
};

/// Skips whatever is not in the alphabet (RFC 2045 section 6.8); padding ends a group, so that
/// pieces that were encoded apart and then joined still decode.
fn decode_base64(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in encoded {
        if byte == b'=' {
            (bits, held) = (0, 0);
            continue;
        }
        let value = BASE64[usize::from(byte)];
        if value == 64 {
            continue;
        }
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    decoded
}

/// Keeps an `=` that starts nothing valid, drops white space before a line break
/// (RFC 2045 section 6.7).
fn decode_quoted_printable(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    decode_lines(encoded, &mut decoded);
    decoded
}

fn decode_lines(encoded: &[u8], decoded: &mut Vec<u8>) {
    for line in encoded.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let line_break: &[u8] = match line {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            // The last line has none; its white space is content when a part was cut here.
            _ => &line[content.len()..],
        };
        match content {
            [content @ .., b'='] => decode_escapes(content, decoded),
            content => {
                decode_escapes(content, decoded);
                decoded.extend_from_slice(line_break);
            }
        }
    }
}

fn decode_escapes(mut rest: &[u8], decoded: &mut Vec<u8>) {
    while let Some(equals) = memchr::memchr(b'=', rest) {
        decoded.extend_from_slice(&rest[..equals]);
        rest = &rest[equals..];
        match (rest.get(1).and_then(|b| hex(*b)), rest.get(2).and_then(|b| hex(*b))) {
            (Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                rest = &rest[3..];
            }
            _ => {
                decoded.push(b'=');
                rest = &rest[1..];
            }
        }
    }
    decoded.extend_from_slice(rest);
}

/// Undoes quoted-printable (RFC 2045 section 6.7) piece by piece, wherever it is cut. What can't be
/// decoded is kept, as in a part that is decoded whole.
#[derive(Debug, Default)]
pub struct QuotedPrintable {
    /// The end of what has come, whose meaning depends on what follows: white space, and an `=`
    /// before it.
    held: Vec<u8>,
}

impl QuotedPrintable {
    /// What one more piece makes known of the content. White space of more than
    /// [`limits::WHITE_SPACE`] bytes without a line break is content, whatever follows.
    pub fn decode(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut encoded = std::mem::take(&mut self.held);
        encoded.extend_from_slice(piece);
        let mut decoded = Vec::with_capacity(encoded.len());
        let begun = memchr::memrchr(b'\n', &encoded).map_or(0, |at| at + 1);
        decode_lines(&encoded[..begun], &mut decoded);
        // Of the line that has only begun, what is followed by more than an escape can take.
        let line = &encoded[begun..];
        let content = line.trim_ascii_end();
        let last = content.len().saturating_sub(2);
        let known = memchr::memchr(b'=', &content[last..]).map_or(content.len(), |at| last + at);
        let is_long = line.len() - content.len() > limits::WHITE_SPACE;
        let known = if is_long { line.len() } else { known };
        decode_escapes(&line[..known], &mut decoded);
        self.held = line[known..].to_vec();
        decoded
    }

    /// The rest of the content: there are no more pieces.
    pub fn finish(self) -> Vec<u8> {
        decode_quoted_printable(&self.held)
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Text in the named character set; without a usable name, UTF-8 if it is valid, else Windows-1252.
pub(crate) fn decode_charset(bytes: &[u8], charset: Option<&str>) -> String {
    let name = charset.map(|name| name.trim().trim_matches(['"', '\''])).unwrap_or_default();
    let is_utf8 = ["utf-8", "utf8", "us-ascii", "ascii", ""]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    let decoder = if is_utf8 { None } else { charset_decoder(name.as_bytes()) };
    match (decoder, std::str::from_utf8(bytes)) {
        (Some(decode), _) => decode(bytes),
        (None, Ok(text)) => text.to_owned(),
        // Mostly valid: UTF-8 that was cut or damaged, such as by a partial fetch.
        (None, Err(_)) if is_mostly_utf8(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        (None, Err(_)) => charset_decoder(b"windows-1252")
            .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decode| decode(bytes)),
    }
}

/// Whether more of the non-ASCII bytes form characters than not.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A cut character at the very end says nothing.
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good + 1 >= bad && (good > 0 || bad <= 1 && bytes.utf8_chunks().last().is_some_and(is_cut))
}

fn is_cut(last: std::str::Utf8Chunk<'_>) -> bool {
    std::str::from_utf8(last.invalid()).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content, decoded in these pieces.
    fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut decoder = QuotedPrintable::default();
        let mut all: Vec<u8> = pieces.into_iter().flat_map(|own| decoder.decode(own)).collect();
        all.extend(decoder.finish());
        all
    }

    #[test]
    fn quoted_printable_means_the_same_wherever_it_is_cut() {
        // All texts of five characters that matter.
        let alphabet = *b"=4F \r\nz";
        for number in 0..7_u32.pow(5) {
            let text = [0, 1, 2, 3, 4].map(|at| alphabet[(number / 7_u32.pow(at) % 7) as usize]);
            let whole = decode_quoted_printable(&text);
            for cut in 0..=text.len() {
                let (one, other) = text.split_at(cut);
                assert_eq!(decoded([one, other]), whole, "{:?} at {cut}", text.escape_ascii());
            }
            assert_eq!(decoded(text.chunks(1)), whole, "{:?}", text.escape_ascii());
        }
        let text = "caf=C3=A9 =\t\r\nund  \r\n=zz =3d= \n\r x\t";
        for cut in 0..=text.len() {
            let (one, other) = text.as_bytes().split_at(cut);
            assert_eq!(decoded([one, other]), "caf\u{e9} und\r\n=zz =\r x\t".as_bytes(), "{cut}");
        }
    }

    #[test]
    fn white_space_is_not_held_without_end() {
        let mut decoder = QuotedPrintable::default();
        let most = vec![b' '; limits::WHITE_SPACE];
        assert_eq!(decoder.decode(&most), b"");
        assert_eq!(decoder.decode(b"\n"), b"\n");
        assert_eq!(decoder.decode(&most), b"");
        assert_eq!(decoder.decode(b" ").len(), most.len() + 1);
        assert_eq!(decoder.decode(b"\n"), b"\n");
        let line = vec![b'x'; 10 * limits::WHITE_SPACE];
        assert_eq!(decoder.decode(&line).len(), line.len(), "nor is a line");
    }
}
