//! A message that can't be put together from its parts, fetched as it is in windows.
//!
//! The windows are those of the part without a section. When all have come they become the message's own
//! bytes, a window at a time.
//!
//! *If this ends in between*, the message is as it was. Windows that have come stay, and the next try asks
//! for the rest; when all are here, it copies them anew, over what it had copied. The batch that names the
//! bytes in the message's record removes the windows.

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
        let mut fetched = Fetched::nothing_of(size);
        while !fetched.is_whole {
            fetched = self.fetch_piece(host, id, "", Some(fetched)).await?;
            // The server may have told a wrong size.
            if fetched.stored >= limits::MESSAGE.into() {
                host.store().apply(vec![drop_windows(id)], Durability::Relaxed).await?;
                return Err(too_large());
            }
        }
        adopt(host.store(), id).await
    }
}

pub(super) fn too_large() -> MailError {
    MailError::Input("This message is too large to open here.".into())
}

fn drop_windows(id: MessageId) -> Write {
    Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(record::part_key(id, "")) }
}

/// Makes the windows of a message that have all come its own bytes.
async fn adopt(store: &impl Store, id: MessageId) -> Result<(), MailError> {
    // Its flags may have changed in the meantime, and it may be gone.
    let _editing = store.editing().lock().await;
    let message: Option<Message> = record::get(store, &message_key(id)).await?;
    let mut message = message.ok_or(MailError::Gone("message"))?;
    let size = match copy(store, id).await {
        Err(StoreError::Damaged(why)) => {
            // They are fetched again.
            store.apply(vec![drop_windows(id)], Durability::Relaxed).await?;
            return Err(StoreError::Damaged(why).into());
        }
        copied => copied?,
    };
    let shown = usize::try_from(limits::SHOWN).unwrap_or(usize::MAX);
    let summary = postern_mime::summary(&record::beginning(store, id, shown).await?);
    message.body = Body::Whole { size };
    message.preview = summary.preview;
    let is_cut = size > limits::SHOWN;
    message.has_attachments = summary.has_attachments || is_cut && message.has_attachments;
    Ok(store.apply(vec![message.put(), drop_windows(id)], Durability::Relaxed).await?)
}

/// Copies a message's windows to where its own bytes are; how many there are.
async fn copy(store: &impl Store, id: MessageId) -> Result<u64, StoreError> {
    let missing = || StoreError::Damaged("bytes of a message are missing".into());
    let PartEnd { size, .. } = record::part_end(store, id, "").await?.ok_or_else(missing)?;
    let (mut copied, mut chunk) = (0, 0);
    let mut batch = vec![Write::DeleteRange { table: Table::Bodies, range: record::chunks(id) }];
    let mut windows = (0..).map(|number| record::part_key(id, "").u32(number));
    while copied < size
        && let Some(key) = windows.next()
    {
        let window = store.get(Table::Bodies, &key).await?.ok_or_else(missing)?;
        copied += window.len() as u64;
        let writes = record::put_chunks(id, chunk, window);
        chunk += u32::try_from(writes.len()).unwrap_or(u32::MAX);
        batch.extend(writes);
        // Strictly: the record that follows must not reach the disk before its bytes.
        store.apply(std::mem::take(&mut batch), Durability::Strict).await?;
    }
    if copied == size { Ok(size) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxId;

    use super::*;
    use crate::{
        changes::tests::message,
        record::{CHUNK, encode},
        testing::{FailingStore, block_on},
    };

    const ID: MessageId = MessageId { mailbox: MailboxId(1), uid: 7 };

    /// A message in three windows, one of them a crumb, beside what an earlier copy has left.
    fn fetched() -> (FailingStore, Vec<u8>) {
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
        let (store, raw) = fetched();
        let whole = (Body::Whole { size: raw.len() as u64 }, raw, 0);
        block_on(adopt(&store, ID)).unwrap();
        assert_eq!(stored(&store), whole);
        let writes = store.writes.get();
        assert_eq!(writes, 4, "a batch for each window, and one that names them");
        for failing in 0..writes {
            let (store, _) = fetched();
            store.left.set(Some(failing));
            assert_eq!(block_on(adopt(&store, ID)), Err(StoreError::QuotaExceeded.into()));
            store.left.set(None);
            let (body, _, windows) = stored(&store);
            assert_eq!((body, windows), (Body::Absent, 4), "{failing}");
            block_on(adopt(&store, ID)).unwrap();
            assert_eq!(stored(&store), whole, "{failing}");
        }
    }

    #[test]
    fn a_message_of_which_a_window_got_lost_is_fetched_again() {
        let (store, _) = fetched();
        let key = record::part_key(ID, "").u32(1);
        let lost = vec![Write::Delete { table: Table::Bodies, key }];
        block_on(store.apply(lost, Durability::Strict)).unwrap();
        let adopted = block_on(adopt(&store, ID));
        assert!(matches!(adopted, Err(MailError::Store(StoreError::Damaged(_)))), "{adopted:?}");
        let (body, _, windows) = stored(&store);
        assert_eq!((body, windows), (Body::Absent, 0));
    }
}
