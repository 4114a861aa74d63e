//! One part's content, read from the store and decoded window by window.

use postern_bridge::MessageId;
use postern_mime::QuotedPrintable;

use crate::{
    Store,
    record::{self, PartEnd},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// Gives the content of a part that is stored to `take`, decoded, in pieces that follow each other,
/// each with where it begins; how many bytes there are. `None` if it is not stored as a whole: what
/// was given then is of no use.
///
/// A part of which something got lost is removed, to be fetched again.
///
/// # Errors
///
/// If the store can't be read.
pub(crate) async fn read_part(
    store: &impl Store,
    id: MessageId,
    section: &str,
    take: &mut dyn FnMut(u64, Vec<u8>),
) -> Result<Option<u64>, StoreError> {
    let Some(end) = record::part_end(store, id, section).await? else { return Ok(None) };
    match read(store, id, section, &end, take).await {
        Ok(Some(size)) => Ok(Some(size)),
        Ok(None) | Err(StoreError::Damaged(_)) => {
            let range = KeyRange::prefix(record::part_key(id, section));
            let dropped = Write::DeleteRange { table: Table::Bodies, range };
            store.apply(vec![dropped], Durability::Relaxed).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn read(
    store: &impl Store,
    id: MessageId,
    section: &str,
    end: &PartEnd,
    take: &mut dyn FnMut(u64, Vec<u8>),
) -> Result<Option<u64>, StoreError> {
    let mut encoding = Encoding::new(&end.encoding);
    let (mut encoded, mut decoded, mut number) = (0, 0, 0);
    let mut give = |content: Vec<u8>| {
        if !content.is_empty() {
            let start = decoded;
            decoded += content.len() as u64;
            take(start, content);
        }
    };
    while encoded < end.size {
        let key = record::part_key(id, section).u32(number);
        let Some(window) = store.get(Table::Bodies, &key).await? else { return Ok(None) };
        encoded += window.len() as u64;
        number += 1;
        give(encoding.decode(window));
    }
    give(encoding.finish());
    Ok((encoded == end.size).then_some(decoded))
}

/// How a part is decoded.
enum Encoding {
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
    None,
}

impl Encoding {
    fn new(name: &str) -> Self {
        match name {
            "base64" => Self::Base64(Base64::default()),
            "quoted-printable" => Self::QuotedPrintable(QuotedPrintable::default()),
            _ => Self::None,
        }
    }

    /// What a window makes known of the content.
    fn decode(&mut self, window: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Base64(base64) => base64.decode(&window),
            Self::QuotedPrintable(decoder) => decoder.decode(&window),
            Self::None => window,
        }
    }

    /// What is left of it when there are no more windows.
    fn finish(self) -> Vec<u8> {
        match self {
            Self::QuotedPrintable(decoder) => decoder.finish(),
            Self::Base64(_) | Self::None => Vec::new(),
        }
    }
}

/// Base64 in pieces; what is no digit is skipped, as RFC 2045 section 6.8 asks.
#[derive(Default)]
struct Base64 {
    bits: u32,
    count: u32,
}

impl Base64 {
    fn decode(&mut self, encoded: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
        for byte in encoded {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                // Padding: what is left over is no whole byte.
                b'=' => {
                    self.count = 0;
                    continue;
                }
                _ => continue,
            };
            self.bits = self.bits << 6 | u32::from(digit);
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                decoded.push((self.bits >> self.count) as u8);
            }
        }
        decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_across_any_split() {
        let encoded = b"SGVs\r\nbG8s\r\nIHdvcmxkIQ==\r\n";
        for split in 0..encoded.len() {
            let mut base64 = Base64::default();
            let decoded = [base64.decode(&encoded[..split]), base64.decode(&encoded[split..])];
            assert_eq!(decoded.concat(), b"Hello, world!", "{split}");
        }
    }
}
