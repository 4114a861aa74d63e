//! Stored messages: read into conversations, and their links learnt where an earlier version did not
//! look for them.

use postern_bridge::MessageId;
use serde::Deserialize;

use super::{
    conversations::{Clue, Conversations},
    limits,
    names::is_plausible,
    sum::{Marks, Twin},
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
    /// Whether conversations are others than before.
    pub regrouped: bool,
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
    sent: Option<i64>,
    size: u64,
    flags: StoredFlags,
    #[serde(borrow)]
    from: Vec<StoredAddress<'a>>,
    #[serde(borrow)]
    subject: &'a str,
    has_attachments: bool,
}

#[derive(Deserialize)]
struct StoredFlags {
    seen: bool,
    flagged: bool,
}

#[derive(Deserialize)]
struct StoredAddress<'a> {
    #[serde(borrow)]
    name: &'a str,
    #[serde(borrow)]
    address: &'a str,
}

#[derive(Default, Deserialize)]
struct StoredLinks<'a> {
    #[serde(borrow, default)]
    references: Vec<&'a str>,
    #[serde(borrow, default)]
    thread: &'a str,
    #[serde(borrow, default)]
    message: &'a str,
}

impl Stored<'_> {
    fn clue(&self) -> Clue<'_> {
        let from = self.from.first();
        let links = self.links.as_ref();
        let looks =
            || (self.message_id, self.size, self.sent, self.subject, from.map(|own| own.address));
        let looks = is_plausible(self.message_id).then(looks);
        Clue {
            message_id: self.message_id,
            references: links.map(|own| own.references.clone()).unwrap_or_default(),
            thread: links.map(|own| own.thread).unwrap_or_default(),
            arrived: self.arrived,
            from: from.map_or("", |own| if own.name.is_empty() { own.address } else { own.name }),
            marks: Marks {
                seen: self.flags.seen,
                flagged: self.flags.flagged,
                has_attachments: self.has_attachments,
            },
            twin: Twin::new(links.map(|own| own.message).unwrap_or_default(), looks),
        }
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
        let Ok(stored) = rmp_serde::from_slice::<Stored<'_>>(value) else { continue };
        if stored.links.is_none() && stored.body != Body::Absent {
            read.unlinked.push(*id);
        }
        read.regrouped |= conversations.add(*id, &stored.clue());
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
