//! Reading.

use std::collections::HashMap;

use indexed_db_futures::{
    BuildPrimitive, KeyRange as IdbKeyRange, cursor::CursorDirection, object_store::ObjectStore,
    prelude::QuerySource, transaction::Transaction, typed_array::Uint8ArraySlice as Slice,
};
use postern_mail::store::{Key, KeyRange, StoreError, Table};

use super::{
    convert::{FoundKey, Value, key_range, rest, slice},
    error::{failed, failed_value},
};

/// How many entries are asked for at once, so that no answer of the browser grows without bound.
const CHUNK: usize = 1_000;

/// From how many keys on it is looked whether they stand close together.
const MANY: usize = 8;

type Entries = Vec<(Key, Vec<u8>)>;
type Failure = indexed_db_futures::error::Error;

pub(super) async fn get(
    transaction: &Transaction<'_>,
    table: Table,
    key: &Key,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Result<Option<Value>, Failure> = async {
        let store = transaction.object_store(table.name())?;
        store.get(slice(&key.0)).primitive()?.await
    }
    .await;
    Ok(found.map_err(|error| why(table, error))?.map(Into::into))
}

pub(super) async fn get_many(
    transaction: &Transaction<'_>,
    table: Table,
    keys: &[Key],
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let found = async {
        let store = transaction.object_store(table.name())?;
        // Between the bytes of messages there may be any number of others.
        if keys.len() >= MANY
            && table != Table::Bodies
            && let Some(values) = get_close(&store, keys).await?
        {
            return Ok(values);
        }
        let requests = keys
            .iter()
            .map(|key| store.get::<Value, _, _>(slice(&key.0)).primitive())
            .collect::<Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(keys.len());
        for request in requests {
            values.push(request.await?.map(Into::into));
        }
        Ok(values)
    };
    found.await.map_err(|error| why(table, error))
}

/// Why values of a table could not be read.
fn why(table: Table, error: Failure) -> StoreError {
    match table {
        // One of many, which the reader can do without.
        Table::Bundles => failed_value(error),
        _ => failed(error),
    }
}

/// The values of keys that have few others between them: the browser takes as long for a range of
/// entries as for one. `None` if there are more.
async fn get_close(
    store: &ObjectStore<'_>,
    keys: &[Key],
) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure> {
    let (Some(first), Some(last)) = (keys.iter().min(), keys.iter().max()) else {
        return Ok(None);
    };
    let range = IdbKeyRange::Bound(slice(&first.0), false, slice(&last.0), false);
    let most = keys.len() + keys.len() / 4;
    let limit = u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1);
    let found = store
        .get_all_keys::<FoundKey>()
        .with_query::<Slice<'_>, _>(range.clone())
        .with_limit(limit)
        .primitive()?
        .await?;
    let found = found.map(|key| Ok(key?.0)).collect::<Result<Vec<Key>, Failure>>()?;
    if found.len() > most {
        return Ok(None);
    }
    let mut values = HashMap::with_capacity(found.len());
    if !found.is_empty() {
        let all = store.get_all::<Value>().with_query::<Slice<'_>, _>(range).primitive()?.await?;
        for (key, value) in found.iter().zip(all) {
            values.insert(key, Vec::from(value?));
        }
    }
    // A key may be asked for twice.
    Ok(Some(keys.iter().map(|key| values.get(key).cloned()).collect()))
}

/// Up to `limit` entries from the start of a range.
pub(super) async fn scan_up(
    transaction: &Transaction<'_>,
    table: Table,
    range: &KeyRange,
    limit: usize,
) -> Result<Entries, StoreError> {
    let found = async {
        let store = transaction.object_store(table.name())?;
        let mut entries = Entries::new();
        let Some(mut query) = key_range(range) else { return Ok(entries) };
        // A limit of 0 would mean "no limit" to the browser.
        while entries.len() < limit {
            let wanted = CHUNK.min(limit - entries.len());
            let chunk = chunk(&store, query, wanted).await?;
            let is_last = chunk.len() < wanted;
            entries.extend(chunk);
            match entries.last() {
                Some((last, _)) if !is_last => query = rest(range, last),
                _ => break,
            }
        }
        Ok(entries)
    };
    found.await.map_err(failed)
}

async fn chunk(
    store: &ObjectStore<'_>,
    query: IdbKeyRange<Slice<'_>>,
    limit: usize,
) -> Result<Entries, Failure> {
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let keys = store
        .get_all_keys::<FoundKey>()
        .with_query::<Slice<'_>, _>(query.clone())
        .with_limit(limit);
    let values = store.get_all::<Value>().with_query::<Slice<'_>, _>(query).with_limit(limit);
    let (keys, values) = (keys.primitive()?, values.primitive()?);
    keys.await?.zip(values.await?).map(|(key, value)| Ok((key?.0, value?.into()))).collect()
}

/// Up to `limit` entries from the end of a range.
pub(super) async fn scan_down(
    transaction: &Transaction<'_>,
    table: Table,
    range: &KeyRange,
    limit: usize,
) -> Result<Entries, StoreError> {
    let found = async {
        let store = transaction.object_store(table.name())?;
        let mut entries = Entries::new();
        let Some(query) = key_range(range) else { return Ok(entries) };
        if limit == 0 {
            return Ok(entries);
        }
        let cursor = store
            .open_cursor()
            .with_query::<Slice<'_>, _>(query)
            .with_direction(CursorDirection::Prev);
        let Some(mut cursor) = cursor.primitive()?.await? else { return Ok(entries) };
        while let Some(value) = cursor.next_record::<Value>().await? {
            let Some(key) = cursor.key::<FoundKey>()? else { break };
            entries.push((key.0, value.into()));
            if entries.len() == limit {
                break;
            }
        }
        Ok(entries)
    };
    found.await.map_err(failed)
}

pub(super) async fn keys(
    transaction: &Transaction<'_>,
    table: Table,
    range: &KeyRange,
) -> Result<Vec<Key>, StoreError> {
    let found = async {
        let store = transaction.object_store(table.name())?;
        let Some(query) = key_range(range) else { return Ok(Vec::new()) };
        let keys =
            store.get_all_keys::<FoundKey>().with_query::<Slice<'_>, _>(query).primitive()?.await?;
        keys.map(|key| Ok(key?.0)).collect()
    };
    found.await.map_err(failed)
}
