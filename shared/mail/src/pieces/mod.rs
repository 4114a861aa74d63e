//! The bytes of a whole message, read from the store piece by piece, so that it is never held whole.

mod text;

use postern_bridge::MessageId;
pub use text::Seen;

use crate::{
    Store,
    record::message_key,
    store::{Key, StoreError, Table},
};

/// Where the bytes of a message are stored.
#[derive(Clone, Debug)]
pub struct Pieces {
    table: Table,
    prefix: Key,
    /// The number of the first piece.
    first: u32,
    size: u64,
}

impl Pieces {
    /// Those of a message of which so many bytes are stored.
    pub fn of_message(id: MessageId, size: u64) -> Self {
        Self { table: Table::Bodies, prefix: message_key(id), first: 0, size }
    }

    /// Those of the outbox's entry of this number.
    pub(crate) fn of_outbox(id: u32, size: u64) -> Self {
        Self { table: Table::Outbox, prefix: Key::new().u32(id), first: 1, size }
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// A piece, counted from 0; never empty.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if it is not there; or if the store can't be read.
    pub async fn get(&self, store: &impl Store, number: u32) -> Result<Vec<u8>, StoreError> {
        let key = self.prefix.clone().u32(self.first + number);
        let piece = store.get(self.table, &key).await?.filter(|piece| !piece.is_empty());
        piece.ok_or_else(|| StoreError::Damaged("a message without all of its bytes".into()))
    }

    /// What kind of text they are.
    ///
    /// # Errors
    ///
    /// If the store can't be read, or the bytes are not there.
    pub async fn look(&self, store: &impl Store) -> Result<Seen, StoreError> {
        let (mut size, mut number, mut seen) = (0, 0, Seen::default());
        while size < self.size {
            let piece = self.get(store, number).await?;
            seen.take(&piece);
            size += piece.len() as u64;
            number += 1;
        }
        Ok(seen)
    }
}
