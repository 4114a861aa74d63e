//! Looking at blocks.

use std::{collections::BTreeMap, vec};

use super::{
    super::{Key, KeyRange, Order, Store, StoreError, Table},
    block::{self, Row},
    compress::unpack,
    table::{PackedTable, after},
};

/// How many blocks are read at once, at most.
const BLOCKS: usize = 16;

/// How many rows of a block are wanted, as a guess.
const ROWS: usize = 64;

/// A block as it is stored, but no longer compressed.
pub(super) struct Stored {
    table: PackedTable,
    /// Its last key.
    pub(super) last: Key,
    /// Empty if it was compressed and is damaged.
    bytes: Vec<u8>,
}

impl Stored {
    /// Its rows. Those that can't be read any more have an empty value if the directory knows of
    /// them: so they are told as damaged where they are looked at, and hold up nothing else.
    pub(super) async fn rows(&self, inner: &impl Store) -> Result<Vec<Row>, StoreError> {
        let (rows, is_whole) = block::decode(&self.bytes, &self.last);
        if is_whole {
            return Ok(rows);
        }
        let entry = inner.get(Table::Directory, &self.table.block(&self.last)).await?;
        let (keys, _) = block::decode_keys(&unpack(entry.unwrap_or_default()), &self.last);
        let mut all: BTreeMap<Key, Vec<u8>> =
            keys.into_iter().map(|key| (key, Vec::new())).collect();
        all.extend(rows);
        Ok(all.into_iter().collect())
    }

    /// The value of a key that would be in it.
    async fn value(&self, inner: &impl Store, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        if let Ok(found) = block::find(&self.bytes, key) {
            return Ok(found.map(<[u8]>::to_vec));
        }
        let rows = self.rows(inner).await?;
        let mut values = rows.into_iter().filter(|(own, _)| own == key).map(|(_, value)| value);
        Ok(values.next())
    }
}

/// A way from block to block, in the order of their keys.
pub(super) struct Walk<'a, S> {
    inner: &'a S,
    table: PackedTable,
    block: Option<Stored>,
    /// Blocks behind it that have been read already.
    next: vec::IntoIter<Stored>,
    /// How many blocks were read at once the last time.
    wanted: usize,
    /// Whether there is no block behind what has been read.
    is_over: bool,
}

impl<'a, S: Store> Walk<'a, S> {
    pub(super) fn new(inner: &'a S, table: PackedTable) -> Self {
        let next = Vec::new().into_iter();
        Self { inner, table, block: None, next, wanted: 0, is_over: false }
    }

    /// The block that has or would have a key, unless that is behind all there is. Keys must ascend.
    pub(super) async fn home(&mut self, key: &Key) -> Result<Option<&Stored>, StoreError> {
        let mut was_used = true;
        while !self.is_over && self.block.as_ref().is_none_or(|block| block.last < *key) {
            self.block = self.next.next();
            if self.block.is_none() {
                // Where each block was needed the next ones are too; else they would be in vain.
                self.wanted = if was_used { (2 * self.wanted).clamp(1, BLOCKS) } else { 1 };
                let (range, order) = (self.table.rest(key), Order::Ascending);
                let found = blocks(self.inner, self.table, range, order, self.wanted).await?;
                self.next = found.into_iter();
                self.block = self.next.next();
                // It lies behind all that there is, and so do the keys that follow.
                self.is_over = self.block.is_none();
            } else {
                was_used = self.block.as_ref().is_some_and(|block| block.last >= *key);
            }
        }
        Ok(self.block.as_ref())
    }
}

/// Up to so many blocks of a range of those.
pub(super) async fn blocks(
    inner: &impl Store,
    table: PackedTable,
    range: KeyRange,
    order: Order,
    count: usize,
) -> Result<Vec<Stored>, StoreError> {
    let found = inner.scan(Table::Blocks, &range, order, count).await?;
    let stored =
        |(key, bytes)| Stored { table, last: PackedTable::last(&key), bytes: unpack(bytes) };
    Ok(found.into_iter().map(stored).collect())
}

/// The block that has or would have a key, unless that is behind all there is.
pub(super) async fn home(
    inner: &impl Store,
    table: PackedTable,
    key: &Key,
) -> Result<Option<Stored>, StoreError> {
    Ok(blocks(inner, table, table.rest(key), Order::Ascending, 1).await?.pop())
}

pub(super) async fn get(
    inner: &impl Store,
    table: PackedTable,
    key: &Key,
) -> Result<Option<Vec<u8>>, StoreError> {
    match home(inner, table, key).await? {
        Some(block) => block.value(inner, key).await,
        None => Ok(None),
    }
}

pub(super) async fn get_many(
    inner: &impl Store,
    table: PackedTable,
    keys: &[Key],
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_unstable_by_key(|at| &keys[*at]);
    let mut values = vec![None; keys.len()];
    let mut walk = Walk::new(inner, table);
    for at in order {
        let Some(block) = walk.home(&keys[at]).await? else { break };
        values[at] = block.value(inner, &keys[at]).await?;
    }
    Ok(values)
}

pub(super) async fn scan_up(
    inner: &impl Store,
    table: PackedTable,
    range: &KeyRange,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let mut found = Vec::new();
    let mut from = range.start.clone();
    loop {
        let wanted = (limit - found.len()).div_ceil(ROWS).clamp(1, BLOCKS);
        let blocks = blocks(inner, table, table.rest(&from), Order::Ascending, wanted).await?;
        let is_end = blocks.len() < wanted;
        for block in blocks {
            let behind = after(&block.last);
            for row in block.rows(inner).await?.into_iter().filter(|(key, _)| *key >= from) {
                if !range.contains(&row.0) || found.len() == limit {
                    return Ok(found);
                }
                found.push(row);
            }
            from = behind;
        }
        if is_end || found.len() == limit {
            return Ok(found);
        }
    }
}

pub(super) async fn scan_down(
    inner: &impl Store,
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
    if let Some(end) = &end
        && let Some(block) = home(inner, table, end).await?
    {
        // It ends behind the range, and may begin in it.
        take(&mut found, block.rows(inner).await?);
    }
    while found.len() < limit {
        let wanted = (limit - found.len()).div_ceil(ROWS).clamp(1, BLOCKS);
        let below = table.range(&KeyRange { start: range.start.clone(), end });
        let blocks = blocks(inner, table, below, Order::Descending, wanted).await?;
        let is_end = blocks.len() < wanted;
        end = blocks.last().map(|block| block.last.clone());
        for block in blocks {
            take(&mut found, block.rows(inner).await?);
        }
        if is_end {
            break;
        }
    }
    Ok(found)
}

pub(super) async fn keys(
    inner: &impl Store,
    table: PackedTable,
    range: &KeyRange,
) -> Result<Vec<Key>, StoreError> {
    let (all, order) = (usize::MAX, Order::Ascending);
    let mut found = inner.scan(Table::Directory, &table.range(range), order, all).await?;
    if let Some(end) = &range.end {
        found.extend(inner.scan(Table::Directory, &table.rest(end), order, 1).await?);
    }
    let mut keys: Vec<Key> = Vec::new();
    for (block, entry) in found {
        let last = PackedTable::last(&block);
        let (mut own, is_whole) = block::decode_keys(&unpack(entry), &last);
        if !is_whole && let Some(block) = home(inner, table, &last).await? {
            own = block.rows(inner).await?.into_iter().map(|(key, _)| key).collect();
        }
        own.retain(|key| range.contains(key) && keys.last().is_none_or(|last| key > last));
        keys.extend(own);
    }
    Ok(keys)
}
