//! Messages that are written to a file, with their bytes, wherever those are.
//!
//! One that is moved while it is read is read on where it is then, and one whose windows become its own
//! bytes, since somebody opens it, in those.

use std::collections::BTreeSet;

use postern_bridge::MessageId;

use super::limits;
use crate::{
    MailError, Store,
    changes::moved_to,
    imap::Raw,
    record::{self, Body, Message},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// Where messages come from that are not stored as a whole.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Fetch {
    /// The whole message; `None` if it can't be had. A large one is stored, which whoever asks undoes.
    async fn whole(&self, message: &Message) -> Option<Raw>;
}

/// A message's bytes, to be read from the beginning to the end.
pub(super) enum Bytes {
    /// In the store: where it is, and where it was at first.
    Stored {
        id: MessageId,
        origin: MessageId,
        is_fetched: bool,
        next: u32,
        size: u64,
        left: u64,
    },
    Held(Option<Vec<u8>>),
}

impl Bytes {
    fn stored(id: MessageId, is_fetched: bool, size: u64) -> Self {
        Self::Stored { id, origin: id, is_fetched, next: 0, size, left: size }
    }
}

/// What is known of a message that is to be written.
pub(super) enum Found {
    /// It has gone meanwhile, or is written already.
    Gone,
    /// It is damaged, or can't be had.
    Missing,
    Here(Box<Message>, Bytes),
}

impl Found {
    fn here(message: Message, bytes: Bytes) -> Self {
        Self::Here(Box::new(message), bytes)
    }
}

/// Where messages are read.
pub(super) struct Source<'a, S, F> {
    store: &'a S,
    fetch: &'a F,
    /// Whether headers without their messages are of use.
    pub(super) with_headers: bool,
    /// The message of which something may have been stored only to be written.
    fetched: Option<MessageId>,
    /// Where messages were moved to while they were written: there they are written already.
    followed: BTreeSet<MessageId>,
}

impl<'a, S: Store, F: Fetch> Source<'a, S, F> {
    pub(super) fn new(store: &'a S, fetch: &'a F, with_headers: bool) -> Self {
        Self { store, fetch, with_headers, fetched: None, followed: BTreeSet::new() }
    }

    /// Finds a message.
    pub(super) async fn message(&mut self, id: MessageId) -> Result<Found, MailError> {
        self.forget_fetched().await?;
        if self.followed.contains(&id) {
            return Ok(Found::Gone);
        }
        let key = record::message_key(id);
        let Some(value) = self.store.get(Table::Messages, &key).await? else {
            return Ok(Found::Gone);
        };
        let Ok(message) = record::decode::<Message>(&value) else { return Ok(Found::Missing) };
        // Of what is here as a header alone, a backup has the header, as the ledger says.
        let stored = match message.body {
            Body::Whole { size } => Some(size),
            Body::Header { size } if self.with_headers => Some(size),
            _ => None,
        };
        match stored {
            Some(size) if size <= limits::IN_MEMORY as u64 => {
                let raw = record::body(self.store, id).await?;
                if raw.len() as u64 == size {
                    return Ok(Found::here(message, Bytes::Held(Some(raw))));
                }
            }
            Some(left) if record::stored_size(self.store, id).await? == left => {
                return Ok(Found::here(message, Bytes::stored(id, false, left)));
            }
            // One that is damaged must not keep all others out of the file.
            _ => {}
        }
        self.fetched = Some(id);
        match self.fetch.whole(&message).await {
            Some(Raw::Held(raw)) => {
                self.fetched = None;
                Ok(Found::here(message, Bytes::Held(Some(raw))))
            }
            Some(Raw::Stored { size: left }) => {
                Ok(Found::here(message, Bytes::stored(id, true, left)))
            }
            None => Ok(Found::Missing),
        }
    }

    /// Removes what was stored only to be written. If the page dies before, or the person stops it, it
    /// stays until the message goes or is saved again.
    pub(super) async fn forget_fetched(&mut self) -> Result<(), StoreError> {
        let Some(id) = self.fetched.take() else { return Ok(()) };
        let range = KeyRange::prefix(record::part_key(id, ""));
        let gone = Write::DeleteRange { table: Table::Bodies, range };
        self.store.apply(vec![gone], Durability::Relaxed).await
    }

    /// The next bytes of a message; `None` behind the last.
    pub(super) async fn chunk(&mut self, bytes: &mut Bytes) -> Result<Option<Vec<u8>>, MailError> {
        match bytes {
            Bytes::Held(raw) => Ok(raw.take().filter(|raw| !raw.is_empty())),
            Bytes::Stored { left: 0, .. } => Ok(None),
            Bytes::Stored { id, origin, is_fetched, next, size, left } => {
                let mut chunk = self.stored_chunk(id, *origin, *is_fetched, *next).await?;
                if chunk.is_none() && *is_fetched && self.is_whole(*id, *size).await? {
                    (*is_fetched, *next) = (false, 0);
                    chunk = self.own_chunk(id, *origin, next, *size - *left).await?;
                }
                let rest = chunk.as_ref().and_then(|chunk| left.checked_sub(chunk.len() as u64));
                // Half a message is none.
                *left = rest.ok_or_else(|| {
                    let sentence =
                        "A message was moved or deleted while it was being saved. Try again.";
                    MailError::Input(sentence.into())
                })?;
                *next += 1;
                Ok(chunk)
            }
        }
    }

    /// Whether a message of this size is stored as it is: if it was opened, its windows became its own
    /// bytes.
    async fn is_whole(&self, id: MessageId, size: u64) -> Result<bool, StoreError> {
        let key = record::message_key(id);
        let message: Option<Message> = record::get(self.store, &key).await?;
        Ok(message.is_some_and(|message| message.body == Body::Whole { size }))
    }

    /// The first chunk of a message's own bytes that has more than so many, without those.
    async fn own_chunk(
        &mut self,
        id: &mut MessageId,
        origin: MessageId,
        number: &mut u32,
        mut known: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(mut chunk) = self.stored_chunk(id, origin, false, *number).await? {
            if chunk.len() as u64 > known {
                return Ok(Some(chunk.split_off(known as usize)));
            }
            known -= chunk.len() as u64;
            *number += 1;
        }
        Ok(None)
    }

    /// A chunk of a message, which is followed to where it was moved. The number that it has on its way
    /// is forgotten once the server gives it another, so it is asked for by where it was at first; there
    /// it is again if the move was taken back.
    async fn stored_chunk(
        &mut self,
        id: &mut MessageId,
        origin: MessageId,
        is_fetched: bool,
        number: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let store = self.store;
        loop {
            let place =
                if is_fetched { record::part_key(*id, "") } else { record::message_key(*id) };
            let chunk = store.get(Table::Bodies, &place.u32(number)).await?;
            if let Some(chunk) = chunk.filter(|chunk| !chunk.is_empty()) {
                return Ok(Some(chunk));
            }
            let there = moved_to(store, origin).await?.unwrap_or(origin);
            if there == *id {
                return Ok(None);
            }
            if is_fetched {
                self.fetched = Some(there);
            }
            self.followed.insert(there);
            *id = there;
        }
    }
}
