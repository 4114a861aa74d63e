//! Where a message is by now.

use postern_bridge::MessageId;

use super::{Item, Task, entries, is_provisional};
use crate::{
    Store,
    record::{self, Mailbox, mailbox_key},
    store::StoreError,
};

/// Where the changes that are remembered have moved a message to; `None` if none has. Each is written in
/// one batch with the message, so that one that is no longer where it was is found at once.
///
/// # Errors
///
/// If the store can't be read.
pub(crate) async fn moved_to(
    store: &impl Store,
    id: MessageId,
) -> Result<Option<MessageId>, StoreError> {
    let mailbox: Option<Mailbox> = record::get(store, &mailbox_key(id.mailbox)).await?;
    let Some(mailbox) = mailbox else { return Ok(None) };
    let mut place = id;
    for entry in entries(store, mailbox.account).await? {
        let Task::Transfer { from, to, items, copy: false, .. } = &entry.task else { continue };
        // A UID of an earlier UIDVALIDITY was another message's.
        let is_same = |item: &Item| {
            is_provisional(item.uid)
                || place.mailbox != id.mailbox
                || mailbox.uid_validity == 0
                || item.uid_validity == mailbox.uid_validity
        };
        let own = |item: &&Item| item.uid == place.uid && item.to != 0 && is_same(item);
        if let Some(item) = items.iter().find(own).filter(|_| *from == place.mailbox) {
            place = MessageId { mailbox: *to, uid: item.to };
        }
    }
    Ok((place != id).then_some(place))
}
