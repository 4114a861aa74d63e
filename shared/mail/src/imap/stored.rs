//! What is stored of a mailbox, by UID.

use postern_bridge::{MailboxId, MessageId};
use postern_imap::SequenceSet;

use super::batch::BATCH;
use crate::{
    Store,
    changes::{self, is_provisional},
    record::{self, Message, Place},
    store::{KeyRange, StoreError, Table, Write},
};

/// The UIDs of the messages that are stored and that the server knows, ascending.
pub(super) async fn stored_uids(
    store: &impl Store,
    mailbox: MailboxId,
) -> Result<Vec<u32>, StoreError> {
    let range = KeyRange::prefix(record::mailbox_key(mailbox));
    let keys = store.keys(Table::Messages, &range).await?;
    let uids = keys.iter().filter_map(|key| {
        let (_, uid) = key.0.split_last_chunk::<4>()?;
        Some(u32::from_be_bytes(*uid))
    });
    Ok(uids.filter(|uid| !is_provisional(*uid)).collect())
}

/// The writes that remove what is stored of a mailbox, but for messages that are on their way into
/// it, and the places of those.
pub(super) async fn forget_known(
    store: &impl Store,
    mailbox: MailboxId,
) -> Result<(Vec<Write>, Vec<Place>), StoreError> {
    let key = |uid| record::message_key(MessageId { mailbox, uid });
    let known = KeyRange {
        start: record::mailbox_key(mailbox),
        end: Some(key(changes::limits::PROVISIONAL)),
    };
    let coming = KeyRange {
        start: key(changes::limits::PROVISIONAL),
        ..KeyRange::prefix(record::mailbox_key(mailbox))
    };
    let places = KeyRange::prefix(record::mailbox_key(mailbox));
    let mut writes = vec![
        Write::DeleteRange { table: Table::Messages, range: known.clone() },
        Write::DeleteRange { table: Table::Bodies, range: known },
        Write::DeleteRange { table: Table::Arrival, range: places },
    ];
    let coming: Vec<Message> = record::all(store, &coming).await?;
    writes.extend(coming.iter().flat_map(Message::put_listed));
    Ok((writes, coming.iter().map(Message::place).collect()))
}

/// Those of the stored messages that are in one of these sets, which may be huge.
pub(super) async fn stored_among(
    store: &impl Store,
    mailbox: MailboxId,
    sets: &[SequenceSet],
) -> Result<Vec<u32>, StoreError> {
    let ranges = sets.iter().flat_map(SequenceSet::ranges).cloned();
    let Some(all) = SequenceSet::from_ranges(ranges) else { return Ok(Vec::new()) };
    if all.count() <= BATCH as u64 {
        return Ok(all.numbers().filter(|uid| !is_provisional(*uid)).collect());
    }
    let mut uids = stored_uids(store, mailbox).await?;
    uids.retain(|uid| all.contains(*uid));
    Ok(uids)
}

/// What is stored of messages, in their order.
pub(super) async fn stored_messages(
    store: &impl Store,
    mailbox: MailboxId,
    uids: &[u32],
) -> Result<Vec<Option<Message>>, StoreError> {
    let keys: Vec<_> =
        uids.iter().map(|uid| record::message_key(MessageId { mailbox, uid: *uid })).collect();
    let values = store.get_many(Table::Messages, &keys).await?;
    values.into_iter().map(|value| value.map(|value| record::decode(&value)).transpose()).collect()
}
