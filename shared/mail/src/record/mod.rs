//! What is stored, and under which keys.
//!
//! Records are MessagePack with field names, so that a field can be added (with `serde(default)`)
//! without rewriting what people have stored. Only [`MessageId`](postern_bridge::MessageId),
//! [`Flags`](postern_bridge::Flags) and [`Address`](postern_bridge::Address) stand in a [`Message`]
//! without the names of their fields, so that those must keep their order, and more can only follow. Raw message bytes are kept as they came, in chunks
//! of [`CHUNK`] bytes.

mod account;
mod brief;
mod bytes;
mod key;
mod mailbox;
mod message;
mod series;
mod unreadable;

pub use account::Account;
pub(crate) use brief::{Brief, Person};
pub use bytes::{CHUNK, PartEnd, beginning, body, part_end, part_key, put_body};
pub(crate) use bytes::{chunk_of, chunks, put_chunks, stored_size};
pub use key::{
    account_key, arrived_message, keyed_message, listed_place, mailbox_key, message_key,
};
pub use mailbox::{Doubts, Mailbox, Owner, SyncPoint, mailbox, mailboxes, sort_mailboxes};
pub use message::{AbsentPart, Body, Links, Message, Place, addresses};
pub use series::{Series, next_number, next_numbers};
pub(crate) use unreadable::{delete_unreadable, each_message, rebuilt, recount};

use rmp_serde::Serializer;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Store,
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// Something that has a table and a key.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it lives.
    const TABLE: Table;

    /// Under which key.
    fn key(&self) -> Key;

    /// The write that stores it.
    fn put(&self) -> Write {
        Write::Put { table: Self::TABLE, key: self.key(), value: encode(self) }
    }

    /// The write that removes it.
    fn delete(&self) -> Write {
        Write::Delete { table: Self::TABLE, key: self.key() }
    }
}

/// Reads one record.
///
/// # Errors
///
/// If the store can't be read or the record is damaged.
pub async fn get<R: Record>(store: &impl Store, key: &Key) -> Result<Option<R>, StoreError> {
    store.get(R::TABLE, key).await?.map(|value| decode(&value)).transpose()
}

/// Reads the records with these keys, in their order: one question for all of them.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn get_many<R: Record>(
    store: &impl Store,
    keys: &[Key],
) -> Result<Vec<Option<R>>, StoreError> {
    let values = store.get_many(R::TABLE, keys).await?;
    values.into_iter().map(|value| value.map(|value| decode(&value)).transpose()).collect()
}

/// Reads the records with these keys, in their order; `None` as well for one that can't be read any
/// more.
///
/// # Errors
///
/// If the store can't be read.
pub async fn get_many_readable<R: Record>(
    store: &impl Store,
    keys: &[Key],
) -> Result<Vec<Option<R>>, StoreError> {
    let values = store.get_many(R::TABLE, keys).await?;
    Ok(values.into_iter().map(|value| decode(&value?).ok()).collect())
}

/// Reads all records of a range, ascending.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn all<R: Record>(store: &impl Store, range: &KeyRange) -> Result<Vec<R>, StoreError> {
    let entries = store.scan(R::TABLE, range, Order::Ascending, usize::MAX).await?;
    entries.iter().map(|(_, value)| decode(value)).collect()
}

/// Reads those records of a range that can be read, ascending; and the keys of the others.
///
/// # Errors
///
/// If the store can't be read.
pub async fn readable<R: Record>(
    store: &impl Store,
    range: &KeyRange,
) -> Result<(Vec<R>, Vec<Key>), StoreError> {
    let entries = store.scan(R::TABLE, range, Order::Ascending, usize::MAX).await?;
    let (mut records, mut damaged) = (Vec::with_capacity(entries.len()), Vec::new());
    for (key, value) in entries {
        match decode(&value) {
            Ok(record) => records.push(record),
            Err(_) => damaged.push(key),
        }
    }
    Ok((records, damaged))
}

/// How many bytes most messages' records have, at most.
const USUAL: usize = 512;

/// A value as it is stored.
///
/// # Panics
///
/// Never for this crate's records: all of them can be encoded, and writing to memory can't fail.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL);
    let mut serializer = Serializer::new(&mut bytes).with_struct_map();
    value.serialize(&mut serializer).expect("records can be encoded");
    bytes
}

/// A stored value.
///
/// # Errors
///
/// If the bytes are not a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|_| damaged::<T>())
}

/// That a stored value is not a `T`; how its bytes deviate tells nobody anything.
fn damaged<T>() -> StoreError {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name).rsplit("::").next().unwrap_or(name);
    StoreError::Damaged(format!("a record of the kind “{name}” can't be read"))
}
