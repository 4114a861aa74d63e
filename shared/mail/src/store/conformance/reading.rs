//! Values, keys and ranges are read as they were written.

use super::*;

pub(super) async fn a_value_is_read_back<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    for durability in [Relaxed, Strict] {
        let value = format!("{durability:?}").into_bytes();
        store.apply(vec![put(Messages, b"k", &value)], durability).await?;
        same(store.get(Messages, &key(b"k")).await?, Some(value))?;
    }
    Ok(())
}

pub(super) async fn a_missing_value_is_none<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    for table in Table::ALL {
        same(store.get(table, &key(b"k")).await?, None)?;
        same(store.scan(table, &KeyRange::all(), Ascending, 10).await?, vec![])?;
        same(store.scan(table, &KeyRange::all(), Descending, 10).await?, vec![])?;
        same(store.keys(table, &KeyRange::all()).await?, vec![])?;
    }
    Ok(())
}

pub(super) async fn an_empty_value_is_a_value<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(vec![put(Arrival, b"k", b"")], Relaxed).await?;
    same(store.get(Arrival, &key(b"k")).await?, Some(vec![]))?;
    let entries = store.scan(Arrival, &KeyRange::all(), Ascending, 10).await?;
    same(entries, vec![(key(b"k"), vec![])])
}

pub(super) async fn an_empty_key_is_the_first_key<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Meta, &[b"\x00", b""]), Relaxed).await?;
    same(keys(&store, Meta, &KeyRange::all()).await?, vec![vec![], vec![0]])
}

pub(super) async fn a_second_put_replaces_the_first<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(vec![put(Messages, b"k", b"longer")], Relaxed).await?;
    store.apply(vec![put(Messages, b"k", b"new")], Relaxed).await?;
    same(store.get(Messages, &key(b"k")).await?, Some(b"new".to_vec()))
}

pub(super) async fn tables_are_apart<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
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

pub(super) async fn a_value_of_three_megabytes_is_read_back<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let value: Vec<u8> = (0_u32..3_000_000).map(|n| (n % 251) as u8).collect();
    store.apply(vec![put(Bodies, b"k", &value)], Strict).await?;
    let found = store.get(Bodies, &key(b"k")).await?;
    same(found.as_ref().map(Vec::len), Some(value.len()))?;
    same(found == Some(value), true)
}

pub(super) async fn keys_are_ordered_byte_by_byte<S: Store>(
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

pub(super) async fn a_range_has_its_start_but_not_its_end<S: Store>(
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

pub(super) async fn an_empty_range_has_nothing<S: Store>(
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

pub(super) async fn a_prefix_that_ends_in_ff_is_a_range<S: Store>(
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

pub(super) async fn a_scan_goes_both_ways<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c", b"d"]), Relaxed).await?;
    let mut entries: Vec<_> = [b"a", b"b", b"c"].map(|n| (key(n), n.to_vec())).to_vec();
    same(store.scan(Messages, &range(b"a", b"d"), Ascending, 10).await?, entries.clone())?;
    entries.reverse();
    same(store.scan(Messages, &range(b"a", b"d"), Descending, 10).await?, entries)
}

pub(super) async fn a_scan_stops_at_its_limit<S: Store>(
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

pub(super) async fn a_long_scan_misses_nothing<S: Store>(
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

pub(super) async fn many_values_come_in_the_order_asked<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(named(Messages, &[b"a", b"b", b"c"]), Relaxed).await?;
    let asked = [key(b"c"), key(b"x"), key(b"a"), key(b"c")];
    let expected = asked.iter().map(|key| (key.0 != b"x").then(|| key.0.clone())).collect();
    same(store.get_many(Messages, &asked).await?, expected)?;
    same(store.get_many(Messages, &[]).await?, vec![])
}
