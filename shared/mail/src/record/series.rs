//! Numbers, each of which is given once.

use super::{decode, encode};
use crate::{
    Store,
    store::{Key, StoreError, Table, Write},
};

/// What gets numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Series {
    /// Accounts.
    Account,
    /// The mailboxes of all accounts.
    Mailbox,
    /// The entries of all accounts' queues of changes.
    Change,
    /// Messages to which a server has given no UID yet.
    Provisional,
    /// Messages in the outbox.
    Outbox,
}

impl Series {
    /// Every series.
    pub const ALL: [Self; 5] =
        [Self::Account, Self::Mailbox, Self::Change, Self::Provisional, Self::Outbox];

    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Mailbox => "mailbox",
            Self::Change => "change",
            Self::Provisional => "provisional",
            Self::Outbox => "outbox",
        }
    }

    /// Under which key in [`Table::Meta`] the next number is noted.
    pub(crate) fn key(self) -> Key {
        Key::new().bytes(b"next-").bytes(self.name().as_bytes())
    }

    /// The write that notes the next number.
    pub(crate) fn put(self, next: u32) -> Write {
        Write::Put { table: Table::Meta, key: self.key(), value: encode(&next) }
    }
}

/// Takes the next unused number of a series; the write that remembers it belongs into the batch that
/// uses it.
///
/// # Errors
///
/// If the store can't be read, or no number is left.
pub async fn next_number(store: &impl Store, series: Series) -> Result<(u32, Write), StoreError> {
    next_numbers(store, series, 1).await
}

/// Takes the next `count` unused numbers of a series, of which the first is returned; the write
/// that remembers them belongs into the batch that uses them.
///
/// # Errors
///
/// If the store can't be read, or not so many numbers are left.
pub async fn next_numbers(
    store: &impl Store,
    series: Series,
    count: u32,
) -> Result<(u32, Write), StoreError> {
    let first: u32 = match store.get(Table::Meta, &series.key()).await? {
        Some(value) => decode(&value)?,
        None => 1,
    };
    let none_left = || StoreError::Failed(format!("there are too many of a kind ({series:?})"));
    let next = first.checked_add(count).ok_or_else(none_left)?;
    Ok((first, series.put(next)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{Durability, MemoryStore},
        testing::block_on,
    };

    #[test]
    fn numbers_do_not_begin_again_when_they_run_out() {
        let store = MemoryStore::new();
        let last = Series::Change.put(u32::MAX - 1);
        block_on(store.apply(vec![last], Durability::Strict)).unwrap();
        let (number, put) = block_on(next_number(&store, Series::Change)).unwrap();
        assert_eq!((number, &put), (u32::MAX - 1, &Series::Change.put(u32::MAX)));
        block_on(store.apply(vec![put], Durability::Strict)).unwrap();
        assert!(block_on(next_number(&store, Series::Change)).is_err());
        assert_eq!(block_on(next_number(&store, Series::Outbox)).unwrap().0, 1);
    }
}
