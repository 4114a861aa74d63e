//! A message whose record can't be read any more: what else is stored tells where it stands.

use postern_bridge::{MailboxId, MessageId};

use super::{Mailbox, Message, Record, arrived_message, decode, get, mailbox_key, message_key};
use crate::{
    Store,
    store::{Durability, KeyRange, Order, StoreError, Table, Write},
};

/// How many records are read at a time.
const WINDOW: usize = 500;

/// The writes that remove such a message: its record, its bytes, and its place, which only the list
/// itself knows.
///
/// # Errors
///
/// If the store can't be read.
pub(crate) async fn delete_unreadable(
    store: &impl Store,
    id: MessageId,
) -> Result<Vec<Write>, StoreError> {
    let key = message_key(id);
    let places = KeyRange::prefix(mailbox_key(id.mailbox));
    let mut places = store.keys(Table::Arrival, &places).await?;
    places.retain(|place| arrived_message(place) == Ok(id));
    let places = places.into_iter().map(|key| Write::Delete { table: Table::Arrival, key });
    let bytes = Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(key.clone()) };
    Ok(places.chain([Write::Delete { table: Table::Messages, key }, bytes]).collect())
}

/// Counts a local mailbox's messages anew once such a message is replaced: nothing tells whether it was
/// counted as unread. Under the lock for editing.
///
/// *If this ends early*, one message more or less is told to be unread.
///
/// # Errors
///
/// If the store can't be read or written.
pub(crate) async fn recount(store: &impl Store, id: MailboxId) -> Result<(), StoreError> {
    let Some(mut mailbox): Option<Mailbox> = get(store, &mailbox_key(id)).await? else {
        return Ok(());
    };
    (mailbox.total, mailbox.unread) = (0, 0);
    let mut range = KeyRange::prefix(mailbox_key(id));
    loop {
        let window = store.scan(Table::Messages, &range, Order::Ascending, WINDOW).await?;
        let Some((last, _)) = window.last() else { break };
        range.start = last.clone().bytes(&[0]);
        for (_, value) in &window {
            let is_unread = decode(value).is_ok_and(|message: Message| !message.flags.seen);
            mailbox.total += 1;
            mailbox.unread += u32::from(is_unread);
        }
    }
    store.apply(vec![mailbox.put()], Durability::Relaxed).await
}
