//! Messages on their way into a local mailbox.
//!
//! Small ones wait in memory and are stored several at a time; the bytes of a large one are stored
//! as they come, under a reserved UID that no record names, and a marker remembers it.

use std::collections::{BTreeSet, HashMap};

use postern_bridge::{MailboxId, MessageId};
use postern_mime::summary;
use sha2::Digest;

use super::{
    arriving::{Arriving, Spilled, union},
    known::{self, Known, Place, Trait},
    limits,
    manifest::Note,
    rows::{Former, Here, SavedRow},
};
use crate::{
    MailError, Store,
    pop3::LedgerRow,
    record::{
        self, Body, CHUNK, Links, Mailbox, Message, Record, decode, encode, message_key, put_body,
    },
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// How much of a message is kept for its record, if it is large.
const HEAD: usize = 256 * 1024;

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Landed {
    /// It is new.
    New,
    /// It was there already.
    Known,
    /// It is empty or larger than may be.
    Refused,
    /// The program that wrote the file had removed it.
    Expunged,
}

/// Brings messages into one mailbox, one after the other.
pub(super) struct Landing<'a, S> {
    store: &'a S,
    mailbox: MailboxId,
    /// Whether a message may be there as often as it comes.
    copies: bool,
    now: i64,
    known: Known,
    seen: HashMap<[u8; 32], u32>,
    arriving: Option<Arriving>,
    waiting: Vec<Arrived>,
    /// Rows that wait to be stored, of messages that were there already.
    rows: Vec<LedgerRow>,
    /// Whether it is known what was stored.
    is_certain: bool,
}

/// A message that waits to be stored.
struct Arrived {
    at: Place,
    message: Message,
    bytes: Vec<u8>,
    spilled: Option<MessageId>,
    rows: Vec<LedgerRow>,
    /// The same message as it was downloaded again, or what is left of it: it goes when this one is
    /// stored.
    instead: Option<Former>,
}

impl<'a, S: Store> Landing<'a, S> {
    /// A landing in the mailbox that has these messages.
    pub(super) fn beside(store: &'a S, known: Known, copies: bool, now: i64) -> Self {
        Self {
            store,
            mailbox: known.mailbox(),
            copies,
            now,
            known,
            seen: HashMap::new(),
            arriving: None,
            waiting: Vec::new(),
            rows: Vec::new(),
            is_certain: true,
        }
    }

    /// The messages of the mailbox, with those that have landed, as far as that is known.
    pub(super) fn into_known(self) -> Option<Known> {
        self.is_certain.then_some(self.known)
    }

    /// A message of any file begins.
    pub(super) fn start(&mut self) {
        self.arriving = Some(Arriving::default());
    }

    /// A message of one of our archives begins, which comes byte for byte.
    pub(super) fn start_saved(&mut self, note: Note, rows: Vec<SavedRow>) {
        let (begun, note) = (true, Some(note));
        self.arriving = Some(Arriving { begun, note, rows, ..Arriving::default() });
    }

    /// Its next bytes.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<(), MailError> {
        let Some(arriving) = &mut self.arriving else { return Ok(()) };
        if arriving.refused {
            return Ok(());
        }
        if arriving.size + (arriving.bytes.len() + bytes.len()) as u64 > limits::MESSAGE {
            arriving.refused = true;
            arriving.bytes = Vec::new();
            return Ok(());
        }
        if arriving.begun {
            arriving.count(bytes);
        }
        arriving.bytes.extend(bytes);
        arriving.look_at_header(false);
        if arriving.begun && arriving.bytes.len() > limits::IN_MEMORY {
            self.spill(CHUNK).await?;
        }
        Ok(())
    }

    /// It has come as a whole.
    pub(super) async fn end(&mut self) -> Result<Landed, MailError> {
        let Some(mut arriving) = self.arriving.take() else { return Ok(Landed::Refused) };
        arriving.look_at_header(true);
        if arriving.refused || arriving.size == 0 {
            self.arriving = Some(arriving);
            self.cancel().await?;
            return Ok(Landed::Refused);
        }
        let head = arriving.spilled.as_ref().map_or(&arriving.bytes, |spilled| &spilled.head);
        if arriving.status.as_ref().is_some_and(|status| status.expunged) {
            self.arriving = Some(arriving);
            self.cancel().await?;
            return Ok(Landed::Expunged);
        }
        let mut message = self.message(&arriving, head);
        let own = Trait::of(&message.message_id, message.sent, &message.subject);
        let content = std::mem::take(&mut arriving.content).finish();
        let exact: [u8; 32] = std::mem::take(&mut arriving.exact).finalize().into();
        // One that the backup has with other bytes than its row says comes from the server again.
        arriving.rows.retain(|saved| saved.row.sha256 == exact);
        let here = self.here(&arriving.rows).await?;
        let instead = match here {
            Some(Here::Filed(id)) => {
                if id.mailbox == self.mailbox {
                    self.count(content);
                }
                self.arriving = Some(arriving);
                self.cancel().await?;
                return Ok(Landed::Known);
            }
            Some(Here::Replaced(former)) => {
                message.flags = union(message.flags, former.flags);
                if former.id.mailbox == self.mailbox {
                    self.known.forget(former.id.uid);
                }
                self.count(content);
                Some(former)
            }
            None => {
                let nth = self.count(content);
                if let Some(id) = self.known.find(self.store, own, &content, nth).await? {
                    self.note_known(id, &arriving.rows).await?;
                    self.arriving = Some(arriving);
                    self.cancel().await?;
                    return Ok(Landed::Known);
                }
                None
            }
        };
        let rows = arriving.rows.iter().filter_map(SavedRow::renewed).collect();
        let spilled = arriving.spilled.as_ref().map(|spilled| spilled.id);
        if spilled.is_some() {
            self.arriving = Some(arriving);
            self.spill(1).await?;
            arriving = self.arriving.take().unwrap_or_default();
        }
        let at = self.known.add(own, content);
        let bytes = arriving.bytes;
        self.waiting.push(Arrived { at, message, bytes, spilled, rows, instead });
        let weight: usize = self.waiting.iter().map(|arrived| arrived.bytes.len()).sum();
        let full = weight >= limits::BATCH_BYTES || self.waiting.len() >= limits::BATCH_MESSAGES;
        // There is one marker for a message that is not stored as a whole.
        if full || spilled.is_some() {
            self.flush().await?;
        }
        Ok(Landed::New)
    }

    /// Counts a content; how often it has come by now.
    fn count(&mut self, content: [u8; 32]) -> u32 {
        let nth = self.seen.entry(content).or_default();
        *nth = if self.copies { *nth + 1 } else { 1 };
        *nth
    }

    /// Where the message of these rows is, if the ledger here knows.
    async fn here(&self, rows: &[SavedRow]) -> Result<Option<Here>, MailError> {
        for saved in rows {
            if let Some(here) = saved.here(self.store).await? {
                return Ok(Some(here));
            }
        }
        Ok(None)
    }

    /// A message was there already, perhaps with other line ends: what the rows say of bytes must be
    /// about those, or the next download would take it for damaged.
    async fn note_known(&mut self, id: MessageId, rows: &[SavedRow]) -> Result<(), MailError> {
        for saved in rows.iter().filter(|saved| saved.is_new()) {
            let (size, sha256) = known::digest(self.store, id).await?;
            self.rows.push(LedgerRow { message: id, size, sha256, ..saved.row.clone() });
        }
        if self.rows.len() >= limits::BATCH_MESSAGES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Gives up the message that is arriving.
    pub(super) async fn cancel(&mut self) -> Result<(), MailError> {
        let arriving = self.arriving.take();
        if arriving.is_some_and(|arriving| arriving.spilled.is_some()) {
            discard_partial(self.store).await?;
        }
        Ok(())
    }

    /// Stores what waits: all of it or nothing. What could not be stored, as far as the store
    /// tells, may be there all the same: it waits no longer, and is recognised when the file is
    /// read again.
    pub(super) async fn flush(&mut self) -> Result<(), MailError> {
        if self.waiting.is_empty() && self.rows.is_empty() {
            return Ok(());
        }
        let (waiting, rows) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.rows));
        self.is_certain = false;
        let _editing = self.store.editing().lock().await;
        let mut mailboxes = Mailboxes::default();
        let mut batch: Vec<Write> = rows.iter().map(LedgerRow::put).collect();
        let mut uids = Vec::new();
        for arrived in &waiting {
            let mailbox = mailboxes.get(self.store, self.mailbox).await?;
            let id = match arrived.spilled {
                Some(id) => {
                    batch.push(Write::Delete { table: Table::Meta, key: marker() });
                    id
                }
                None => {
                    let id = MessageId { mailbox: self.mailbox, uid: mailbox.uid_next };
                    mailbox.uid_next += 1;
                    batch.extend(put_body(id, &arrived.bytes));
                    id
                }
            };
            let message = Message { id, ..arrived.message.clone() };
            mailbox.total += 1;
            mailbox.unread += u32::from(!message.flags.seen);
            batch.extend(message.put_listed());
            let rows = arrived.rows.iter().cloned();
            batch.extend(rows.map(|row| LedgerRow { message: id, ..row }.put()));
            if let Some(former) = &arrived.instead {
                let mailbox = mailboxes.get(self.store, former.id.mailbox).await?;
                mailbox.total = mailbox.total.saturating_sub(1);
                let unread = u32::from(!former.flags.seen);
                mailbox.unread = mailbox.unread.saturating_sub(unread);
                batch.extend(former.removal.iter().cloned());
            }
            uids.push((arrived.at, id.uid));
        }
        batch.extend(mailboxes.0.iter().map(Mailbox::put));
        self.store.apply(batch, Durability::Strict).await?;
        self.is_certain = true;
        let formers = waiting.iter().filter_map(|arrived| arrived.instead.as_ref());
        let unreadable = formers.filter(|former| !former.is_readable);
        let uncertain: BTreeSet<MailboxId> = unreadable.map(|former| former.id.mailbox).collect();
        uids.into_iter().for_each(|(at, uid)| self.known.arrived(at, uid));
        for mailbox in uncertain {
            record::recount(self.store, mailbox).await?;
        }
        Ok(())
    }

    /// Stores the whole pieces of this size that wait.
    async fn spill(&mut self, piece: usize) -> Result<(), MailError> {
        let Some(arriving) = &mut self.arriving else { return Ok(()) };
        let rest = arriving.bytes.split_off(arriving.bytes.len() / piece * piece);
        let bytes = std::mem::replace(&mut arriving.bytes, rest);
        let mut batch = Vec::new();
        let _editing = self.store.editing().lock().await;
        let spilled = match &mut arriving.spilled {
            Some(spilled) => spilled,
            None => {
                let mut mailbox: Mailbox = record::mailbox(self.store, self.mailbox).await?;
                let id = MessageId { mailbox: self.mailbox, uid: mailbox.uid_next };
                mailbox.uid_next += 1;
                batch.push(mailbox.put());
                batch.push(Write::Put { table: Table::Meta, key: marker(), value: encode(&id) });
                let head = bytes[..bytes.len().min(HEAD)].to_vec();
                arriving.spilled.insert(Spilled { id, chunks: 0, head })
            }
        };
        for chunk in bytes.chunks(CHUNK) {
            let key = message_key(spilled.id).u32(spilled.chunks);
            spilled.chunks += 1;
            batch.push(Write::Put { table: Table::Bodies, key, value: chunk.to_vec() });
        }
        // Strictly: the record that follows must not reach the disk before its bytes.
        self.store.apply(batch, Durability::Strict).await?;
        Ok(())
    }

    fn message(&self, arriving: &Arriving, head: &[u8]) -> Message {
        let summary = summary(head);
        let (flags, keywords) = arriving.flags();
        let arrived = arriving.note.as_ref().map(|note| note.arrived);
        let header_of = arriving.note.as_ref().and_then(|note| note.header_of);
        let size = arriving.size;
        Message {
            id: MessageId { mailbox: self.mailbox, uid: 0 },
            arrived: arrived.or(summary.sent.filter(|sent| *sent >= 0)).unwrap_or(self.now),
            sent: summary.sent,
            size: header_of.unwrap_or(size),
            flags,
            keywords,
            from: record::addresses(summary.from),
            to: record::addresses(summary.to),
            subject: summary.subject,
            message_id: summary.message_id,
            links: Some(Links::new(summary.references, String::new())),
            preview: summary.preview,
            has_attachments: summary.has_attachments,
            body: header_of.map_or(Body::Whole { size }, |_| Body::Header { size }),
        }
    }
}

/// The mailboxes that a batch changes.
#[derive(Default)]
struct Mailboxes(Vec<Mailbox>);

impl Mailboxes {
    async fn get(&mut self, store: &impl Store, id: MailboxId) -> Result<&mut Mailbox, MailError> {
        let at = match self.0.iter().position(|own| own.id == id) {
            Some(at) => at,
            None => {
                self.0.push(record::mailbox(store, id).await?);
                self.0.len() - 1
            }
        };
        Ok(&mut self.0[at])
    }
}

/// The key of the marker of a message that is not stored as a whole yet.
fn marker() -> Key {
    Key::new().bytes(b"import-partial")
}

/// Removes what an interrupted reading has left.
pub(crate) async fn discard_partial(store: &impl Store) -> Result<(), StoreError> {
    let Some(value) = store.get(Table::Meta, &marker()).await? else { return Ok(()) };
    let mut batch = vec![Write::Delete { table: Table::Meta, key: marker() }];
    // A marker that can't be read holds nothing up: what it named takes up room, no more.
    if let Ok(message) = decode::<MessageId>(&value) {
        let range = KeyRange::prefix(message_key(message));
        batch.push(Write::DeleteRange { table: Table::Bodies, range });
    }
    store.apply(batch, Durability::Relaxed).await
}
