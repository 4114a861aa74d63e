//! Comparing what has come with what is stored, where digests of all bytes can't tell.
//!
//! Some servers mark in a message's header that it was handed out, so that it comes otherwise the
//! next time. Then the headers are the same without what servers change there, and the texts are
//! compared byte by byte (by their digests, which are made when they are needed).

use std::collections::BTreeSet;

use postern_bridge::MessageId;
use sha2::{Digest, Sha256};

use super::{
    header::{digest, text_start},
    ledger::Ledger,
    limits::{HEADER, LOOK_ALIKES, MAX_ALIKE},
    plan::Part,
    received::Received,
    row::LedgerRow,
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
    let (Part::Whole, Some(size)) = (received.part, received.text_size) else { return Ok(same) };
    let is_candidate = |row: &&LedgerRow| {
        !row.partial
            && row.deleted_here.is_none()
            && row.sha256 != received.sha256
            && row.text_size.is_none_or(|own| own == size)
    };
    let uidl = received.listed.uidl.as_ref();
    let own = uidl.and_then(|uidl| ledger.by_uidl(uidl));
    let own = own.filter(|row| row.header == received.header);
    let others = received.header.into_iter();
    let others = others.flat_map(|header| ledger.with_header(header, false, false));
    let others = others.take(MAX_ALIKE).filter(|row| Some(&row.uidl) != uidl);
    let candidates = own.into_iter().chain(others).filter(is_candidate);
    let candidates: Vec<_> = candidates.take(LOOK_ALIKES).collect();
    if candidates.is_empty() {
        return Ok(same);
    }
    let Some(own) = text_of(store, received).await? else { return Ok(same) };
    for row in candidates {
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
/// not end within [`HEADER`] bytes.
pub(super) async fn stored_text(
    store: &impl Store,
    message: MessageId,
) -> Result<Option<[u8; 32]>, StoreError> {
    let chunk = async |number| store.get(Table::Bodies, &message_key(message).u32(number)).await;
    let (mut head, mut number) = (Vec::new(), 0);
    let start = loop {
        let Some(bytes) = chunk(number).await? else { return Ok(None) };
        number += 1;
        head.extend(bytes);
        match text_start(&head) {
            Some(start) => break start,
            None if head.len() >= HEADER => return Ok(None),
            None => {}
        }
    };
    let mut hasher = Sha256::new_with_prefix(&head[start..]);
    while let Some(bytes) = chunk(number).await? {
        hasher.update(&bytes);
        number += 1;
    }
    Ok(Some(hasher.finalize().into()))
}

/// The text of a message that comes piece by piece.
#[derive(Default)]
pub(super) struct Text {
    /// The message's first bytes.
    head: Vec<u8>,
    /// The text and how long it is, once the header has ended.
    text: Option<(Sha256, u64)>,
}

impl Text {
    /// Takes the message's next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if let Some((text, size)) = &mut self.text {
            text.update(bytes);
            *size += bytes.len() as u64;
            return;
        }
        if self.head.len() == HEADER {
            return;
        }
        let (head, rest) = bytes.split_at(bytes.len().min(HEADER - self.head.len()));
        self.head.extend_from_slice(head);
        if let Some(start) = text_start(&self.head) {
            let first = &self.head[start..];
            let text = Sha256::new_with_prefix(first).chain_update(rest);
            self.text = Some((text, (first.len() + rest.len()) as u64));
        }
    }

    /// SHA-256 of it; `None` if the header does not end within [`HEADER`] bytes.
    pub(super) fn digest(self) -> Option<[u8; 32]> {
        self.text.map(|(text, _)| text.finalize().into())
    }
}

/// What a server hands out to be compared.
#[derive(Default)]
pub(super) struct Compared {
    all: Sha256,
    text: Text,
}

impl Compared {
    /// Takes the next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.all.update(bytes);
        self.text.take(bytes);
    }

    /// Whether it is the header of a row's message.
    pub(super) fn has_header_of(&self, row: &LedgerRow) -> bool {
        row.header.is_some() && row.header == digest(&self.text.head)
    }

    /// Whether it is a row's message, but for what servers change in a header. Of one that was deleted
    /// here, only its text's size is left to compare; of one that is here as a header, the header is.
    pub(super) async fn matches_message_of(
        self,
        store: &impl Store,
        row: &LedgerRow,
    ) -> Result<bool, StoreError> {
        let same_header = row.header == digest(&self.text.head);
        if row.sha256 == <[u8; 32]>::from(self.all.finalize()) || (row.partial && same_header) {
            return Ok(true);
        }
        let Some((text, size)) = self.text.text else { return Ok(false) };
        if !same_header || row.text_size != Some(size) {
            return Ok(false);
        }
        if row.deleted_here.is_some() {
            return Ok(row.header.is_some());
        }
        let text: [u8; 32] = text.finalize().into();
        Ok(stored_text(store, row.message).await? == Some(text))
    }
}
