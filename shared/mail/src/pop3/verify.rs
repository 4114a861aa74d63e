//! Reading back what was stored, before anything else is done with it.

use std::collections::BTreeMap;

use postern_bridge::{AccountId, MessageId};
use sha2::{Digest, Sha256};

use super::{
    header,
    ledger::LedgerRow,
    limits::{BATCH_BYTES, BATCH_MESSAGES},
    notes::ServerNotes,
};
use crate::{
    Store,
    record::{self, CHUNK, Message, Record, account_key, message_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// How many chunks of one message are read at a time after its first.
const CHUNKS: u32 = 8;

/// What came of reading messages back.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// The rows of those that are as they should be, as they are stored now.
    pub(super) rows: Vec<LedgerRow>,
    /// How many were not, and were forgotten, so that they are downloaded again.
    pub(super) damaged: usize,
}

/// Verifies what an earlier session stored but did not live to verify, and once what an earlier
/// version stored, of which digests are missing.
pub(super) async fn verify_rest(
    store: &impl Store,
    account: AccountId,
    now: i64,
) -> Result<(), StoreError> {
    let rows: Vec<LedgerRow> = record::all(store, &KeyRange::prefix(account_key(account))).await?;
    let is_first = ServerNotes::load(store, account).await?.mailbox.is_none();
    let lacks = |row: &LedgerRow| is_first && row.header.is_none() && row.deleted_here.is_none();
    let keys = rows.iter().filter(|row| row.verified.is_none() || lacks(row));
    let keys = keys.map(Record::key).collect();
    verify(store, keys, now).await?;
    Ok(())
}

/// Reads back the messages of these rows and compares their checksums. What is as it should be is
/// marked as verified, and gets the digests that an earlier version did not keep; what is not is
/// forgotten, and comes again if the server still has it.
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
    let mut damaged = Vec::new();
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
                damaged.push(row);
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
    verified.damaged += damaged.len();
    forget(store, damaged).await?;
    Ok(again)
}

/// Removes rows and what is left of their messages; under the lock for editing. What other rows are
/// about stays, and so does what the server has no more: it is damaged, but all there is.
async fn forget(store: &impl Store, rows: Vec<LedgerRow>) -> Result<(), StoreError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let all: Vec<LedgerRow> =
        record::all(store, &KeyRange::prefix(account_key(first.account))).await?;
    let mut named: BTreeMap<MessageId, usize> = BTreeMap::new();
    for row in all.iter().filter(|row| row.deleted_here.is_none()) {
        *named.entry(row.message).or_default() += 1;
    }
    for row in rows {
        let mut batch = vec![row.delete()];
        let others = named.entry(row.message).or_default();
        *others = others.saturating_sub(1);
        if *others == 0 && row.is_on_server() {
            batch.extend(remove_rest(store, row.message).await?);
        }
        store.apply(batch, Durability::Strict).await?;
    }
    Ok(())
}

/// The writes that remove what is left of a message.
async fn remove_rest(store: &impl Store, id: MessageId) -> Result<Vec<Write>, StoreError> {
    let range = KeyRange::prefix(message_key(id));
    let mut batch = vec![Write::DeleteRange { table: Table::Bodies, range }];
    if let Some(message) = record::get::<Message>(store, &message_key(id)).await? {
        batch.extend(message.delete_whole());
        let key = record::mailbox_key(id.mailbox);
        if let Some(mut mailbox) = record::get::<record::Mailbox>(store, &key).await? {
            mailbox.total = mailbox.total.saturating_sub(1);
            mailbox.unread = mailbox.unread.saturating_sub((!message.flags.seen).into());
            batch.push(mailbox.put());
        }
    }
    Ok(batch)
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
