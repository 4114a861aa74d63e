//! Messages on their way into a local mailbox.
//!
//! Small ones wait in memory and are stored several at a time; the bytes of a large one are stored
//! as they come, under a reserved UID that no record names, and a marker remembers it.

use std::collections::HashMap;

use postern_archive::mbox::Status;
use postern_bridge::{Flags, MailboxId, MessageId};
use postern_mime::summary;
use sha2::{Digest, Sha256};

use super::{
    known::{Content, Known, Trait},
    limits,
    manifest::Note,
};
use crate::{
    MailError, Store,
    changes::is_keyword,
    record::{self, Body, CHUNK, Mailbox, Message, Record, decode, encode, message_key, put_body},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// How much of a message is kept for its record, if it is large.
const HEAD: usize = 256 * 1024;

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Landed {
    /// It is new, and has this place among those of the mailbox.
    New(usize),
    /// It was there already, at this place.
    Known(usize),
    /// It is empty or larger than may be.
    Refused,
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
    /// The digest of the bytes that came last.
    came: [u8; 32],
    waiting: Vec<Arrived>,
}

/// The message that is arriving.
#[derive(Default)]
struct Arriving {
    note: Option<Note>,
    status: Option<Status>,
    /// Whether its header has been looked at.
    begun: bool,
    refused: bool,
    content: Content,
    exact: Sha256,
    size: u64,
    /// Bytes that are not stored yet.
    bytes: Vec<u8>,
    spilled: Option<Spilled>,
}

/// The stored part of a large message.
struct Spilled {
    id: MessageId,
    chunks: u32,
    head: Vec<u8>,
}

/// A message that waits to be stored.
struct Arrived {
    at: usize,
    message: Message,
    bytes: Vec<u8>,
    spilled: Option<MessageId>,
}

impl<'a, S: Store> Landing<'a, S> {
    /// A landing in a mailbox.
    pub(super) async fn in_mailbox(
        store: &'a S,
        mailbox: MailboxId,
        copies: bool,
        now: i64,
    ) -> Result<Self, MailError> {
        Ok(Self {
            store,
            mailbox,
            copies,
            now,
            known: Known::of(store, mailbox).await?,
            seen: HashMap::new(),
            arriving: None,
            came: [0; 32],
            waiting: Vec::new(),
        })
    }

    /// A message begins.
    pub(super) fn start(&mut self, note: Option<Note>) {
        self.arriving = Some(Arriving { begun: note.is_some(), note, ..Arriving::default() });
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
        let message = self.message(&arriving, head);
        let own = Trait::of(&message.message_id, message.sent, &message.subject);
        let content = std::mem::take(&mut arriving.content).finish();
        self.came = std::mem::take(&mut arriving.exact).finalize().into();
        let nth = self.seen.entry(content).or_default();
        *nth = if self.copies { *nth + 1 } else { 1 };
        let nth = *nth;
        if let Some(at) = self.known.find(self.store, own, &content, nth).await? {
            self.arriving = Some(arriving);
            self.cancel().await?;
            return Ok(Landed::Known(at));
        }
        let spilled = arriving.spilled.as_ref().map(|spilled| spilled.id);
        if spilled.is_some() {
            self.arriving = Some(arriving);
            self.spill(1).await?;
            arriving = self.arriving.take().unwrap_or_default();
        }
        let at = self.known.add(own, content);
        self.waiting.push(Arrived { at, message, bytes: arriving.bytes, spilled });
        let weight: usize = self.waiting.iter().map(|arrived| arrived.bytes.len()).sum();
        let full = weight >= limits::BATCH_BYTES || self.waiting.len() >= limits::BATCH_MESSAGES;
        // There is one marker for a message that is not stored as a whole.
        if full || spilled.is_some() {
            self.flush().await?;
        }
        Ok(Landed::New(at))
    }

    /// Gives up the message that is arriving.
    pub(super) async fn cancel(&mut self) -> Result<(), MailError> {
        let arriving = self.arriving.take();
        if arriving.is_some_and(|arriving| arriving.spilled.is_some()) {
            discard_partial(self.store).await?;
        }
        Ok(())
    }

    /// Stores what waits: all of it or nothing.
    pub(super) async fn flush(&mut self) -> Result<(), MailError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let _editing = self.store.editing().lock().await;
        let mut mailbox: Mailbox = record::mailbox(self.store, self.mailbox).await?;
        let mut batch = Vec::new();
        let mut uids = Vec::new();
        for arrived in &self.waiting {
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
            uids.push((arrived.at, id.uid));
        }
        batch.push(mailbox.put());
        self.store.apply(batch, Durability::Strict).await?;
        uids.into_iter().for_each(|(at, uid)| self.known.arrived(at, uid));
        self.waiting.clear();
        Ok(())
    }

    /// Where a message is that has landed and was stored.
    pub(super) fn id(&self, at: usize) -> MessageId {
        MessageId { mailbox: self.mailbox, uid: self.known.uid(at) }
    }

    /// The SHA-256 of the message that came last, byte by byte.
    pub(super) fn came(&self) -> [u8; 32] {
        self.came
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
            preview: summary.preview,
            has_attachments: summary.has_attachments,
            body: header_of.map_or(Body::Whole { size }, |_| Body::Header { size }),
        }
    }
}

impl Arriving {
    /// Takes the flags from the header, as soon as it is there as a whole, and takes out what was
    /// added for them.
    fn look_at_header(&mut self, is_end: bool) {
        const LONGEST: usize = postern_archive::limits::HEADER;
        let is_whole = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"\r\n\r\n");
        if self.begun || !(is_end || self.bytes.len() > LONGEST || is_whole(&self.bytes)) {
            return;
        }
        self.begun = true;
        let (status, added) = Status::of_header(&self.bytes);
        self.status = status;
        self.bytes.drain(..added);
        let bytes = std::mem::take(&mut self.bytes);
        self.count(&bytes);
        self.bytes = bytes;
    }

    fn count(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
        self.exact.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// Flags and keywords; what says nothing of them has been read.
    fn flags(&self) -> (Flags, Vec<String>) {
        let (flags, mut keywords) = match (&self.note, &self.status) {
            (Some(note), _) => (note.flags(), note.keywords.clone()),
            (None, Some(status)) => {
                let flags = Flags {
                    seen: status.seen,
                    answered: status.answered,
                    flagged: status.flagged,
                    deleted: status.deleted,
                    draft: status.draft,
                };
                (flags, status.keywords.clone())
            }
            (None, None) => (Flags { seen: true, ..Flags::default() }, Vec::new()),
        };
        keywords.retain(|name| is_keyword(name));
        keywords.truncate(limits::KEYWORDS);
        (flags, keywords)
    }
}

/// The key of the marker of a message that is not stored as a whole yet.
fn marker() -> Key {
    Key::new().bytes(b"import-partial")
}

/// Removes what an interrupted reading has left.
pub(super) async fn discard_partial(store: &impl Store) -> Result<(), StoreError> {
    let Some(value) = store.get(Table::Meta, &marker()).await? else { return Ok(()) };
    let message: MessageId = decode(&value)?;
    let range = KeyRange::prefix(message_key(message));
    let batch = vec![
        Write::DeleteRange { table: Table::Bodies, range },
        Write::Delete { table: Table::Meta, key: marker() },
    ];
    store.apply(batch, Durability::Relaxed).await
}
