//! What a batch does to the tables that are not kept row by row.

use std::collections::BTreeMap;

use super::{
    super::{Durability, Key, KeyRange, Store, StoreError, Table, Write},
    bundles::{self, Outcome},
    rewrite,
    table::PackedTable,
};

/// What a batch does to packed tables, and to the bytes of messages.
#[derive(Default)]
pub(super) struct Edits {
    packed: BTreeMap<PackedTable, Edit>,
    bodies: Option<Edit>,
}

/// What a batch does to one table: first all of `removed` goes, then each of `rows` is put or goes.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) removed: Removed,
    pub(super) rows: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Edits {
    /// What a batch does to those tables, and its other writes.
    pub(super) fn of(batch: Vec<Write>) -> (Self, Vec<Write>) {
        let mut edits = Self::default();
        let others = batch.into_iter().filter_map(|write| edits.take(write)).collect();
        for edit in edits.packed.values_mut().chain(&mut edits.bodies) {
            edit.removed.part();
        }
        (edits, others)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packed.is_empty() && self.bodies.is_none()
    }

    /// Takes a write, or gives it back if it is for another table.
    fn take(&mut self, write: Write) -> Option<Write> {
        let table = match &write {
            Write::Put { table, .. }
            | Write::Delete { table, .. }
            | Write::DeleteRange { table, .. } => *table,
        };
        let edit = match PackedTable::of(table) {
            Some(packed) => self.packed.entry(packed).or_default(),
            None if table == Table::Bodies => self.bodies.get_or_insert_default(),
            None => return Some(write),
        };
        let Edit { removed, rows } = edit;
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
                removed.0.push(range);
            }
        }
        None
    }

    /// The writes to the store below that do this.
    pub(super) async fn writes(
        self,
        inner: &impl Store,
        durability: Durability,
    ) -> Result<Outcome, StoreError> {
        let mut outcome = match self.bodies {
            Some(edit) => bundles::writes(inner, edit, durability).await?,
            None => Outcome { writes: Vec::new(), durability, sparse: Vec::new() },
        };
        for (table, edit) in self.packed {
            outcome.writes.extend(rewrite::writes(inner, table, edit).await?);
        }
        Ok(outcome)
    }
}

/// Ranges that go.
#[derive(Default)]
pub(super) struct Removed(Vec<KeyRange>);

impl Removed {
    /// Puts them in order, and makes one of those that meet.
    fn part(&mut self) {
        self.0.sort_unstable_by(|one, other| one.start.cmp(&other.start));
        let mut apart: Vec<KeyRange> = Vec::new();
        for range in self.0.drain(..) {
            match apart.last_mut() {
                Some(before) if before.end.as_ref().is_none_or(|end| *end >= range.start) => {
                    let ends = before.end.take().zip(range.end);
                    before.end = ends.map(|(one, other)| one.max(other));
                }
                _ => apart.push(range),
            }
        }
        self.0 = apart;
    }

    /// In order, and apart from each other.
    pub(super) fn ranges(&self) -> &[KeyRange] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        let behind = self.0.partition_point(|range| range.start <= *key);
        behind.checked_sub(1).is_some_and(|at| self.0[at].contains(key))
    }
}
