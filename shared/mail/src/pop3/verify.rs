//! Reading back what was stored, before anything else is done with it.

use std::collections::BTreeSet;

use postern_bridge::AccountId;

use super::{
    ledger::Ledger,
    limits::BATCH_MESSAGES,
    listing::Listing,
    notes::ServerNotes,
    read_back::{AtHand, outlines},
    row::LedgerRow,
};
use crate::{
    Store,
    record::{self, Record},
    store::{Durability, Key, StoreError},
};

/// What came of reading messages back.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// The rows of those that are as they should be, as they are stored now.
    pub(super) rows: Vec<LedgerRow>,
    /// How many were not: their rows count as unverified, until the server has handed them out again.
    pub(super) damaged: usize,
}

/// Verifies what an earlier session stored but did not live to verify, and once what an earlier
/// version stored, of which digests are missing; whether there was any.
pub(super) async fn verify_rest(
    store: &impl Store,
    account: AccountId,
    ledger: &Ledger,
    now: i64,
) -> Result<bool, StoreError> {
    let is_first = ServerNotes::load(store, account).await?.mailbox.is_none();
    let lacks = |row: &LedgerRow| is_first && row.header.is_none() && row.deleted_here.is_none();
    let rest = ledger.rows().filter(|row| row.verified.is_none() || lacks(row));
    let rest: Vec<LedgerRow> = rest.cloned().collect();
    let is_some = !rest.is_empty();
    verify(store, rest, &AtHand::new(), now).await?;
    Ok(is_some)
}

/// Reads back the messages of these rows and compares them with what came, where that is still at
/// hand; else their checksums. What is as it should be is
/// marked as verified, and gets the digests that an earlier version did not keep; what is not is
/// marked as unverified. Nothing is removed: what is left of a message may be all there is.
///
/// The person may move a message, or delete it, since a row was read, even while its message is being
/// read: so the rows are read again under the lock for editing, and those that changed are judged anew.
///
/// *If this ends early*, the rest stays unverified, and the next download begins with it.
pub(super) async fn verify(
    store: &impl Store,
    rows: Vec<LedgerRow>,
    at_hand: &AtHand,
    now: i64,
) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut again = Vec::new();
        for rows in rest.chunks(BATCH_MESSAGES) {
            again.extend(judge(store, rows, at_hand, now, &mut verified).await?);
        }
        rest = again;
    }
    Ok(verified)
}

/// Judges rows; returns those that changed meanwhile, as they are now.
async fn judge(
    store: &impl Store,
    rows: &[LedgerRow],
    at_hand: &AtHand,
    now: i64,
    verified: &mut Verified,
) -> Result<Vec<LedgerRow>, StoreError> {
    let intact = outlines(store, rows, at_hand).await?;
    let _editing = store.editing().lock().await;
    let keys: Vec<Key> = rows.iter().map(Record::key).collect();
    let present = record::get_many(store, &keys).await?;
    let mut batch = Vec::new();
    let mut again = Vec::new();
    for ((before, intact), present) in rows.iter().zip(intact).zip(present) {
        // A row that is gone has nothing to verify.
        let Some(mut row): Option<LedgerRow> = present else { continue };
        if *before != row {
            again.push(row);
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
        row.refused = None;
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
/// as its list tells, gets no row, so that it holds up nothing for ever. What is left of it stays: of one
/// of which all bytes are here and the record can't be read, a record is made from them, so that it is
/// listed and read back again.
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
    let (mut batch, mut counted) = (Vec::new(), BTreeSet::new());
    for row in lost {
        match record::rebuilt(store, row.message, row.size, row.partial).await? {
            Some(message) => {
                counted.insert(row.message.mailbox);
                batch.push(message.put());
            }
            None => {
                batch.push(row.delete());
                ledger.remove(&row.name());
            }
        }
    }
    store.apply(batch, Durability::Relaxed).await?;
    for mailbox in counted {
        record::recount(store, mailbox).await?;
    }
    Ok(())
}
