//! The stored bytes of many messages, read with few questions to the store and compared with what came.
//!
//! Messages that were stored together stand side by side, so that they are read together; a large one
//! is read some chunks at a time.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::MessageId;
use sha2::{Digest, Sha256};

use super::{
    header,
    limits::{BATCH_BYTES, HEADER},
    row::LedgerRow,
};
use crate::{
    Store,
    record::{self, CHUNK, Message, Record, chunk_of, message_key},
    store::{Key, KeyRange, Order, StoreError, Table},
};

/// How many chunks of a large message are read at a time; earlier versions wrote large ones.
const STEP: usize = 16;

/// What the first bytes of an intact message tell that its row does not.
#[derive(Default)]
pub(super) struct Outline {
    pub(super) header: Option<[u8; 32]>,
    pub(super) text_size: Option<u64>,
}

/// The bytes of messages that are still at hand.
pub(super) type AtHand = BTreeMap<MessageId, Vec<u8>>;

/// Of each row, if the stored bytes are those that its checksum was made of, what they tell. Where
/// those are still at hand, the stored ones are compared with them; else by the checksum.
pub(super) async fn outlines(
    store: &impl Store,
    rows: &[LedgerRow],
    at_hand: &AtHand,
) -> Result<Vec<Option<Outline>>, StoreError> {
    let mut messages: BTreeMap<MessageId, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        messages.entry(row.message).or_default().push(at);
    }
    let mut outlines: Vec<Option<Outline>> = rows.iter().map(|_| None).collect();
    let sizes = messages
        .iter()
        .map(|(id, own)| (*id, own.iter().map(|at| rows[*at].size).max().unwrap_or_default()));
    for run in runs(sizes) {
        let mut judge = |reading: Reading<'_>| {
            let found = reading.finish();
            for at in messages.get(&found.id).into_iter().flatten() {
                outlines[*at] = found.outline(&rows[*at]);
            }
        };
        run.read(store, at_hand, &mut judge).await?;
    }
    Ok(outlines)
}

/// Messages that stand side by side.
#[derive(Debug, Eq, PartialEq)]
struct Run {
    first: MessageId,
    last: MessageId,
    /// How many bytes they should have together: few, unless it is one message.
    bytes: u64,
}

/// Puts messages, in the order of their places, together as far as they can be in memory together.
fn runs(sizes: impl Iterator<Item = (MessageId, u64)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (id, size) in sizes {
        match runs.last_mut() {
            Some(run)
                if run.last.mailbox == id.mailbox
                    && run.last.uid.checked_add(1) == Some(id.uid)
                    && run.bytes.saturating_add(size) <= BATCH_BYTES as u64 =>
            {
                (run.last, run.bytes) = (id, run.bytes + size);
            }
            _ => runs.push(Run { first: id, last: id, bytes: size }),
        }
    }
    runs
}

impl Run {
    /// Reads the messages of which there are bytes and a record that can be read; each is told when it
    /// has been read.
    async fn read(
        &self,
        store: &impl Store,
        at_hand: &AtHand,
        tell: &mut impl FnMut(Reading<'_>),
    ) -> Result<(), StoreError> {
        let end = KeyRange::prefix(message_key(self.last)).end;
        let mut range = KeyRange { start: message_key(self.first), end };
        let (records, _) = record::readable::<Message>(store, &range).await?;
        let mut unread: BTreeSet<Key> = records.iter().map(Record::key).collect();
        let most = if self.bytes > BATCH_BYTES as u64 { STEP } else { self.chunks() };
        let begin = |id| Reading::of(id, at_hand.get(&id).map(Vec::as_slice));
        let mut current: Option<Reading<'_>> = None;
        loop {
            let step = store.scan(Table::Bodies, &range, Order::Ascending, most).await?;
            let is_last = step.len() < most;
            let Some((last, _)) = step.last() else { break };
            range.start = last.clone().bytes(&[0]);
            for (key, value) in step {
                let Some((id, number)) = chunk_of(&key) else { continue };
                if current.as_ref().is_none_or(|reading| reading.id != id) {
                    if let Some(read) = current.take() {
                        tell(read);
                    }
                    current = unread.remove(&message_key(id)).then(|| begin(id));
                }
                if let Some(reading) = &mut current {
                    reading.take(number, &value);
                }
            }
            if is_last {
                break;
            }
        }
        // An empty message has no bytes.
        let empty = (self.first.uid..=self.last.uid).map(|uid| MessageId { uid, ..self.first });
        let empty = empty.filter(|id| unread.contains(&message_key(*id))).map(begin);
        current.into_iter().chain(empty).for_each(tell);
        Ok(())
    }

    /// The most chunks that they should have, and one more, which tells that there are no others.
    fn chunks(&self) -> usize {
        let messages = (self.last.uid - self.first.uid) as usize + 1;
        usize::try_from(self.bytes).unwrap_or(usize::MAX) / CHUNK + messages + 1
    }
}

/// A message that is being read.
struct Reading<'a> {
    id: MessageId,
    content: Content<'a>,
    size: u64,
    head: Vec<u8>,
    /// The number of the next chunk.
    next: u32,
    /// Whether one is missing in between.
    is_torn: bool,
}

/// How it is found out whether the bytes are the right ones.
enum Content<'a> {
    /// By those that should follow; `None` if others have come.
    AtHand(Option<&'a [u8]>),
    Hashed(Box<Sha256>),
}

impl<'a> Reading<'a> {
    fn of(id: MessageId, at_hand: Option<&'a [u8]>) -> Self {
        let content = match at_hand {
            Some(bytes) => Content::AtHand(Some(bytes)),
            None => Content::Hashed(Box::default()),
        };
        Self { id, content, size: 0, head: Vec::new(), next: 0, is_torn: false }
    }

    fn take(&mut self, number: u32, bytes: &[u8]) {
        self.is_torn |= number != self.next;
        self.next = number.wrapping_add(1);
        match &mut self.content {
            Content::AtHand(rest) => *rest = rest.and_then(|rest| rest.strip_prefix(bytes)),
            Content::Hashed(hasher) => hasher.update(bytes),
        }
        self.size += bytes.len() as u64;
        let room = HEADER - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn finish(self) -> Found {
        let Self { id, content, size, head, is_torn, .. } = self;
        let judged = match content {
            Content::AtHand(rest) => Judged::Compared(rest.is_some_and(<[u8]>::is_empty)),
            Content::Hashed(hasher) => Judged::Hashed(hasher.finalize().into()),
        };
        Found { id, judged, size, head, is_torn }
    }
}

/// A message that was read.
struct Found {
    id: MessageId,
    judged: Judged,
    size: u64,
    head: Vec<u8>,
    is_torn: bool,
}

enum Judged {
    /// Whether the bytes are those that were at hand.
    Compared(bool),
    /// Their checksum.
    Hashed([u8; 32]),
}

impl Found {
    /// What it tells if it is what a row was made of.
    fn outline(&self, row: &LedgerRow) -> Option<Outline> {
        let is_right = match self.judged {
            Judged::Compared(are_same) => are_same,
            Judged::Hashed(sha256) => sha256 == row.sha256,
        };
        if !is_right || self.is_torn || self.size != row.size {
            return None;
        }
        if row.header.is_some() {
            return Some(Outline::default());
        }
        let text_start = header::text_start(&self.head);
        Some(Outline {
            header: header::digest(&self.head),
            text_size: text_start.map(|at| row.size.saturating_sub(at as u64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxId;

    use super::{super::row::tests::row, *};
    use crate::{
        changes::tests::message,
        record::put_chunks,
        store::{Durability, MemoryStore, Write},
        testing::block_on,
    };

    fn at(mailbox: u32, uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(mailbox), uid }
    }

    #[test]
    fn messages_side_by_side_are_read_together_as_far_as_they_fit() {
        const FULL: u64 = BATCH_BYTES as u64;
        let sizes = [
            (at(1, 1), 5),
            (at(1, 2), FULL - 5),
            (at(1, 3), 1),
            (at(1, 5), 1),
            (at(2, 6), FULL + 1),
            (at(2, 7), 1),
        ];
        let run = |first, last, bytes| Run { first, last, bytes };
        let expected = [
            run(at(1, 1), at(1, 2), FULL),
            run(at(1, 3), at(1, 3), 1),
            run(at(1, 5), at(1, 5), 1),
            run(at(2, 6), at(2, 6), FULL + 1),
            run(at(2, 7), at(2, 7), 1),
        ];
        assert_eq!(runs(sizes.into_iter()), expected);
    }

    /// A row of a message of these bytes.
    fn row_at(message: MessageId, raw: &[u8]) -> LedgerRow {
        let uidl = format!("{message:?}");
        LedgerRow {
            message,
            size: raw.len() as u64,
            sha256: Sha256::digest(raw).into(),
            header: Some([0; 32]),
            ..row(&uidl)
        }
    }

    #[test]
    fn only_a_message_with_a_record_and_all_of_its_chunks_in_their_places_is_intact() {
        let large = vec![b'x'; CHUNK * 100];
        let store = MemoryStore::new();
        let raws: [&[u8]; 8] = [
            b"a",
            b"",
            &large,
            b"without a record",
            b"more",
            b"torn",
            b"others",
            b"with a record that can't be read",
        ];
        let ids: Vec<MessageId> = (0..8).map(|number| at(1, 10 + number)).collect();
        let rows: Vec<LedgerRow> = ids.iter().zip(raws).map(|(id, raw)| row_at(*id, raw)).collect();
        let mut batch = Vec::new();
        for (number, (id, raw)) in ids.iter().zip(raws).enumerate() {
            if number != 3 {
                batch.extend(message(*id).put_listed());
            }
            let stored = if number == 6 { b"OTHERS" } else { raw };
            batch.extend(put_chunks(*id, 0, stored.to_vec()));
        }
        let chunk = |id, number, value: &[u8]| Write::Put {
            table: Table::Bodies,
            key: message_key(id).u32(number),
            value: value.to_vec(),
        };
        batch.push(chunk(ids[4], 1, b"!"));
        batch.push(Write::Delete { table: Table::Bodies, key: message_key(ids[5]).u32(0) });
        batch.extend([chunk(ids[5], 0, b"to"), chunk(ids[5], 2, b"rn")]);
        let (table, key) = (Table::Messages, message_key(ids[7]));
        batch.push(Write::Put { table, key, value: Vec::new() });
        // A part is none of the message's own bytes.
        let part = crate::record::part_key(ids[0], "1").u32(0);
        batch.push(Write::Put { table: Table::Bodies, key: part, value: b"part".into() });
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        let found = block_on(outlines(&store, &rows, &AtHand::new())).unwrap();
        let intact: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(intact, [true, true, true, false, false, false, false, false]);
        // The same of those that are at hand; each is only as good as what is stored of it.
        let at_hand = ids.iter().zip(raws).map(|(id, raw)| (*id, raw.to_vec())).collect();
        let found = block_on(outlines(&store, &rows, &at_hand)).unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), intact);
    }

    #[test]
    fn a_message_in_chunks_of_an_earlier_version_is_intact_and_tells_of_its_header() {
        let store = MemoryStore::new();
        let id = at(1, 1);
        let mut raw = b"Subject: long\r\nX: ".to_vec();
        raw.resize(200_000, b'y');
        raw.extend(b"\r\n\r\n");
        raw.resize(300_000, b'z');
        let mut batch: Vec<Write> = message(id).put_listed().into();
        for (number, chunk) in (0..).zip(raw.chunks(256 * 1024)) {
            let (key, value) = (message_key(id).u32(number), chunk.to_vec());
            batch.push(Write::Put { table: Table::Bodies, key, value });
        }
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        let row = LedgerRow { header: None, ..row_at(id, &raw) };
        let found = block_on(outlines(&store, &[row], &AtHand::new())).unwrap();
        let outline = found.into_iter().next().flatten().unwrap();
        assert_eq!(outline.header, header::digest(&raw));
        assert_eq!(outline.text_size, Some(300_000 - 200_004));
    }
}
