//! A store that keeps small rows together, in blocks.
//!
//! What a browser's database takes for an entry hardly depends on its size, so that a hundred rows in
//! one entry are written and read many times as fast as a hundred entries. The rows of
//! [`Table::Messages`], [`Table::Arrival`] and [`Table::Ledger`] are kept so; all other tables are
//! handed through.
//!
//! A block has some rows that follow each other, and stands in [`Table::Blocks`] under the number of
//! its table and its *last* key: the block of a key is the first that does not end before it. Its keys
//! alone stand in [`Table::Directory`] under the same key, for those that only want keys.
//!
//! **Crash points.** There is none of its own: a batch comes to one batch of the store below, which
//! has the rows that were in the same blocks as well. It is made while no other batch is, and only
//! the leader writes (see [`super`]), so that nobody changes a block between its reading and its
//! writing; an earlier leader's batch is refused whole by the store below.
//!
//! Rows that an earlier version stored one by one are taken into blocks when the lead is taken, some
//! at a time: each time they come into blocks and out of their old place in one batch, so that it can
//! stop anywhere and goes on the next time.

mod block;
mod edit;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use block::Row;
use edit::Edits;
use futures_util::lock::Mutex;

use super::{Durability, Key, KeyRange, Order, Store, StoreError, Table, Write, Written};

/// How many rows of an earlier version are taken into blocks at a time.
const ADOPTED: usize = 1_000;

/// How many blocks are read at once, at most.
const BLOCKS: usize = 16;

/// How many rows of a block are wanted, as a guess.
const ROWS: usize = 64;

/// A store that keeps some tables in blocks, over another. Nobody else may write to that one.
#[derive(Clone)]
pub struct Packed<S> {
    inner: S,
    /// Held while blocks are changed, and while more than one look is needed at them.
    changing: Rc<Mutex<()>>,
    /// The store below sees blocks and not what is in them.
    written: Rc<Written>,
}

impl<S: Store> Packed<S> {
    /// Rows of an earlier version are seen once the lead has been taken.
    pub fn new(inner: S) -> Self {
        Self { inner, changing: Rc::default(), written: Rc::default() }
    }

    /// The store below.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Takes rows into blocks that stand one by one.
    async fn adopt(&self) -> Result<(), StoreError> {
        for packed in PackedTable::ALL {
            let table = packed.table();
            loop {
                let all = KeyRange::all();
                let rows = self.inner.scan(table, &all, Order::Ascending, ADOPTED).await?;
                let Some((last, _)) = rows.last() else { break };
                let range = KeyRange { start: Key::new(), end: Some(after(last)) };
                let removed = vec![Write::DeleteRange { table, range }];
                let put = |(key, value)| Write::Put { table, key, value };
                let edits = Edits::of(rows.into_iter().map(put).collect()).0;
                self.write(edits, removed, Durability::Strict).await?;
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
        let _changing = self.changing.lock().await;
        others.extend(edits.writes(&self.inner).await?);
        self.inner.apply(others, durability).await
    }

    /// Up to so many blocks of a table, from the one that has or would have this key.
    async fn blocks(
        &self,
        table: PackedTable,
        from: &Key,
        count: usize,
    ) -> Result<Vec<(Key, Vec<Row>)>, StoreError> {
        blocks(&self.inner, table.rest(from), Order::Ascending, count).await
    }

    async fn scan_up(
        &self,
        table: PackedTable,
        range: &KeyRange,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        let mut from = range.start.clone();
        loop {
            let wanted = (limit - found.len()).div_ceil(ROWS).clamp(1, BLOCKS);
            let blocks = self.blocks(table, &from, wanted).await?;
            let is_end = blocks.len() < wanted;
            for (last, rows) in blocks {
                for row in rows.into_iter().filter(|(key, _)| *key >= range.start) {
                    if !range.contains(&row.0) || found.len() == limit {
                        return Ok(found);
                    }
                    found.push(row);
                }
                from = after(&last);
            }
            if is_end || found.len() == limit {
                return Ok(found);
            }
        }
    }

    async fn scan_down(
        &self,
        table: PackedTable,
        range: &KeyRange,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        let take = |found: &mut Vec<Row>, rows: Vec<Row>| {
            let inside = rows.into_iter().rev().filter(|(key, _)| range.contains(key));
            found.extend(inside.take(limit - found.len()));
        };
        let mut end = range.end.clone();
        if let Some(end) = &end {
            // The one that ends behind the range may begin in it.
            for (_, rows) in self.blocks(table, end, 1).await? {
                take(&mut found, rows);
            }
        }
        while found.len() < limit {
            let wanted = (limit - found.len()).div_ceil(ROWS).clamp(1, BLOCKS);
            let below = table.range(&KeyRange { start: range.start.clone(), end });
            let blocks = blocks(&self.inner, below, Order::Descending, wanted).await?;
            let is_end = blocks.len() < wanted;
            end = blocks.last().map(|(last, _)| last.clone());
            for (_, rows) in blocks {
                take(&mut found, rows);
            }
            if is_end {
                break;
            }
        }
        Ok(found)
    }
}

impl<S: Store> Store for Packed<S> {
    async fn take_lead(&self) -> Result<(), StoreError> {
        self.inner.take_lead().await?;
        self.adopt().await
    }

    fn editing(&self) -> &Mutex<()> {
        self.inner.editing()
    }

    fn written(&self) -> &Written {
        &self.written
    }

    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(packed) = PackedTable::of(table) else { return self.inner.get(table, key).await };
        let block = self.blocks(packed, key, 1).await?.pop();
        Ok(block.and_then(|(_, rows)| find(&rows, key)))
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let Some(packed) = PackedTable::of(table) else {
            return self.inner.get_many(table, keys).await;
        };
        let _changing = self.changing.lock().await;
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|at| &keys[*at]);
        let mut values = vec![None; keys.len()];
        let mut blocks = Vec::new().into_iter();
        let mut block: Option<(Key, Vec<Row>)> = None;
        // As many again as were needed so far.
        let mut wanted = 1;
        for at in order {
            let key = &keys[at];
            while block.as_ref().is_none_or(|(last, _)| last < key) {
                block = blocks.next();
                if block.is_none() {
                    blocks = self.blocks(packed, key, wanted).await?.into_iter();
                    wanted = (2 * wanted).min(BLOCKS);
                    block = blocks.next();
                    if block.is_none() {
                        // It lies behind all that there is, and so do the others.
                        return Ok(values);
                    }
                }
            }
            values[at] = block.as_ref().and_then(|(_, rows)| find(rows, key));
        }
        Ok(values)
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(packed) = PackedTable::of(table) else {
            return self.inner.scan(table, range, order, limit).await;
        };
        if limit == 0 || range.is_empty() {
            return Ok(Vec::new());
        }
        let _changing = self.changing.lock().await;
        match order {
            Order::Ascending => self.scan_up(packed, range, limit).await,
            Order::Descending => self.scan_down(packed, range, limit).await,
        }
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        let Some(packed) = PackedTable::of(table) else {
            return self.inner.keys(table, range).await;
        };
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let _changing = self.changing.lock().await;
        let (all, order) = (usize::MAX, Order::Ascending);
        let own = packed.range(range);
        let mut found = self.inner.scan(Table::Directory, &own, order, all).await?;
        if let Some(end) = &range.end {
            let rest = packed.rest(end);
            found.extend(self.inner.scan(Table::Directory, &rest, order, 1).await?);
        }
        let mut keys = Vec::new();
        for (_, entry) in found {
            let own = block::decode_keys(&entry)?;
            keys.extend(own.into_iter().filter(|key| range.contains(key)));
        }
        Ok(keys)
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        let _noting = self.written.noting(&batch);
        let (edits, others) = Edits::of(batch);
        if edits.is_empty() {
            return self.inner.apply(others, durability).await;
        }
        self.write(edits, others, durability).await
    }
}

/// A table that is kept in blocks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum PackedTable {
    Messages,
    Arrival,
    Ledger,
}

impl PackedTable {
    const ALL: [Self; 3] = [Self::Messages, Self::Arrival, Self::Ledger];

    fn of(table: Table) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.table() == table)
    }

    fn table(self) -> Table {
        match self {
            Self::Messages => Table::Messages,
            Self::Arrival => Table::Arrival,
            Self::Ledger => Table::Ledger,
        }
    }

    /// Its number in the keys of blocks. Stored: never change it.
    fn number(self) -> u8 {
        match self {
            Self::Messages => 1,
            Self::Arrival => 2,
            Self::Ledger => 3,
        }
    }

    /// The key of the block that ends with this key.
    fn block(self, last: &Key) -> Key {
        Key::new().bytes(&[self.number()]).bytes(&last.0)
    }

    /// The blocks that end in this range.
    fn range(self, KeyRange { start, end }: &KeyRange) -> KeyRange {
        let behind = || Key::new().bytes(&[self.number() + 1]);
        let end = end.as_ref().map_or_else(behind, |end| self.block(end));
        KeyRange { start: self.block(start), end: Some(end) }
    }

    /// The blocks that don't end before this key.
    fn rest(self, start: &Key) -> KeyRange {
        self.range(&KeyRange { start: start.clone(), end: None })
    }
}

/// Blocks of the store below, each with its last key.
async fn blocks(
    inner: &impl Store,
    range: KeyRange,
    order: Order,
    count: usize,
) -> Result<Vec<(Key, Vec<Row>)>, StoreError> {
    let found = inner.scan(Table::Blocks, &range, order, count).await?;
    let block = |(key, rows): (Key, Vec<u8>)| {
        // The first byte is the table's number.
        Ok((Key(key.0[1..].to_vec()), block::decode(&rows)?))
    };
    found.into_iter().map(block).collect()
}

fn find(rows: &[Row], key: &Key) -> Option<Vec<u8>> {
    let at = rows.binary_search_by(|(own, _)| own.cmp(key)).ok()?;
    Some(rows[at].1.clone())
}

/// The next key that there can be.
fn after(key: &Key) -> Key {
    key.clone().bytes(&[0])
}
