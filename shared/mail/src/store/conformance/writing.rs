//! Batches, whole and in order, by whoever leads.

use super::*;

pub(super) async fn a_batch_is_written_in_its_order<S: Store>(
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

pub(super) async fn a_batch_reaches_several_tables<S: Store>(
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

pub(super) async fn a_range_is_deleted_and_no_more<S: Store>(
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

pub(super) async fn deleting_what_is_not_there_is_fine<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    let batch = vec![
        Write::Delete { table: Messages, key: key(b"a") },
        Write::DeleteRange { table: Messages, range: range(b"a", b"b") },
    ];
    Ok(store.apply(batch, Relaxed).await?)
}

pub(super) async fn an_empty_batch_is_fine<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let store = open().await?;
    store.apply(vec![], Relaxed).await?;
    Ok(store.apply(vec![], Strict).await?)
}

pub(super) async fn what_a_batch_writes_of_messages_is_noted<S: Store>(
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

pub(super) async fn entries_outlive_their_handle<S: Store>(
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

pub(super) async fn an_earlier_leader_writes_nothing<S: Store>(
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

pub(super) async fn an_earlier_leader_can_still_read<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let (earlier, later) = (open().await?, open().await?);
    earlier.take_lead().await?;
    later.take_lead().await?;
    later.apply(named(Messages, &[b"a"]), Relaxed).await?;
    same(earlier.get(Messages, &key(b"a")).await?, Some(b"a".to_vec()))
}

pub(super) async fn the_last_to_take_the_lead_leads<S: Store>(
    open: impl AsyncFn() -> Result<S, StoreError>,
) -> Found {
    let (one, other) = (open().await?, open().await?);
    one.take_lead().await?;
    other.take_lead().await?;
    one.take_lead().await?;
    same(other.apply(named(Messages, &[b"a"]), Relaxed).await, Err(StoreError::Fenced))?;
    Ok(one.apply(named(Messages, &[b"a"]), Relaxed).await?)
}
