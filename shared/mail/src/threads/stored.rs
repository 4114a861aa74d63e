//! Stored messages: read into conversations, and their links learnt where an earlier version did not
//! look for them.

use postern_bridge::MessageId;

use super::{
    conversations::{Clue, Conversations},
    limits,
    names::is_plausible,
    sum::{Marks, Twin},
};
use crate::{
    Store,
    record::{self, Body, Brief, Links, Message, Record},
    store::{Durability, StoreError, Table},
};

/// What was read.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Read {
    /// Messages whose links are not known and whose header is stored: see [`adopt`].
    pub unlinked: Vec<MessageId>,
    /// Whether conversations are others than before.
    pub regrouped: bool,
}

/// What a message says of where it belongs.
fn clue<'a>(stored: &Brief<'a>) -> Clue<'a> {
    let from = stored.from.first();
    let links = stored.links.as_ref();
    let Brief { message_id, size, sent, subject, .. } = *stored;
    let looks = || (message_id, size, sent, subject, from.map(|own| own.address));
    let looks = is_plausible(message_id).then(looks);
    Clue {
        message_id,
        references: links.map(|own| own.references.clone()).unwrap_or_default(),
        thread: links.map(|own| own.thread).unwrap_or_default(),
        arrived: stored.arrived,
        from: from.map_or("", |own| if own.name.is_empty() { own.address } else { own.name }),
        marks: Marks {
            seen: stored.flags.seen,
            flagged: stored.flags.flagged,
            has_attachments: stored.has_attachments,
        },
        twin: Twin::new(links.map(|own| own.message).unwrap_or_default(), looks),
    }
}

/// Reads messages into conversations, or what they say by now; at most [`limits::PIECE`] at a time.
/// Those that are gone, or can't be read, are left out.
///
/// # Errors
///
/// If the store can't be read.
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
        let Ok(stored) = Brief::read(value) else { continue };
        if stored.links.is_none() && stored.body != Body::Absent {
            read.unlinked.push(*id);
        }
        read.regrouped |= conversations.add(*id, &clue(&stored));
    }
    Ok(read)
}

/// Learns the links of messages that an earlier version stored, from their stored headers; at most
/// [`limits::ADOPTED`] of them, which are taken out of `unlinked`.
///
/// It may break off after any batch: those that are not learnt are learnt the next time.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn adopt(store: &impl Store, unlinked: &mut Vec<MessageId>) -> Result<(), StoreError> {
    let ids = unlinked.split_off(unlinked.len().saturating_sub(limits::ADOPTED));
    let _editing = store.editing().lock().await;
    let keys: Vec<_> = ids.iter().map(|id| record::message_key(*id)).collect();
    let first_chunks: Vec<_> = keys.iter().map(|key| key.clone().u32(0)).collect();
    let messages: Vec<Option<Message>> = record::get_many_readable(store, &keys).await?;
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
    Ok(())
}
