//! Bundles: when they come, change and go, and what is read of damaged ones.

use futures_util::future::join;

use super::{
    super::{
        super::{Durability, Key, KeyRange, MemoryStore, Order, Store, Table, Write},
        Packed, block,
    },
    contents::Contents,
};
use crate::testing::{FailingStore, YieldingStore, block_on};

fn at(number: u32) -> Key {
    Key::new().u32(number)
}

/// Bytes of which twenty make a bundle.
fn put(number: u32) -> Write {
    Write::Put { table: Table::Bodies, key: at(number), value: vec![number as u8; 50_000] }
}

/// That each bundle has the rows that are in its contents, and more than one row of its own behind the
/// bundle before it; and that no row is stored twice. Returns how many rows are in bundles.
pub(in super::super) fn check(store: &MemoryStore) -> usize {
    let entries = |table| {
        block_on(store.scan(table, &KeyRange::all(), Order::Ascending, usize::MAX)).unwrap()
    };
    let mut before: Option<Key> = None;
    let mut bundled = Vec::new();
    let (bundles, contents) = (entries(Table::Bundles), entries(Table::Contents));
    assert_eq!(bundles.len(), contents.len());
    for ((last, bundle), (listed, contents)) in bundles.into_iter().zip(contents) {
        assert_eq!(last, listed);
        let (rows, is_whole) = block::decode(&bundle, &last);
        assert!(is_whole && rows.len() > 1 && bundle.len() < 3 << 20, "{last:?}");
        let contents = Contents::decode(last.clone(), &contents).expect("contents can be read");
        let keys: Vec<Key> = contents.rows.into_iter().map(|(key, _)| key).collect();
        assert!(before < keys.first().cloned(), "{last:?}");
        assert!(keys.iter().all(|key| rows.iter().any(|(own, _)| own == key)), "{last:?}");
        before = Some(last);
        bundled.extend(keys);
    }
    let alone = block_on(store.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert!(alone.iter().all(|key| !bundled.contains(key)));
    bundled.len()
}
#[test]
fn rows_of_an_earlier_version_stay_and_are_seen_beside_bundles() {
    let inner = MemoryStore::new();
    let earlier = (0..40).map(|number| put(2 * number));
    block_on(inner.apply(earlier.collect(), Durability::Strict)).unwrap();
    let packed = Packed::new(inner.clone());
    block_on(packed.take_lead()).unwrap();
    let short = Write::Put { table: Table::Bodies, key: at(4), value: vec![4] };
    let now = (0..40).map(|number| put(2 * number + 1)).chain([short]);
    block_on(packed.apply(now.collect(), Durability::Strict)).unwrap();
    assert!(check(&inner) > 30);
    let all = KeyRange::all();
    for (order, first) in [(Order::Ascending, 0), (Order::Descending, 79)] {
        let rows = block_on(packed.scan(Table::Bodies, &all, order, 50)).unwrap();
        assert_eq!(rows.len(), 50);
        for (step, (key, value)) in (0..).zip(rows) {
            let number = u32::abs_diff(first, step);
            let size = if number == 4 { 1 } else { 50_000 };
            assert_eq!((key, value), (at(number), vec![number as u8; size]));
        }
    }
    let gone = Write::DeleteRange { table: Table::Bodies, range: all.clone() };
    block_on(packed.apply(vec![gone], Durability::Strict)).unwrap();
    for table in [Table::Bodies, Table::Bundles, Table::Contents] {
        assert_eq!(block_on(inner.keys(table, &all)).unwrap(), []);
    }
}

/// A store with the bytes of messages 0 to 9 in one bundle, of which an entry of that table is cut off.
fn damaged(table: Table, length: usize) -> (MemoryStore, Packed<MemoryStore>) {
    let inner = MemoryStore::new();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply((0..10).map(put).collect(), Durability::Strict)).unwrap();
    let all = block_on(inner.scan(table, &KeyRange::all(), Order::Ascending, 9)).unwrap();
    let [(key, value)] = &all[..] else { panic!("not one bundle") };
    let damage = Write::Put { table, key: key.clone(), value: value[..length].to_vec() };
    block_on(inner.apply(vec![damage], Durability::Strict)).unwrap();
    (inner, packed)
}

#[test]
fn a_damaged_bundle_costs_the_rows_behind_the_damage_and_nothing_else() {
    let sizes = |packed: &Packed<MemoryStore>| {
        let all = KeyRange::all();
        let rows = block_on(packed.scan(Table::Bodies, &all, Order::Ascending, 99)).unwrap();
        let keys = block_on(packed.keys(Table::Bodies, &all)).unwrap();
        let values = block_on(packed.get_many(Table::Bodies, &keys)).unwrap();
        for ((row, key), value) in rows.iter().zip(&keys).zip(values) {
            assert_eq!((&row.0, Some(&row.1)), (key, value.as_ref()));
            assert_eq!(block_on(packed.get(Table::Bodies, key)).unwrap(), value);
        }
        rows.into_iter().map(|(_, value)| value.len()).collect::<Vec<_>>()
    };
    let (_, packed) = damaged(Table::Bundles, 120_000);
    let mut expected = [50_000, 50_000, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(sizes(&packed), expected);
    // It can be written to, and what is written is whole.
    let (table, key) = (Table::Bodies, at(5));
    let again = Write::Put { table, key, value: vec![5; 4_000] };
    block_on(packed.apply(vec![again], Durability::Strict)).unwrap();
    expected[5] = 4_000;
    assert_eq!(sizes(&packed), expected);

    // Where the contents are damaged, nothing is lost.
    let (inner, packed) = damaged(Table::Contents, 10);
    assert_eq!(sizes(&packed), [50_000; 10]);
    let gone = Write::Delete { table: Table::Bodies, key: at(9) };
    block_on(packed.apply(vec![gone], Durability::Strict)).unwrap();
    assert_eq!(sizes(&packed), [50_000; 9]);
    assert_eq!(check(&inner), 9);
}

#[test]
fn a_bundle_that_is_half_gone_is_written_anew_and_an_empty_one_goes() {
    let inner = FailingStore::default();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply((0..20).map(put).collect(), Durability::Strict)).unwrap();
    let stored = || {
        let all = KeyRange::all();
        let bundles = block_on(inner.scan(Table::Bundles, &all, Order::Ascending, 9)).unwrap();
        let rows = bundles.iter().map(|(_, bundle)| bundle.len() / 50_000).collect::<Vec<_>>();
        (rows, block_on(inner.keys(Table::Bodies, &all)).unwrap().len())
    };
    let expect = |bundles: &[usize], alone| (bundles.to_vec(), alone);
    assert_eq!(stored(), expect(&[20], 0));
    let remove = |numbers: std::ops::Range<u32>| {
        let gone = numbers.map(|number| Write::Delete { table: Table::Bodies, key: at(number) });
        block_on(packed.apply(gone.collect(), Durability::Relaxed)).unwrap();
        inner.durability.get()
    };
    assert_eq!(remove(10..20), Some(Durability::Relaxed));
    assert_eq!(stored(), expect(&[20], 0));
    assert_eq!(check(&inner.inner), 10);
    // What is left is written anew, as a file that must be there before the old one goes.
    assert_eq!(remove(0..1), Some(Durability::Strict));
    assert_eq!(stored(), expect(&[9], 0));
    assert_eq!(remove(1..6), Some(Durability::Strict));
    assert_eq!(stored(), expect(&[], 4), "too few for a bundle");
    assert_eq!(remove(0..10), Some(Durability::Relaxed));
    assert_eq!(stored(), expect(&[], 0));
}

#[test]
fn a_range_that_goes_takes_its_bundles_with_it_and_is_strict() {
    // A bundle has some twenty of them.
    for (range, durability) in [
        (0..100, Durability::Strict),
        (5..95, Durability::Strict),
        (2..4, Durability::Relaxed),
        (15..25, Durability::Strict),
        (200..300, Durability::Relaxed),
    ] {
        let inner = FailingStore::default();
        let packed = Packed::new(inner.clone());
        block_on(packed.apply((0..100).map(put).collect(), Durability::Strict)).unwrap();
        let (start, end) = (at(range.start), Some(at(range.end)));
        let gone = Write::DeleteRange { table: Table::Bodies, range: KeyRange { start, end } };
        block_on(packed.apply(vec![gone], Durability::Relaxed)).unwrap();
        assert_eq!(inner.durability.get(), Some(durability), "{range:?}");
        let left: Vec<Key> = (0..100).filter(|number| !range.contains(number)).map(at).collect();
        let keys = block_on(packed.keys(Table::Bodies, &KeyRange::all())).unwrap();
        assert_eq!(keys, left, "{range:?}");
        check(&inner.inner);
    }
}

#[test]
fn a_bundle_that_the_database_fails_to_read_holds_up_no_other() {
    let inner = FailingStore::default();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply((0..60).map(put).collect(), Durability::Strict)).unwrap();
    let bundles = block_on(inner.keys(Table::Bundles, &KeyRange::all())).unwrap();
    let [first, second, ..] = &bundles[..] else { panic!("{bundles:?}") };
    *inner.unreadable.borrow_mut() = Some((Table::Bundles, second.clone()));
    let is_lost = |key: &Key| key > first && key <= second;
    let all = KeyRange::all();
    let rows = block_on(packed.scan(Table::Bodies, &all, Order::Ascending, 99)).unwrap();
    assert_eq!(rows.len(), 60);
    for (key, value) in rows {
        assert_eq!(value.is_empty(), is_lost(&key));
        assert_eq!(block_on(packed.get(Table::Bodies, &key)).unwrap(), Some(value));
    }
    // Nothing of it is thrown away: it may be only now that it can't be read.
    let range = KeyRange { start: first.clone().bytes(&[0]), end: Some(second.clone()) };
    let gone = Write::DeleteRange { table: Table::Bodies, range };
    block_on(packed.apply(vec![gone], Durability::Strict)).unwrap();
    *inner.unreadable.borrow_mut() = None;
    let value = block_on(packed.get(Table::Bodies, second)).unwrap();
    assert_eq!(value.map(|value| value.len()), Some(50_000));
}

#[test]
fn a_row_can_go_where_there_is_no_room_to_write_anything_anew() {
    let inner = FailingStore::default();
    let packed = Packed::new(inner.clone());
    block_on(packed.apply((0..20).map(put).collect(), Durability::Strict)).unwrap();
    inner.left.set(Some(1));
    let gone = (0..11).map(|number| Write::Delete { table: Table::Bodies, key: at(number) });
    block_on(packed.apply(gone.collect(), Durability::Relaxed)).unwrap();
    assert_eq!(inner.left.get(), Some(0));
    assert_eq!(check(&inner.inner), 9);
    inner.left.set(None);
    let gone = Write::Delete { table: Table::Bodies, key: at(11) };
    block_on(packed.apply(vec![gone], Durability::Relaxed)).unwrap();
    let keys = block_on(packed.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert_eq!(keys, (12..20).map(at).collect::<Vec<_>>());
}

#[test]
fn messages_are_read_one_after_the_other_while_batches_come() {
    let packed = Packed::new(YieldingStore::default());
    block_on(packed.apply((0..100).map(put).collect(), Durability::Strict)).unwrap();
    let reading = async {
        for number in 0..100_u32 {
            let own = at(number);
            let value = packed.get(Table::Bodies, &own).await.unwrap();
            // It is whole, or it has gone.
            assert!(value.is_none_or(|value| value == vec![number as u8; 50_000]));
            let range = KeyRange::prefix(own);
            let rows = packed.scan(Table::Bodies, &range, Order::Ascending, 9).await.unwrap();
            assert!(rows.len() < 2 && rows.iter().all(|(_, value)| value.len() == 50_000));
        }
    };
    let batches = async {
        for number in (0..100).step_by(3) {
            let gone = Write::Delete { table: Table::Bodies, key: at(number) };
            packed.apply(vec![gone, put(1_000 + number)], Durability::Strict).await.unwrap();
        }
    };
    block_on(join(reading, batches));
    let keys = block_on(packed.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert_eq!(keys.len(), 100);
}
