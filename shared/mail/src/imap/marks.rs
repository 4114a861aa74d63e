//! Read marks that the server has not been told yet.
//!
//! A mark is stored in the batch that changes the message here, and removed once the server has it:
//! so it survives a missing network, a reload and a crash, and is told again, which does no harm.
//! While it is there, what the server says of `\\Seen` does not count.

use std::collections::BTreeMap;

use postern_bridge::{MailboxId, MessageId};

use super::ImapClient;
use crate::{
    Host, MailError, Store, Transport,
    record::{decode, encode},
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// The prefix of the keys of a mailbox's marks.
pub(super) fn prefix(mailbox: MailboxId) -> Key {
    Key::new().bytes(b"seen-").u32(mailbox.0)
}

fn key(message: MessageId) -> Key {
    prefix(message.mailbox).u32(message.uid)
}

/// The write that remembers to tell the server whether a message is read.
pub fn remember_mark(message: MessageId, seen: bool) -> Write {
    Write::Put { table: Table::Meta, key: key(message), value: encode(&seen) }
}

/// The write that forgets a mark, unless another one has taken its place.
pub(super) async fn told(
    store: &impl Store,
    message: MessageId,
    seen: bool,
) -> Result<Option<Write>, StoreError> {
    let value = store.get(Table::Meta, &key(message)).await?;
    let same = value.is_some_and(|value| value == encode(&seen));
    Ok(same.then(|| Write::Delete { table: Table::Meta, key: key(message) }))
}

/// A mailbox's marks, by UID.
pub(super) async fn marks(
    store: &impl Store,
    mailbox: MailboxId,
) -> Result<BTreeMap<u32, bool>, StoreError> {
    let range = KeyRange::prefix(prefix(mailbox));
    let entries = store.scan(Table::Meta, &range, Order::Ascending, usize::MAX).await?;
    let mark = |(key, value): &(Key, Vec<u8>)| {
        let uid = key.0.last_chunk().map(|uid| u32::from_be_bytes(*uid));
        Ok((uid.unwrap_or_default(), decode(value)?))
    };
    entries.iter().map(mark).collect()
}

impl<T: Transport> ImapClient<T> {
    /// Tells the server every mark of a mailbox that it has not been told.
    pub(super) async fn tell_marks<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
    ) -> Result<(), MailError> {
        for (uid, seen) in marks(host.store(), mailbox).await? {
            self.store_seen(host, MessageId { mailbox, uid }, seen).await?;
        }
        Ok(())
    }
}
