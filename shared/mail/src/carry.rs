//! A large message's bytes on the way to another place.
//!
//! A batch is held in memory, so that what moves a large message can't have its bytes in it. They are
//! copied before it, some at a time, to the message's new place, which no record names yet; the batch
//! then makes them the message's own and removes the old ones.
//!
//! *If this ends in between*, the message is where it was, and a marker names the copy: it is removed
//! with the next start or download over POP3, or before the next copy is made. The new place's UID is
//! not given to another message: before the first byte, a local mailbox counts it as used.

use postern_bridge::MessageId;

use crate::{
    Store,
    record::{self, Mailbox, Record, decode, encode, mailbox_key, message_key},
    store::{Durability, Key, KeyRange, Order, StoreError, Table, Write},
};

/// How many values are copied at a time.
const STEP: usize = 64;

fn marker(to: MessageId) -> Key {
    Key::new().bytes(b"carried-").bytes(&message_key(to).0)
}

/// Copies what is stored of a message, its parts included, to another place; `reserve` if that is in a
/// local mailbox, where its UID counts as used from then on.
///
/// # Errors
///
/// [`StoreError::Damaged`] if these are not the `size` bytes that the whole message should have; else if
/// the store can't be read or written. The copy is removed with [`discard_carried`] then.
pub(crate) async fn carry(
    store: &impl Store,
    from: MessageId,
    to: MessageId,
    size: Option<u64>,
    reserve: bool,
) -> Result<(), StoreError> {
    let place = KeyRange::prefix(message_key(to));
    let mut batch = vec![
        Write::Put { table: Table::Meta, key: marker(to), value: encode(&to) },
        Write::DeleteRange { table: Table::Bodies, range: place },
    ];
    let mailbox: Option<Mailbox> = record::get(store, &mailbox_key(to.mailbox)).await?;
    if let Some(mailbox) = mailbox.filter(|own| reserve && own.uid_next <= to.uid) {
        batch.push(Mailbox { uid_next: to.uid.saturating_add(1), ..mailbox }.put());
    }
    store.apply(batch, Durability::Strict).await?;
    let prefix = message_key(from);
    let own = record::chunks(from);
    let mut range = KeyRange::prefix(prefix.clone());
    let mut whole = 0;
    loop {
        let step = store.scan(Table::Bodies, &range, Order::Ascending, STEP).await?;
        let Some((last, _)) = step.last() else { break };
        range.start = last.clone().bytes(&[0]);
        let mut batch = Vec::new();
        for (key, value) in step {
            whole += if own.contains(&key) { value.len() as u64 } else { 0 };
            let key = message_key(to).bytes(&key.0[prefix.0.len()..]);
            batch.push(Write::Put { table: Table::Bodies, key, value });
        }
        store.apply(batch, Durability::Strict).await?;
    }
    if size.is_none_or(|size| size == whole) {
        Ok(())
    } else {
        Err(StoreError::Damaged("bytes of a message are missing".into()))
    }
}

/// The write that makes a copy its message's own; it belongs into the batch with the message.
pub(crate) fn arrived(to: MessageId) -> Write {
    Write::Delete { table: Table::Meta, key: marker(to) }
}

/// Removes what an earlier life of the page has left of copies.
///
/// # Errors
///
/// If the store can't be read or written.
pub(crate) async fn recover(store: &impl Store) -> Result<(), StoreError> {
    let _editing = store.editing().lock().await;
    discard_carried(store).await
}

/// Removes copies that no message has come to own; under the lock for editing.
///
/// # Errors
///
/// If the store can't be read or written.
pub(crate) async fn discard_carried(store: &impl Store) -> Result<(), StoreError> {
    let range = KeyRange::prefix(Key::new().bytes(b"carried-"));
    for (key, value) in store.scan(Table::Meta, &range, Order::Ascending, usize::MAX).await? {
        let mut batch = vec![Write::Delete { table: Table::Meta, key }];
        if let Ok(to) = decode::<MessageId>(&value) {
            let range = KeyRange::prefix(message_key(to));
            batch.push(Write::DeleteRange { table: Table::Bodies, range });
        }
        store.apply(batch, Durability::Relaxed).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxId;

    use super::*;
    use crate::{
        changes::tests::mailbox,
        record::{CHUNK, body, put_body},
        store::MemoryStore,
        testing::{FailingStore, block_on},
    };

    const FROM: MessageId = MessageId { mailbox: MailboxId(1), uid: 7 };
    const TO: MessageId = MessageId { mailbox: MailboxId(2), uid: 100 };

    fn large() -> Vec<u8> {
        (0..CHUNK * 200 + 3).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
    }

    fn prepare(store: &impl Store) {
        let mut batch = put_body(FROM, &large());
        batch.extend(put_body(TO, b"left over"));
        batch.extend([mailbox(1).put(), mailbox(2).put()]);
        block_on(store.apply(batch, Durability::Strict)).unwrap();
    }

    #[test]
    fn a_copy_is_whole_and_its_place_counts_as_used() {
        let store = MemoryStore::new();
        prepare(&store);
        block_on(carry(&store, FROM, TO, Some(large().len() as u64), true)).unwrap();
        assert_eq!(block_on(body(&store, TO)).unwrap(), large());
        let target = block_on(record::mailbox(&store, TO.mailbox)).unwrap();
        assert_eq!(target.uid_next, TO.uid + 1);
        block_on(store.apply(vec![arrived(TO)], Durability::Strict)).unwrap();
        block_on(discard_carried(&store)).unwrap();
        assert_eq!(block_on(body(&store, TO)).unwrap(), large(), "it is its message's own");
    }

    #[test]
    fn a_copy_that_was_cut_off_at_any_write_goes_and_the_original_stays() {
        let whole = FailingStore::default();
        prepare(&whole);
        let before = whole.writes.get();
        block_on(carry(&whole, FROM, TO, Some(large().len() as u64), true)).unwrap();
        let writes = whole.writes.get() - before;
        assert!(writes > 3, "bounded batches");
        for failing in 0..writes {
            let store = FailingStore::default();
            prepare(&store);
            store.left.set(Some(failing));
            let full = Err(StoreError::QuotaExceeded);
            assert_eq!(block_on(carry(&store, FROM, TO, Some(large().len() as u64), true)), full);
            store.left.set(None);
            block_on(discard_carried(&store)).unwrap();
            assert_eq!(block_on(body(&store, FROM)).unwrap(), large());
            let left = block_on(body(&store, TO)).unwrap();
            assert!(left.is_empty() || (failing == 0 && left == b"left over"));
        }
    }

    #[test]
    fn a_message_of_which_bytes_are_missing_does_not_count_as_carried() {
        let store = MemoryStore::new();
        prepare(&store);
        let carried = block_on(carry(&store, FROM, TO, Some(large().len() as u64 + 1), true));
        assert!(matches!(carried, Err(StoreError::Damaged(_))));
    }
}
