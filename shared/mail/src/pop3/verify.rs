//! Reading back what was stored, before anything else is done with it.

use postern_bridge::AccountId;
use sha2::{Digest, Sha256};

use super::ledger::LedgerRow;
use crate::{
    Store,
    record::{self, CHUNK, Message, Record, account_key, message_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// How many messages are read back at a time: with the larger ones apart, a bound on memory.
const AT_ONCE: usize = 32;

/// What came of reading messages back.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// The rows of those that are as they should be, as they are stored now.
    pub(super) rows: Vec<LedgerRow>,
    /// How many were not, and were forgotten, so that they are downloaded again.
    pub(super) damaged: usize,
}

/// Verifies what an earlier session stored but did not live to verify.
pub(super) async fn verify_rest(
    store: &impl Store,
    account: AccountId,
    now: i64,
) -> Result<(), StoreError> {
    let rows: Vec<LedgerRow> = record::all(store, &KeyRange::prefix(account_key(account))).await?;
    let keys = rows.iter().filter(|row| row.verified.is_none()).map(Record::key).collect();
    verify(store, keys, now).await?;
    Ok(())
}

/// Reads back the messages of these rows and compares their checksums. What is as it should be is
/// marked as verified; what is not is forgotten.
///
/// The person may move a message, or delete it, while it is being read: so the rows are read again
/// under the lock for editing, and those that changed are judged anew.
///
/// *If this ends early*, the rest stays unverified, and the next download begins with it.
pub(super) async fn verify(
    store: &impl Store,
    keys: Vec<Key>,
    now: i64,
) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let mut rest = keys;
    while !rest.is_empty() {
        let mut again = Vec::new();
        for keys in rest.chunks(AT_ONCE) {
            again.extend(judge(store, keys, now, &mut verified).await?);
        }
        rest = again;
    }
    Ok(verified)
}

/// Judges rows; returns the keys of those that changed meanwhile.
async fn judge(
    store: &impl Store,
    keys: &[Key],
    now: i64,
    verified: &mut Verified,
) -> Result<Vec<Key>, StoreError> {
    let before = rows(store, keys).await?;
    let intact = are_intact(store, &before).await?;
    let _editing = store.editing().lock().await;
    let present = rows(store, keys).await?;
    let mut batch = Vec::new();
    let mut again = Vec::new();
    let mut damaged = Vec::new();
    for (((key, before), intact), present) in keys.iter().zip(&before).zip(intact).zip(present) {
        // A row that is gone has nothing to verify.
        let (Some(before), Some(mut row)) = (before, present) else { continue };
        if *before != row {
            again.push(key.clone());
        } else if intact || row.deleted_here.is_some() {
            row.verified = row.verified.or(Some(now));
            batch.push(row.put());
            verified.rows.push(row);
        } else {
            damaged.push(row);
        }
    }
    if !batch.is_empty() {
        store.apply(batch, Durability::Relaxed).await?;
    }
    for row in damaged {
        forget(store, &row).await?;
        verified.damaged += 1;
    }
    Ok(again)
}

async fn rows(store: &impl Store, keys: &[Key]) -> Result<Vec<Option<LedgerRow>>, StoreError> {
    let values = store.get_many(Table::Ledger, keys).await?;
    values.into_iter().map(|value| value.map(|value| record::decode(&value)).transpose()).collect()
}

/// Removes a row and what is left of its message; under the lock for editing.
async fn forget(store: &impl Store, row: &LedgerRow) -> Result<(), StoreError> {
    let message: Option<Message> = record::get(store, &message_key(row.message)).await?;
    let bytes = KeyRange::prefix(message_key(row.message));
    let mut batch = vec![row.delete(), Write::DeleteRange { table: Table::Bodies, range: bytes }];
    if let Some(message) = message {
        batch.extend(message.delete_whole());
        let key = record::mailbox_key(row.message.mailbox);
        if let Some(mut mailbox) = record::get::<record::Mailbox>(store, &key).await? {
            mailbox.total = mailbox.total.saturating_sub(1);
            mailbox.unread = mailbox.unread.saturating_sub((!message.flags.seen).into());
            batch.push(mailbox.put());
        }
    }
    store.apply(batch, Durability::Strict).await
}

/// Whether the stored bytes are those that the rows' checksums were made of.
async fn are_intact(
    store: &impl Store,
    rows: &[Option<LedgerRow>],
) -> Result<Vec<bool>, StoreError> {
    let keys: Vec<Key> = rows.iter().flatten().map(|row| message_key(row.message)).collect();
    let listed = store.get_many(Table::Messages, &keys).await?;
    let chunks = |number: u32| keys.iter().map(|key| key.clone().u32(number)).collect::<Vec<_>>();
    // Most messages have one chunk: a few questions for all of them.
    let firsts = store.get_many(Table::Bodies, &chunks(0)).await?;
    let mut found = listed.into_iter().zip(firsts);
    let mut intact = Vec::new();
    for row in rows {
        let (Some(row), Some((listed, first))) = (row, row.as_ref().and_then(|_| found.next()))
        else {
            intact.push(false);
            continue;
        };
        intact.push(listed.is_some() && is_body_of(store, row, first).await?);
    }
    Ok(intact)
}

/// Whether the stored bytes, of which these are the first, are those of the row; read chunk by chunk.
async fn is_body_of(
    store: &impl Store,
    row: &LedgerRow,
    first: Option<Vec<u8>>,
) -> Result<bool, StoreError> {
    let mut hasher = Sha256::new();
    let (mut size, mut number) = (0, 0);
    let mut chunk = first;
    while let Some(bytes) = chunk {
        hasher.update(&bytes);
        size += bytes.len() as u64;
        number += 1;
        // What is stored has whole chunks, but for the last.
        let more = bytes.len() == CHUNK || size < row.size;
        let key = message_key(row.message).u32(number);
        chunk = if more { store.get(Table::Bodies, &key).await? } else { None };
    }
    let sha256: [u8; 32] = hasher.finalize().into();
    Ok(size == row.size && sha256 == row.sha256)
}
