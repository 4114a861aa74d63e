//! Comparing what has come with what is stored, where digests of all bytes can't tell.
//!
//! Some servers mark in a message's header that it was handed out, so that it comes otherwise the
//! next time. Then the headers are the same without what servers change there, and the texts are
//! compared byte by byte (by their digests, which are made when they are needed).

use std::collections::BTreeSet;

use postern_bridge::MessageId;
use sha2::{Digest, Sha256};

use super::{
    header::text_start,
    intake::Received,
    ledger::{Ledger, LedgerRow},
    limits::LOOK_ALIKES,
    plan::Part,
};
use crate::{
    Store,
    record::{self, Record, message_key},
    store::{StoreError, Table},
};

/// How often a message that is moved while it is read is looked for.
const TRIES: usize = 3;

/// The names of rows whose messages differ from what has come in nothing but what servers change in
/// a header.
pub(super) async fn remarked(
    store: &impl Store,
    received: &Received,
    ledger: &Ledger,
) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    let mut same = BTreeSet::new();
    let (Part::Whole, Some(header), Some(size)) =
        (received.part, received.header, received.text_size)
    else {
        return Ok(same);
    };
    let candidates = ledger.with_header(header).filter(|row| {
        !row.partial
            && row.deleted_here.is_none()
            && row.sha256 != received.sha256
            && row.text_size.is_none_or(|own| own == size)
    });
    let mut candidates: Vec<_> = candidates.collect();
    if candidates.is_empty() {
        return Ok(same);
    }
    candidates.sort_by_key(|row| received.listed.uidl.as_ref() != Some(&row.uidl));
    let Some(own) = text_of(store, received).await? else { return Ok(same) };
    for row in candidates.into_iter().take(LOOK_ALIKES) {
        if is_remarked(store, row, received, own).await? {
            same.insert(row.name());
        }
    }
    Ok(same)
}

/// Whether a row's message has this text. The person may have moved or deleted it since the download
/// began, even while it is being read; of one that was deleted nothing is left to compare but how long
/// the text was, which is enough under its own unique id.
async fn is_remarked(
    store: &impl Store,
    row: &LedgerRow,
    received: &Received,
    text: [u8; 32],
) -> Result<bool, StoreError> {
    for _ in 0..TRIES {
        // One that changes its unique id just now is not stored under it yet.
        let present: LedgerRow =
            record::get(store, &row.key()).await?.unwrap_or_else(|| row.clone());
        if present.deleted_here.is_some() {
            let own = received.listed.uidl.as_ref() == Some(&present.uidl);
            return Ok(own && present.text_size == received.text_size);
        }
        if let Some(stored) = stored_text(store, present.message).await? {
            return Ok(stored == text);
        }
    }
    Ok(false)
}

/// SHA-256 of the text of what has come.
async fn text_of(store: &impl Store, received: &Received) -> Result<Option<[u8; 32]>, StoreError> {
    if let Some(id) = received.spilled_to() {
        return stored_text(store, id).await;
    }
    let raw = &received.waiting;
    Ok(text_start(raw).map(|start| Sha256::digest(&raw[start..]).into()))
}

/// SHA-256 of what follows a stored message's header, read chunk by chunk; `None` if its header does
/// not end within the first one.
async fn stored_text(
    store: &impl Store,
    message: MessageId,
) -> Result<Option<[u8; 32]>, StoreError> {
    let chunk = async |number| store.get(Table::Bodies, &message_key(message).u32(number)).await;
    let Some(first) = chunk(0).await? else { return Ok(None) };
    let Some(start) = text_start(&first) else { return Ok(None) };
    let mut hasher = Sha256::new_with_prefix(&first[start..]);
    let mut number = 1;
    while let Some(bytes) = chunk(number).await? {
        hasher.update(&bytes);
        number += 1;
    }
    Ok(Some(hasher.finalize().into()))
}
