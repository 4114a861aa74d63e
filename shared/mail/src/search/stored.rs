//! Stored messages: read into a catalogue, and looked into.

use postern_bridge::{MailboxId, MessageId};
use postern_mime as mime;

use super::{
    catalogue::Catalogue,
    limits,
    query::{Inside, Query},
};
use crate::{
    Store,
    record::{self, Brief, Place},
    store::{KeyRange, Order, StoreError, Table},
};

/// A mailbox's stored messages, read piece by piece.
pub struct Reader {
    rest: KeyRange,
}

impl Reader {
    /// From the first message on.
    pub fn new(mailbox: MailboxId) -> Self {
        Self { rest: KeyRange::prefix(record::mailbox_key(mailbox)) }
    }

    /// Takes the next piece into a catalogue, without records that can't be read; false at the end.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn next(
        &mut self,
        store: &impl Store,
        catalogue: &mut Catalogue,
    ) -> Result<bool, StoreError> {
        let piece =
            store.scan(Table::Messages, &self.rest, Order::Ascending, limits::PIECE).await?;
        let Some((last, _)) = piece.last() else { return Ok(false) };
        self.rest.start = last.clone().bytes(&[0]);
        for (key, value) in &piece {
            let Ok(stored) = Brief::read(value) else { continue };
            catalogue.push(uid(&key.0)?, &stored);
        }
        Ok(true)
    }
}

/// The place of a message, if it is found by what is stored of it, its text included; of a very large
/// one the beginning is looked into.
///
/// # Errors
///
/// If the store can't be read.
pub async fn looks_inside(
    store: &impl Store,
    id: MessageId,
    query: &Query,
) -> Result<Option<Place>, StoreError> {
    let Some(value) = store.get(Table::Messages, &record::message_key(id)).await? else {
        return Ok(None);
    };
    let raw = record::beginning(store, id, limits::INSIDE).await?;
    let inside = Inside::of(&mime::inside(&raw));
    Ok(judged(id.uid, &value, query, Some(&inside)))
}

/// Those of the messages that are stored and fulfil a query for sure, and the UIDs of those that
/// are not stored.
///
/// # Errors
///
/// If the store can't be read.
pub async fn admitted(
    store: &impl Store,
    mailbox: MailboxId,
    uids: &[u32],
    query: &Query,
) -> Result<(Vec<Place>, Vec<u32>), StoreError> {
    let (mut places, mut missing) = (Vec::new(), Vec::new());
    for piece in uids.chunks(limits::PIECE) {
        let key = |uid: &u32| record::message_key(MessageId { mailbox, uid: *uid });
        let keys: Vec<_> = piece.iter().map(key).collect();
        let values = store.get_many(Table::Messages, &keys).await?;
        for (uid, value) in piece.iter().zip(values) {
            match value {
                Some(value) => places.extend(judged(*uid, &value, query, None)),
                None => missing.push(*uid),
            }
        }
    }
    Ok((places, missing))
}

/// The place of a message that is found for sure; one whose record can't be read is not.
fn judged(uid: u32, value: &[u8], query: &Query, inside: Option<&Inside>) -> Option<Place> {
    let mut catalogue = Catalogue::default();
    catalogue.push(uid, &Brief::read(value).ok()?);
    let found = |(_, envelope): &(Place, _)| query.verdict(envelope, inside) == Some(true);
    catalogue.last().filter(found).map(|(place, _)| place)
}

fn uid(key: &[u8]) -> Result<u32, StoreError> {
    let uid = key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    uid.ok_or_else(|| StoreError::Damaged("a message's key".into()))
}

#[cfg(test)]
mod tests;
