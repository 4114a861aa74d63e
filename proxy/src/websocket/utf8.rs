//! UTF-8 that arrives in pieces (RFC 6455, section 8.1).

use std::str;

use super::Violation;

/// Checks text as it arrives: a byte that can't be right is found when it is there, not when the
/// message ends.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character.
    partial: [u8; 4],
    length: u8,
}

impl Utf8 {
    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// If, with what came before, they can't be the beginning of any text.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        while self.length > 0 {
            let Some((&next, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.partial[usize::from(self.length)] = next;
            self.length += 1;
            match str::from_utf8(&self.partial[..usize::from(self.length)]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(Violation::NotUtf8),
            }
        }
        let Err(error) = str::from_utf8(bytes) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(Violation::NotUtf8);
        }
        let tail = &bytes[error.valid_up_to()..];
        self.partial[..tail.len()].copy_from_slice(tail);
        self.length = tail.len() as u8; // Three at most.
        Ok(())
    }

    /// Whether no character is left unfinished.
    pub(super) fn is_complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the text is good, fed in pieces of this size.
    fn judge(text: &[u8], size: usize) -> Result<bool, Violation> {
        let mut utf8 = Utf8::default();
        text.chunks(size).try_for_each(|piece| utf8.push(piece))?;
        Ok(utf8.is_complete())
    }

    #[test]
    fn pieces_are_judged_as_the_whole_is() {
        for text in ["", "Hello", "κόσμε", "\u{10ffff}\u{10000}\u{ffff}\u{800}\u{7f}\0", "日本語"]
        {
            for size in 1..=text.len().max(1) {
                assert_eq!(judge(text.as_bytes(), size), Ok(true), "{text:?}, {size}");
            }
        }
    }

    #[test]
    fn what_can_not_be_text_is_found_at_once() {
        for bytes in [
            &b"\x80"[..],
            b"a\xff",
            b"\xc0\x80",
            b"\xe0\x80",
            b"\xed\xa0",
            b"\xf4\x90",
            b"\xf8",
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0",
        ] {
            for size in 1..=bytes.len() {
                assert_eq!(judge(bytes, size), Err(Violation::NotUtf8), "{bytes:?}, {size}");
            }
        }
    }

    #[test]
    fn an_unfinished_character_is_not_wrong_but_not_complete() {
        for bytes in [&b"\xce"[..], b"\xe1\xbd", b"\xf4\x8f\xbf", b"abc\xf0"] {
            for size in 1..=bytes.len() {
                assert_eq!(judge(bytes, size), Ok(false), "{bytes:?}, {size}");
            }
        }
    }
}
