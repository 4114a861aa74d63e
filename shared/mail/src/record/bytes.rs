//! The bytes of messages and of their parts, in chunks.

use postern_bridge::MessageId;
use serde::{Deserialize, Serialize};

use super::{decode, message_key};
use crate::{
    Store,
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// The size of a chunk of raw message bytes: small enough to stream, large enough to be quick.
pub const CHUNK: usize = 256 * 1024;

/// The writes that store a message's bytes in chunks, replacing what was there.
pub fn put_body(message: MessageId, raw: &[u8]) -> Vec<Write> {
    let prefix = message_key(message);
    let clear = Write::DeleteRange { table: Table::Bodies, range: chunks(message) };
    let chunks = raw.chunks(CHUNK).zip(0..).map(|(chunk, number)| Write::Put {
        table: Table::Bodies,
        key: prefix.clone().u32(number),
        value: chunk.to_vec(),
    });
    std::iter::once(clear).chain(chunks).collect()
}

/// Reads a message's stored bytes; empty if there are none.
///
/// # Errors
///
/// If the store can't be read.
pub async fn body(store: &impl Store, message: MessageId) -> Result<Vec<u8>, StoreError> {
    beginning(store, message, usize::MAX).await
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
