//! Under which keys it is stored.

use postern_bridge::{AccountId, MailboxId, MessageId};

use super::Place;
use crate::store::{Key, StoreError};

/// An account's key, and the prefix of its ledger's keys.
pub fn account_key(account: AccountId) -> Key {
    Key::new().u32(account.0)
}

/// A mailbox's key, and the prefix of all keys of its messages, list places and chunks.
pub fn mailbox_key(mailbox: MailboxId) -> Key {
    Key::new().u32(mailbox.0)
}

/// A message's key, and the prefix of its chunks' keys.
pub fn message_key(message: MessageId) -> Key {
    mailbox_key(message.mailbox).u32(message.uid)
}

/// The message that a key of [`message_key`] stands for; none if it is another kind of key.
pub fn keyed_message(key: &Key) -> Option<MessageId> {
    let (mailbox, uid) = key.0.split_first_chunk::<4>()?;
    let number = |bytes| u32::from_be_bytes(bytes);
    let uid = number(uid.try_into().ok()?);
    Some(MessageId { mailbox: MailboxId(number(*mailbox)), uid })
}

/// The message that an arrival key stands for.
///
/// # Errors
///
/// If the key is not what [`Message::arrival_key`] makes.
pub fn arrived_message(key: &Key) -> Result<MessageId, StoreError> {
    let number = |at: usize| {
        let bytes = key.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes)
    };
    match (number(0), number(12)) {
        (Some(mailbox), Some(uid)) => Ok(MessageId { mailbox: MailboxId(mailbox), uid }),
        _ => Err(StoreError::Damaged("a list key".into())),
    }
}

/// The place that an arrival key stands for.
///
/// # Errors
///
/// If the key is not what [`Message::arrival_key`] makes.
pub fn listed_place(key: &Key) -> Result<Place, StoreError> {
    let uid = arrived_message(key)?.uid;
    let arrived = key.0.get(4..12).and_then(|bytes| bytes.try_into().ok());
    let arrived = arrived.ok_or_else(|| StoreError::Damaged("a list key".into()))?;
    Ok(Place { arrived: i64::from_be_bytes(arrived) ^ i64::MIN, uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_key_names_its_message() {
        let id = MessageId { mailbox: MailboxId(7), uid: u32::MAX };
        for arrived in [i64::MIN, -1, 0, 1_700_000_000_000] {
            let key = mailbox_key(id.mailbox).i64(arrived).u32(id.uid);
            assert_eq!(arrived_message(&key), Ok(id));
            assert_eq!(listed_place(&key), Ok(Place { arrived, uid: id.uid }));
        }
        assert!(arrived_message(&Key::new().u32(7)).is_err());
    }
}
