//! A batch in the making: messages are changed, moved, copied and removed here first, each as often
//! as need be; then it is one list of writes, with the mailboxes' counts and the moved bytes.

use std::collections::BTreeMap;

use postern_bridge::{MailboxId, MessageId, Moved, Protocol};

use super::{
    bytes::{self, Values, Way},
    pending::is_provisional,
};
use crate::{
    MailError, Store,
    carry::discard_carried,
    record::{self, Account, Body, Mailbox, Message, Record, account_key, message_key},
    store::{StoreError, Table, Write},
};

/// A batch in the making. Only to be used while the store's lock for editing is held.
pub(super) struct Stage<'a, S> {
    store: &'a S,
    messages: BTreeMap<MessageId, Staged>,
    mailboxes: BTreeMap<MailboxId, StagedMailbox>,
    /// What was read to see whether it is all there.
    read: BTreeMap<MessageId, Values>,
    writes: Vec<Write>,
}

struct Staged {
    before: Option<Message>,
    now: Option<Message>,
    /// Where its bytes are in the store.
    bytes: MessageId,
}

impl Staged {
    /// Whether its bytes come to this place before the batch. What is at a place that another message
    /// has would be mixed with them.
    fn is_carried(&self, to: MessageId) -> bool {
        let is_large = self.now.as_ref().is_some_and(|now| bytes::is_large(&now.body));
        self.bytes != to && self.before.is_none() && is_large
    }
}

struct StagedMailbox {
    before: Mailbox,
    now: Mailbox,
}

/// What a batch does.
pub(super) struct Finished {
    pub(super) writes: Vec<Write>,
    /// The mailboxes whose messages or counts it changes.
    pub(super) mailboxes: Vec<MailboxId>,
}

impl<'a, S: Store> Stage<'a, S> {
    pub(super) fn new(store: &'a S) -> Self {
        Self {
            store,
            messages: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            read: BTreeMap::new(),
            writes: Vec::new(),
        }
    }

    /// What the batch is based on.
    pub(super) fn store(&self) -> &'a S {
        self.store
    }

    /// Leaves a mailbox and its messages out of the batch: a write of its own removes them.
    pub(super) fn forget_mailbox(&mut self, id: MailboxId) {
        self.mailboxes.remove(&id);
        self.messages.retain(|message, _| message.mailbox != id);
    }

    /// Reads messages in one go, where they would be read one by one. Those whose records can't be read
    /// count as not there, so that what is left of them stays where it is.
    pub(super) async fn load(&mut self, ids: &[MessageId]) -> Result<(), StoreError> {
        let ids: Vec<_> = ids.iter().filter(|id| !self.messages.contains_key(id)).collect();
        let keys: Vec<_> = ids.iter().map(|id| message_key(**id)).collect();
        let stored: Vec<Option<Message>> = record::get_many_readable(self.store, &keys).await?;
        for (id, before) in ids.into_iter().zip(stored) {
            self.messages.insert(*id, Staged { now: before.clone(), before, bytes: *id });
        }
        Ok(())
    }

    /// A message as the batch leaves it.
    pub(super) async fn message(&mut self, id: MessageId) -> Result<Option<&Message>, StoreError> {
        Ok(self.staged(id).await?.now.as_ref())
    }

    /// A mailbox as the batch leaves it.
    pub(super) async fn mailbox(&mut self, id: MailboxId) -> Result<&mut Mailbox, MailError> {
        if !self.mailboxes.contains_key(&id) {
            let before = record::mailbox(self.store, id).await?;
            self.mailboxes.insert(id, StagedMailbox { now: before.clone(), before });
        }
        let staged = self.mailboxes.get_mut(&id).expect("it has just been inserted");
        Ok(&mut staged.now)
    }

    /// Adds a write that is about none of the messages and mailboxes of the batch.
    pub(super) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Changes a message; false if it is not there.
    pub(super) async fn change(
        &mut self,
        id: MessageId,
        change: impl FnOnce(&mut Message),
    ) -> Result<bool, MailError> {
        let Some(message) = &mut self.staged(id).await?.now else { return Ok(false) };
        let was_seen = message.flags.seen;
        change(message);
        let seen = message.flags.seen;
        if was_seen != seen {
            self.count(id.mailbox, 0, if seen { -1 } else { 1 }).await?;
        }
        Ok(true)
    }

    /// Removes a message; returns it, if it was there.
    pub(super) async fn remove(&mut self, id: MessageId) -> Result<Option<Message>, MailError> {
        let Some(message) = self.staged(id).await?.now.take() else { return Ok(None) };
        self.count(id.mailbox, -1, -i64::from(!message.flags.seen)).await?;
        Ok(Some(message))
    }

    /// Puts a message at its place; its bytes are those stored for `bytes`. What was at its place
    /// is gone.
    pub(super) async fn put(
        &mut self,
        message: Message,
        bytes: MessageId,
    ) -> Result<(), MailError> {
        let id = message.id;
        self.remove(id).await?;
        let unread = i64::from(!message.flags.seen);
        let staged = self.staged(id).await?;
        staged.now = Some(message);
        staged.bytes = bytes;
        self.count(id.mailbox, 1, unread).await
    }

    /// Moves a message, its bytes included; false if it is not there.
    pub(super) async fn relocate(&mut self, Moved { from, to }: Moved) -> Result<bool, MailError> {
        if from == to {
            return Ok(self.message(from).await?.is_some());
        }
        let bytes = self.staged(from).await?.bytes;
        let Some(message) = self.remove(from).await? else { return Ok(false) };
        self.put(Message { id: to, ..message }, bytes).await?;
        Ok(true)
    }

    /// Copies a message, its bytes included; false if it is not there.
    pub(super) async fn duplicate(&mut self, Moved { from, to }: Moved) -> Result<bool, MailError> {
        let bytes = self.staged(from).await?.bytes;
        let Some(message) = self.message(from).await?.cloned() else { return Ok(false) };
        self.put(Message { id: to, ..message }, bytes).await?;
        Ok(true)
    }

    /// Whether all bytes are stored that a message is thought to have here.
    pub(super) async fn has_bytes(&mut self, id: MessageId) -> Result<bool, StoreError> {
        let store = self.store;
        let staged = self.staged(id).await?;
        let (from, Some(now)) = (staged.bytes, &staged.now) else { return Ok(true) };
        let (is_whole, values) = bytes::check(store, from, &now.body).await?;
        if let Some(values) = values {
            self.read.insert(from, values);
        }
        Ok(is_whole)
    }

    /// The batch. The bytes of a large message are carried to its new place before it, which is of no
    /// consequence if the batch is not written after all.
    pub(super) async fn finish(self) -> Result<Finished, StoreError> {
        let Self { store, messages, mailboxes: staged, mut read, mut writes } = self;
        if messages.iter().any(|(id, message)| message.is_carried(*id)) {
            discard_carried(store).await?;
        }
        let mut mailboxes: Vec<MailboxId> = staged.keys().copied().collect();
        // The bytes are read before anything is removed, and written after it.
        let mut puts = Vec::new();
        for (id, message) in &messages {
            let Staged { before, now, bytes } = message;
            mailboxes.push(id.mailbox);
            if before.as_ref() == now.as_ref() && bytes == id {
                continue;
            }
            let same_bytes = before.is_some() && now.is_some() && bytes == id;
            let same_place = same_bytes
                && before.as_ref().map(Message::arrival_key)
                    == now.as_ref().map(Message::arrival_key);
            match (before, now) {
                (Some(_), Some(now)) if same_place => {
                    writes.push(now.put());
                    continue;
                }
                (Some(before), _) if same_bytes => {
                    writes.push(Write::Delete { table: Table::Arrival, key: before.arrival_key() });
                }
                (Some(before), _) => writes.extend(before.delete_whole()),
                (None, _) => {}
            }
            let Some(now) = now else { continue };
            // Bytes at their own place are there, or are written by the batch itself.
            if bytes == id || now.body == Body::Absent {
                puts.extend(now.put_listed());
                continue;
            }
            let mailbox = staged.get(&id.mailbox);
            let way = Way {
                from: *bytes,
                to: *id,
                carried: message.is_carried(*id),
                reserve: mailbox.is_some_and(|own| own.before.uid_next < own.now.uid_next),
            };
            match bytes::bring(store, way, &now.body, read.remove(bytes)).await {
                Ok(brought) => {
                    puts.extend(now.put_listed());
                    puts.extend(brought);
                }
                // What is stored of it is no more than a copy.
                Err(StoreError::Damaged(_)) if is_fetchable(store, way, mailbox).await? => {
                    puts.extend(Message { body: Body::Absent, ..now.clone() }.put_listed());
                }
                Err(error) => return Err(error),
            }
        }
        writes.extend(puts);
        for staged in staged.values().filter(|staged| staged.now != staged.before) {
            writes.push(staged.now.put());
        }
        mailboxes.sort_unstable();
        mailboxes.dedup();
        Ok(Finished { writes, mailboxes })
    }

    async fn staged(&mut self, id: MessageId) -> Result<&mut Staged, StoreError> {
        self.load(&[id]).await?;
        Ok(self.messages.get_mut(&id).expect("it has just been inserted"))
    }

    /// Counts messages that came or went; a mailbox that is gone counts nothing.
    async fn count(&mut self, id: MailboxId, total: i64, unread: i64) -> Result<(), MailError> {
        let mailbox = match self.mailbox(id).await {
            Ok(mailbox) => mailbox,
            Err(MailError::Gone(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let add = |count: u32, by: i64| {
            u32::try_from(i64::from(count).saturating_add(by).max(0)).unwrap_or(u32::MAX)
        };
        mailbox.total = add(mailbox.total, total);
        mailbox.unread = add(mailbox.unread, unread);
        Ok(())
    }
}

/// Whether a message can be fetched again from its server, which has it at one of the two places.
async fn is_fetchable(
    store: &impl Store,
    way: Way,
    mailbox: Option<&StagedMailbox>,
) -> Result<bool, StoreError> {
    let is_there = [way.from, way.to].iter().any(|place| !is_provisional(place.uid));
    let Some(mailbox) = mailbox.filter(|_| is_there) else { return Ok(false) };
    let account: Option<Account> = record::get(store, &account_key(mailbox.now.account)).await?;
    Ok(account.is_some_and(|account| account.protocol == Protocol::Imap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        changes::tests::{mailbox, message},
        store::{Durability, KeyRange, MemoryStore},
        testing::block_on,
    };

    fn id(mailbox: u32, uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(mailbox), uid }
    }

    fn store() -> MemoryStore {
        let store = MemoryStore::new();
        let mut writes = vec![mailbox(1).put(), mailbox(2).put()];
        let stored = Message { body: Body::Whole { size: 5 }, ..message(id(1, 7)) };
        writes.extend(stored.put_listed());
        writes.extend(record::put_body(stored.id, b"bytes"));
        block_on(store.apply(writes, Durability::Relaxed)).unwrap();
        store
    }

    fn apply(store: &MemoryStore, stage: Stage<'_, MemoryStore>) -> Vec<MailboxId> {
        let finished = block_on(stage.finish()).unwrap();
        block_on(store.apply(finished.writes, Durability::Relaxed)).unwrap();
        finished.mailboxes
    }

    #[test]
    fn a_message_that_is_moved_twice_ends_in_the_last_place_with_its_bytes() {
        let store = store();
        let mut stage = Stage::new(&store);
        for (from, to) in [(id(1, 7), id(2, 9)), (id(2, 9), id(2, 3))] {
            assert_eq!(block_on(stage.relocate(Moved { from, to })), Ok(true));
        }
        assert_eq!(apply(&store, stage), [MailboxId(1), MailboxId(2)]);
        let left = block_on(store.keys(Table::Messages, &KeyRange::all())).unwrap();
        assert_eq!(left, [message_key(id(2, 3))]);
        assert_eq!(block_on(record::body(&store, id(2, 3))).unwrap(), b"bytes");
        let [chunks, places] = [Table::Bodies, Table::Arrival]
            .map(|table| block_on(store.keys(table, &KeyRange::all())).unwrap().len());
        assert_eq!((chunks, places), (1, 1));
        let counts = [1, 2].map(|number| {
            let mailbox = block_on(record::mailbox(&store, MailboxId(number))).unwrap();
            (mailbox.unread, mailbox.total)
        });
        assert_eq!(counts, [(0, 0), (2, 2)]);
    }

    #[test]
    fn what_goes_and_comes_back_leaves_everything_as_it_was() {
        let store = store();
        let mut stage = Stage::new(&store);
        for (from, to) in [(id(1, 7), id(2, 9)), (id(2, 9), id(1, 7))] {
            assert_eq!(block_on(stage.relocate(Moved { from, to })), Ok(true));
        }
        assert!(block_on(stage.finish()).unwrap().writes.is_empty());
    }

    #[test]
    fn a_whole_message_of_which_bytes_are_missing_is_neither_moved_nor_copied() {
        let step = Moved { from: id(1, 7), to: id(2, 9) };
        for copy in [false, true] {
            let store = store();
            let range = KeyRange::prefix(message_key(id(1, 7)));
            let wipe = Write::DeleteRange { table: Table::Bodies, range };
            block_on(store.apply(vec![wipe], Durability::Relaxed)).unwrap();
            let mut stage = Stage::new(&store);
            let staged = match copy {
                true => block_on(stage.duplicate(step)),
                false => block_on(stage.relocate(step)),
            };
            assert_eq!(staged, Ok(true));
            assert!(matches!(block_on(stage.finish()), Err(StoreError::Damaged(_))));
        }
    }

    #[test]
    fn a_copy_has_bytes_of_its_own() {
        let store = store();
        let mut stage = Stage::new(&store);
        let copy = Moved { from: id(1, 7), to: id(2, 9) };
        assert_eq!(block_on(stage.duplicate(copy)), Ok(true));
        apply(&store, stage);
        let mut stage = Stage::new(&store);
        block_on(stage.remove(id(1, 7))).unwrap();
        apply(&store, stage);
        assert_eq!(block_on(record::body(&store, id(1, 7))).unwrap(), b"");
        assert_eq!(block_on(record::body(&store, id(2, 9))).unwrap(), b"bytes");
    }
}
