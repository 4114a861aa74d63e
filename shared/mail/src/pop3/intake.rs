//! A message on its way from the server into the store.
//!
//! Small messages wait in memory and are stored several at a time. Of a large one the bytes are
//! stored as they come, under a UID that is reserved for it and that no record names; a marker
//! remembers it, so that what an interrupted download left behind is found and removed.

use std::collections::BTreeMap;

use postern_bridge::{AccountId, Flags, MailboxId, MessageId, Moved};
use postern_mime::summary;
use sha2::{Digest, Sha256};

use super::{
    LedgerRow, header,
    limits::{IN_MEMORY, MAX_MESSAGE},
    listing::Listed,
    plan::{Facts, Part},
    verify::verify,
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
    /// The key of the marker of a message that is not stored as a whole yet.
    fn marker(self) -> Key {
        Key::new().bytes(b"pop3-partial-").u32(self.account.0)
    }

    /// Removes what an interrupted download, or a message that turned out to be known, has left.
    pub(super) async fn discard_partial(self, store: &impl Store) -> Result<(), StoreError> {
        let _editing = store.editing().lock().await;
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
    part: Part,
    /// The mailbox that a large one is stored into.
    mailbox: MailboxId,
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
    pub(super) part: Part,
    pub(super) sha256: [u8; 32],
    pub(super) header: Option<[u8; 32]>,
    /// The row of the message that it completes, as it was.
    pub(super) completes: Option<Box<LedgerRow>>,
    size: u64,
    /// The bytes that wait to be stored.
    waiting: Vec<u8>,
    spilled: Option<Spilled>,
}

impl Incoming {
    /// `mailbox` is where it is stored; another one than the inbox only if its header is there.
    pub(super) fn new(place: Place, listed: Listed, part: Part, mailbox: MailboxId) -> Self {
        Self {
            place,
            listed,
            part,
            mailbox,
            limit: MAX_MESSAGE,
            hasher: Sha256::new(),
            size: 0,
            waiting: Vec::new(),
            spilled: None,
        }
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
        let Self { listed, part, size, waiting, spilled, .. } = self;
        let header = header::digest(spilled.as_ref().map_or(&waiting, |spilled| &spilled.head));
        Ok(Received { listed, part, sha256, header, completes: None, size, waiting, spilled })
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

    /// What is known of it.
    pub(super) fn facts(&self) -> Facts<'_> {
        let Self { listed, part, sha256, header, .. } = self;
        Facts { listed, part: *part, sha256: *sha256, header: *header }
    }

    /// The record for the list, made of the message's first bytes.
    fn message(&self, id: MessageId, now: i64) -> Message {
        let head = self.spilled.as_ref().map_or(&self.waiting, |spilled| &spilled.head);
        let summary = summary(head);
        let (size, body) = match self.part {
            Part::Whole => (self.size, Body::Whole { size: self.size }),
            Part::Header => (self.listed.size, Body::Header { size: self.size }),
        };
        Message {
            id,
            arrived: arrival(summary.sent, now),
            sent: summary.sent,
            size,
            flags: Flags::default(),
            keywords: Vec::new(),
            from: record::addresses(summary.from),
            to: record::addresses(summary.to),
            subject: summary.subject,
            message_id: summary.message_id,
            preview: summary.preview,
            has_attachments: summary.has_attachments,
            body,
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
            header: self.header,
            partial: self.part == Part::Header,
            wanted: false,
            first_seen: seen,
            stored: now,
            verified: None,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
            gone: None,
        }
    }
}

/// When a message counts as arrived. POP3 does not tell; the date in its header is what people
/// expect to see, unless it is in the future.
fn arrival(sent: Option<i64>, now: i64) -> i64 {
    sent.filter(|sent| (0..=now).contains(sent)).unwrap_or(now)
}

/// What was stored.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// The rows of all messages, verified, as they are stored now.
    pub(super) rows: Vec<LedgerRow>,
    /// How many of the messages were not here before.
    pub(super) new: usize,
    /// The messages of which only the header was here before; where each was, and where it is.
    pub(super) completed: Vec<Moved>,
}

/// Makes messages visible, all of them or none: records, places in the list, bytes, ledger rows and
/// the mailboxes' counts in one strict batch. Then reads them back and marks them as verified.
///
/// What the ledger and the mailboxes hold is read under the lock for editing: the person may have
/// moved or deleted a message since the download began, or a backup may have been restored.
/// `seen` is when the server listed the messages.
pub(super) async fn commit(
    store: &impl Store,
    place: Place,
    received: &[Received],
    seen: i64,
    now: i64,
) -> Result<Committed, MailError> {
    let editing = store.editing().lock().await;
    let mut batch =
        Batch { store, place, writes: Vec::new(), mailboxes: BTreeMap::new(), keys: Vec::new() };
    let mut committed = Committed::default();
    for received in received {
        match batch.presence(received).await? {
            Presence::Absent => {
                batch.add(received, seen, now).await?;
                committed.new += 1;
            }
            Presence::Partial(row) => {
                let step = batch.complete(received, *row, now).await?;
                committed.completed.push(step);
            }
            Presence::Whole => batch.drop_bytes(received),
        }
    }
    let Batch { mut writes, mailboxes, keys, .. } = batch;
    writes.extend(mailboxes.values().map(Record::put));
    store.apply(writes, Durability::Strict).await?;
    drop(editing);
    let verified = verify(store, keys, now).await?;
    if verified.damaged > 0 {
        return Err(StoreError::Damaged("a message that was just stored".into()).into());
    }
    committed.rows = verified.rows;
    Ok(committed)
}

/// What is here of a message that has come.
enum Presence {
    Absent,
    /// The header; and the row.
    Partial(Box<LedgerRow>),
    /// Everything, or the person does not want it.
    Whole,
}

/// A batch in the making.
struct Batch<'a, S> {
    store: &'a S,
    place: Place,
    writes: Vec<Write>,
    mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// The rows that it writes.
    keys: Vec<Key>,
}

impl<S: Store> Batch<'_, S> {
    async fn presence(&mut self, received: &Received) -> Result<Presence, MailError> {
        if let Some(before) = &received.completes
            && let Some(row) = record::get::<LedgerRow>(self.store, &before.key()).await?
        {
            if !row.partial || row.deleted_here.is_some() {
                return Ok(Presence::Whole);
            }
            let there = self.store.get(Table::Messages, &message_key(row.message)).await?.is_some();
            return Ok(if there { Presence::Partial(Box::new(row)) } else { Presence::Absent });
        }
        // Where it will be says nothing about its key.
        let anywhere = MessageId { mailbox: self.place.inbox, uid: 0 };
        let key = received.row(self.place.account, anywhere, 0, 0).key();
        let row: Option<LedgerRow> = record::get(self.store, &key).await?;
        let same = row.is_some_and(|row| row.sha256 == received.sha256);
        Ok(if same { Presence::Whole } else { Presence::Absent })
    }

    /// Adds a message that was never stored.
    async fn add(&mut self, received: &Received, seen: i64, now: i64) -> Result<(), MailError> {
        let id = match &received.spilled {
            Some(spilled) => {
                self.writes.push(Write::Delete { table: Table::Meta, key: self.place.marker() });
                spilled.id
            }
            None => {
                let id = self.next_id(self.place.inbox).await?;
                self.writes.extend(put_body(id, &received.waiting));
                id
            }
        };
        let row = received.row(self.place.account, id, seen, now);
        if let Some(former) = record::get::<LedgerRow>(self.store, &row.key()).await?
            && former.sha256 != row.sha256
        {
            // The server has given its unique id to another message.
            self.writes.push(former.without_uidl(now).put());
        }
        self.keys.push(row.key());
        self.writes.push(row.put());
        self.writes.extend(received.message(id, now).put_listed());
        let mailbox = self.mailbox(id.mailbox).await?;
        mailbox.total += 1;
        mailbox.unread += 1;
        Ok(())
    }

    /// Puts the whole of a message into the place of its header.
    async fn complete(
        &mut self,
        received: &Received,
        row: LedgerRow,
        now: i64,
    ) -> Result<Moved, MailError> {
        let from = row.message;
        let before: Option<Message> = record::get(self.store, &message_key(from)).await?;
        let before = before.ok_or(MailError::Gone("message"))?;
        self.writes.extend(before.delete_whole());
        let to = match &received.spilled {
            None => {
                self.writes.extend(put_body(from, &received.waiting));
                from
            }
            Some(spilled) => {
                self.writes.push(Write::Delete { table: Table::Meta, key: self.place.marker() });
                if spilled.id.mailbox == from.mailbox {
                    spilled.id
                } else {
                    // It was moved to another mailbox while it was downloaded.
                    let to = self.next_id(from.mailbox).await?;
                    self.move_bytes(spilled, to).await?;
                    to
                }
            }
        };
        let fresh = received.message(to, now);
        let message = Message {
            id: to,
            size: fresh.size,
            preview: fresh.preview,
            has_attachments: fresh.has_attachments,
            body: fresh.body,
            ..before
        };
        self.writes.extend(message.put_listed());
        let key = row.key();
        let now = received.row(self.place.account, to, row.first_seen, now);
        if now.key() != key {
            self.writes.push(Write::Delete { table: Table::Ledger, key });
        }
        self.keys.push(now.key());
        self.writes.push(now.put());
        Ok(Moved { from, to })
    }

    /// What came is not needed.
    fn drop_bytes(&mut self, received: &Received) {
        if let Some(spilled) = &received.spilled {
            let range = KeyRange::prefix(message_key(spilled.id));
            self.writes.push(Write::DeleteRange { table: Table::Bodies, range });
            self.writes.push(Write::Delete { table: Table::Meta, key: self.place.marker() });
        }
    }

    async fn move_bytes(&mut self, spilled: &Spilled, to: MessageId) -> Result<(), StoreError> {
        for number in 0..spilled.chunks {
            let from = message_key(spilled.id).u32(number);
            let chunk = self.store.get(Table::Bodies, &from).await?;
            let value = chunk.ok_or_else(|| StoreError::Damaged("a chunk".into()))?;
            let key = message_key(to).u32(number);
            self.writes.push(Write::Delete { table: Table::Bodies, key: from });
            self.writes.push(Write::Put { table: Table::Bodies, key, value });
        }
        Ok(())
    }

    async fn next_id(&mut self, id: MailboxId) -> Result<MessageId, MailError> {
        let mailbox = self.mailbox(id).await?;
        let uid = mailbox.uid_next;
        mailbox.uid_next += 1;
        Ok(MessageId { mailbox: id, uid })
    }

    async fn mailbox(&mut self, id: MailboxId) -> Result<&mut Mailbox, MailError> {
        if !self.mailboxes.contains_key(&id) {
            self.mailboxes.insert(id, record::mailbox(self.store, id).await?);
        }
        Ok(self.mailboxes.get_mut(&id).expect("it has just been inserted"))
    }
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
        let incoming = Incoming::new(place, listed, Part::Whole, place.inbox);
        let mut incoming = Incoming { limit: 10, ..incoming };
        let store = MemoryStore::new();
        assert_eq!(block_on(incoming.push(&store, &[0; 10])), Ok(()));
        let refused = block_on(incoming.push(&store, &[0; 1]));
        assert!(matches!(refused, Err(MailError::Protocol(_))));
    }
}
