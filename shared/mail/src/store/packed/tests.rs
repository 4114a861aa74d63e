//! Blocks against a store that has none.

use std::{cell::RefCell, collections::HashMap};

use futures_util::FutureExt;

use super::{super::conformance, *};
use crate::{store::MemoryStore, testing::block_on};

/// The tables of the property: two packed ones, so that they can't get into each other's way, and one
/// that goes through.
const TABLES: [Table; 3] = [Table::Messages, Table::Ledger, Table::Meta];

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
        TABLES[self.below(3) as usize]
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
                // Few make a block, so that there are many.
                let value = vec![self.below(256) as u8; self.below(9_000) as usize];
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
    let of_block = |(key, bytes): (Key, Vec<u8>)| (key, keys(block::decode(&bytes).unwrap()));
    let listed = |(key, bytes): (Key, Vec<u8>)| (key, block::decode_keys(&bytes).unwrap());
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
fn whatever_is_written_is_read_as_without_blocks() {
    for seed in 1..40 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let (model, inner) = (MemoryStore::new(), MemoryStore::new());
        let packed = Packed::new(inner.clone());
        for _ in 0..8 {
            let count = 1 + random.below(80);
            let batch: Vec<Write> = (0..count).map(|_| random.write()).collect();
            block_on(model.apply(batch.clone(), Durability::Relaxed)).unwrap();
            block_on(packed.apply(batch, Durability::Relaxed)).unwrap();
            let [blocks, directory] = stored_keys(&inner);
            assert_eq!(blocks, directory, "seed {seed}");
            for (key, keys) in &blocks {
                assert_eq!(key.0[1..], keys.last().unwrap().0[..], "seed {seed}");
            }
            for (found, expected) in read(&packed, seed).into_iter().zip(read(&model, seed)) {
                assert!(found == expected, "seed {seed}: {}", found.0);
            }
        }
    }
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

#[test]
fn a_damaged_block_is_told() {
    let inner = MemoryStore::new();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply(vec![put(1)], Durability::Strict)).unwrap();
    let [(key, _)] =
        &block_on(inner.scan(Table::Blocks, &KeyRange::all(), Order::Ascending, 9)).unwrap()[..]
    else {
        panic!("not one block");
    };
    let damage = Write::Put { table: Table::Blocks, key: key.clone(), value: vec![0, 0, 1] };
    block_on(inner.apply(vec![damage], Durability::Strict)).unwrap();
    let found = block_on(packed.get(Table::Messages, &Key::new().u32(1)));
    assert!(matches!(found, Err(StoreError::Damaged(_))), "{found:?}");
}
