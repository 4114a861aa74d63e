//! The bytes of messages and of their parts, in chunks.
//!
//! Whoever reads them goes by what is there: earlier versions wrote chunks of 256 KiB.

use postern_bridge::{MailboxId, MessageId};
use serde::{Deserialize, Serialize};

use super::{decode, message_key};
use crate::{
    Store,
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// The size of a chunk of raw message bytes: small enough to stream, and less than the 64 KiB from which
/// on Chromium keeps a value in a file of its own, which takes it ten times as long.
pub const CHUNK: usize = 60 * 1024;

/// How many chunks of a large message are read at a time.
const STEP: usize = 16;

/// The writes that store a message's bytes in chunks, replacing what was there.
pub fn put_body(message: MessageId, raw: &[u8]) -> Vec<Write> {
    let clear = Write::DeleteRange { table: Table::Bodies, range: chunks(message) };
    std::iter::once(clear).chain(put_chunks(message, 0, raw.to_vec())).collect()
}

/// The writes that store bytes of a message in chunks where nothing is, with numbers from `first` on.
pub(crate) fn put_chunks(message: MessageId, first: u32, raw: Vec<u8>) -> Vec<Write> {
    let put = |(number, value)| Write::Put {
        table: Table::Bodies,
        key: message_key(message).u32(number),
        value,
    };
    if raw.is_empty() {
        Vec::new()
    } else if raw.len() <= CHUNK {
        vec![put((first, raw))]
    } else {
        (first..).zip(raw.chunks(CHUNK).map(<[u8]>::to_vec)).map(put).collect()
    }
}

/// Reads a message's stored bytes; empty if there are none.
///
/// # Errors
///
/// If the store can't be read.
pub async fn body(store: &impl Store, message: MessageId) -> Result<Vec<u8>, StoreError> {
    beginning(store, message, usize::MAX).await
}

/// How many bytes are stored of a message itself; some chunks are read at a time.
pub(crate) async fn stored_size(store: &impl Store, message: MessageId) -> Result<u64, StoreError> {
    let (mut range, mut size) = (chunks(message), 0);
    loop {
        let step = store.scan(Table::Bodies, &range, Order::Ascending, STEP).await?;
        let Some((last, _)) = step.last() else { return Ok(size) };
        range.start = last.clone().bytes(&[0]);
        size += step.iter().map(|(_, value)| value.len() as u64).sum::<u64>();
    }
}

/// Reads the beginning of a message's stored bytes: so many, or some more up to the end of a chunk.
///
/// # Errors
///
/// If the store can't be read.
pub async fn beginning(
    store: &impl Store,
    message: MessageId,
    bytes: usize,
) -> Result<Vec<u8>, StoreError> {
    let most = bytes.div_ceil(CHUNK);
    let chunks = store.scan(Table::Bodies, &chunks(message), Order::Ascending, most).await?;
    let chunks: Vec<&[u8]> = chunks.iter().map(|(_, chunk)| &chunk[..]).collect();
    Ok(chunks.concat())
}

/// Where the numbers of chunks end and parts that were fetched by themselves begin.
const PARTS: u32 = 1 << 31;

/// The keys of a message's own chunks.
pub(crate) fn chunks(message: MessageId) -> KeyRange {
    let start = message_key(message);
    KeyRange { end: Some(start.clone().u32(PARTS)), start }
}

/// The message that a chunk with this key is of, and the chunk's number; `None` if it is one of a part.
pub(crate) fn chunk_of(key: &Key) -> Option<(MessageId, u32)> {
    let number = |at: usize| {
        let bytes = key.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes)
    };
    let (mailbox, uid, chunk) = (MailboxId(number(0)?), number(4)?, number(8)?);
    (key.0.len() == 12 && chunk < PARTS).then_some((MessageId { mailbox, uid }, chunk))
}

/// That a part is stored as a whole, under the number that follows those of its windows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PartEnd {
    /// Its transfer encoding, in lower case.
    pub encoding: String,
    /// Its encoded size in bytes.
    pub size: u64,
}

/// The prefix of the keys of a part that was fetched by itself, in windows numbered from 0.
pub fn part_key(message: MessageId, section: &str) -> Key {
    // A section has no zero byte, so that none begins like another one's windows.
    message_key(message).u32(PARTS).bytes(section.as_bytes()).bytes(&[0])
}

/// Whether a part is stored as a whole, and how it is encoded.
///
/// # Errors
///
/// If the store can't be read or the record is damaged.
pub async fn part_end(
    store: &impl Store,
    message: MessageId,
    section: &str,
) -> Result<Option<PartEnd>, StoreError> {
    let key = part_key(message, section).u32(u32::MAX);
    store.get(Table::Bodies, &key).await?.map(|value| decode(&value)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_s_key_names_its_message_and_a_part_s_does_not() {
        let id = MessageId { mailbox: MailboxId(7), uid: 9 };
        let keys: Vec<Key> = put_chunks(id, 0, vec![1; CHUNK + 1])
            .into_iter()
            .map(|write| match write {
                Write::Put { key, .. } => key,
                other => panic!("{other:?}"),
            })
            .collect();
        let named: Vec<_> = keys.iter().map(chunk_of).collect();
        assert_eq!(named, [Some((id, 0)), Some((id, 1))]);
        assert_eq!(chunk_of(&part_key(id, "").u32(3)), None);
        assert_eq!(chunk_of(&part_key(id, "1.2").u32(3)), None);
        assert_eq!(chunk_of(&message_key(id)), None);
    }
}
