//! What an account's record was before it was made anew: code that can read it may come back, such as a
//! later version that was replaced by an earlier one for a while.
//!
//! It is kept until then, or until the person has entered the settings again.

use postern_bridge::AccountId;

use super::{Known, mailbox, number_at, numbers::Numbers};
use crate::{
    Store,
    changes::{Entry, Task, forget_changes},
    record::{self, Account, Mailbox, Record, Series},
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// What the keys in [`Table::Meta`] begin with; the account's number follows.
const PREFIX: &[u8] = b"unreadable-account-";

/// The most bytes that are kept of an account: many times what one of any version has.
const LONGEST: usize = 64 << 10;

fn key(id: AccountId) -> Key {
    Key::new().bytes(PREFIX).u32(id.0)
}

/// The write that keeps a record which can't be read. What is kept of the account already stays: what came
/// after it was made anew here.
pub(super) async fn keep(store: &impl Store, id: AccountId) -> Result<Option<Write>, StoreError> {
    if store.get(Table::Meta, &key(id)).await?.is_some() {
        return Ok(None);
    }
    let record = store.get(Table::Accounts, &record::account_key(id)).await?;
    let record = record.filter(|record| record.len() <= LONGEST);
    Ok(record.map(|value| Write::Put { table: Table::Meta, key: key(id), value }))
}

/// The write that forgets what is kept of an account.
pub(crate) fn forget(id: AccountId) -> Write {
    Write::Delete { table: Table::Meta, key: key(id) }
}

/// The numbers of the accounts of which something is kept.
pub(super) async fn accounts(store: &impl Store) -> Result<Vec<u32>, StoreError> {
    let kept = store.keys(Table::Meta, &KeyRange::prefix(Key::new().bytes(PREFIX))).await?;
    Ok(kept.iter().filter_map(|key| number_at(key, PREFIX.len())).collect())
}

/// An account of which something is kept that is of use now, or of no use any more.
pub(super) struct Due {
    id: AccountId,
    /// What it was, if that is to be put back.
    before: Option<Account>,
}

/// What is due of these accounts.
pub(super) async fn due(store: &impl Store, accounts: &[Account]) -> Result<Vec<Due>, StoreError> {
    let all = KeyRange::prefix(Key::new().bytes(PREFIX));
    let kept = store.scan(Table::Meta, &all, Order::Ascending, usize::MAX).await?;
    let due = |(kept_as, value): &(Key, Vec<u8>)| {
        let present = accounts.iter().find(|own| key(own.id) == *kept_as)?;
        let id = present.id;
        if !present.has_lost_its_settings() {
            return Some(Due { id, before: None });
        }
        let before = record::decode(value).ok().filter(|own: &Account| own.id == id)?;
        Some(Due { id, before: Some(before) })
    };
    Ok(kept.iter().filter_map(due).collect())
}

/// Puts back what is due, and forgets what is kept of it; the writes that do so.
pub(super) async fn put_back(
    store: &impl Store,
    due: Vec<Due>,
    known: &mut Known,
    numbers: &mut Numbers,
) -> Result<Vec<Write>, StoreError> {
    let mut batch = Vec::new();
    for Due { id, before } in due {
        batch.push(forget(id));
        let Some(before) = before else { continue };
        batch.push(before.put());
        let Some(present) = known.accounts.iter_mut().find(|own| own.id == id) else { continue };
        let stood_in = std::mem::replace(present, before);
        if stood_in.protocol != present.protocol {
            batch.extend(set_apart(store, stood_in, known, numbers).await?);
        }
    }
    Ok(batch)
}

/// What an account of the other protocol has stored where one stands now that is put back becomes an
/// account of its own: the one's server would remove it with its first list of mailboxes, and the other's
/// UIDs mean something else.
async fn set_apart(
    store: &impl Store,
    stood_in: Account,
    known: &mut Known,
    numbers: &mut Numbers,
) -> Result<Vec<Write>, StoreError> {
    // They are about those mailboxes, and go where those go.
    let mut batch = vec![forget_changes(stood_in.id)];
    let is_own = |own: &Mailbox| own.account == stood_in.id;
    let mut has_mail = false;
    for own in known.mailboxes.iter().filter(|own| is_own(own)) {
        has_mail |= !mailbox::is_empty(store, own.id).await?;
    }
    if !has_mail {
        batch.extend(known.mailboxes.extract_if(.., |own| is_own(own)).map(|own| own.delete()));
        known.changes.retain(|own| own.account != stood_in.id);
        return Ok(batch);
    }
    let id = AccountId(numbers.take(Series::Account, 1));
    batch.extend(moved_queue(store, stood_in.id, id).await?);
    for own in known.changes.iter_mut().filter(|own| own.account == stood_in.id) {
        own.account = id;
    }
    for own in known.mailboxes.iter_mut().filter(|own| is_own(own)) {
        own.account = id;
        batch.push(own.put());
    }
    let apart = Account { id, ..stood_in };
    batch.push(apart.put());
    known.accounts.push(apart);
    Ok(batch)
}

/// The writes that store the queue of one account as that of another one: it keeps what is here alone from
/// being removed by a server's list of mailboxes. What can't be read of it does the same.
async fn moved_queue(
    store: &impl Store,
    from: AccountId,
    to: AccountId,
) -> Result<Vec<Write>, StoreError> {
    let (before, after) = (record::account_key(from), record::account_key(to));
    let all = KeyRange::prefix(before.clone());
    let stored = store.scan(Table::Changes, &all, Order::Ascending, usize::MAX).await?;
    let moved = stored.into_iter().map(|(key, value)| match record::decode::<Entry>(&value) {
        Ok(mut entry) => {
            entry.account = to;
            if let Task::Remove { mailbox } = &mut entry.task {
                mailbox.account = to;
            }
            entry.put()
        }
        Err(_) => {
            let key = after.clone().bytes(&key.0[before.0.len()..]);
            Write::Put { table: Table::Changes, key, value }
        }
    });
    Ok(moved.collect())
}
