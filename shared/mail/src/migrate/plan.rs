//! Copies that are under way, remembered so that the next start goes on with them.

use postern_bridge::AccountId;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    record::{account_key, decode, encode},
    store::{Durability, Key, KeyRange, Order, StoreError, Table, Write},
};

#[derive(Deserialize, Serialize)]
struct Plan {
    from: AccountId,
    to: AccountId,
}

/// Which accounts are being copied, and to which. A plan that can't be read is left out: the person may
/// begin that copy anew.
///
/// # Errors
///
/// If the store can't be read.
pub async fn plans(store: &impl Store) -> Result<Vec<(AccountId, AccountId)>, StoreError> {
    let range = KeyRange::prefix(prefix());
    let found = store.scan(Table::Meta, &range, Order::Ascending, usize::MAX).await?;
    let plans = found.iter().filter_map(|(_, value)| decode::<Plan>(value).ok());
    Ok(plans.map(|plan| (plan.from, plan.to)).collect())
}

/// An account is to be copied.
///
/// # Errors
///
/// If the store can't be written.
pub async fn store_plan(
    store: &impl Store,
    from: AccountId,
    to: AccountId,
) -> Result<(), StoreError> {
    let put = Write::Put { table: Table::Meta, key: key(from), value: encode(&Plan { from, to }) };
    store.apply(vec![put], Durability::Strict).await
}

/// The write that forgets a copy.
pub fn forget_plan(from: AccountId) -> Write {
    Write::Delete { table: Table::Meta, key: key(from) }
}

fn prefix() -> Key {
    Key::new().bytes(b"copy-")
}

fn key(from: AccountId) -> Key {
    prefix().bytes(&account_key(from).0)
}
