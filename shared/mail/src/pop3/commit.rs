//! What has come becomes visible: all of a batch, or nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{MailboxId, MessageId, Moved};

use super::{
    LedgerRow, intake::Place, read_back::AtHand, received::Received, row::retired, verify::verify,
};
use crate::{
    MailError, Store,
    carry::{arrived, carry, discard_carried},
    record::{self, Mailbox, Message, Record, message_key, put_chunks},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

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
    received: Vec<Received>,
    seen: i64,
    now: i64,
) -> Result<Committed, MailError> {
    if received.is_empty() {
        return Ok(Committed::default());
    }
    let editing = store.editing().lock().await;
    let mut batch = Batch {
        store,
        place,
        rows: rows(store, place, &received).await?,
        writes: Vec::new(),
        mailboxes: BTreeMap::new(),
        fresh: Vec::new(),
        stored: BTreeMap::new(),
        at_hand: AtHand::new(),
        completed: BTreeSet::new(),
        uncertain: BTreeSet::new(),
    };
    let mut committed = Committed::default();
    for received in received {
        match batch.presence(&received).await? {
            Presence::Absent => {
                committed.new += usize::from(!received.is_nothing());
                batch.add(received, seen, now).await?;
            }
            Presence::Partial(row) => {
                // What was damaged counts as new: it was not here.
                committed.new += usize::from(!row.partial || row.is_placeholder());
                let step = batch.complete(received, *row, now).await?;
                committed.completed.push(step);
            }
            Presence::Whole => batch.drop_bytes(&received),
        }
    }
    let Batch { writes, mailboxes, fresh, stored, at_hand, uncertain, .. } = batch;
    // Nothing should be there; but if something is, it is not the new messages' own.
    let clear = fresh.into_iter().map(|range| Write::DeleteRange { table: Table::Bodies, range });
    let mut writes: Vec<Write> = clear.chain(writes).collect();
    writes.extend(mailboxes.values().map(Record::put));
    store.apply(writes, Durability::Strict).await?;
    for mailbox in uncertain {
        record::recount(store, mailbox).await?;
    }
    drop(editing);
    let rows: Vec<LedgerRow> = stored.into_values().collect();
    let count = rows.len();
    let verified = verify(store, rows, &at_hand, now).await?;
    if verified.damaged > 0 || verified.rows.len() < count {
        return Err(StoreError::Damaged("a message that was just stored".into()).into());
    }
    committed.rows = verified.rows;
    Ok(committed)
}

/// The ledger's rows with the names of these messages, and those that they complete: each question to
/// the store takes its time, so there is one for all.
async fn rows(
    store: &impl Store,
    place: Place,
    received: &[Received],
) -> Result<BTreeMap<Key, LedgerRow>, StoreError> {
    let completed = received.iter().flat_map(|received| &received.completes).map(|row| row.key());
    let own = received.iter().map(|received| place.key(received));
    let keys: Vec<Key> = completed.chain(own).collect();
    let rows: Vec<Option<LedgerRow>> = record::get_many(store, &keys).await?;
    Ok(keys.into_iter().zip(rows).filter_map(|(key, row)| Some((key, row?))).collect())
}

/// What is here of a message that has come.
enum Presence {
    Absent,
    /// The header, or what is left of a damaged one; and the row.
    Partial(Box<LedgerRow>),
    /// Everything, or the person does not want it.
    Whole,
}

/// A batch in the making.
struct Batch<'a, S> {
    store: &'a S,
    place: Place,
    /// The ledger's rows before it, as far as they matter.
    rows: BTreeMap<Key, LedgerRow>,
    writes: Vec<Write>,
    mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// Where the bytes of its new messages go, which stand side by side.
    fresh: Vec<KeyRange>,
    /// The rows of messages that it writes.
    stored: BTreeMap<Key, LedgerRow>,
    /// The bytes of those that it writes itself, to compare with what is read back.
    at_hand: AtHand,
    /// The rows of headers that it replaces, or that are about nothing.
    completed: BTreeSet<Key>,
    /// Where it replaces records that can't be read, so that its messages are counted anew.
    uncertain: BTreeSet<MailboxId>,
}

impl<S: Store> Batch<'_, S> {
    async fn presence(&mut self, received: &Received) -> Result<Presence, MailError> {
        if let Some(before) = &received.completes
            && !self.completed.contains(&before.key())
            && let Some(row) = self.rows.get(&before.key())
        {
            let is_whole = !row.partial && !row.is_damaged();
            if row.deleted_here.is_some() || (is_whole && row.sha256 == received.sha256) {
                return Ok(Presence::Whole);
            }
            // The header of another message says nothing of this one.
            if is_whole || row.sha256 != before.sha256 {
                return Ok(Presence::Absent);
            }
            let key = message_key(row.message);
            if self.store.get(Table::Messages, &key).await?.is_some() {
                return Ok(Presence::Partial(Box::new(row.clone())));
            }
            self.writes.push(row.delete());
            self.completed.insert(row.key());
            return Ok(Presence::Absent);
        }
        let row = self.rows.get(&self.place.key(received));
        let same = row.is_some_and(|row| row.sha256 == received.sha256 && !row.is_damaged());
        Ok(if same { Presence::Whole } else { Presence::Absent })
    }

    /// Adds a message that was never stored.
    async fn add(&mut self, mut received: Received, seen: i64, now: i64) -> Result<(), MailError> {
        let id = match self.settle(&received, self.place.inbox).await? {
            Some(id) => id,
            None => self.next_id(self.place.inbox).await?,
        };
        self.writes.extend(received.message(id, now).put_listed());
        if received.spilled.is_none() {
            self.take_fresh(id);
            self.put(id, std::mem::take(&mut received.waiting));
        }
        let row = received.row(self.place.account, id, seen, now);
        if let Some(former) = self.rows.get(&row.key()).cloned()
            && former.sha256 != row.sha256
            && !self.completed.contains(&row.key())
        {
            // The server has given its unique id to another message.
            self.writes.push(retired(self.store, former, now).await?.put());
        }
        self.writes.push(row.put());
        self.stored.insert(row.key(), row);
        let mailbox = self.mailbox(id.mailbox).await?;
        mailbox.total += 1;
        mailbox.unread += 1;
        Ok(())
    }

    /// Puts the whole of a message into the place of its header. Of one whose record can't be read
    /// nothing but the place is known.
    async fn complete(
        &mut self,
        mut received: Received,
        row: LedgerRow,
        now: i64,
    ) -> Result<Moved, MailError> {
        let from = row.message;
        let before = self.store.get(Table::Messages, &message_key(from)).await?;
        let before = before.ok_or(MailError::Gone("message"))?;
        let before = record::decode::<Message>(&before).ok();
        match &before {
            Some(before) => self.writes.extend(before.delete_whole()),
            None => {
                self.uncertain.insert(from.mailbox);
                self.writes.extend(record::delete_unreadable(self.store, from).await?);
            }
        }
        let to = self.settle(&received, from.mailbox).await?.unwrap_or(from);
        let fresh = received.message(to, now);
        let message = match before {
            None => fresh,
            Some(before) if row.is_placeholder() => {
                Message { flags: before.flags, keywords: before.keywords, ..fresh }
            }
            Some(before) => Message {
                id: to,
                size: fresh.size,
                preview: fresh.preview,
                has_attachments: fresh.has_attachments,
                body: fresh.body,
                ..before
            },
        };
        self.writes.extend(message.put_listed());
        if received.spilled.is_none() {
            self.put(to, std::mem::take(&mut received.waiting));
        }
        let key = row.key();
        let now = received.row(self.place.account, to, row.first_seen, now);
        if now.key() != key && !self.stored.contains_key(&key) {
            self.writes.push(Write::Delete { table: Table::Ledger, key: key.clone() });
        }
        self.completed.insert(key);
        self.writes.push(now.put());
        self.stored.insert(now.key(), now);
        Ok(Moved { from, to })
    }

    /// Where the bytes of a large message are, once they are in this mailbox; `None` for another one.
    async fn settle(
        &mut self,
        received: &Received,
        mailbox: MailboxId,
    ) -> Result<Option<MessageId>, MailError> {
        let Some(spilled) = &received.spilled else { return Ok(None) };
        if spilled.id.mailbox == mailbox {
            self.writes.push(Write::Delete { table: Table::Meta, key: self.place.marker() });
            return Ok(Some(spilled.id));
        }
        // The header that it completes was moved while it was downloaded; or the one for which it was
        // taken is another message's, or gone.
        let to = self.next_id(mailbox).await?;
        discard_carried(self.store).await?;
        carry(self.store, spilled.id, to, Some(received.size()), true).await?;
        self.drop_bytes(received);
        self.writes.push(arrived(to));
        Ok(Some(to))
    }

    /// Writes a message's bytes.
    fn put(&mut self, id: MessageId, bytes: Vec<u8>) {
        self.writes.extend(put_chunks(id, 0, bytes.clone()));
        self.at_hand.insert(id, bytes);
    }

    /// The bytes of a new message go here.
    fn take_fresh(&mut self, id: MessageId) {
        let KeyRange { start, end } = KeyRange::prefix(message_key(id));
        match self.fresh.last_mut() {
            Some(range) if range.end.as_ref() == Some(&start) => range.end = end,
            _ => self.fresh.push(KeyRange { start, end }),
        }
    }

    /// What came is not needed.
    fn drop_bytes(&mut self, received: &Received) {
        if let Some(spilled) = &received.spilled {
            let range = KeyRange::prefix(message_key(spilled.id));
            self.writes.push(Write::DeleteRange { table: Table::Bodies, range });
            self.writes.push(Write::Delete { table: Table::Meta, key: self.place.marker() });
        }
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
