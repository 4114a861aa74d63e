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
        view.accounts.extend(noted(store, *account).await?);
    }
    Ok(view)
}

/// What is noted of an account's backups; what can't be read counts as nothing.
async fn noted(store: &impl Store, account: AccountId) -> Result<Option<LastBackup>, StoreError> {
    let value = store.get(Table::Meta, &key(account)).await?;
    Ok(value.and_then(|value| decode(&value).ok()))
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
        if noted(store, *account).await?.is_none() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::MemoryStore, testing::block_on};

    #[test]
    fn a_note_that_can_not_be_read_is_made_anew_and_others_stay() {
        let store = MemoryStore::new();
        let accounts = [AccountId(1), AccountId(2)];
        block_on(note_saved(&store, &accounts, 5)).unwrap();
        let damaged =
            Write::Put { table: Table::Meta, key: key(AccountId(1)), value: b"?".to_vec() };
        block_on(store.apply(vec![damaged], Durability::Strict)).unwrap();
        block_on(note_since(&store, &accounts, 9)).unwrap();
        let anew = LastBackup { account: AccountId(1), since: 9, saved: None };
        let other = LastBackup { account: AccountId(2), since: 5, saved: Some(5) };
        assert_eq!(block_on(backups(&store, &accounts)).unwrap().accounts, [anew, other]);
    }
}
