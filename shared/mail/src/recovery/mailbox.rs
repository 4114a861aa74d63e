//! A mailbox's record, as far as its messages and its neighbours tell.

use postern_bridge::{AccountId, MailboxId, MessageId, Protocol};

use super::{GAP, Known};
use crate::{
    Store,
    changes::{Entry, is_provisional},
    pop3::local_mailbox,
    record::{self, Body, Mailbox, Owner, SyncPoint, arrived_message, keyed_message, mailbox_key},
    store::{Key, KeyRange, Order, StoreError, Table},
};

/// The record; `None` if nothing is in the mailbox and nothing tells what it was.
///
/// One of an IMAP account, whose name on the server nobody knows, goes as soon as the server has listed
/// its mailboxes, unless it has what is here alone; its messages come again from the server.
pub(super) async fn rebuilt(
    store: &impl Store,
    id: MailboxId,
    known: &Known,
) -> Result<Option<Mailbox>, StoreError> {
    let content = Content::of(store, id).await?;
    let name = made_up_name(id);
    let named = known.ledger.get(&id).map_or(0, |(_, last)| *last);
    let mut mailbox = match known.first_mailbox(id) {
        Some((account, name, role)) => local_mailbox(account, id, name, Some(role)),
        None => match known.owner(id, &content) {
            Some(account) if !content.is_empty => local_mailbox(account, id, &name, None),
            _ => return Ok(None),
        },
    };
    if known.accounts.len() > 1 && known.told_owner(id) != Some(mailbox.account) {
        mailbox.owner = Owner::Guessed;
    }
    (mailbox.total, mailbox.unread) = (content.total, content.unread);
    mailbox.uid_next = content.last.max(named).saturating_add(GAP);
    if !known.is_pop3(mailbox.account) {
        (mailbox.uid_validity, mailbox.uid_next) = (0, 0);
        mailbox.synced = SyncPoint { stale: true, ..SyncPoint::default() };
    }
    Ok(Some(mailbox))
}

/// What a mailbox is called of which nothing tells the name.
fn made_up_name(id: MailboxId) -> String {
    format!("Recovered folder {}", id.0)
}

/// Whether a mailbox's name was made up, since nothing told it.
pub(crate) fn has_made_up_name(mailbox: &Mailbox) -> bool {
    mailbox.role.is_none() && mailbox.names == [made_up_name(mailbox.id)]
}

/// Whether nothing is stored under a mailbox's number.
pub(super) async fn is_empty(store: &impl Store, id: MailboxId) -> Result<bool, StoreError> {
    let all = KeyRange::prefix(mailbox_key(id));
    for table in [Table::Messages, Table::Arrival, Table::Bodies] {
        if !store.scan(table, &all, Order::Ascending, 1).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether there are messages under a mailbox's number as only IMAP leaves them.
pub(super) async fn is_of_imap(store: &impl Store, id: MailboxId) -> Result<bool, StoreError> {
    Ok(Content::of(store, id).await?.is_of_imap)
}

/// What is stored under a mailbox's number.
#[derive(Default)]
struct Content {
    is_empty: bool,
    total: u32,
    unread: u32,
    /// The last UID of a message.
    last: u32,
    /// Whether messages are as only IMAP leaves them: without their bytes, or with some, or without a UID of
    /// the server's.
    is_of_imap: bool,
}

impl Content {
    async fn of(store: &impl Store, id: MailboxId) -> Result<Self, StoreError> {
        let mut content = Self::default();
        record::each_message(store, id, |message| {
            content.total += 1;
            let Some(message) = message else { return };
            content.unread += u32::from(!message.flags.seen);
            content.is_of_imap |= matches!(message.body, Body::Absent | Body::Partial { .. });
        })
        .await?;
        let all = KeyRange::prefix(mailbox_key(id));
        let listed = store.keys(Table::Arrival, &all).await?;
        let records = store.keys(Table::Messages, &all).await?;
        let bytes = store.scan(Table::Bodies, &all, Order::Descending, 1).await?;
        content.is_empty = is_empty(store, id).await?;
        let listed = listed.iter().filter_map(|key| arrived_message(key).ok());
        let keyed = records.iter().chain(bytes.iter().map(|(key, _)| key));
        for uid in listed.chain(keyed.filter_map(named)).map(|message| message.uid) {
            match is_provisional(uid) {
                true => content.is_of_imap = true,
                false => content.last = content.last.max(uid),
            }
        }
        Ok(content)
    }
}

/// The message that a key of its record or its bytes begins with.
fn named(key: &Key) -> Option<MessageId> {
    keyed_message(&Key(key.0.get(..8)?.to_vec()))
}

impl Known {
    /// Whose a mailbox is, if something tells.
    fn told_owner(&self, id: MailboxId) -> Option<AccountId> {
        if let Some((account, _)) = self.ledger.get(&id) {
            return Some(*account);
        }
        // What only its queue keeps here would go with the list of another one's server.
        let names_it = |own: &&Entry| own.task.mailboxes().contains(&id);
        self.changes.iter().find(names_it).map(|entry| entry.account)
    }

    /// Whose a mailbox is. Where nothing tells, it is a POP3 account's rather than an IMAP account's,
    /// which removes what its server does not list.
    fn owner(&self, id: MailboxId, content: &Content) -> Option<AccountId> {
        if let Some(account) = self.told_owner(id) {
            return Some(account);
        }
        let protocol = if content.is_of_imap { Protocol::Imap } else { Protocol::Pop3 };
        let mut likely: Vec<AccountId> = self.accounts.iter().map(|own| own.id).collect();
        if self.accounts.iter().any(|own| own.protocol == protocol) {
            likely.retain(|own| self.is_pop3(*own) == (protocol == Protocol::Pop3));
        }
        // An account's mailboxes mostly got their numbers one after the other.
        let before = self.mailboxes.iter().filter(|own| own.id.0 < id.0);
        let neighbour = before.max_by_key(|own| own.id.0).map(|own| own.account);
        likely.iter().copied().find(|own| Some(*own) == neighbour).or(likely.first().copied())
    }
}
