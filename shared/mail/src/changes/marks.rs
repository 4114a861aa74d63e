//! Read marks that version 0.1.0 has remembered.

use postern_bridge::{ChangeId, MailboxId, Mark, MessageId};

use super::entry::{Entry, Item, State, Task};
use crate::{
    Host, MailError, Store,
    record::{self, Mailbox, Message, Record, Series, decode, message_key, next_numbers},
    store::{Durability, Key, KeyRange, Order, Table, Write},
};

/// The prefix of the keys under which they are stored, before mailbox and UID.
const PREFIX: &[u8] = b"seen-";

/// Makes queue entries of read marks that an earlier version has left, in one batch.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn adopt_marks<H: Host>(host: &H) -> Result<(), MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let range = KeyRange::prefix(Key::new().bytes(PREFIX));
    let marks = store.scan(Table::Meta, &range, Order::Ascending, usize::MAX).await?;
    if marks.is_empty() {
        return Ok(());
    }
    let count = u32::try_from(marks.len()).unwrap_or(u32::MAX);
    let (first, numbered) = next_numbers(store, Series::Change, count).await?;
    let mut writes = vec![numbered, Write::DeleteRange { table: Table::Meta, range }];
    for ((key, value), number) in marks.iter().zip(first..) {
        let Some(id) = marked(key) else { continue };
        let message: Option<Message> = record::get(store, &message_key(id)).await?;
        let mailbox: Option<Mailbox> = record::get(store, &record::mailbox_key(id.mailbox)).await?;
        let (Some(message), Some(mailbox)) = (message, mailbox) else { continue };
        let task = Task::Mark {
            mailbox: mailbox.id,
            items: vec![Item::of(&message, &mailbox)],
            mark: Mark::Seen,
            set: decode(value)?,
        };
        let entry = Entry {
            account: mailbox.account,
            number,
            change: ChangeId(number),
            origin: None,
            unasked: false,
            all: None,
            lost: 0,
            task,
            state: State::Tried,
        };
        writes.push(entry.put());
    }
    Ok(store.apply(writes, Durability::Strict).await?)
}

fn marked(key: &Key) -> Option<MessageId> {
    let numbers = key.0.strip_prefix(PREFIX)?;
    let (mailbox, uid) = numbers.split_first_chunk::<4>()?;
    Some(MessageId {
        mailbox: MailboxId(u32::from_be_bytes(*mailbox)),
        uid: u32::from_be_bytes(uid.try_into().ok()?),
    })
}
