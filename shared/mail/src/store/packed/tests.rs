//! Blocks and bundles against a store that has none.

use std::{cell::RefCell, collections::HashMap};

use futures_util::{FutureExt, future::join};

use super::{super::conformance, bundles::tests::check, *};
use crate::{
    store::MemoryStore,
    testing::{YieldingStore, block_on},
};

/// The tables of the property: those that are not kept row by row, so that they can't get into each
/// other's way, and one that goes through.
const TABLES: [Table; 5] =
    [Table::Messages, Table::Arrival, Table::Ledger, Table::Bodies, Table::Meta];

#[test]
fn blocks_do_what_every_store_must() {
    let databases = RefCell::new(HashMap::<String, MemoryStore>::new());
    let outcomes = conformance::run(async |name: &str| {
        Ok(Packed::new(databases.borrow_mut().entry(name.into()).or_default().clone()))
    });
    let outcomes = outcomes.now_or_never().expect("a store in memory never waits");
    let failed: Vec<_> = outcomes.iter().filter(|case| case.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Numbers without a pattern, the same each time: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn table(&mut self) -> Table {
        TABLES[self.below(TABLES.len() as u64) as usize]
    }

    /// Few, so that they meet; some are shorter than others.
    fn key(&mut self) -> Key {
        if self.below(5) > 0 {
            return Key::new().u32(self.below(600) as u32);
        }
        let length = self.below(3);
        Key((0..length).map(|_| self.below(3) as u8).collect())
    }

    fn range(&mut self) -> KeyRange {
        let start = self.key();
        let end = (self.below(4) > 0).then(|| self.key());
        KeyRange { start, end }
    }

    fn write(&mut self) -> Write {
        let table = self.table();
        match self.below(30) {
            0 => Write::DeleteRange { table, range: self.range() },
            1..6 => Write::Delete { table, key: self.key() },
            _ => {
                // Few make a block or a bundle, so that there are many.
                let most = if table == Table::Bodies { 120_000 } else { 9_000 };
                let value = vec![self.below(256) as u8; self.below(most) as usize];
                Write::Put { table, key: self.key(), value }
            }
        }
    }
}

/// Every key that a block or the directory has, under the key of the block: they must agree.
fn stored_keys(store: &MemoryStore) -> [Vec<(Key, Vec<Key>)>; 2] {
    let entries = |table| {
        block_on(store.scan(table, &KeyRange::all(), Order::Ascending, usize::MAX)).unwrap()
    };
    let keys = |rows: Vec<Row>| rows.into_iter().map(|(key, _)| key).collect();
    let of_block = |(key, bytes): (Key, Vec<u8>)| {
        let (rows, is_whole) = block::decode(&compress::unpack(bytes), &PackedTable::last(&key));
        assert!(is_whole);
        (key, keys(rows))
    };
    let listed = |(key, bytes): (Key, Vec<u8>)| {
        let (keys, is_whole) =
            block::decode_keys(&compress::unpack(bytes), &PackedTable::last(&key));
        assert!(is_whole);
        (key, keys)
    };
    [
        entries(Table::Blocks).into_iter().map(of_block).collect(),
        entries(Table::Directory).into_iter().map(listed).collect(),
    ]
}

/// What is read of tables, by a few keys and ranges: how it was asked for, and what came.
fn read(store: &impl Store, seed: u64) -> Vec<(String, Vec<Option<Row>>)> {
    let mut random = Random(seed);
    let mut found = Vec::new();
    for table in TABLES {
        let asked: Vec<Key> = (0..30).map(|_| random.key()).collect();
        let row = |value: Option<Vec<u8>>| value.map(|value| (Key::new(), value));
        for key in &asked {
            let value = block_on(store.get(table, key)).unwrap();
            found.push((format!("{key:?}"), vec![row(value)]));
        }
        let values = block_on(store.get_many(table, &asked)).unwrap();
        found.push((format!("{asked:?}"), values.into_iter().map(row).collect()));
        let mut ranges: Vec<KeyRange> = (0..6).map(|_| random.range()).collect();
        ranges.push(KeyRange::all());
        for range in ranges {
            let keys = block_on(store.keys(table, &range)).unwrap();
            let keys = keys.into_iter().map(|key| Some((key, Vec::new()))).collect();
            found.push((format!("keys of {range:?}"), keys));
            for order in [Order::Ascending, Order::Descending] {
                let limit = random.below(80) as usize;
                let rows = block_on(store.scan(table, &range, order, limit)).unwrap();
                let asked = format!("{limit} of {range:?}, {order:?}");
                found.push((asked, rows.into_iter().map(Some).collect()));
            }
        }
    }
    found
}

#[test]
fn whatever_is_written_is_read_as_without_blocks_and_bundles() {
    let mut bundled = 0;
    for seed in 1..40 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let (model, inner) = (MemoryStore::new(), MemoryStore::new());
        let packed = Packed::new(inner.clone());
        for _ in 0..8 {
            let count = 1 + random.below(80);
            let batch: Vec<Write> = (0..count).map(|_| random.write()).collect();
            let relaxed = random.below(4) == 0;
            let durability = if relaxed { Durability::Relaxed } else { Durability::Strict };
            block_on(model.apply(batch.clone(), durability)).unwrap();
            block_on(packed.apply(batch, durability)).unwrap();
            let [blocks, directory] = stored_keys(&inner);
            assert_eq!(blocks, directory, "seed {seed}");
            for (key, keys) in &blocks {
                assert_eq!(key.0[1..], keys.last().unwrap().0[..], "seed {seed}");
            }
            bundled += check(&inner);
            for (found, expected) in read(&packed, seed).into_iter().zip(read(&model, seed)) {
                assert!(found == expected, "seed {seed}: {}", found.0);
            }
        }
    }
    assert!(bundled > 1_000, "{bundled} rows in bundles");
}

fn put(number: u32) -> Write {
    Write::Put { table: Table::Messages, key: Key::new().u32(number), value: vec![1; 400] }
}

fn blocks_of(store: &MemoryStore) -> usize {
    block_on(store.keys(Table::Blocks, &KeyRange::all())).unwrap().len()
}

#[test]
fn blocks_stay_full_whichever_way_rows_come() {
    for numbers in [(0..4_000).collect::<Vec<u32>>(), (0..4_000).rev().collect()] {
        let inner = MemoryStore::new();
        let packed = Packed::new(inner.clone());
        for number in numbers {
            block_on(packed.apply(vec![put(number)], Durability::Relaxed)).unwrap();
        }
        // 80 fit into one; half of that is what is left where they are parted.
        assert!(blocks_of(&inner) <= 4_000 / 40 + 1, "{}", blocks_of(&inner));
    }
}

#[test]
fn rows_of_an_earlier_version_come_into_blocks_with_the_lead() {
    let inner = MemoryStore::new();
    let all = 0..2 * ADOPTED as u32 + 5;
    block_on(inner.apply(all.clone().map(put).collect(), Durability::Strict)).unwrap();
    // The last time it came no further than this.
    let packed = Packed::new(inner.clone());
    let again = Write::Delete { table: Table::Messages, key: Key::new().u32(3) };
    block_on(packed.apply(vec![put(3)], Durability::Strict)).unwrap();
    block_on(inner.apply(vec![again], Durability::Strict)).unwrap();

    block_on(packed.take_lead()).unwrap();
    let rows = block_on(inner.keys(Table::Messages, &KeyRange::all())).unwrap();
    assert!(rows.is_empty(), "{rows:?}");
    let rows = block_on(packed.keys(Table::Messages, &KeyRange::all())).unwrap();
    let expected: Vec<Key> = all.map(|number| Key::new().u32(number)).collect();
    assert!(rows == expected, "{} rows", rows.len());
}

/// A store with rows 0 to 9 in one block.
fn one_block() -> (MemoryStore, Packed<MemoryStore>) {
    let inner = MemoryStore::new();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply((0..10).map(put).collect(), Durability::Strict)).unwrap();
    (inner, packed)
}

/// Replaces the one entry of a table.
fn replace(store: &MemoryStore, table: Table, by: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let all = block_on(store.scan(table, &KeyRange::all(), Order::Ascending, 9)).unwrap();
    let [(key, value)] = &all[..] else { panic!("not one block") };
    let write = Write::Put { table, key: key.clone(), value: by(value.clone()) };
    block_on(store.apply(vec![write], Durability::Strict)).unwrap();
}

/// Has blocks stand as versions before 8 wrote them.
pub(crate) async fn uncompressed(inner: &MemoryStore) {
    for table in [Table::Blocks, Table::Directory] {
        let rows = inner.scan(table, &KeyRange::all(), Order::Ascending, usize::MAX).await.unwrap();
        let unpacked = |(key, value)| Write::Put { table, key, value: compress::unpack(value) };
        let batch = rows.into_iter().map(unpacked).collect();
        inner.apply(batch, Durability::Strict).await.unwrap();
    }
}

fn rows_of(packed: &Packed<MemoryStore>) -> Vec<(u32, usize)> {
    let all = KeyRange::all();
    let rows = block_on(packed.scan(Table::Messages, &all, Order::Ascending, 99)).unwrap();
    let keys = block_on(packed.keys(Table::Messages, &all)).unwrap();
    assert_eq!(rows.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), keys);
    let values = block_on(packed.get_many(Table::Messages, &keys)).unwrap();
    let number = |key: &Key| u32::from_be_bytes(key.0[..].try_into().unwrap());
    rows.into_iter()
        .zip(values)
        .map(|((key, row), value)| {
            assert_eq!(block_on(packed.get(Table::Messages, &key)).unwrap().as_ref(), Some(&row));
            assert_eq!(value, Some(row.clone()));
            (number(&key), row.len())
        })
        .collect()
}

#[test]
fn blocks_of_an_earlier_version_are_read_as_they_are() {
    let (inner, packed) = one_block();
    block_on(uncompressed(&inner));
    assert_eq!(rows_of(&packed), (0..10).map(|number| (number, 400)).collect::<Vec<_>>());
    block_on(packed.apply(vec![put(3), put(12)], Durability::Strict)).unwrap();
    let expected = (0..10).chain([12]).map(|number| (number, 400));
    assert_eq!(rows_of(&packed), expected.collect::<Vec<_>>());
}

#[test]
fn a_damaged_block_costs_its_rows_and_nothing_else() {
    let (inner, packed) = one_block();
    replace(&inner, Table::Blocks, |mut value| {
        value[20] ^= 1;
        value
    });
    // Of all there are the keys.
    assert_eq!(rows_of(&packed), (0..10).map(|number| (number, 0)).collect::<Vec<_>>());
    block_on(packed.apply(vec![put(3), put(12)], Durability::Strict)).unwrap();
    let expect = |number: u32| (number, if [3, 12].contains(&number) { 400 } else { 0 });
    assert_eq!(rows_of(&packed), (0..10).chain([12]).map(expect).collect::<Vec<_>>());
}

#[test]
fn damage_of_the_mark_of_what_is_compressed_costs_the_rows_of_a_block_and_nothing_else() {
    for (table, left) in [(Table::Blocks, 0), (Table::Directory, 400)] {
        for (at, bit) in (0..4).flat_map(|at| [1, 0x80].map(|bit| (at, bit))) {
            let (inner, packed) = one_block();
            replace(&inner, table, |mut value| {
                value[at] ^= bit;
                value
            });
            let all = (0..10).map(|number| (number, left));
            assert_eq!(rows_of(&packed), all.collect::<Vec<_>>(), "{table:?} {at} {bit}");
            block_on(packed.apply(vec![put(3), put(12)], Durability::Strict)).unwrap();
            let expect = |number: u32| (number, if [3, 12].contains(&number) { 400 } else { left });
            let all = (0..10).chain([12]).map(expect);
            assert_eq!(rows_of(&packed), all.collect::<Vec<_>>(), "{table:?} {at} {bit}");
        }
    }
}

#[test]
fn damage_of_a_block_that_is_not_compressed_costs_the_rows_behind_it_and_nothing_else() {
    // Two rows can be read, and of the others there are the keys.
    let (inner, packed) = one_block();
    replace(&inner, Table::Blocks, |value| compress::unpack(value)[..1_000].to_vec());
    let expect = |number: u32| (number, if number < 2 { 400 } else { 0 });
    assert_eq!(rows_of(&packed), (0..10).map(expect).collect::<Vec<_>>());
    // It can be written to, and what is written is whole.
    let range = KeyRange { start: Key::new(), end: Some(Key::new().u32(1)) };
    let gone = Write::DeleteRange { table: Table::Messages, range };
    block_on(packed.apply(vec![gone, put(3), put(12)], Durability::Strict)).unwrap();
    let expect = |number: u32| (number, if [1, 3, 12].contains(&number) { 400 } else { 0 });
    assert_eq!(rows_of(&packed), (1..10).chain([12]).map(expect).collect::<Vec<_>>());

    // Where the directory is damaged, nothing is lost.
    let (inner, packed) = one_block();
    replace(&inner, Table::Directory, |value| value[..10].to_vec());
    assert_eq!(rows_of(&packed), (0..10).map(|number| (number, 400)).collect::<Vec<_>>());
}

#[test]
fn a_read_during_batches_sees_one_state() {
    let packed = Packed::new(YieldingStore::default());
    block_on(packed.apply((0..12_000).map(put).collect(), Durability::Relaxed)).unwrap();
    let all = KeyRange::all();
    let scan = packed.scan(Table::Messages, &all, Order::Ascending, usize::MAX);
    let batches = async {
        for end in 1..40 {
            let range = KeyRange { start: Key::new(), end: Some(Key::new().u32(end * 100)) };
            let gone = Write::DeleteRange { table: Table::Messages, range };
            let marker = Write::Put {
                table: Table::Messages,
                key: Key::new().u32(12_000),
                value: end.to_be_bytes().to_vec(),
            };
            packed.apply(vec![gone, marker], Durability::Relaxed).await.unwrap();
        }
    };
    let (rows, ()) = block_on(join(scan, batches));
    let rows = rows.unwrap();
    let (last, first) = (rows.last().unwrap(), &rows[0].0);
    let gone = match &last.1[..] {
        marker if last.0 == Key::new().u32(12_000) => {
            u32::from_be_bytes(marker.try_into().unwrap()) * 100
        }
        _ => 0,
    };
    assert_eq!(*first, Key::new().u32(gone));
}
