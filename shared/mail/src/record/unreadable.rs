//! A message whose record can't be read any more: what else is stored tells where it stands.

use postern_bridge::{MailboxId, MessageId};

use super::{
    Body, Mailbox, Message, Record, arrived_message, beginning, bytes::stored_size, decode, get,
    listed_place, mailbox_key, message_key,
};
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

/// Bytes at a message's beginning that tell what its record has to say.
const BEGINNING: usize = 1 << 20;

/// The record of such a message as far as its bytes, which should be so many, and its place in the list
/// tell: as an unread one, of which the header alone is here or all. `None` if its record can be read, or
/// something else of it is lost as well.
///
/// # Errors
///
/// If the store can't be read.
pub(crate) async fn rebuilt(
    store: &impl Store,
    id: MessageId,
    bytes: u64,
    is_header: bool,
) -> Result<Option<Message>, StoreError> {
    let stored = store.get(Table::Messages, &message_key(id)).await?;
    if stored.is_none_or(|stored| decode::<Message>(&stored).is_ok()) {
        return Ok(None);
    }
    let places = KeyRange::prefix(mailbox_key(id.mailbox));
    let places = store.keys(Table::Arrival, &places).await?;
    let place = places.iter().find(|place| arrived_message(place) == Ok(id));
    let (Some(place), size) = (place, stored_size(store, id).await?) else { return Ok(None) };
    let head = beginning(store, id, BEGINNING).await?;
    let body = if is_header { Body::Header { size } } else { Body::Whole { size } };
    let arrived = listed_place(place)?.arrived;
    Ok((size == bytes && size > 0).then(|| Message::summarised(id, arrived, &head, body)))
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
    each_message(store, id, |message| {
        mailbox.total += 1;
        mailbox.unread += u32::from(message.is_some_and(|message| !message.flags.seen));
    })
    .await?;
    store.apply(vec![mailbox.put()], Durability::Relaxed).await
}

/// Looks at all messages of a mailbox in turn; `None` is one whose record can't be read.
///
/// # Errors
///
/// If the store can't be read.
pub(crate) async fn each_message(
    store: &impl Store,
    mailbox: MailboxId,
    mut look: impl FnMut(Option<Message>),
) -> Result<(), StoreError> {
    let mut range = KeyRange::prefix(mailbox_key(mailbox));
    loop {
        let window = store.scan(Table::Messages, &range, Order::Ascending, WINDOW).await?;
        let Some((last, _)) = window.last() else { return Ok(()) };
        range.start = last.clone().bytes(&[0]);
        window.iter().for_each(|(_, value)| look(decode(value).ok()));
    }
}
