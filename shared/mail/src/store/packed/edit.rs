//! What a batch does to blocks.

use std::collections::BTreeMap;

use super::{
    super::{Key, KeyRange, Order, Store, StoreError, Table, Write},
    block::{self, Row},
    look::{self, Walk},
    table::PackedTable,
};

/// What a batch does to packed tables.
#[derive(Default)]
pub(super) struct Edits(BTreeMap<PackedTable, Edit>);

/// What a batch does to one table: first all of `removed` goes, then each of `rows` is put or goes.
#[derive(Default)]
struct Edit {
    removed: Vec<KeyRange>,
    rows: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Edits {
    /// What a batch does to packed tables, and its other writes.
    pub(super) fn of(batch: Vec<Write>) -> (Self, Vec<Write>) {
        let mut edits = Self::default();
        let others = batch.into_iter().filter_map(|write| edits.take(write)).collect();
        (edits, others)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a write, or gives it back if it is for another table.
    fn take(&mut self, write: Write) -> Option<Write> {
        let table = match &write {
            Write::Put { table, .. }
            | Write::Delete { table, .. }
            | Write::DeleteRange { table, .. } => *table,
        };
        let Some(packed) = PackedTable::of(table) else { return Some(write) };
        let Edit { removed, rows } = self.0.entry(packed).or_default();
        match write {
            Write::Put { key, value, .. } => {
                rows.insert(key, Some(value));
            }
            Write::Delete { key, .. } => {
                rows.insert(key, None);
            }
            Write::DeleteRange { range, .. } if range.is_empty() => {}
            Write::DeleteRange { range, .. } => {
                rows.retain(|key, _| !range.contains(key));
                removed.push(range);
            }
        }
        None
    }

    /// The writes to the store below that do this.
    pub(super) async fn writes(self, inner: &impl Store) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        for (table, Edit { removed, rows }) in self.0 {
            let removed = Removed::of(removed);
            let mut open = Open::new(inner, table, &removed);
            for range in &removed.0 {
                // Blocks that end in it go as they are; those at its ends may reach out of it.
                open.home(&range.start).await?;
                if let Some(end) = &range.end {
                    open.home(end).await?;
                }
            }
            open.walk = Walk::new(inner, table);
            for (key, value) in rows {
                let home = open.home(&key).await?;
                open.blocks[home].set(key, value);
            }
            let blocks = open.blocks;
            for range in &removed.0 {
                let range = table.range(range);
                for table in [Table::Blocks, Table::Directory] {
                    writes.push(Write::DeleteRange { table, range: range.clone() });
                }
            }
            // All that goes before all that comes: the keys may be the same.
            let (gone, come): (Vec<_>, Vec<_>) = blocks
                .into_iter()
                .filter(|block| block.changed)
                .map(|block| block.writes(table, !removed.0.is_empty()))
                .unzip();
            writes.extend(gone.into_iter().chain(come).flatten());
        }
        Ok(writes)
    }
}

/// Ranges that go: in order, and apart from each other.
struct Removed(Vec<KeyRange>);

impl Removed {
    fn of(mut ranges: Vec<KeyRange>) -> Self {
        ranges.sort_unstable_by(|one, other| one.start.cmp(&other.start));
        let mut apart: Vec<KeyRange> = Vec::new();
        for range in ranges {
            match apart.last_mut() {
                Some(before) if before.end.as_ref().is_none_or(|end| *end >= range.start) => {
                    let ends = before.end.take().zip(range.end);
                    before.end = ends.map(|(one, other)| one.max(other));
                }
                _ => apart.push(range),
            }
        }
        Self(apart)
    }

    fn contains(&self, key: &Key) -> bool {
        let behind = self.0.partition_point(|range| range.start <= *key);
        behind.checked_sub(1).is_some_and(|at| self.0[at].contains(key))
    }
}

/// The blocks of a table that are about to change.
struct Open<'a, S> {
    inner: &'a S,
    table: PackedTable,
    /// Rows that go, whichever block they are in.
    removed: &'a Removed,
    /// Where it is looked for the next one.
    walk: Walk<'a, S>,
    blocks: Vec<Block>,
    /// The one that was asked for last.
    current: usize,
}

impl<'a, S: Store> Open<'a, S> {
    fn new(inner: &'a S, table: PackedTable, removed: &'a Removed) -> Self {
        let walk = Walk::new(inner, table);
        Self { inner, table, removed, walk, blocks: Vec::new(), current: 0 }
    }

    /// Opens the block that has or would have a key, none of which comes before those of this walk;
    /// returns its place among those that are open.
    async fn home(&mut self, key: &Key) -> Result<usize, StoreError> {
        if self.blocks.get(self.current).is_some_and(|block| block.is_home_of(key)) {
            return Ok(self.current);
        }
        let behind_all;
        let found = self.walk.home(key).await?;
        let is_last = found.is_none();
        let found = match found {
            Some(found) => Some(found),
            None => {
                let before = KeyRange { start: Key::new(), end: Some(key.clone()) };
                let (before, order) = (self.table.range(&before), Order::Descending);
                behind_all = look::blocks(self.inner, self.table, before, order, 1).await?.pop();
                behind_all.as_ref()
            }
        };
        let stored = found.map(|block| block.last.clone());
        let known = self.blocks.iter().position(|block| block.stored == stored);
        self.current = known.unwrap_or(self.blocks.len());
        match known {
            Some(known) => {
                let block = &mut self.blocks[known];
                block.from = key.clone().min(block.from.clone());
                block.is_last |= is_last;
            }
            None => {
                let rows = match found {
                    Some(block) => block.rows(self.inner).await?,
                    None => Vec::new(),
                };
                self.blocks.push(Block::new(stored, key.clone(), is_last, rows, self.removed));
            }
        }
        Ok(self.current)
    }
}

/// A block that is about to change.
struct Block {
    /// The last key of what is stored, under which it is; `None` if the table is empty.
    stored: Option<Key>,
    /// The keys that are stored, as the directory has them.
    keys: Vec<u8>,
    /// From here to its end, all keys belong to it.
    from: Key,
    /// Whether keys behind its end belong to it as well.
    is_last: bool,
    rows: BTreeMap<Key, Vec<u8>>,
    changed: bool,
}

impl Block {
    fn new(
        stored: Option<Key>,
        from: Key,
        is_last: bool,
        rows: Vec<Row>,
        removed: &Removed,
    ) -> Self {
        let (keys, count) = (block::encode_keys(&rows), rows.len());
        let stays = |(key, _): &Row| !removed.contains(key);
        let rows: BTreeMap<_, _> = rows.into_iter().filter(stays).collect();
        let changed = rows.len() != count;
        Self { stored, keys, from, is_last, rows, changed }
    }

    fn is_home_of(&self, key: &Key) -> bool {
        let reaches = || self.stored.as_ref().is_some_and(|last| key <= last);
        self.from <= *key && (self.is_last || reaches())
    }

    fn set(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.changed |= match value {
            Some(value) => self.rows.insert(key, value.clone()).as_ref() != Some(&value),
            None => self.rows.remove(&key).is_some(),
        };
    }

    /// What removes it as it is stored, and what stores it anew. With `anew`, nothing of it may be
    /// there any more, even where its keys are the same.
    fn writes(self, table: PackedTable, anew: bool) -> (Vec<Write>, Vec<Write>) {
        let both = [Table::Blocks, Table::Directory];
        let gone = self.stored.iter().flat_map(|last| {
            let key = table.block(last);
            both.map(|table| Write::Delete { table, key: key.clone() })
        });
        let parts = block::part(self.rows.into_iter().collect());
        let is_same = match &parts[..] {
            [only] => !anew && block::encode_keys(only) == self.keys,
            _ => false,
        };
        let come = parts.iter().filter_map(|rows| {
            let key = table.block(&rows.last()?.0);
            let put = |own, value| Write::Put { table: own, key: key.clone(), value };
            let directory = || put(Table::Directory, block::encode_keys(rows));
            Some((put(Table::Blocks, block::encode(rows)), (!is_same).then(directory)))
        });
        let come = come.flat_map(|(block, keys)| [Some(block), keys]).flatten().collect();
        // Of a block with the same keys the new values take the place of the old ones.
        (if is_same { Vec::new() } else { gone.collect() }, come)
    }
}
