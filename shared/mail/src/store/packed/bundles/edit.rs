//! What a batch does to the bytes of messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use super::{
    super::{
        super::{Durability, Key, KeyRange, Store, StoreError, Table, Write},
        block::{self, Row},
        edit::Edit,
        table::after,
    },
    contents::{Contents, Walk},
    look,
};

/// Bytes of a bundle, if its rows can be parted so.
const FULL: usize = 1 << 20;

/// Fewer bytes make no bundle: Chromium takes longer for a small file than for some entries.
const LEAST: usize = 256 * 1024;

/// The writes to the store below that a batch comes to.
pub(in super::super) struct Outcome {
    pub(in super::super) writes: Vec<Write>,
    /// How they have to be written.
    pub(in super::super) durability: Durability,
    /// The bundles of which less than half is left then.
    pub(in super::super) sparse: Vec<Contents>,
}

/// What a batch comes to.
pub(in super::super) async fn writes(
    inner: &impl Store,
    edit: Edit,
    mut durability: Durability,
) -> Result<Outcome, StoreError> {
    let Touched { bundles, ranges } = touched(inner, &edit).await?;
    let (mut gone, mut come, mut sparse) = (Vec::new(), Vec::new(), Vec::new());
    let remove = |table, range: &KeyRange| Write::DeleteRange { table, range: range.clone() };
    gone.extend(edit.removed.ranges().iter().map(|range| remove(Table::Bodies, range)));
    for range in &ranges {
        durability = Durability::Strict;
        gone.extend([Table::Bundles, Table::Contents].map(|table| remove(table, range)));
    }
    let Edit { removed, rows } = edit;
    for bundle in bundles {
        let left = bundle.left(|key| !removed.contains(key) && !rows.contains_key(key));
        if left.rows.is_empty() {
            durability = Durability::Strict;
            gone.extend(delete(&left));
        } else if left.rows.len() < bundle.rows.len() {
            let (table, key) = (Table::Contents, left.last.clone());
            come.push(Write::Put { table, key, value: left.encode() });
            sparse.extend(Some(left).filter(Contents::is_sparse));
        }
    }
    let mut puts: Vec<Row> = Vec::new();
    let alone = |key: &Key| Write::Delete { table: Table::Bodies, key: key.clone() };
    for (key, value) in rows {
        match value {
            Some(value) => puts.push((key, value)),
            None => gone.push(alone(&key)),
        }
    }
    let mut walk = Walk::new(inner);
    for rows in part(puts) {
        let is_bundle = durability == Durability::Strict
            && is_enough(&rows)
            && is_apart(&mut walk, &rows).await?;
        if is_bundle {
            let may_be_there = rows.iter().filter(|(key, _)| !removed.contains(key));
            gone.extend(may_be_there.map(|(key, _)| alone(key)));
        }
        come.extend(store(rows, is_bundle));
    }
    // All that goes before all that comes: the keys may be the same.
    gone.extend(come);
    Ok(Outcome { writes: gone, durability, sparse })
}

/// The writes, of a strict batch, that store what is left of a bundle anew; `None` if it can't be read
/// now.
pub(in super::super) async fn anew(
    inner: &impl Store,
    bundle: &Contents,
) -> Result<Option<Vec<Write>>, StoreError> {
    let Some(rows) = look::rows(inner, bundle).await? else { return Ok(None) };
    let mut writes: Vec<Write> = delete(bundle).into();
    let is_bundle = is_enough(&rows);
    writes.extend(store(rows, is_bundle));
    Ok(Some(writes))
}

fn delete(bundle: &Contents) -> [Write; 2] {
    [Table::Bundles, Table::Contents].map(|table| Write::Delete { table, key: bundle.last.clone() })
}

/// What a batch touches.
#[derive(Default)]
struct Touched {
    /// The bundles that may lose rows, but for those that lie in a range.
    bundles: Vec<Contents>,
    /// What of the ranges that go has bundles that go as a whole: they end in it and begin in it.
    ranges: Vec<KeyRange>,
}

async fn touched(inner: &impl Store, edit: &Edit) -> Result<Touched, StoreError> {
    let ranges = edit.removed.ranges();
    let starts: BTreeMap<&Key, &KeyRange> =
        ranges.iter().map(|range| (&range.start, range)).collect();
    let ends: BTreeSet<&Key> = ranges.iter().filter_map(|range| range.end.as_ref()).collect();
    let bounds = starts.keys().chain(&ends).copied();
    let keys: BTreeSet<&Key> = edit.rows.keys().chain(bounds).collect();
    let (mut touched, mut walk) = (Touched::default(), Walk::new(inner));
    for key in keys {
        let Some(bundle) = walk.home(key).await? else { break };
        let start = starts.get(key);
        if let Some(range) = start.filter(|range| range.contains(&bundle.last)) {
            // This one may begin before it.
            let rest = KeyRange { start: after(&bundle.last), end: range.end.clone() };
            touched.ranges.extend(Some(rest).filter(|rest| !rest.is_empty()));
        }
        let is_touched = start.is_some() || ends.contains(key) || bundle.has(key);
        let is_known = touched.bundles.last().is_some_and(|known| known.last == bundle.last);
        if is_touched && !is_known {
            touched.bundles.push(bundle.clone());
        }
    }
    Ok(touched)
}

/// Parts rows into bundles of much the same size.
fn part(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let total: usize = rows.iter().map(size).sum();
    let each = total.div_ceil(total.div_ceil(FULL).max(1));
    let (mut parts, mut part, mut held) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let size = size(&row);
        if held + size / 2 > each && !part.is_empty() {
            parts.push(mem::take(&mut part));
            held = 0;
        }
        held += size;
        part.push(row);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

fn is_enough(rows: &[Row]) -> bool {
    rows.len() > 1 && rows.iter().map(size).sum::<usize>() >= LEAST
}

fn size((_, value): &Row) -> usize {
    value.len()
}

/// Whether no bundle reaches between the first and the last of these rows. Rows must ascend.
async fn is_apart<S: Store>(walk: &mut Walk<'_, S>, rows: &[Row]) -> Result<bool, StoreError> {
    let [(first, _), .., (last, _)] = rows else { return Ok(false) };
    let home = walk.home(first).await?;
    Ok(home.is_none_or(|bundle| bundle.rows.first().is_some_and(|(begins, _)| begins > last)))
}

/// What stores rows: as a bundle, or each by itself.
fn store(rows: Vec<Row>, is_bundle: bool) -> Vec<Write> {
    match rows.last() {
        Some((last, _)) if is_bundle => {
            let last = last.clone();
            let put = |table, value| Write::Put { table, key: last.clone(), value };
            let contents = Contents::of(last.clone(), &rows).encode();
            vec![put(Table::Bundles, block::encode(&rows)), put(Table::Contents, contents)]
        }
        _ => {
            let put = |(key, value)| Write::Put { table: Table::Bodies, key, value };
            rows.into_iter().map(put).collect()
        }
    }
}
