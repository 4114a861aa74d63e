//! The store: ordered tables of bytes, written in whole batches.
//!
//! A [`Store`] never hands out an open transaction: IndexedDB commits one as soon as anything else
//! is awaited. Readers get what the last finished batch left; a batch is visible as a whole or not
//! at all, also after a crash.
//!
//! **Fencing.** Of all pages of a browser profile one leads. It calls [`Store::take_lead`], and
//! from then on each [`Store::apply`] of any earlier leader fails with [`StoreError::Fenced`], in
//! the same transaction that would have written.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod memory;
mod packed;
mod written;

use futures_util::lock::Mutex;
pub use memory::MemoryStore;
pub use packed::Packed;
#[cfg(test)]
pub(crate) use packed::uncompressed;
pub use written::{Changed, NOTED, Written};

/// Where a value lives. Each table is one object store in IndexedDB.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Table {
    /// Counters and settings, by name.
    Meta,
    /// Accounts, by account.
    Accounts,
    /// Mailboxes, by mailbox.
    Mailboxes,
    /// Message records, by mailbox and UID.
    Messages,
    /// Empty values that order a mailbox's messages: by mailbox, arrival and UID.
    Arrival,
    /// Raw message bytes in chunks, by mailbox, UID and chunk.
    Bodies,
    /// One row per message ever seen on a POP3 server, by account and unique id.
    Ledger,
    /// Messages on their way out, by entry; and their bytes in chunks.
    Outbox,
    /// What was changed here, by account and entry: to be told to the server, or taken back.
    Changes,
    /// Rows of other tables; only for [`Packed`].
    Blocks,
    /// The keys of those rows; only for [`Packed`].
    Directory,
    /// Rows of [`Table::Bodies`] that were stored together; only for [`Packed`].
    Bundles,
    /// The keys of those rows; only for [`Packed`].
    Contents,
}

impl Table {
    /// Every table, but for those that hold others.
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::Accounts,
        Self::Mailboxes,
        Self::Messages,
        Self::Arrival,
        Self::Bodies,
        Self::Ledger,
        Self::Outbox,
        Self::Changes,
    ];

    /// The table's name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Accounts => "accounts",
            Self::Mailboxes => "mailboxes",
            Self::Messages => "messages",
            Self::Arrival => "arrival",
            Self::Bodies => "bodies",
            Self::Ledger => "ledger",
            Self::Outbox => "outbox",
            Self::Changes => "changes",
            Self::Blocks => "blocks",
            Self::Directory => "directory",
            Self::Bundles => "bundles",
            Self::Contents => "contents",
        }
    }
}

/// A key; tables are ordered by it, byte by byte.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub Vec<u8>);

impl Key {
    /// An empty key, to be built up with the methods below; big-endian, so that order is kept.
    pub fn new() -> Self {
        Self(Vec::with_capacity(Self::USUAL))
    }

    /// How many bytes most keys have, at most.
    const USUAL: usize = 16;

    /// Appends a number.
    #[must_use]
    pub fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// Appends a signed number so that negative ones come first.
    #[must_use]
    pub fn i64(mut self, number: i64) -> Self {
        self.0.extend((number ^ i64::MIN).to_be_bytes());
        self
    }

    /// Appends bytes; only the last part of a key may be of varying length.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

/// The keys from `start` up to but without `end`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRange {
    /// The first key.
    pub start: Key,
    /// The key after the last; `None` is the end of the table.
    pub end: Option<Key>,
}

impl KeyRange {
    /// A whole table.
    pub fn all() -> Self {
        Self { start: Key::new(), end: None }
    }

    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: Key) -> Self {
        let mut end = prefix.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Self { start: prefix, end: Some(Key(end)) };
            }
        }
        Self { start: prefix, end: None }
    }

    /// Whether no key can be in the range.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// Whether `key` is in the range.
    pub fn contains(&self, key: &Key) -> bool {
        *key >= self.start && self.end.as_ref().is_none_or(|end| key < end)
    }
}

/// Which end of a range comes first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Write {
    /// Sets a value, whether or not there was one.
    Put {
        /// Where.
        table: Table,
        /// Under which key.
        key: Key,
        /// The value.
        value: Vec<u8>,
    },
    /// Removes a value, if there is one.
    Delete {
        /// Where.
        table: Table,
        /// The key.
        key: Key,
    },
    /// Removes every value in a range.
    DeleteRange {
        /// Where.
        table: Table,
        /// The keys.
        range: KeyRange,
    },
}

/// When a batch counts as written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// When the operating system has it: enough for what can be fetched again.
    Relaxed,
    /// When the disk has it: for all that guards a deletion or a send.
    Strict,
}

/// Ordered tables of bytes. See the module's text for what it promises.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Store {
    /// Makes this handle the leader and fences off every earlier one.
    ///
    /// # Errors
    ///
    /// If the database can't be written.
    async fn take_lead(&self) -> Result<(), StoreError>;

    /// Held while something stored is read, changed and written back, so that no other task of this
    /// page does the same in between. Never held while a server is waited for.
    ///
    /// Other pages need no lock: only the leader writes.
    fn editing(&self) -> &Mutex<()>;

    /// Which message records were written through this handle; [`Store::apply`] notes them.
    fn written(&self) -> &Written;

    /// One value.
    ///
    /// # Errors
    ///
    /// If the database can't be read.
    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError>;

    /// Several values in one go, in the order of `keys`.
    ///
    /// # Errors
    ///
    /// If the database can't be read.
    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Up to `limit` entries of a range.
    ///
    /// # Errors
    ///
    /// If the database can't be read.
    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError>;

    /// All keys of a range, ascending, without their values.
    ///
    /// # Errors
    ///
    /// If the database can't be read.
    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError>;

    /// Writes a batch, in its order, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// If the batch was not written: the store then is as before.
    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError>;
}

/// Why the store could not read or write.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// The browser's storage is full; nothing of the batch was written.
    #[error("this browser's storage is full")]
    QuotaExceeded,
    /// Another page has taken the lead; nothing of the batch was written.
    #[error("Postern is at work in another tab")]
    Fenced,
    /// The database was written by a newer version; nothing was touched.
    #[error("the stored mail was written by a newer version of Postern")]
    NewerSchema,
    /// A stored value can't be read.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Anything else; the database's words.
    #[error("this browser's storage failed: {0}")]
    Failed(String),
}
