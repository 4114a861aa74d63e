//! A message on its way from the server into the store.
//!
//! Small messages wait in memory and are stored several at a time. Of a large one the bytes are
//! stored as they come, under a UID that is reserved for it and that no record names; a marker
//! remembers it, so that what an interrupted download left behind is found and removed.

use postern_bridge::{AccountId, Flags, MailboxId, MessageId};
use postern_mime::summary;
use sha2::{Digest, Sha256};

use super::{
    LedgerRow,
    ledger::{is_intact, write},
    limits::{IN_MEMORY, MAX_MESSAGE},
    listing::Listed,
};
use crate::{
    MailError, Store,
    record::{self, Body, CHUNK, Mailbox, Message, Record, decode, encode, message_key, put_body},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// Where an account's messages go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) account: AccountId,
    pub(super) inbox: MailboxId,
}

impl Place {
    async fn mailbox(self, store: &impl Store) -> Result<Mailbox, MailError> {
        record::mailbox(store, self.inbox).await
    }

    /// The key of the marker of a message that is not stored as a whole yet.
    fn marker(self) -> Key {
        Key::new().bytes(b"pop3-partial-").u32(self.account.0)
    }

    /// Removes what an interrupted download, or a message that turned out to be known, has left.
    pub(super) async fn discard_partial(self, store: &impl Store) -> Result<(), StoreError> {
        let Some(value) = store.get(Table::Meta, &self.marker()).await? else { return Ok(()) };
        let message: MessageId = decode(&value)?;
        let range = KeyRange::prefix(message_key(message));
        let batch = vec![
            Write::DeleteRange { table: Table::Bodies, range },
            Write::Delete { table: Table::Meta, key: self.marker() },
        ];
        store.apply(batch, Durability::Relaxed).await
    }
}

/// A message that is being received.
pub(super) struct Incoming {
    place: Place,
    listed: Listed,
    limit: u64,
    hasher: Sha256,
    size: u64,
    /// Bytes that are not stored yet.
    waiting: Vec<u8>,
    spilled: Option<Spilled>,
}

/// The stored part of a large message.
struct Spilled {
    id: MessageId,
    chunks: u32,
    /// Its first bytes, for the list.
    head: Vec<u8>,
}

/// A message that has been received as a whole.
pub(super) struct Received {
    pub(super) listed: Listed,
    pub(super) sha256: [u8; 32],
    pub(super) size: u64,
    /// The bytes that wait to be stored.
    waiting: Vec<u8>,
    spilled: Option<Spilled>,
}

impl Incoming {
    pub(super) fn new(place: Place, listed: Listed) -> Self {
        Self::with_limit(place, listed, MAX_MESSAGE)
    }

    fn with_limit(place: Place, listed: Listed, limit: u64) -> Self {
        let hasher = Sha256::new();
        Self { place, listed, limit, hasher, size: 0, waiting: Vec::new(), spilled: None }
    }

    /// Takes the next bytes.
    pub(super) async fn push(&mut self, store: &impl Store, bytes: &[u8]) -> Result<(), MailError> {
        self.size += bytes.len() as u64;
        if self.size > self.limit {
            return Err(MailError::Protocol(format!(
                "a message of more than {} bytes",
                self.limit
            )));
        }
        self.hasher.update(bytes);
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
            store.apply(batch, Durability::Strict).await?;
            self.waiting.clear();
        }
        let sha256 = self.hasher.finalize().into();
        let Self { listed, size, waiting, spilled, .. } = self;
        Ok(Received { listed, sha256, size, waiting, spilled })
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
                let mut mailbox = self.place.mailbox(store).await?;
                let id = MessageId { mailbox: self.place.inbox, uid: mailbox.uid_next };
                mailbox.uid_next += 1;
                batch.push(mailbox.put());
                let (key, value) = (self.place.marker(), encode(&id));
                batch.push(Write::Put { table: Table::Meta, key, value });
                self.spilled.insert(Spilled { id, chunks: 0, head: chunks.clone() })
            }
        };
        batch.extend(chunk_writes(spilled, &chunks));
        store.apply(batch, Durability::Strict).await?;
        Ok(())
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
    /// How many bytes it holds in memory.
    pub(super) fn weight(&self) -> usize {
        self.waiting.len() + self.spilled.as_ref().map_or(0, |spilled| spilled.head.len())
    }

    /// Whether part of it is in the store already.
    pub(super) fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    /// The record for the list, made of the message's first bytes.
    fn message(&self, id: MessageId, now: i64) -> Message {
        let head = self.spilled.as_ref().map_or(&self.waiting, |spilled| &spilled.head);
        let summary = summary(head);
        Message {
            id,
            arrived: arrival(summary.sent, now),
            sent: summary.sent,
            size: self.size,
            flags: Flags::default(),
            keywords: Vec::new(),
            from: record::addresses(summary.from),
            to: record::addresses(summary.to),
            subject: summary.subject,
            message_id: summary.message_id,
            preview: summary.preview,
            has_attachments: summary.has_attachments,
            body: Body::Whole { size: self.size },
        }
    }

    fn row(&self, account: AccountId, message: MessageId, seen: i64, now: i64) -> LedgerRow {
        LedgerRow {
            account,
            uidl: self.listed.uidl.clone().unwrap_or_default(),
            message,
            listed_size: self.listed.size,
            size: self.size,
            sha256: self.sha256,
            first_seen: seen,
            stored: now,
            verified: None,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
        }
    }
}

/// When a message counts as arrived. POP3 does not tell; the date in its header is what people
/// expect to see, unless it is in the future.
fn arrival(sent: Option<i64>, now: i64) -> i64 {
    sent.filter(|sent| (0..=now).contains(sent)).unwrap_or(now)
}

/// Makes messages visible, all of them or none: records, places in the list, bytes, ledger rows and
/// the mailbox's counts in one strict batch. Then reads them back and marks them as verified.
///
/// Returns the rows as they are stored then. `seen` is when the server listed the messages.
pub(super) async fn commit(
    store: &impl Store,
    place: Place,
    received: &[Received],
    seen: i64,
    now: i64,
) -> Result<Vec<LedgerRow>, MailError> {
    let editing = store.editing().lock().await;
    let mut mailbox = place.mailbox(store).await?;
    let mut batch = Vec::new();
    let mut rows = Vec::new();
    for received in received {
        let id = match &received.spilled {
            Some(spilled) => {
                batch.push(Write::Delete { table: Table::Meta, key: place.marker() });
                spilled.id
            }
            None => {
                let id = MessageId { mailbox: place.inbox, uid: mailbox.uid_next };
                mailbox.uid_next += 1;
                batch.extend(put_body(id, &received.waiting));
                id
            }
        };
        let row = received.row(place.account, id, seen, now);
        batch.push(row.put());
        batch.extend(received.message(id, now).put_listed());
        rows.push(row);
        mailbox.total += 1;
        mailbox.unread += 1;
    }
    batch.push(mailbox.put());
    store.apply(batch, Durability::Strict).await?;
    drop(editing);
    for row in &mut rows {
        if !is_intact(store, row).await? {
            return Err(StoreError::Damaged("a message that was just stored".into()).into());
        }
        row.verified = Some(now);
    }
    Ok(write(store, rows, Durability::Relaxed).await?)
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
        let mut incoming = Incoming::with_limit(place, listed, 10);
        let store = MemoryStore::new();
        assert_eq!(block_on(incoming.push(&store, &[0; 10])), Ok(()));
        let refused = block_on(incoming.push(&store, &[0; 1]));
        assert!(matches!(refused, Err(MailError::Protocol(_))));
    }
}
