//! The ledger: one row per message ever stored from a POP3 server.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{AccountId, MessageId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::listing::Listed;
use crate::{
    Store,
    record::{self, Message, Record, account_key, message_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// What is known of one message of a server. Times are milliseconds since 1970 (UTC).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LedgerRow {
    /// The account.
    pub account: AccountId,
    /// The unique id (RFC 1939 section 7); empty if the server gave none. Such a message is known
    /// by its content, and is never deleted from the server.
    #[serde(with = "serde_bytes")]
    pub uidl: Vec<u8>,
    /// Where it is stored.
    pub message: MessageId,
    /// Its size in bytes, as the server lists it.
    pub listed_size: u64,
    /// Its size in bytes, as it came.
    pub size: u64,
    /// SHA-256 of its bytes.
    #[serde(with = "serde_bytes")]
    pub sha256: [u8; 32],
    /// When it was first seen on the server.
    pub first_seen: i64,
    /// When it was stored durably.
    pub stored: i64,
    /// When it was read back and its checksum compared; only then may it be deleted anywhere else.
    pub verified: Option<i64>,
    /// When the person deleted it here.
    pub deleted_here: Option<i64>,
    /// When the server was last asked to delete it.
    pub delete_asked: Option<i64>,
    /// When it was certain that the server no longer has it.
    pub delete_confirmed: Option<i64>,
}

impl LedgerRow {
    /// What follows the account in the row's key. No unique id begins with NUL (RFC 1939 allows
    /// 0x21 to 0x7E), so the two kinds never meet.
    fn name(&self) -> Vec<u8> {
        if self.uidl.is_empty() { [&[0], &self.sha256[..]].concat() } else { self.uidl.clone() }
    }
}

impl Record for LedgerRow {
    const TABLE: Table = Table::Ledger;

    fn key(&self) -> Key {
        account_key(self.account).bytes(&self.name())
    }
}

/// An account's rows, as they are stored.
pub(super) struct Ledger {
    rows: BTreeMap<Vec<u8>, LedgerRow>,
    contents: BTreeSet<[u8; 32]>,
}

impl Ledger {
    pub(super) async fn load(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let mut ledger = Self { rows: BTreeMap::new(), contents: BTreeSet::new() };
        let rows: Vec<LedgerRow> =
            record::all(store, &KeyRange::prefix(account_key(account))).await?;
        rows.into_iter().for_each(|row| ledger.insert(row));
        Ok(ledger)
    }

    /// A row was stored.
    pub(super) fn insert(&mut self, row: LedgerRow) {
        self.contents.insert(row.sha256);
        self.rows.insert(row.name(), row);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.rows.values()
    }

    /// The row of a unique id.
    pub(super) fn by_uidl(&self, uidl: &[u8]) -> Option<&LedgerRow> {
        self.rows.get(uidl)
    }

    /// Whether a message with these bytes was ever stored.
    pub(super) fn has_content(&self, sha256: &[u8; 32]) -> bool {
        self.contents.contains(sha256)
    }

    /// Whether the listing alone tells that this message is stored.
    ///
    /// It does not if the size has changed, or if the message was thought to be deleted: the server
    /// may have given its id to another message, and only the content can tell.
    pub(super) fn knows(&self, listed: &Listed) -> bool {
        listed
            .uidl
            .as_deref()
            .and_then(|uidl| self.by_uidl(uidl))
            .is_some_and(|row| row.listed_size == listed.size && row.delete_confirmed.is_none())
    }

    /// What an earlier session stored but did not live to verify: verified now, or forgotten if it
    /// is not what it should be, so that it is downloaded again.
    pub(super) async fn verify_rest(
        &mut self,
        store: &impl Store,
        now: i64,
    ) -> Result<(), StoreError> {
        let rest: Vec<LedgerRow> =
            self.rows().filter(|row| row.verified.is_none()).cloned().collect();
        for mut row in rest {
            if row.deleted_here.is_some() || is_intact(store, &row).await? {
                row.verified = Some(now);
                self.update(store, vec![row], Durability::Relaxed).await?;
            } else {
                self.forget(store, &row).await?;
            }
        }
        Ok(())
    }

    /// Removes a row and what is left of its message.
    async fn forget(&mut self, store: &impl Store, row: &LedgerRow) -> Result<(), StoreError> {
        let _editing = store.editing().lock().await;
        let message: Option<Message> = record::get(store, &message_key(row.message)).await?;
        let mut batch = vec![row.delete()];
        if let Some(message) = message {
            batch.extend(message.delete_whole());
            let key = record::mailbox_key(row.message.mailbox);
            if let Some(mut mailbox) = record::get::<record::Mailbox>(store, &key).await? {
                mailbox.total = mailbox.total.saturating_sub(1);
                mailbox.unread = mailbox.unread.saturating_sub((!message.flags.seen).into());
                batch.push(mailbox.put());
            }
        }
        store.apply(batch, Durability::Strict).await?;
        self.rows.remove(&row.name());
        self.contents.remove(&row.sha256);
        Ok(())
    }

    /// Deletions that were asked for and whose QUIT was never answered: the listing tells.
    pub(super) async fn settle_deletions(
        &mut self,
        store: &impl Store,
        listing: &[Listed],
        now: i64,
    ) -> Result<(), StoreError> {
        let present: BTreeSet<&[u8]> =
            listing.iter().filter_map(|listed| listed.uidl.as_deref()).collect();
        let mut settled: Vec<LedgerRow> = self
            .rows()
            .filter(|row| row.delete_asked.is_some() && row.delete_confirmed.is_none())
            .filter(|row| !present.contains(row.uidl.as_slice()))
            .cloned()
            .collect();
        settled.iter_mut().for_each(|row| row.delete_confirmed = Some(now));
        self.update(store, settled, Durability::Relaxed).await
    }

    /// Stores changed rows. Where the message is and whether it was deleted here is up to the person,
    /// and may have changed since the rows were read.
    pub(super) async fn update(
        &mut self,
        store: &impl Store,
        rows: Vec<LedgerRow>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = write(store, rows, durability).await?;
        rows.into_iter().for_each(|row| self.insert(row));
        Ok(())
    }
}

/// Writes rows, but for what the person may have changed since they were read; returns them as they
/// are stored then.
pub(super) async fn write(
    store: &impl Store,
    mut rows: Vec<LedgerRow>,
    durability: Durability,
) -> Result<Vec<LedgerRow>, StoreError> {
    let _editing = store.editing().lock().await;
    for row in &mut rows {
        if let Some(stored) = record::get::<LedgerRow>(store, &row.key()).await?
            && stored.sha256 == row.sha256
        {
            row.message = stored.message;
            row.deleted_here = stored.deleted_here;
        }
    }
    let batch: Vec<Write> = rows.iter().map(Record::put).collect();
    store.apply(batch, durability).await?;
    Ok(rows)
}

/// Whether the stored bytes are those that the row's checksum was made of, read chunk by chunk.
pub(super) async fn is_intact(store: &impl Store, row: &LedgerRow) -> Result<bool, StoreError> {
    let listed = store.get(Table::Messages, &message_key(row.message)).await?.is_some();
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut number = 0;
    while let Some(chunk) = store.get(Table::Bodies, &message_key(row.message).u32(number)).await? {
        hasher.update(&chunk);
        size += chunk.len() as u64;
        number += 1;
    }
    let sha256: [u8; 32] = hasher.finalize().into();
    Ok(listed && size == row.size && sha256 == row.sha256)
}
