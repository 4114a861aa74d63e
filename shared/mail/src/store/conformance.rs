//! What every store must do; the in-memory and the IndexedDB store run it, with blocks and without.
//!
//! The cases return what they found instead of panicking, so that a worker can tell the results to
//! its page.

use std::{
    fmt::{Debug, Display},
    panic::Location,
};

use postern_bridge::{MailboxId, MessageId};

use super::{
    Changed,
    Durability::{Relaxed, Strict},
    Key, KeyRange,
    Order::{Ascending, Descending},
    Store, StoreError,
    Table::{self, Arrival, Bodies, Ledger, Messages, Meta},
    Write,
};
use crate::record;

/// What came of one case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The case; says what must hold.
    pub name: &'static str,
    /// What was found instead, and where; `None` if all is well.
    pub failure: Option<String>,
}

/// Runs every case, each on a database of its own.
///
/// `open` opens a handle to the database of the given name, creating it at first; several handles
/// of one name see the same entries.
pub async fn run<S: Store>(open: impl AsyncFn(&str) -> Result<S, StoreError>) -> Vec<Outcome> {
    macro_rules! outcomes {
        ($($case:ident),* $(,)?) => {
            vec![$({
                let name = stringify!($case);
                let found = $case(async || open(name).await).await;
                Outcome { name, failure: found.err().map(|failure| failure.0) }
            }),*]
        };
    }
    outcomes![
        a_value_is_read_back,
        a_missing_value_is_none,
        an_empty_value_is_a_value,
        an_empty_key_is_the_first_key,
        a_second_put_replaces_the_first,
        tables_are_apart,
        a_value_of_three_megabytes_is_read_back,
        keys_are_ordered_byte_by_byte,
        a_range_has_its_start_but_not_its_end,
        an_empty_range_has_nothing,
        a_prefix_that_ends_in_ff_is_a_range,
        a_scan_goes_both_ways,
        a_scan_stops_at_its_limit,
        a_long_scan_misses_nothing,
        many_values_come_in_the_order_asked,
        a_batch_is_written_in_its_order,
        a_batch_reaches_several_tables,
        a_range_is_deleted_and_no_more,
        deleting_what_is_not_there_is_fine,
        an_empty_batch_is_fine,
        what_a_batch_writes_of_messages_is_noted,
        entries_outlive_their_handle,
        an_earlier_leader_writes_nothing,
        an_earlier_leader_can_still_read,
        the_last_to_take_the_lead_leads,
    ]
}

/// What a case found instead of what it expected.
struct Failure(String);

impl From<StoreError> for Failure {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        failure(error)
    }
}

type Found = Result<(), Failure>;

#[track_caller]
fn failure(found: impl Display) -> Failure {
    let place = Location::caller();
    Failure(format!("{found} (line {})", place.line()))
}

#[track_caller]
fn same<T: Debug + PartialEq>(found: T, expected: T) -> Found {
    if found == expected {
        Ok(())
    } else {
        Err(failure(format_args!("found {found:?} instead of {expected:?}")))
    }
}

fn key(bytes: &[u8]) -> Key {
    Key(bytes.to_vec())
}

fn range(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange { start: key(start), end: Some(key(end)) }
}

fn put(table: Table, name: &[u8], value: &[u8]) -> Write {
    Write::Put { table, key: key(name), value: value.to_vec() }
}

/// Entries whose value is their key.
fn named(table: Table, names: &[&[u8]]) -> Vec<Write> {
    names.iter().map(|name| put(table, name, name)).collect()
}

async fn keys(store: &impl Store, table: Table, range: &KeyRange) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(store.keys(table, range).await?.into_iter().map(|key| key.0).collect())
}

async fn a_value_is_read_back<S: Store>(open: impl AsyncFn() -> Result<S, StoreError>) -> Found {
    let store = open().await?;
    for durability in [Relaxed, Strict] {
        let value = format!("{durability:?}").into_bytes();
        store.apply(vec![put(Messages, b"k", &value)], durability).await?;
        same(store.get(Messages, &key(b"k")).await?, Some(value))?;
    }
    Ok(())
}

async fn a_missing_value_is_none<S: Store>(open: impl AsyncFn() -> Result<S, StoreError>) -> Found {
    let store = open().await?;
    for table in Table::ALL {
        same(store.get(table, &key(b"k")).await?, None)?;
        same(store.scan(table, &KeyRange::all(), Ascending, 10).await?, vec![])?;
        same(store.scan(table, &KeyRange::all(), Descending, 10).await?, vec![])?;
        same(store.keys(table, &KeyRange::all()).await?, vec![])?;
    }
    Ok(())
}

async fn an_empty_value_is_a_value<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(vec![put(Arrival, b"k", b"")], Relaxed).await?;
    same(store.get(Arrival, &key(b"k")).await?, Some(vec![]))?;
    let entries = store.scan(Arrival, &KeyRange::all(), Ascending, 10).await?;
    same(entries, vec![(key(b"k"), vec![])])
}

async fn an_empty_key_is_the_first_key<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Meta, &[b"\x00", b""]), Relaxed).await?;
    same(keys(&store, Meta, &KeyRange::all()).await?, vec![vec![], vec![0]])
}

async fn a_second_put_replaces_the_first<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(vec![put(Messages, b"k", b"longer")], Relaxed).await?;
    store.apply(vec![put(Messages, b"k", b"new")], Relaxed).await?;
    same(store.get(Messages, &key(b"k")).await?, Some(b"new".to_vec()))
}

async fn tables_are_apart<S: Store>(open: impl AsyncFn() -> Result<S, StoreError>) -> Found {
    let store = open().await?;
    for table in Table::ALL {
        store.apply(vec![put(table, b"k", table.name().as_bytes())], Relaxed).await?;
    }
    for table in Table::ALL {
        let name = table.name().as_bytes().to_vec();
        same(store.get(table, &key(b"k")).await?, Some(name))?;
        same(store.keys(table, &KeyRange::all()).await?.len(), 1)?;
    }
    Ok(())
}

async fn a_value_of_three_megabytes_is_read_back<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let value: Vec<u8> = (0_u32..3_000_000).map(|n| (n % 251) as u8).collect();
    store.apply(vec![put(Bodies, b"k", &value)], Strict).await?;
    let found = store.get(Bodies, &key(b"k")).await?;
    same(found.as_ref().map(Vec::len), Some(value.len()))?;
    same(found == Some(value), true)
}

async fn keys_are_ordered_byte_by_byte<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let names: &[&[u8]] =
        &[b"\xFF\xFF", b"a", b"\x80", b"\xFF", b"a\x00", b"\x7F", b"ab", b"\x00\xFF", b"\x00"];
    store.apply(named(Messages, names), Relaxed).await?;
    let mut sorted: Vec<_> = names.iter().map(|name| name.to_vec()).collect();
    sorted.sort();
    same(keys(&store, Messages, &KeyRange::all()).await?, sorted)?;

    let numbers = [i64::MIN, -1, 0, 1, i64::MAX].map(|number| Key::new().i64(number));
    let batch = numbers.iter().rev().map(|key| put(Arrival, &key.0, b"")).collect();
    store.apply(batch, Relaxed).await?;
    same(store.keys(Arrival, &KeyRange::all()).await?, numbers.to_vec())
}

async fn a_range_has_its_start_but_not_its_end<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c", b"d"]), Relaxed).await?;
    let found = [b"b".to_vec(), b"c".to_vec()];
    same(keys(&store, Messages, &range(b"b", b"d")).await?, found.to_vec())?;
    let entries = found.map(|name| (Key(name.clone()), name)).to_vec();
    same(store.scan(Messages, &range(b"b", b"d"), Ascending, 10).await?, entries)?;
    let open_ended = KeyRange { start: key(b"c"), end: None };
    same(keys(&store, Messages, &open_ended).await?, vec![b"c".to_vec(), b"d".to_vec()])
}

async fn an_empty_range_has_nothing<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c"]), Relaxed).await?;
    for range in [range(b"b", b"b"), range(b"c", b"a"), range(b"", b"")] {
        same(store.keys(Messages, &range).await?, vec![])?;
        same(store.scan(Messages, &range, Ascending, 10).await?, vec![])?;
        same(store.scan(Messages, &range, Descending, 10).await?, vec![])?;
        store.apply(vec![Write::DeleteRange { table: Messages, range }], Relaxed).await?;
    }
    same(store.keys(Messages, &KeyRange::all()).await?.len(), 3)
}

async fn a_prefix_that_ends_in_ff_is_a_range<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let names: &[&[u8]] =
        &[b"a", b"a\xFE\xFF", b"a\xFF", b"a\xFF\xFF", b"b", b"\xFF", b"\xFF\xFF", b"\xFF\xFFz"];
    store.apply(named(Messages, names), Relaxed).await?;
    for (prefix, expected) in [
        (&b"a"[..], &names[..4]),
        (b"a\xFF", &names[2..4]),
        (b"\xFF", &names[5..]),
        (b"\xFF\xFF", &names[6..]),
        (b"c", &[]),
        (b"", names),
    ] {
        let found = keys(&store, Messages, &KeyRange::prefix(key(prefix))).await?;
        same(found, expected.iter().map(|name| name.to_vec()).collect())?;
    }
    Ok(())
}

async fn a_scan_goes_both_ways<S: Store>(open: impl AsyncFn() -> Result<S, StoreError>) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c", b"d"]), Relaxed).await?;
    let mut entries: Vec<_> = [b"a", b"b", b"c"].map(|n| (key(n), n.to_vec())).to_vec();
    same(store.scan(Messages, &range(b"a", b"d"), Ascending, 10).await?, entries.clone())?;
    entries.reverse();
    same(store.scan(Messages, &range(b"a", b"d"), Descending, 10).await?, entries)
}

async fn a_scan_stops_at_its_limit<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c", b"d"]), Relaxed).await?;
    for (order, limit, expected) in [
        (Ascending, 0, &b""[..]),
        (Ascending, 2, b"ab"),
        (Ascending, 4, b"abcd"),
        (Ascending, usize::MAX, b"abcd"),
        (Descending, 0, b""),
        (Descending, 3, b"dcb"),
        (Descending, usize::MAX, b"dcba"),
    ] {
        let entries = store.scan(Messages, &KeyRange::all(), order, limit).await?;
        same(entries.into_iter().flat_map(|(key, _)| key.0).collect(), expected.to_vec())?;
    }
    Ok(())
}

async fn a_long_scan_misses_nothing<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    const ENTRIES: u32 = 2_500;
    let store = open().await?;
    let entries: Vec<_> =
        (0..ENTRIES).map(|number| (Key::new().u32(number), number.to_le_bytes())).collect();
    let batch = entries.iter().map(|(key, value)| put(Messages, &key.0, value)).collect();
    store.apply(batch, Relaxed).await?;
    let mut expected: Vec<_> =
        entries.into_iter().map(|(key, value)| (key, value.to_vec())).collect();
    let all = KeyRange::all();
    same(store.scan(Messages, &all, Ascending, usize::MAX).await? == expected, true)?;
    same(store.keys(Messages, &all).await?.len(), expected.len())?;
    expected.reverse();
    same(store.scan(Messages, &all, Descending, usize::MAX).await? == expected, true)
}

async fn many_values_come_in_the_order_asked<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c"]), Relaxed).await?;
    let asked = [key(b"c"), key(b"x"), key(b"a"), key(b"c")];
    let expected = asked.iter().map(|key| (key.0 != b"x").then(|| key.0.clone())).collect();
    same(store.get_many(Messages, &asked).await?, expected)?;
    same(store.get_many(Messages, &[]).await?, vec![])
}

async fn a_batch_is_written_in_its_order<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let batch = vec![
        put(Messages, b"a", b"1"),
        put(Messages, b"a", b"2"),
        put(Messages, b"b", b"1"),
        Write::Delete { table: Messages, key: key(b"b") },
        put(Messages, b"c", b"1"),
        Write::DeleteRange { table: Messages, range: range(b"c", b"d") },
        put(Messages, b"c", b"2"),
    ];
    store.apply(batch, Relaxed).await?;
    let found = store.get_many(Messages, &[key(b"a"), key(b"b"), key(b"c")]).await?;
    same(found, vec![Some(b"2".to_vec()), None, Some(b"2".to_vec())])
}

async fn a_batch_reaches_several_tables<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let batch = Table::ALL.map(|table| put(table, b"k", b"v")).to_vec();
    store.apply(batch, Strict).await?;
    for table in Table::ALL {
        same(store.get(table, &key(b"k")).await?, Some(b"v".to_vec()))?;
    }
    Ok(())
}

async fn a_range_is_deleted_and_no_more<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let mut batch = named(Bodies, &[b"a", b"b", b"b\xFF", b"c"]);
    batch.extend(named(Ledger, &[b"b"]));
    store.apply(batch, Relaxed).await?;
    let range = KeyRange::prefix(key(b"b"));
    store.apply(vec![Write::DeleteRange { table: Bodies, range }], Relaxed).await?;
    same(keys(&store, Bodies, &KeyRange::all()).await?, vec![b"a".to_vec(), b"c".to_vec()])?;
    same(store.keys(Ledger, &KeyRange::all()).await?.len(), 1)?;
    let all = Write::DeleteRange { table: Bodies, range: KeyRange::all() };
    store.apply(vec![all], Relaxed).await?;
    same(store.keys(Bodies, &KeyRange::all()).await?, vec![])
}

async fn deleting_what_is_not_there_is_fine<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let batch = vec![
        Write::Delete { table: Messages, key: key(b"a") },
        Write::DeleteRange { table: Messages, range: range(b"a", b"b") },
    ];
    Ok(store.apply(batch, Relaxed).await?)
}

async fn an_empty_batch_is_fine<S: Store>(open: impl AsyncFn() -> Result<S, StoreError>) -> Found {
    let store = open().await?;
    store.apply(vec![], Relaxed).await?;
    Ok(store.apply(vec![], Strict).await?)
}

async fn what_a_batch_writes_of_messages_is_noted<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let message = MessageId { mailbox: MailboxId(1), uid: 7 };
    let key = record::message_key(message);
    store.written().take();
    store.apply(vec![put(Messages, &key.0, b"x"), put(Bodies, b"b", b"x")], Relaxed).await?;
    same(store.written().take(), Changed::These([message].into()))?;
    same(store.written().take(), Changed::These([].into()))?;
    let range = KeyRange::prefix(key);
    store.apply(vec![Write::DeleteRange { table: Messages, range }], Relaxed).await?;
    same(store.written().take(), Changed::Any)
}

async fn entries_outlive_their_handle<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.take_lead().await?;
    store.apply(named(Messages, &[b"a"]), Strict).await?;
    drop(store);
    let store = open().await?;
    same(store.get(Messages, &key(b"a")).await?, Some(b"a".to_vec()))?;
    store.take_lead().await?;
    Ok(store.apply(named(Messages, &[b"b"]), Strict).await?)
}

async fn an_earlier_leader_writes_nothing<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let (earlier, later) = (open().await?, open().await?);
    earlier.take_lead().await?;
    earlier.apply(named(Messages, &[b"a"]), Relaxed).await?;
    later.take_lead().await?;
    let batch = vec![
        put(Messages, b"b", b"b"),
        put(Ledger, b"b", b"b"),
        Write::Delete { table: Messages, key: key(b"a") },
    ];
    same(earlier.apply(batch, Strict).await, Err(StoreError::Fenced))?;
    same(earlier.apply(vec![], Relaxed).await, Err(StoreError::Fenced))?;
    same(keys(&later, Messages, &KeyRange::all()).await?, vec![b"a".to_vec()])?;
    same(later.keys(Ledger, &KeyRange::all()).await?, vec![])?;
    Ok(later.apply(named(Messages, &[b"c"]), Strict).await?)
}

async fn an_earlier_leader_can_still_read<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let (earlier, later) = (open().await?, open().await?);
    earlier.take_lead().await?;
    later.take_lead().await?;
    later.apply(named(Messages, &[b"a"]), Relaxed).await?;
    same(earlier.get(Messages, &key(b"a")).await?, Some(b"a".to_vec()))
}

async fn the_last_to_take_the_lead_leads<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let (one, other) = (open().await?, open().await?);
    one.take_lead().await?;
    other.take_lead().await?;
    one.take_lead().await?;
    same(other.apply(named(Messages, &[b"a"]), Relaxed).await, Err(StoreError::Fenced))?;
    Ok(one.apply(named(Messages, &[b"a"]), Relaxed).await?)
}
