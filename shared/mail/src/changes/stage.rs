//! A batch in the making: messages are changed, moved, copied and removed here first, each as often
//! as need be; then it is one list of writes, with the mailboxes' counts and the moved bytes.

use std::collections::BTreeMap;

use postern_bridge::{MailboxId, MessageId, Moved};

use crate::{
    MailError, Store,
    record::{self, Body, Mailbox, Message, Record, message_key},
    store::{KeyRange, Order, StoreError, Table, Write},
};

/// A batch in the making. Only to be used while the store's lock for editing is held.
pub(super) struct Stage<'a, S> {
    store: &'a S,
    messages: BTreeMap<MessageId, Staged>,
    mailboxes: BTreeMap<MailboxId, StagedMailbox>,
    writes: Vec<Write>,
}

struct Staged {
    before: Option<Message>,
    now: Option<Message>,
    /// Where its bytes are in the store.
    bytes: MessageId,
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
        Self { store, messages: BTreeMap::new(), mailboxes: BTreeMap::new(), writes: Vec::new() }
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

    /// Reads messages in one go, where they would be read one by one.
    pub(super) async fn load(&mut self, ids: &[MessageId]) -> Result<(), StoreError> {
        let ids: Vec<_> = ids.iter().filter(|id| !self.messages.contains_key(id)).collect();
        let keys: Vec<_> = ids.iter().map(|id| message_key(**id)).collect();
        let values = self.store.get_many(Table::Messages, &keys).await?;
        for (id, value) in ids.into_iter().zip(values) {
            let before: Option<Message> = value.map(|value| record::decode(&value)).transpose()?;
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

    /// The batch.
    pub(super) async fn finish(self) -> Result<Finished, StoreError> {
        let Self { store, messages, mailboxes: staged, mut writes } = self;
        let mut mailboxes: Vec<MailboxId> = staged.keys().copied().collect();
        // The bytes are read before anything is removed, and written after it.
        let mut puts = Vec::new();
        for (id, Staged { before, now, bytes }) in &messages {
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
            puts.extend(now.put_listed());
            // Bytes at their own place are there, or are written by the batch itself.
            if bytes != id && now.body != Body::Absent {
                puts.extend(copy_bytes(store, *bytes, *id, &now.body).await?);
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
        if !self.messages.contains_key(&id) {
            let before: Option<Message> = record::get(self.store, &message_key(id)).await?;
            self.messages.insert(id, Staged { now: before.clone(), before, bytes: id });
        }
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

/// The writes that copy a message's bytes, and those of its parts that were fetched by themselves. A
/// whole message of which bytes are missing stays where it is: moved, it would count as whole.
async fn copy_bytes(
    store: &impl Store,
    from: MessageId,
    to: MessageId,
    body: &Body,
) -> Result<Vec<Write>, StoreError> {
    let prefix = message_key(from);
    let range = KeyRange::prefix(prefix.clone());
    let chunks = store.scan(Table::Bodies, &range, Order::Ascending, usize::MAX).await?;
    if let Body::Whole { size } = body {
        let own = record::chunks(from);
        let own = chunks.iter().filter(|(key, _)| own.contains(key));
        if own.map(|(_, chunk)| chunk.len() as u64).sum::<u64>() != *size {
            return Err(StoreError::Damaged("bytes of a message are missing".into()));
        }
    }
    let copies = chunks.into_iter().map(|(key, value)| Write::Put {
        table: Table::Bodies,
        key: message_key(to).bytes(&key.0[prefix.0.len()..]),
        value,
    });
    Ok(copies.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        changes::tests::{mailbox, message},
        store::{Durability, MemoryStore},
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
