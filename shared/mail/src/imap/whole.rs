//! A message that can't be put together from its parts, fetched as it is in windows.
//!
//! The windows are those of the part without a section. When all have come they become the message's own
//! bytes, a window at a time.
//!
//! *If this ends in between*, the message's record is as it was; if it names bytes that are damaged, even
//! fewer of them may be left, and they are fetched all the same. Windows that have come stay, and the next
//! try asks for the rest; when all are here, it copies them anew, over what it had copied. The batch that
//! names the bytes in the message's record removes the windows.
//!
//! *If windows go in between*, since a backup that had them fetched is done with them, all come once more.

use postern_bridge::MessageId;

use super::{ImapClient, limits, part::Fetched};
use crate::{
    Host, MailError, Store, Transport,
    record::{self, Body, Message, PartEnd, Record, message_key},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

impl<T: Transport> ImapClient<T> {
    /// Fetches a message of this size as it is and stores it: only what is not stored in windows yet.
    pub(super) async fn fetch_in_windows<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        size: u64,
    ) -> Result<(), MailError> {
        if size >= limits::MESSAGE.into() {
            return Err(too_large());
        }
        let mut are_lost = false;
        loop {
            let mut fetched = Fetched::nothing_of(size);
            while !fetched.is_whole {
                fetched = self.fetch_piece(host, id, "", Some(fetched)).await?;
                // The server may have told a wrong size.
                if fetched.stored >= limits::MESSAGE.into() {
                    host.store().apply(vec![drop_windows(id)], Durability::Relaxed).await?;
                    return Err(too_large());
                }
            }
            match adopt(host.store(), id).await {
                Err(MailError::Store(StoreError::Damaged(_))) if !are_lost => are_lost = true,
                adopted => return adopted,
            }
        }
    }
}

pub(super) fn too_large() -> MailError {
    MailError::Input("This message is too large to open here.".into())
}

fn drop_chunks(id: MessageId) -> Write {
    Write::DeleteRange { table: Table::Bodies, range: record::chunks(id) }
}

fn drop_windows(id: MessageId) -> Write {
    Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(record::part_key(id, "")) }
}

/// Makes the windows of a message that have all come its own bytes. If that fails, what was copied is
/// removed, since nobody reads it and it takes up room; damaged windows are as well, to be fetched again.
async fn adopt(store: &impl Store, id: MessageId) -> Result<(), MailError> {
    let message: Option<Message> = record::get(store, &message_key(id)).await?;
    let before = message.ok_or(MailError::Gone("message"))?.body;
    let adopted = copy(store, id, &before).await;
    if let Err(MailError::Store(error)) = &adopted {
        let _editing = store.editing().lock().await;
        // If it is not there any more, nothing else matters.
        present(store, id, &before).await?;
        let mut batch = vec![drop_chunks(id)];
        batch.extend(matches!(error, StoreError::Damaged(_)).then(|| drop_windows(id)));
        // What went wrong before counts more.
        let _ = store.apply(batch, Durability::Relaxed).await;
    }
    adopted
}

/// Copies a message's windows to where its own bytes are, and names them in its record. Others may write
/// between two windows: if the message is moved then, its windows are gone with it, also if it comes back.
async fn copy(store: &impl Store, id: MessageId, before: &Body) -> Result<(), MailError> {
    let PartEnd { size, .. } = record::part_end(store, id, "").await?.ok_or_else(missing)?;
    let (mut copied, mut chunk) = (0, 0);
    let mut batch = vec![drop_chunks(id)];
    let mut windows = (0..).map(|number| record::part_key(id, "").u32(number));
    while copied < size
        && let Some(key) = windows.next()
    {
        // Read before the lock is taken, so that who waits for it has their turn.
        let window = store.get(Table::Bodies, &key).await?.ok_or_else(missing)?;
        copied += window.len() as u64;
        let writes = record::put_chunks(id, chunk, window);
        chunk += u32::try_from(writes.len()).unwrap_or(u32::MAX);
        batch.extend(writes);
        let _editing = store.editing().lock().await;
        fetched(store, id, before).await?;
        // Strictly: the record that follows must not reach the disk before its bytes.
        store.apply(std::mem::take(&mut batch), Durability::Strict).await?;
    }
    if copied != size {
        return Err(missing().into());
    }
    let shown = usize::try_from(limits::SHOWN).unwrap_or(usize::MAX);
    let summary = postern_mime::summary(&record::beginning(store, id, shown).await?);
    let _editing = store.editing().lock().await;
    let mut message = fetched(store, id, before).await?;
    message.body = Body::Whole { size };
    message.preview = summary.preview;
    let is_cut = size > limits::SHOWN;
    message.has_attachments = summary.has_attachments || is_cut && message.has_attachments;
    batch.extend([message.put(), drop_windows(id)]);
    Ok(store.apply(batch, Durability::Relaxed).await?)
}

/// The record of a message of which all windows are still here.
async fn fetched(store: &impl Store, id: MessageId, before: &Body) -> Result<Message, MailError> {
    let message = present(store, id, before).await?;
    record::part_end(store, id, "").await?.ok_or_else(missing)?;
    Ok(message)
}

/// The message's record, whose flags may have changed in the meantime. If it is gone, or has other bytes by
/// now, they are not to be touched.
async fn present(store: &impl Store, id: MessageId, before: &Body) -> Result<Message, MailError> {
    let message: Option<Message> = record::get(store, &message_key(id)).await?;
    message.filter(|message| message.body == *before).ok_or(MailError::Gone("message"))
}

fn missing() -> StoreError {
    StoreError::Damaged("bytes of a message are missing".into())
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;
    use postern_bridge::MailboxId;

    use super::*;
    use crate::{
        changes::tests::message,
        record::{CHUNK, encode},
        testing::{FailingStore, WriteFault, YieldingStore, block_on, give_way},
    };

    const ID: MessageId = MessageId { mailbox: MailboxId(1), uid: 7 };

    /// A message in three windows, one of them a crumb, beside what an earlier copy has left.
    fn in_windows() -> (FailingStore, Vec<u8>) {
        let windows = [
            [&b"Subject: x\r\n\r\nHello "[..], &[b'a'; 2 * CHUNK + 9]].concat(),
            b"b".to_vec(),
            vec![b'c'; CHUNK],
        ];
        let raw = windows.concat();
        let key = |number| record::part_key(ID, "").u32(number);
        let put = |(number, value)| Write::Put { table: Table::Bodies, key: key(number), value };
        let end = PartEnd { encoding: String::new(), size: raw.len() as u64 };
        let mut batch: Vec<Write> = (0..).zip(windows).map(put).collect();
        batch.push(put((u32::MAX, encode(&end))));
        batch.extend(record::put_body(ID, &[b'x'; 9 * CHUNK]));
        batch.push(message(ID).put());
        let store = FailingStore::default();
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        store.writes.set(0);
        (store, raw)
    }

    fn stored(store: &FailingStore) -> (Body, Vec<u8>, usize) {
        let message: Message = block_on(record::get(store, &message_key(ID))).unwrap().unwrap();
        let windows = KeyRange::prefix(record::part_key(ID, ""));
        let windows = block_on(store.keys(Table::Bodies, &windows)).unwrap().len();
        (message.body, block_on(record::body(store, ID)).unwrap(), windows)
    }

    #[test]
    fn windows_become_a_message_at_once_whatever_write_it_breaks_off_at() {
        let (store, raw) = in_windows();
        let whole = (Body::Whole { size: raw.len() as u64 }, raw, 0);
        block_on(adopt(&store, ID)).unwrap();
        assert_eq!(stored(&store), whole);
        let writes = store.writes.get();
        assert_eq!(writes, 4, "a batch for each window, and one that names them");
        // The page dies, or there is no room for a single write.
        for (failing, dies) in (0..writes).flat_map(|at| [(at, true), (at, false)]) {
            let (store, _) = in_windows();
            match dies {
                true => store.left.set(Some(failing)),
                false => store.fault.set(Some((failing, WriteFault::Full))),
            }
            assert_eq!(block_on(adopt(&store, ID)), Err(StoreError::QuotaExceeded.into()));
            store.left.set(None);
            let (body, left, windows) = stored(&store);
            assert_eq!((body, windows), (Body::Absent, 4), "{failing}");
            assert!(dies || left.is_empty(), "{} bytes take up room, {failing}", left.len());
            block_on(adopt(&store, ID)).unwrap();
            assert_eq!(stored(&store), whole, "{failing}");
        }
    }

    #[test]
    fn others_may_write_between_two_windows_and_what_is_moved_then_leaves_nothing() {
        let mut came_between = false;
        let mut is_early = true;
        for turns in 0.. {
            let (filled, _) = in_windows();
            let store = YieldingStore { inner: filled.inner };
            let mut remove = async || {
                for _ in 0..turns {
                    give_way().await;
                }
                let _editing = store.editing().lock().await;
                let message: Message =
                    record::get(&store, &message_key(ID)).await.unwrap().unwrap();
                let size = record::stored_size(&store, ID).await.unwrap();
                let is_begun = size > 0 && size != 9 * CHUNK as u64;
                came_between |= message.body == Body::Absent && is_begun;
                let gone = message.delete_whole().into();
                store.apply(gone, Durability::Strict).await.unwrap();
            };
            let (adopted, ()) = block_on(join(adopt(&store, ID), remove()));
            let left = block_on(store.inner.keys(Table::Bodies, &KeyRange::all())).unwrap();
            assert!(left.is_empty(), "{turns}: {} values", left.len());
            is_early = adopted == Err(MailError::Gone("message"));
            if !is_early {
                assert_eq!(adopted, Ok(()), "{turns}");
                break;
            }
        }
        assert!(came_between && !is_early);
    }

    #[test]
    fn a_message_of_which_a_window_got_lost_is_fetched_again() {
        let (store, _) = in_windows();
        let key = record::part_key(ID, "").u32(1);
        let lost = vec![Write::Delete { table: Table::Bodies, key }];
        block_on(store.apply(lost, Durability::Strict)).unwrap();
        let adopted = block_on(adopt(&store, ID));
        assert!(matches!(adopted, Err(MailError::Store(StoreError::Damaged(_)))), "{adopted:?}");
        let (body, _, windows) = stored(&store);
        assert_eq!((body, windows), (Body::Absent, 0));
    }
}
