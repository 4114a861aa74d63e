//! TLS records (RFC 8446, section 5.1), of which only the wrapping is of interest.

use super::BadHello;

/// The content type of handshake messages.
const HANDSHAKE: u8 = 22;

/// The first half of every version number that there is, from SSL 3.0 to TLS 1.3.
const MAJOR_VERSION: u8 = 3;

/// The longest content of a record that is not encrypted, in bytes.
const MAX_RECORD: u16 = 1 << 14;

/// Takes the wrapping off handshake messages.
#[derive(Default)]
pub(super) struct Records {
    header: [u8; 5],
    /// How much of the header has come.
    filled: usize,
    /// How much of the record's content has not come.
    left: usize,
}

impl Records {
    /// Takes the next piece of a record's content off the front of `bytes`; none if there is none
    /// without more bytes.
    pub(super) fn next_fragment<'a>(
        &mut self,
        bytes: &mut &'a [u8],
    ) -> Result<Option<&'a [u8]>, BadHello> {
        while self.left == 0 {
            let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
            *bytes = rest;
            self.header[self.filled] = *byte;
            self.filled += 1;
            self.check_header()?;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let (fragment, rest) = bytes.split_at(self.left.min(bytes.len()));
        *bytes = rest;
        self.left -= fragment.len();
        Ok(Some(fragment))
    }

    /// Whether the last record is complete and no other has begun.
    pub(super) fn is_between(&self) -> bool {
        self.left == 0 && self.filled == 0
    }

    /// Checks what has come of the header; at its end, the content begins.
    fn check_header(&mut self) -> Result<(), BadHello> {
        let [kind, major, _, high, low] = self.header;
        match self.filled {
            1 if kind != HANDSHAKE => Err(BadHello::NotTls),
            2 if major != MAJOR_VERSION => Err(BadHello::NotTls),
            5 => match u16::from_be_bytes([high, low]) {
                length @ 1..=MAX_RECORD => {
                    self.left = length.into();
                    self.filled = 0;
                    Ok(())
                }
                _ => Err(BadHello::Malformed),
            },
            _ => Ok(()),
        }
    }
}
