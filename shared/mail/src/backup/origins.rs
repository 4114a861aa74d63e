//! Of which account of which backup an account was made: where neither server nor address tells, a second
//! restore finds it by that.

use std::collections::BTreeMap;

use postern_bridge::AccountId;
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    record::{Account, account_key, decode, encode},
    store::{Key, StoreError, Table, Write},
};

/// An account of a backup.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Origin {
    /// When the backup was made, in milliseconds since 1970 (UTC).
    pub(super) created: i64,
    /// The account's number where it was made.
    pub(super) number: u32,
}

/// What these accounts were made of, as far as that is known.
pub(super) async fn origins(
    store: &impl Store,
    accounts: &[Account],
) -> Result<BTreeMap<AccountId, Origin>, StoreError> {
    let keys: Vec<Key> = accounts.iter().map(|own| key(own.id)).collect();
    let noted = store.get_many(Table::Meta, &keys).await?;
    let ids = accounts.iter().map(|own| own.id);
    Ok(ids.zip(noted).filter_map(|(id, noted)| Some((id, decode(&noted?).ok()?))).collect())
}

/// The write that notes what an account was made of; it belongs into the batch that adds it.
pub(super) fn note_origin(account: AccountId, origin: Origin) -> Write {
    Write::Put { table: Table::Meta, key: key(account), value: encode(&origin) }
}

/// The write that forgets it.
pub fn forget_origin(account: AccountId) -> Write {
    Write::Delete { table: Table::Meta, key: key(account) }
}

fn key(account: AccountId) -> Key {
    Key::new().bytes(b"restored-").bytes(&account_key(account).0)
}
