//! A message on its way from the server into the store.
//!
//! Small messages wait in memory and are stored several at a time. Of a large one the bytes are
//! stored as they come, under a UID that is reserved for it and that no record names; a marker
//! remembers it, so that what an interrupted download left behind is found and removed.

use std::collections::BTreeSet;

use postern_bridge::{AccountId, MailboxId, MessageId};
use sha2::{Digest, Sha256};

use super::{
    LedgerRow,
    compare::Text,
    header,
    identity::Facts,
    limits::{IN_MEMORY, MAX_HEADER, MAX_MESSAGE},
    listing::Listed,
    plan::{Part, Wanted},
    server::too_large,
};
use crate::{
    MailError, Store,
    record::{self, Body, CHUNK, Message, Record, decode, encode, message_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// The subject of what stands for a message of which nothing is here.
const NOT_HERE: &str = "(This message was not downloaded)";

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

    /// Removes what an interrupted download, or a message that turned out to be known, has left.
    pub(super) async fn discard_partial(self, store: &impl Store) -> Result<(), StoreError> {
        let _editing = store.editing().lock().await;
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
    /// How many bytes have come.
    came: u64,
    hasher: Sha256,
    /// Its text, if nothing but what is in it tells it from others.
    text: Option<Text>,
    /// How many of them are kept.
    size: u64,
    /// Bytes that are not stored yet.
    waiting: Vec<u8>,
    spilled: Option<Spilled>,
}

/// The stored part of a large message.
pub(super) struct Spilled {
    pub(super) id: MessageId,
    pub(super) chunks: u32,
    /// Its first bytes, for the list.
    head: Vec<u8>,
}

/// A message that has been received as a whole.
pub(super) struct Received {
    pub(super) listed: Listed,
    pub(super) part: Part,
    pub(super) sha256: [u8; 32],
    pub(super) header: Option<[u8; 32]>,
    /// How many bytes follow its header.
    pub(super) text_size: Option<u64>,
    /// SHA-256 of them, if it has no unique id.
    pub(super) text: Option<[u8; 32]>,
    /// Whether no other message has its header.
    is_unique: bool,
    /// The row of the message that it completes, as it was.
    pub(super) completes: Option<Box<LedgerRow>>,
    /// Which one it is of those with the same bytes and no unique id.
    pub(super) copy: u32,
    size: u64,
    /// The bytes that wait to be stored.
    pub(super) waiting: Vec<u8>,
    pub(super) spilled: Option<Spilled>,
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
        self.hasher.update(bytes);
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
    pub(super) async fn finish(mut self, store: &impl Store) -> Result<Received, MailError> {
        if let Some(spilled) = &mut self.spilled {
            let batch = chunk_writes(spilled, &self.waiting);
            store.apply(batch, Durability::Strict).await.map_err(|error| self.refused(error))?;
            self.waiting.clear();
        }
        let sha256 = self.hasher.finalize().into();
        let text = self.text.and_then(Text::digest);
        let Self { listed, part, size, waiting, spilled, .. } = self;
        let head = spilled.as_ref().map_or(&waiting, |spilled| &spilled.head);
        let header = header::digest(head);
        let text_size = header::text_start(head).map(|start| size - start as u64);
        let is_unique = header::is_unique(head);
        Ok(Received {
            listed,
            part,
            sha256,
            header,
            text_size,
            text,
            is_unique,
            completes: None,
            copy: 0,
            size,
            waiting,
            spilled,
        })
    }

    /// Stores the whole chunks that wait.
    ///
    /// Strictly: the record that follows later makes the message count as stored, and must not
    /// reach the disk before its bytes.
    async fn spill(&mut self, store: &impl Store) -> Result<(), MailError> {
        let rest = self.waiting.split_off(self.waiting.len() / CHUNK * CHUNK);
        let chunks = std::mem::replace(&mut self.waiting, rest);
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

impl Received {
    /// What stands for a message of which nothing is to be had.
    pub(super) fn nothing(listed: Listed) -> Self {
        Self {
            listed,
            part: Part::Header,
            sha256: Sha256::digest([]).into(),
            header: None,
            text_size: None,
            text: None,
            is_unique: false,
            completes: None,
            copy: 0,
            size: 0,
            waiting: Vec::new(),
            spilled: None,
        }
    }

    /// Whether it only stands for a message.
    pub(super) fn is_nothing(&self) -> bool {
        self.part == Part::Header && self.size == 0
    }

    /// How many bytes of it are stored, or will be.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes it holds in memory.
    pub(super) fn weight(&self) -> usize {
        self.waiting.len() + self.spilled.as_ref().map_or(0, |spilled| spilled.head.len())
    }

    /// Where its bytes are, if they are in the store already.
    pub(super) fn spilled_to(&self) -> Option<MessageId> {
        self.spilled.as_ref().map(|spilled| spilled.id)
    }

    /// What is known of it, and of the rows that it was compared with.
    pub(super) fn facts<'a>(&'a self, remarked: &'a BTreeSet<Vec<u8>>) -> Facts<'a> {
        Facts {
            listed: &self.listed,
            part: self.part,
            sha256: self.sha256,
            header: self.header,
            text_size: self.text_size,
            text: self.text,
            is_unique: self.is_unique,
            remarked,
        }
    }

    /// The record for the list, made of the message's first bytes.
    pub(super) fn message(&self, id: MessageId, now: i64) -> Message {
        let head = self.spilled.as_ref().map_or(&self.waiting, |spilled| &spilled.head);
        let (size, body) = match self.part {
            Part::Whole => (self.size, Body::Whole { size: self.size }),
            Part::Header => (self.listed.size, Body::Header { size: self.size }),
        };
        let message = Message::summarised(id, now, head, body);
        Message {
            arrived: arrival(message.sent, now),
            size,
            subject: if self.is_nothing() { NOT_HERE.into() } else { message.subject },
            ..message
        }
    }

    /// Its row in the ledger; it was first seen at `seen`.
    pub(super) fn row(
        &self,
        account: AccountId,
        message: MessageId,
        seen: i64,
        now: i64,
    ) -> LedgerRow {
        LedgerRow {
            account,
            uidl: self.listed.uidl.clone().unwrap_or_default(),
            message,
            listed_size: self.listed.size,
            size: self.size,
            sha256: self.sha256,
            header: self.header,
            text_size: self.text_size,
            text: self.text,
            partial: self.part == Part::Header,
            wanted: false,
            first_seen: seen,
            stored: now,
            verified: None,
            refused: None,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
            gone: None,
            copy: self.copy,
        }
    }
}

/// When a message counts as arrived. POP3 does not tell; the date in its header is what people
/// expect to see, unless it is in the future.
fn arrival(sent: Option<i64>, now: i64) -> i64 {
    sent.filter(|sent| (0..=now).contains(sent)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::MemoryStore, testing::block_on};

    #[test]
    fn a_message_arrived_when_it_was_sent_unless_that_can_not_be() {
        let cases = [(Some(5), 5), (Some(11), 10), (Some(-1), 10), (None, 10)];
        for (sent, expected) in cases {
            assert_eq!(arrival(sent, 10), expected, "{sent:?}");
        }
    }

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
            let received = block_on(incoming.finish(&store)).unwrap();
            assert_eq!((received.size, received.waiting.len()), (MAX_HEADER as u64, MAX_HEADER));
        }
    }
}
