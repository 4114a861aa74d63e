//! A store that keeps rows together: small ones in blocks, the bytes of messages in bundles.
//!
//! What a browser's database takes for an entry hardly depends on its size, so that a hundred rows in
//! one entry are written and read many times as fast as a hundred entries. The rows of
//! [`Table::Messages`] and [`Table::Arrival`] are kept so, whose keys come in order, and those of
//! [`Table::Ledger`], whose keys do at most servers; where they don't, a batch touches many blocks, but
//! a ledger has few. What [`bundles`] keeps together are the rows of [`Table::Bodies`] that come together.
//! All other tables are handed through.
//!
//! A block has some rows that follow each other, and stands in [`Table::Blocks`] under the number of
//! its table and its *last* key: the block of a key is the first that does not end before it. Its keys
//! alone stand in [`Table::Directory`] under the same key, for those that only want keys. Both are
//! [compressed](compress).
//!
//! **Crash points.** Blocks have none of their own: a batch comes to one batch of the store below, which
//! has the rows that were in the same blocks as well. It is made while no other batch is, and only
//! the leader writes (see [`super`]), so that nobody changes a block between its reading and its
//! writing; an earlier leader's batch is refused whole by the store below.
//!
//! **Damage.** Of a block that can't be read any more, the directory still knows the keys: its rows are
//! there with an empty value, which whoever looks at them finds damaged, as if they alone were. Of one
//! that is not compressed, the rows before the damage can be read. A batch that reaches the block writes
//! it anew with what is left.
//!
//! **One state.** A read that takes more than one look at the store below counts only if no batch
//! came in between; else it looks again. Readers wait for no reader, and for a batch only where
//! batches come one after the other.
//!
//! Rows that an earlier version stored one by one are taken into blocks when the lead is taken, some
//! at a time: each time they come into blocks and out of their old place in one batch, so that it can
//! stop anywhere and goes on the next time.

mod block;
mod bundles;
mod compress;
mod edit;
mod look;
mod rewrite;
mod table;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::uncompressed;

use std::{cell::Cell, rc::Rc};

use block::Row;
use bundles::{Look, Outcome};
use edit::Edits;
use futures_util::lock::Mutex;
use table::{PackedTable, after};

use super::{Durability, Key, KeyRange, Order, Store, StoreError, Table, Write, Written};

/// How many rows of an earlier version are taken into blocks at a time.
const ADOPTED: usize = 1_000;

/// How many sparse bundles are written anew after a batch.
const ANEW: usize = 8;

/// How often a read looks again before it keeps batches away.
const LOOKS: usize = 3;

/// A store that keeps some tables in blocks, over another. Nobody else may write to that one.
#[derive(Clone)]
pub struct Packed<S> {
    inner: S,
    shared: Rc<Shared>,
}

/// What all handles of one leader have in common.
#[derive(Default)]
struct Shared {
    /// Held from the reading of blocks until they are written anew.
    changing: Mutex<()>,
    /// Raised before and after each batch of blocks or bundles: odd while one is on its way.
    batches: Cell<u64>,
    /// The bundle that was read last.
    recent: bundles::Recent,
    /// The store below sees blocks and not what is in them.
    written: Written,
}

/// A batch of blocks that is on its way to the store below.
struct Batch<'a>(&'a Cell<u64>);

impl<'a> Batch<'a> {
    fn begin(batches: &'a Cell<u64>) -> Self {
        batches.set(batches.get() + 1);
        Self(batches)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

impl<S: Store> Packed<S> {
    /// Rows of an earlier version are seen once the lead has been taken.
    pub fn new(inner: S) -> Self {
        Self { inner, shared: Rc::default() }
    }

    /// Takes rows into blocks that stand one by one. Where there is little room left, few at a time.
    async fn adopt(&self) -> Result<(), StoreError> {
        for packed in PackedTable::ALL {
            let table = packed.table();
            let (mut rest, mut count) = (KeyRange::all(), ADOPTED);
            loop {
                let rows = self.inner.scan(table, &rest, Order::Ascending, count).await?;
                let Some((last, _)) = rows.last() else { break };
                let range = KeyRange { start: rest.start.clone(), end: Some(after(last)) };
                let behind = after(last);
                let removed = vec![Write::DeleteRange { table, range }];
                let put = |(key, value)| Write::Put { table, key, value };
                let edits = Edits::of(rows.into_iter().map(put).collect()).0;
                // It is done again if it is lost.
                match self.write(edits, removed, Durability::Relaxed).await {
                    Err(StoreError::QuotaExceeded) if count > 1 => count /= 2,
                    written => {
                        written?;
                        rest.start = behind;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what is to become of packed tables, and what goes through as it is.
    async fn write(
        &self,
        edits: Edits,
        mut others: Vec<Write>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let _changing = self.shared.changing.lock().await;
        let counts = !edits.is_empty();
        let Outcome { writes, durability, sparse } = edits.writes(&self.inner, durability).await?;
        others.extend(writes);
        let batch = counts.then(|| Batch::begin(&self.shared.batches));
        self.inner.apply(others, durability).await?;
        drop(batch);
        for bundle in sparse.iter().take(ANEW) {
            // The batch is written; this saves room, and where there is none it is for another time.
            let Ok(Some(writes)) = bundles::anew(&self.inner, bundle).await else { break };
            let _batch = Batch::begin(&self.shared.batches);
            if self.inner.apply(writes, Durability::Strict).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Looks until no batch came in between; waits for one that is on its way.
    async fn look<T>(
        &self,
        look: impl AsyncFn(&S) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..LOOKS {
            let before = self.shared.batches.get();
            if before % 2 == 1 {
                break;
            }
            let found = look(&self.inner).await;
            if self.shared.batches.get() == before {
                return found;
            }
        }
        let _changing = self.shared.changing.lock().await;
        look(&self.inner).await
    }

    /// Looks at the bytes of messages.
    async fn look_at_bodies<T>(
        &self,
        look: impl AsyncFn(Look<'_, S>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Shared { batches, recent, .. } = &*self.shared;
        self.look(async |inner| look(Look { inner, recent, batches: batches.get() }).await).await
    }
}

impl<S: Store> Store for Packed<S> {
    async fn take_lead(&self) -> Result<(), StoreError> {
        let changing = self.shared.changing.lock().await;
        self.inner.take_lead().await?;
        drop(changing);
        self.adopt().await
    }

    fn editing(&self) -> &Mutex<()> {
        self.inner.editing()
    }

    fn written(&self) -> &Written {
        &self.shared.written
    }

    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        match PackedTable::of(table) {
            Some(packed) => look::get(&self.inner, packed, key).await,
            None if table == Table::Bodies => {
                self.look_at_bodies(async |bodies| bodies.get(key).await).await
            }
            None => self.inner.get(table, key).await,
        }
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        match PackedTable::of(table) {
            Some(packed) => {
                self.look(async |inner| look::get_many(inner, packed, keys).await).await
            }
            None if table == Table::Bodies => {
                self.look_at_bodies(async |bodies| bodies.get_many(keys).await).await
            }
            None => self.inner.get_many(table, keys).await,
        }
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if limit == 0 || range.is_empty() {
            return Ok(Vec::new());
        }
        match PackedTable::of(table) {
            Some(packed) => {
                let look = async |inner: &S| match order {
                    Order::Ascending => look::scan_up(inner, packed, range, limit).await,
                    Order::Descending => look::scan_down(inner, packed, range, limit).await,
                };
                self.look(look).await
            }
            None if table == Table::Bodies => {
                self.look_at_bodies(async |bodies| bodies.scan(range, order, limit).await).await
            }
            None => self.inner.scan(table, range, order, limit).await,
        }
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        match PackedTable::of(table) {
            Some(packed) => self.look(async |inner| look::keys(inner, packed, range).await).await,
            None if table == Table::Bodies => {
                self.look_at_bodies(async |bodies| bodies.keys(range).await).await
            }
            None => self.inner.keys(table, range).await,
        }
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        let _noting = self.shared.written.noting(&batch);
        let (edits, others) = Edits::of(batch);
        self.write(edits, others, durability).await
    }
}
