//! A message on its way from the server into the store.
//!
//! Small messages wait in memory and are stored several at a time. Of a large one the bytes are
//! stored as they come, under a UID that is reserved for it and that no record names; a marker
//! remembers it, so that what an interrupted download left behind is found and removed.

use postern_bridge::{AccountId, MailboxId, MessageId};
use sha2::{Digest, Sha256};

use super::{
    compare::Text,
    limits::{IN_MEMORY, MAX_HEADER, MAX_MESSAGE},
    listing::Listed,
    plan::{Part, Wanted},
    received::{Arrived, Bytes, Received, Spilled},
    server::too_large,
};
use crate::{
    Digests, MailError, Store,
    carry::discard_carried,
    record::{self, Body, CHUNK, Message, Record, decode, encode, message_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// Where an account's messages go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) account: AccountId,
    pub(super) inbox: MailboxId,
}

impl Place {
    /// The key of the marker of a message that is not stored as a whole yet.
    pub(super) fn marker(self) -> Key {
        Key::new().bytes(b"pop3-partial-").u32(self.account.0)
    }

    /// The key of a message's row.
    pub(super) fn key(self, received: &Received) -> Key {
        // Where it will be says nothing about that.
        let anywhere = MessageId { mailbox: self.inbox, uid: 0 };
        received.row(self.account, anywhere, 0, 0).key()
    }

    /// Removes what an interrupted download, or a message that turned out to be known, has left; and
    /// copies on their way to another mailbox that no message has come to own.
    pub(super) async fn discard_partial(self, store: &impl Store) -> Result<(), StoreError> {
        let _editing = store.editing().lock().await;
        discard_carried(store).await?;
        let Some(value) = store.get(Table::Meta, &self.marker()).await? else { return Ok(()) };
        let mut batch = vec![Write::Delete { table: Table::Meta, key: self.marker() }];
        // A marker that can't be read holds nothing up: what it named takes up room, no more.
        if let Ok(message) = decode::<MessageId>(&value) {
            let range = KeyRange::prefix(message_key(message));
            batch.push(Write::DeleteRange { table: Table::Bodies, range });
        }
        store.apply(batch, Durability::Relaxed).await
    }
}

/// A message that is being received.
pub(super) struct Incoming {
    place: Place,
    listed: Listed,
    part: Part,
    by_extent: bool,
    /// The mailbox that a large one is stored into.
    mailbox: MailboxId,
    limit: u64,
    /// How many bytes have come…
    came: u64,
    /// …and how many of them are kept.
    size: u64,
    /// The checksum of those that have left memory for the store.
    hasher: Sha256,
    /// Its text, if nothing but what is in it tells it from others.
    text: Option<Text>,
    /// Bytes that are not stored yet.
    waiting: Vec<u8>,
    spilled: Option<Spilled>,
}

impl Incoming {
    /// `mailbox` is where it is stored; another one than the inbox only if its header is there.
    pub(super) fn new(place: Place, wanted: Wanted, mailbox: MailboxId) -> Self {
        let Wanted { listed, part, by_extent } = wanted;
        let is_unnamed = listed.uidl.is_none() && part == Part::Whole;
        Self {
            place,
            text: is_unnamed.then(Text::default),
            listed,
            part,
            by_extent,
            mailbox,
            limit: MAX_MESSAGE,
            came: 0,
            hasher: Sha256::new(),
            size: 0,
            waiting: Vec::new(),
            spilled: None,
        }
    }

    /// Takes the next bytes.
    pub(super) async fn push(&mut self, store: &impl Store, bytes: &[u8]) -> Result<(), MailError> {
        self.came += bytes.len() as u64;
        if self.came > self.limit {
            return Err(too_large(self.limit));
        }
        let bytes = match self.part {
            Part::Whole => bytes,
            Part::Header => &bytes[..bytes.len().min(MAX_HEADER - self.waiting.len())],
        };
        self.size += bytes.len() as u64;
        if let Some(text) = &mut self.text {
            text.take(bytes);
        }
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() > IN_MEMORY {
            self.spill(store).await?;
        }
        Ok(())
    }

    /// The end of the message.
    pub(super) async fn finish(
        mut self,
        store: &impl Store,
        digests: &impl Digests,
    ) -> Result<Arrived, MailError> {
        if let Some(spilled) = &mut self.spilled {
            let batch = chunk_writes(spilled, &self.waiting);
            store.apply(batch, Durability::Strict).await.map_err(|error| self.refused(error))?;
            self.hasher.update(&self.waiting);
        }
        let Self { listed, part, size, text, waiting, spilled, hasher, .. } = self;
        let bytes = match spilled {
            Some(spilled) => Bytes::Spilled(spilled, hasher.finalize().into()),
            None => {
                let sha256 = digests.sha256(&waiting);
                Bytes::Waiting(waiting, sha256)
            }
        };
        Ok(Arrived { listed, part, size, text: text.and_then(Text::digest), bytes })
    }

    /// Stores the whole chunks that wait.
    ///
    /// Strictly: the record that follows later makes the message count as stored, and must not
    /// reach the disk before its bytes.
    async fn spill(&mut self, store: &impl Store) -> Result<(), MailError> {
        let rest = self.waiting.split_off(self.waiting.len() / CHUNK * CHUNK);
        let chunks = std::mem::replace(&mut self.waiting, rest);
        self.hasher.update(&chunks);
        let mut batch = Vec::new();
        let _editing = store.editing().lock().await;
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            None => {
                let mut mailbox = record::mailbox(store, self.mailbox).await?;
                let id = MessageId { mailbox: self.mailbox, uid: mailbox.uid_next };
                mailbox.uid_next += 1;
                batch.push(mailbox.put());
                let (key, value) = (self.place.marker(), encode(&id));
                batch.push(Write::Put { table: Table::Meta, key, value });
                self.spilled.insert(Spilled { id, chunks: 0, head: chunks.clone() })
            }
        };
        batch.extend(chunk_writes(spilled, &chunks));
        store.apply(batch, Durability::Strict).await.map_err(|error| self.refused(error))
    }

    /// The store did not take a part of it. If there is no room, the person is told for what.
    fn refused(&self, error: StoreError) -> MailError {
        if error != StoreError::QuotaExceeded {
            return error.into();
        }
        let head = self.spilled.as_ref().map_or(&self.waiting, |spilled| &spilled.head);
        let nowhere = MessageId { mailbox: self.mailbox, uid: 0 };
        let message = Message::summarised(nowhere, 0, head, Body::Absent);
        MailError::NoRoom {
            subject: message.subject,
            size: self.listed.size.max(self.came),
            can_be_less: self.by_extent,
        }
    }
}

fn chunk_writes(spilled: &mut Spilled, bytes: &[u8]) -> Vec<Write> {
    bytes
        .chunks(CHUNK)
        .map(|chunk| {
            let key = message_key(spilled.id).u32(spilled.chunks);
            spilled.chunks += 1;
            Write::Put { table: Table::Bodies, key, value: chunk.to_vec() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::MemoryStore, testing::block_on};

    /// A host that makes no digests.
    struct Without;

    impl Digests for Without {}

    #[test]
    fn the_largest_message_is_taken_and_one_byte_more_is_not() {
        let place = Place { account: AccountId(1), inbox: MailboxId(1) };
        let listed = Listed { number: 1, size: 1, uidl: None };
        let wanted = Wanted { listed, part: Part::Whole, by_extent: true };
        let incoming = Incoming::new(place, wanted, place.inbox);
        let mut incoming = Incoming { limit: 10, ..incoming };
        let store = MemoryStore::new();
        assert_eq!(block_on(incoming.push(&store, &[0; 10])), Ok(()));
        let refused = block_on(incoming.push(&store, &[0; 1]));
        assert!(matches!(refused, Err(MailError::Protocol(_))));
    }

    #[test]
    fn the_largest_header_is_kept_and_what_is_beyond_is_left_out() {
        let place = Place { account: AccountId(1), inbox: MailboxId(1) };
        let store = MemoryStore::new();
        for beyond in [0, 1, MAX_HEADER] {
            let listed = Listed { number: 1, size: 1, uidl: None };
            let wanted = Wanted { listed, part: Part::Header, by_extent: false };
            let mut incoming = Incoming::new(place, wanted, place.inbox);
            for piece in vec![b'x'; MAX_HEADER + beyond].chunks(MAX_HEADER / 3) {
                assert_eq!(block_on(incoming.push(&store, piece)), Ok(()));
            }
            let arrived = block_on(incoming.finish(&store, &Without)).unwrap();
            assert_eq!((arrived.size, arrived.weight()), (MAX_HEADER as u64, MAX_HEADER));
        }
    }
}
