//! What an account's record was before it was made anew: code that can read it may come back, such as a
//! later version that was replaced by an earlier one for a while.
//!
//! It is kept until then, or until the person has entered the settings again.

use postern_bridge::AccountId;

use super::number_at;
use crate::{
    Store,
    record::{self, Account, Record},
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

/// Puts back what can be read by now, and forgets what is of no use any more; the writes that do so. Only
/// an account of the same protocol is put back: the mailboxes that it has by now are of that.
pub(super) async fn put_back(
    store: &impl Store,
    accounts: &mut [Account],
) -> Result<Vec<Write>, StoreError> {
    let all = KeyRange::prefix(Key::new().bytes(PREFIX));
    let kept = store.scan(Table::Meta, &all, Order::Ascending, usize::MAX).await?;
    let mut batch = Vec::new();
    for (kept_as, value) in kept {
        let Some(present) = accounts.iter_mut().find(|own| key(own.id) == kept_as) else {
            continue;
        };
        if present.has_lost_its_settings() {
            let is_it = |own: &Account| (own.id, own.protocol) == (present.id, present.protocol);
            let Some(before) = record::decode(&value).ok().filter(is_it) else { continue };
            *present = before;
            batch.push(present.put());
        }
        batch.push(forget(present.id));
    }
    Ok(batch)
}
