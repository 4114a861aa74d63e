//! Reading back what was stored, before anything else is done with it.

use postern_bridge::AccountId;
use sha2::{Digest, Sha256};

use super::{
    header,
    ledger::Ledger,
    limits::{BATCH_BYTES, BATCH_MESSAGES},
    listing::Listing,
    notes::ServerNotes,
    row::{LedgerRow, rows},
};
use crate::{
    Store,
    record::{self, CHUNK, Record, message_key},
    store::{Durability, Key, StoreError, Table},
};

/// How many chunks of one message are read at a time after its first.
const CHUNKS: u32 = 8;

/// What came of reading messages back.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// The rows of those that are as they should be, as they are stored now.
    pub(super) rows: Vec<LedgerRow>,
    /// How many were not: their rows count as unverified, until the server has handed them out again.
    pub(super) damaged: usize,
}

/// Verifies what an earlier session stored but did not live to verify, and once what an earlier
/// version stored, of which digests are missing.
pub(super) async fn verify_rest(
    store: &impl Store,
    account: AccountId,
    now: i64,
) -> Result<(), StoreError> {
    let rows = rows(store, account).await?;
    let is_first = ServerNotes::load(store, account).await?.mailbox.is_none();
    let lacks = |row: &LedgerRow| is_first && row.header.is_none() && row.deleted_here.is_none();
    let keys = rows.iter().filter(|row| row.verified.is_none() || lacks(row));
    let keys = keys.map(Record::key).collect();
    verify(store, keys, now).await?;
    Ok(())
}

/// Reads back the messages of these rows and compares their checksums. What is as it should be is
/// marked as verified, and gets the digests that an earlier version did not keep; what is not is
/// marked as unverified. Nothing is removed: what is left of a message may be all there is.
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
        for keys in rest.chunks(BATCH_MESSAGES) {
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
    // A row that is gone has nothing to verify.
    let before: Vec<LedgerRow> =
        record::get_many(store, keys).await?.into_iter().flatten().collect();
    let intact = are_intact(store, &before).await?;
    let _editing = store.editing().lock().await;
    let keys: Vec<Key> = before.iter().map(Record::key).collect();
    let present = record::get_many(store, &keys).await?;
    let mut batch = Vec::new();
    let mut again = Vec::new();
    for (((key, before), intact), present) in keys.into_iter().zip(&before).zip(intact).zip(present)
    {
        let Some(mut row) = present else { continue };
        if *before != row {
            again.push(key);
            continue;
        }
        match intact {
            Some(outline) if row.header.is_none() => {
                (row.header, row.text_size) = (outline.header, outline.text_size);
            }
            None if row.deleted_here.is_none() => {
                verified.damaged += 1;
                if row.verified.take().is_some() {
                    batch.push(row.put());
                }
                continue;
            }
            _ => {}
        }
        row.verified = row.verified.or(Some(now));
        if row != *before {
            batch.push(row.put());
        }
        verified.rows.push(row);
    }
    if !batch.is_empty() {
        store.apply(batch, Durability::Relaxed).await?;
    }
    Ok(again)
}

/// After everything was fetched: what is still damaged here and is not on the server any more, as far
/// as its list tells, gets no row, so that it holds up nothing for ever. What is left of it stays.
pub(super) async fn give_up(
    store: &impl Store,
    ledger: &mut Ledger,
    listing: &Listing,
    all_came: bool,
) -> Result<(), StoreError> {
    let is_lost = |row: &&LedgerRow| {
        row.is_damaged() && if row.uidl.is_empty() { all_came } else { !listing.has(row) }
    };
    let lost: Vec<LedgerRow> = ledger.rows().filter(is_lost).cloned().collect();
    if lost.is_empty() {
        return Ok(());
    }
    let _editing = store.editing().lock().await;
    let keys: Vec<Key> = lost.iter().map(Record::key).collect();
    let present: Vec<Option<LedgerRow>> = record::get_many(store, &keys).await?;
    let lost = present.into_iter().flatten().filter(LedgerRow::is_damaged);
    let lost: Vec<LedgerRow> = lost.collect();
    store.apply(lost.iter().map(Record::delete).collect(), Durability::Relaxed).await?;
    lost.iter().for_each(|row| ledger.remove(&row.name()));
    Ok(())
}

/// What the first bytes of an intact message tell that its row does not.
#[derive(Default)]
struct Outline {
    header: Option<[u8; 32]>,
    text_size: Option<u64>,
}

/// Of each row, if the stored bytes are those that its checksum was made of, what they tell.
async fn are_intact(
    store: &impl Store,
    mut rows: &[LedgerRow],
) -> Result<Vec<Option<Outline>>, StoreError> {
    let mut intact = Vec::new();
    while !rows.is_empty() {
        let (some, rest) = rows.split_at(readable(rows));
        rows = rest;
        let keys: Vec<Key> = some.iter().map(|row| message_key(row.message)).collect();
        let listed = store.get_many(Table::Messages, &keys).await?;
        // Most messages have one chunk: one question for all of them.
        let firsts: Vec<Key> = keys.iter().map(|key| key.clone().u32(0)).collect();
        let firsts = store.get_many(Table::Bodies, &firsts).await?;
        for ((row, listed), first) in some.iter().zip(listed).zip(firsts) {
            intact.push(if listed.is_some() { outline(store, row, first).await? } else { None });
        }
    }
    Ok(intact)
}

/// Of how many messages, one at least, the first chunks can be in memory together.
fn readable(rows: &[LedgerRow]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&LedgerRow| {
        bytes += row.size.min(CHUNK as u64);
        bytes <= BATCH_BYTES as u64
    };
    rows.iter().take_while(fits).count().max(1)
}

/// Reads the stored bytes of a row's message, of which these are the first, chunk by chunk; `None` if
/// they are others.
async fn outline(
    store: &impl Store,
    row: &LedgerRow,
    first: Option<Vec<u8>>,
) -> Result<Option<Outline>, StoreError> {
    let outline = match &first {
        Some(head) if row.header.is_none() => Outline {
            header: header::digest(head),
            text_size: header::text_start(head).map(|at| row.size.saturating_sub(at as u64)),
        },
        _ => Outline::default(),
    };
    let mut hasher = Sha256::new();
    let (mut size, mut number) = (0, 0);
    let mut read = vec![first];
    while !read.is_empty() {
        let mut ended = false;
        for chunk in std::mem::take(&mut read) {
            // What is stored has whole chunks, but for the last.
            let bytes = chunk.unwrap_or_default();
            hasher.update(&bytes);
            size += bytes.len() as u64;
            number += 1;
            ended |= bytes.len() != CHUNK;
        }
        if !ended {
            let key = |number: u32| message_key(row.message).u32(number);
            let keys: Vec<Key> = (number..number + CHUNKS).map(key).collect();
            read = store.get_many(Table::Bodies, &keys).await?;
        }
    }
    let sha256: [u8; 32] = hasher.finalize().into();
    Ok((size == row.size && sha256 == row.sha256).then_some(outline))
}
