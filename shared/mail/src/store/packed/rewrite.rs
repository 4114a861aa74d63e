//! Blocks that a batch changes: opened once each, and written anew.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    super::{Key, KeyRange, Order, Store, StoreError, Table, Write},
    block::{self, Row},
    compress::pack,
    edit::{Edit, Removed},
    look::{self, Walk},
    table::PackedTable,
};

/// The writes to the store below that do to a packed table what a batch does.
pub(super) async fn writes(
    inner: &impl Store,
    table: PackedTable,
    Edit { removed, rows }: Edit,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    let mut open = Open::new(inner, table, &removed);
    for range in removed.ranges() {
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
    for range in removed.ranges() {
        let range = table.range(range);
        for table in [Table::Blocks, Table::Directory] {
            writes.push(Write::DeleteRange { table, range: range.clone() });
        }
    }
    // All that goes before all that comes: the keys may be the same.
    let (gone, come): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .filter(|block| block.changed)
        .map(|block| block.writes(table, !removed.is_empty()))
        .unzip();
    writes.extend(gone.into_iter().chain(come).flatten());
    Ok(writes)
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
        self.changed |= match (self.rows.entry(key), value) {
            (Entry::Occupied(row), Some(value)) if *row.get() == value => false,
            (row, Some(value)) => {
                row.insert_entry(value);
                true
            }
            (Entry::Occupied(row), None) => {
                row.remove();
                true
            }
            (Entry::Vacant(_), None) => false,
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
            let directory = || put(Table::Directory, pack(block::encode_keys(rows)));
            Some((put(Table::Blocks, pack(block::encode(rows))), (!is_same).then(directory)))
        });
        let come = come.flat_map(|(block, keys)| [Some(block), keys]).flatten().collect();
        // Of a block with the same keys the new values take the place of the old ones.
        (if is_same { Vec::new() } else { gone.collect() }, come)
    }
}
