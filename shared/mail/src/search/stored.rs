//! Stored messages, looked at in pieces.

use postern_bridge::{MailboxId, MessageId};
use postern_mime as mime;

use super::{
    limits,
    query::{Envelope, Query},
};
use crate::{
    Store,
    record::{self, Body, Place},
    store::{KeyRange, Order, StoreError, Table},
};

/// The stored messages of a mailbox, looked at piece by piece.
pub struct Scan {
    mailbox: MailboxId,
    rest: KeyRange,
}

/// What one piece has shown.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// Messages that are found.
    pub found: Vec<Place>,
    /// Messages whose text is stored, and decides: see [`looks_inside`].
    pub undecided: Vec<Place>,
}

impl Scan {
    /// From the first message on.
    pub fn new(mailbox: MailboxId) -> Self {
        Self { mailbox, rest: KeyRange::prefix(record::mailbox_key(mailbox)) }
    }

    /// Looks at the next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the store can't be read or a record is damaged.
    pub async fn next(
        &mut self,
        store: &impl Store,
        query: &Query,
    ) -> Result<Option<Seen>, StoreError> {
        let piece =
            store.scan(Table::Messages, &self.rest, Order::Ascending, limits::PIECE).await?;
        let Some((last, _)) = piece.last() else { return Ok(None) };
        self.rest.start = last.clone().bytes(&[0]);
        let mut seen = Seen::default();
        for (key, value) in &piece {
            let envelope: Envelope<'_> = decode(value)?;
            let place = Place { arrived: envelope.arrived, uid: uid(&key.0)? };
            match query.verdict(&envelope, None) {
                Some(true) => seen.found.push(place),
                None if has_text(&envelope.body) => seen.undecided.push(place),
                None | Some(false) => {}
            }
        }
        Ok(Some(seen))
    }

    /// The mailbox.
    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }
}

/// Whether a message is found by what is stored of it, its text included.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn looks_inside(
    store: &impl Store,
    id: MessageId,
    query: &Query,
) -> Result<bool, StoreError> {
    let Some(value) = store.get(Table::Messages, &record::message_key(id)).await? else {
        return Ok(false);
    };
    let envelope: Envelope<'_> = decode(&value)?;
    let inside = mime::inside(&record::body(store, id).await?);
    Ok(query.verdict(&envelope, Some(&inside)) == Some(true))
}

/// Those of the messages that are stored and fulfil a query for sure, and the UIDs of those that
/// are not stored.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
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
            let Some(value) = value else {
                missing.push(*uid);
                continue;
            };
            let envelope: Envelope<'_> = decode(&value)?;
            if query.verdict(&envelope, None) == Some(true) {
                places.push(Place { arrived: envelope.arrived, uid: *uid });
            }
        }
    }
    Ok((places, missing))
}

/// Whether the text of a message is stored.
fn has_text(body: &Body) -> bool {
    matches!(body, Body::Whole { .. } | Body::Partial { .. })
}

fn decode(value: &[u8]) -> Result<Envelope<'_>, StoreError> {
    rmp_serde::from_slice(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn uid(key: &[u8]) -> Result<u32, StoreError> {
    let uid = key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    uid.ok_or_else(|| StoreError::Damaged("a message's key".into()))
}

#[cfg(test)]
mod tests;
