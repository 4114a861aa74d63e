//! The store in IndexedDB: one object store per table, binary keys, byte-array values.
//!
//! IndexedDB orders binary keys byte by byte, as [`postern_mail::store`] wants it. Within a
//! transaction nothing but IndexedDB is awaited: it commits as soon as it has nothing to do.

mod closing;
mod convert;
mod error;
mod fresh_log;
mod read;
mod schema;
mod write;

use std::{cell::Cell, rc::Rc};

use futures_util::lock::Mutex;
use indexed_db_futures::{
    Build,
    database::Database,
    internals::SystemRepr,
    transaction::{Transaction, TransactionDurability, TransactionMode, TransactionOptions},
};
use postern_mail::{
    Store,
    store::{Durability, Key, KeyRange, Order, Packed, StoreError, Table, Write, Written},
};

use closing::Closing;
use error::failed;

/// The store that mail is kept in: small rows in blocks.
pub(crate) type BrowserStore = Packed<IndexedDbStore>;

/// A handle to a database.
pub(crate) struct IndexedDbStore {
    database: Database,
    /// The epoch in which this handle took the lead; 0 if it never did.
    epoch: Cell<u64>,
    editing: Mutex<()>,
    written: Written,
    closing: Rc<Closing>,
}

impl IndexedDbStore {
    /// The newest version of the database.
    #[cfg(feature = "conformance")]
    pub(crate) const NEWEST_VERSION: usize = schema::NEWEST;

    /// Opens the database of this name, and creates or upgrades it if need be.
    ///
    /// # Errors
    ///
    /// [`StoreError::NewerSchema`] if a newer version of Postern wrote it; or the browser's error.
    pub(crate) async fn open(name: &str) -> Result<Self, StoreError> {
        fresh_log::begin(name).await;
        Ok(Self::of(schema::open(name).await?))
    }

    /// Removes the database of this name with all that is in it.
    ///
    /// # Errors
    ///
    /// If the browser does not.
    pub(crate) async fn erase(name: &str) -> Result<(), StoreError> {
        schema::erase(name).await
    }

    /// Opens the database as an earlier version of Postern has left it.
    #[cfg(feature = "conformance")]
    pub(crate) async fn open_version(name: &str, version: usize) -> Result<Self, StoreError> {
        Ok(Self::of(schema::open_version(name, version).await?))
    }

    fn of(database: Database) -> Self {
        let closing = Closing::watch(database.as_sys());
        let (editing, written) = (Mutex::new(()), Written::default());
        Self { database, epoch: Cell::new(0), editing, written, closing }
    }

    /// Has somebody told when the database is closed under us.
    pub(crate) fn when_closed(&self, tell: impl FnOnce(StoreError) + 'static) {
        self.closing.when_closed(Box::new(tell));
    }

    fn read(&self, table: Table) -> Result<Transaction<'_>, StoreError> {
        self.closing.check()?;
        self.database.transaction(table.name()).build().map_err(failed)
    }

    fn write(
        &self,
        object_stores: Vec<&str>,
        durability: Durability,
    ) -> Result<Transaction<'_>, StoreError> {
        self.closing.check()?;
        let durability = match durability {
            Durability::Relaxed => TransactionDurability::Relaxed,
            Durability::Strict => TransactionDurability::Strict,
        };
        self.database
            .transaction(object_stores)
            .with_mode(TransactionMode::Readwrite)
            .with_options(TransactionOptions::new().with_durability(durability))
            .build()
            .map_err(failed)
    }
}

impl Drop for IndexedDbStore {
    fn drop(&mut self) {
        self.closing.leave(self.database.as_sys());
        self.database.as_sys().close();
    }
}

impl Store for IndexedDbStore {
    async fn take_lead(&self) -> Result<(), StoreError> {
        let transaction = self.write(vec![schema::LEAD], Durability::Strict)?;
        self.epoch.set(write::take_lead(transaction).await?);
        Ok(())
    }

    fn editing(&self) -> &Mutex<()> {
        &self.editing
    }

    fn written(&self) -> &Written {
        &self.written
    }

    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        read::get(&self.read(table)?, table, key).await
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        read::get_many(&self.read(table)?, table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let transaction = self.read(table)?;
        match order {
            Order::Ascending => read::scan_up(&transaction, table, range, limit).await,
            Order::Descending => read::scan_down(&transaction, table, range, limit).await,
        }
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        read::keys(&self.read(table)?, table, range).await
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        let _noting = self.written.noting(&batch);
        let transaction = self.write(write::object_stores(&batch), durability)?;
        write::apply(transaction, batch, self.epoch.get()).await
    }
}
