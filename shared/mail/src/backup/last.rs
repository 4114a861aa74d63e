//! How old the last backup of each account is.

use postern_bridge::{AccountId, BackupsView, LastBackup, Reminder};

use crate::{
    Store,
    record::{account_key, decode, encode},
    store::{Durability, Key, StoreError, Table, Write},
};

/// What is known of the backups of these accounts.
///
/// # Errors
///
/// If the store can't be read.
pub async fn backups(
    store: &impl Store,
    accounts: &[AccountId],
) -> Result<BackupsView, StoreError> {
    let reminder = store.get(Table::Meta, &reminder_key()).await?;
    // What can't be read counts as never told: a reminder too many does no harm.
    let reminder = reminder.and_then(|value| decode(&value).ok()).unwrap_or_default();
    let mut view = BackupsView { accounts: Vec::new(), reminder };
    for account in accounts {
        if let Some(value) = store.get(Table::Meta, &key(*account)).await? {
            view.accounts.extend(decode::<LastBackup>(&value).ok());
        }
    }
    Ok(view)
}

/// From when on a backup of these accounts is missed; those of which that is known stay as they are.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn note_since(
    store: &impl Store,
    accounts: &[AccountId],
    now: i64,
) -> Result<(), StoreError> {
    let mut batch = Vec::new();
    for account in accounts {
        if store.get(Table::Meta, &key(*account)).await?.is_none() {
            batch.push(put(LastBackup { account: *account, since: now, saved: None }));
        }
    }
    if batch.is_empty() { Ok(()) } else { store.apply(batch, Durability::Relaxed).await }
}

/// Whole accounts were saved.
///
/// # Errors
///
/// If the store can't be written.
pub async fn note_saved(
    store: &impl Store,
    accounts: &[AccountId],
    now: i64,
) -> Result<(), StoreError> {
    let saved =
        |account: &AccountId| LastBackup { account: *account, since: now, saved: Some(now) };
    store.apply(accounts.iter().map(saved).map(put).collect(), Durability::Strict).await
}

/// How often the person wants to be reminded.
///
/// # Errors
///
/// If the store can't be written.
pub async fn set_reminder(store: &impl Store, reminder: Reminder) -> Result<(), StoreError> {
    let put = Write::Put { table: Table::Meta, key: reminder_key(), value: encode(&reminder) };
    store.apply(vec![put], Durability::Strict).await
}

/// The write that forgets an account's backups.
pub fn forget_backup(account: AccountId) -> Write {
    Write::Delete { table: Table::Meta, key: key(account) }
}

fn put(backup: LastBackup) -> Write {
    Write::Put { table: Table::Meta, key: key(backup.account), value: encode(&backup) }
}

fn key(account: AccountId) -> Key {
    Key::new().bytes(b"backup-").bytes(&account_key(account).0)
}

fn reminder_key() -> Key {
    Key::new().bytes(b"backup-reminder")
}
