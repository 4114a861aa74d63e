//! Stored messages: read into conversations, and their links learnt where an earlier version did not
//! look for them.

use postern_bridge::MessageId;
use serde::Deserialize;

use super::{
    conversations::{Clue, Conversations},
    limits,
};
use crate::{
    Store,
    record::{self, Body, Links, Message, Record},
    store::{Durability, StoreError, Table},
};

/// What was read.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Read {
    /// Messages whose links are not known and whose header is stored: see [`adopt`].
    pub unlinked: Vec<MessageId>,
}

/// A message's record, as far as it says where the message belongs; borrowed from the stored bytes.
#[derive(Deserialize)]
struct Stored<'a> {
    arrived: i64,
    #[serde(borrow)]
    message_id: &'a str,
    #[serde(borrow, default)]
    links: Option<StoredLinks<'a>>,
    body: Body,
}

#[derive(Default, Deserialize)]
struct StoredLinks<'a> {
    #[serde(borrow, default)]
    references: Vec<&'a str>,
    #[serde(borrow, default)]
    thread: &'a str,
}

/// Reads messages into conversations, at most [`limits::PIECE`] at a time; those that are gone are
/// left out.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn read(
    store: &impl Store,
    ids: &[MessageId],
    conversations: &mut Conversations,
) -> Result<Read, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| record::message_key(*id)).collect();
    let values = store.get_many(Table::Messages, &keys).await?;
    let mut read = Read::default();
    for (id, value) in ids.iter().zip(&values) {
        let Some(value) = value else { continue };
        let stored: Stored<'_> =
            rmp_serde::from_slice(value).map_err(|error| StoreError::Damaged(error.to_string()))?;
        if stored.links.is_none() && stored.body != Body::Absent {
            read.unlinked.push(*id);
        }
        let links = stored.links.unwrap_or_default();
        let clue = Clue {
            message_id: stored.message_id,
            references: links.references,
            thread: links.thread,
            arrived: stored.arrived,
        };
        conversations.add(*id, &clue);
    }
    Ok(read)
}

/// Learns the links of messages that an earlier version stored, from their stored headers; at most
/// [`limits::ADOPTED`] of them, which are taken out of `unlinked` and returned.
///
/// It may break off after any batch: those that are not learnt are learnt the next time.
///
/// # Errors
///
/// If the store can't be read or written, or a record is damaged.
pub async fn adopt(
    store: &impl Store,
    unlinked: &mut Vec<MessageId>,
) -> Result<Vec<MessageId>, StoreError> {
    let ids = unlinked.split_off(unlinked.len().saturating_sub(limits::ADOPTED));
    let _editing = store.editing().lock().await;
    let keys: Vec<_> = ids.iter().map(|id| record::message_key(*id)).collect();
    let first_chunks: Vec<_> = keys.iter().map(|key| key.clone().u32(0)).collect();
    let messages: Vec<Option<Message>> = record::get_many(store, &keys).await?;
    let heads = store.get_many(Table::Bodies, &first_chunks).await?;
    let mut writes = Vec::new();
    for (message, head) in messages.into_iter().zip(heads) {
        let (Some(message), Some(head)) = (message, head) else { continue };
        if message.links.is_none() {
            let links = Some(Links::new(postern_mime::references(&head), String::new()));
            writes.push(Message { links, ..message }.put());
        }
    }
    if !writes.is_empty() {
        store.apply(writes, Durability::Relaxed).await?;
    }
    Ok(ids)
}
