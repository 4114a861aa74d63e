//! The ledger: one row per message ever stored from a POP3 server.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{AccountId, MessageId};
use serde::{Deserialize, Serialize};

use super::listing::Listing;
use crate::{
    MailError, Store,
    record::{self, Record, account_key},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// What is known of one message of a server. Times are milliseconds since 1970 (UTC).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LedgerRow {
    /// The account.
    pub account: AccountId,
    /// The unique id (RFC 1939 section 7); empty if the server gave none that can be used, or gave
    /// it to another message since. Such a message is known by its content, and is never deleted
    /// from the server.
    #[serde(with = "serde_bytes")]
    pub uidl: Vec<u8>,
    /// Where it is stored.
    pub message: MessageId,
    /// Its size in bytes, as the server lists it.
    pub listed_size: u64,
    /// The size in bytes of what is stored, as it came.
    pub size: u64,
    /// SHA-256 of what is stored.
    #[serde(with = "serde_bytes")]
    pub sha256: [u8; 32],
    /// SHA-256 of its header without what servers change; `None` if it has none, or was stored by a
    /// version that did not keep it.
    #[serde(default, with = "serde_bytes")]
    pub header: Option<[u8; 32]>,
    /// How many bytes of what is stored follow its header; `None` as for `header`.
    #[serde(default)]
    pub text_size: Option<u64>,
    /// Whether only its header is stored. Such a message is never deleted from the server, but when
    /// the person deletes it.
    #[serde(default)]
    pub partial: bool,
    /// Whether the person wants the whole of it.
    #[serde(default)]
    pub wanted: bool,
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
    /// When it was missing on the server though neither anybody here nor the server's own rules had
    /// removed it, or its unique id was another one's.
    #[serde(default)]
    pub gone: Option<i64>,
}

impl LedgerRow {
    /// What follows the account in the row's key. No unique id that can be used has a control
    /// character, so the two kinds never meet.
    pub(super) fn name(&self) -> Vec<u8> {
        if self.uidl.is_empty() { [&[0], &self.sha256[..]].concat() } else { self.uidl.clone() }
    }

    /// Whether the server still had it when it was asked last.
    pub fn is_on_server(&self) -> bool {
        self.delete_confirmed.is_none() && self.gone.is_none()
    }

    /// The row of a message whose unique id is another one's by now.
    pub(super) fn without_uidl(self, now: i64) -> Self {
        let gone = self.gone.or(self.delete_confirmed.is_none().then_some(now));
        Self { uidl: Vec::new(), gone, ..self }
    }
}

impl Record for LedgerRow {
    const TABLE: Table = Table::Ledger;

    fn key(&self) -> Key {
        account_key(self.account).bytes(&self.name())
    }
}

/// A row that changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RowChange {
    pub(super) before: LedgerRow,
    /// Under another key if the message has another unique id now.
    pub(super) now: LedgerRow,
}

/// An account's rows, as they are stored.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: BTreeMap<Vec<u8>, LedgerRow>,
    contents: Index,
    headers: Index,
}

/// The names of rows by a digest of what they are about.
#[derive(Debug, Default)]
struct Index(BTreeSet<([u8; 32], Vec<u8>)>);

impl Index {
    fn names(&self, digest: [u8; 32]) -> impl Iterator<Item = &Vec<u8>> {
        let range = self.0.range((digest, Vec::new())..);
        range.take_while(move |(own, _)| *own == digest).map(|(_, name)| name)
    }
}

impl Ledger {
    pub(super) async fn load(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let rows: Vec<LedgerRow> =
            record::all(store, &KeyRange::prefix(account_key(account))).await?;
        Ok(rows.into_iter().collect())
    }

    /// A row was stored.
    pub(super) fn insert(&mut self, row: LedgerRow) {
        let name = row.name();
        self.remove(&name);
        self.contents.0.insert((row.sha256, name.clone()));
        if let Some(header) = row.header {
            self.headers.0.insert((header, name.clone()));
        }
        self.rows.insert(name, row);
    }

    /// A row changes; it has to be stored as well. What has its new name already gives it up.
    pub(super) fn note(&mut self, RowChange { before, now }: &RowChange, at: i64) {
        self.remove(&before.name());
        if let Some(other) = self.rows.get(&now.name())
            && other.sha256 != now.sha256
        {
            let former = other.clone().without_uidl(at);
            self.insert(former);
        }
        self.insert(now.clone());
    }

    /// A row is gone, or has another name.
    pub(super) fn remove(&mut self, name: &[u8]) {
        if let Some(row) = self.rows.remove(name) {
            self.contents.0.remove(&(row.sha256, name.to_vec()));
            if let Some(header) = row.header {
                self.headers.0.remove(&(header, name.to_vec()));
            }
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.rows.values()
    }

    /// The row of a unique id.
    pub(super) fn by_uidl(&self, uidl: &[u8]) -> Option<&LedgerRow> {
        self.named(uidl)
    }

    /// The row of this name.
    pub(super) fn named(&self, name: &[u8]) -> Option<&LedgerRow> {
        self.rows.get(name)
    }

    /// The rows of messages with these bytes.
    pub(super) fn with_content(&self, sha256: [u8; 32]) -> impl Iterator<Item = &LedgerRow> {
        self.contents.names(sha256).filter_map(|name| self.rows.get(name))
    }

    /// The rows of messages with this header.
    pub(super) fn with_header(&self, header: [u8; 32]) -> impl Iterator<Item = &LedgerRow> {
        self.headers.names(header).filter_map(|name| self.rows.get(name))
    }

    /// How many rows were not read back and compared yet.
    pub(super) fn unverified(&self) -> usize {
        self.rows().filter(|row| row.verified.is_none()).count()
    }

    /// When messages went missing that somebody else has removed, as far as is known.
    pub(super) fn removed_elsewhere(&self) -> impl Iterator<Item = i64> {
        self.rows().filter(|row| !row.uidl.is_empty()).filter_map(|row| row.gone)
    }

    /// Deletions that were asked for and whose QUIT was never answered: the listing tells.
    pub(super) async fn settle_deletions(
        &mut self,
        store: &impl Store,
        listing: &Listing,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut rows = self.absent(listing);
        rows.retain(|row| row.delete_asked.is_some());
        rows.iter_mut().for_each(|row| row.delete_confirmed = Some(now));
        self.update(store, rows, Durability::Relaxed).await?;
        Ok(())
    }

    /// The rows of messages that the server had, and certainly does not list any more.
    pub(super) fn absent(&self, listing: &Listing) -> Vec<LedgerRow> {
        if !listing.is_complete {
            return Vec::new();
        }
        let is_absent = |row: &&LedgerRow| {
            row.is_on_server() && !row.uidl.is_empty() && !listing.named.contains_key(&row.uidl)
        };
        self.rows().filter(is_absent).cloned().collect()
    }

    /// Stores changed rows that keep their unique ids; returns those that are still there.
    pub(super) async fn update(
        &mut self,
        store: &impl Store,
        rows: Vec<LedgerRow>,
        durability: Durability,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let change = |row: LedgerRow| RowChange { before: row.clone(), now: row };
        let rows = write(store, rows.into_iter().map(change).collect(), 0, durability).await?;
        rows.iter().for_each(|row| self.insert(row.clone()));
        Ok(rows)
    }
}

impl FromIterator<LedgerRow> for Ledger {
    fn from_iter<I: IntoIterator<Item = LedgerRow>>(rows: I) -> Self {
        let mut ledger = Self::default();
        rows.into_iter().for_each(|row| ledger.insert(row));
        ledger
    }
}

/// Writes changes, in their order, but for what the person may have changed since the rows were read:
/// where the message is, whether it was deleted here, whether the whole of it is wanted. A row that is
/// no longer there stays away. Returns all rows that it has written, as they are stored then.
pub(super) async fn write(
    store: &impl Store,
    changes: Vec<RowChange>,
    at: i64,
    durability: Durability,
) -> Result<Vec<LedgerRow>, StoreError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let _editing = store.editing().lock().await;
    let keys: BTreeSet<Key> =
        changes.iter().flat_map(|change| [change.before.key(), change.now.key()]).collect();
    let keys: Vec<Key> = keys.into_iter().collect();
    let stored = store.get_many(Table::Ledger, &keys).await?;
    let mut rows: BTreeMap<Key, Option<LedgerRow>> = BTreeMap::new();
    for (key, stored) in keys.into_iter().zip(stored) {
        rows.insert(key, stored.map(|stored| record::decode(&stored)).transpose()?);
    }
    for RowChange { before, mut now } in changes {
        let Some(stored) = rows.insert(before.key(), None).flatten() else { continue };
        now.message = stored.message;
        now.deleted_here = stored.deleted_here;
        now.wanted = stored.wanted;
        if let Some(other) = rows.insert(now.key(), Some(now.clone())).flatten()
            && other.sha256 != now.sha256
        {
            let former = other.without_uidl(at);
            rows.insert(former.key(), Some(former));
        }
    }
    let write = |(key, row): (&Key, &Option<LedgerRow>)| match row {
        Some(row) => row.put(),
        None => Write::Delete { table: Table::Ledger, key: key.clone() },
    };
    store.apply(rows.iter().map(write).collect(), durability).await?;
    Ok(rows.into_values().flatten().collect())
}

/// The row of a message, if it came from a POP3 server.
///
/// # Errors
///
/// If the store can't be read.
pub async fn row_of(
    store: &impl Store,
    account: AccountId,
    message: MessageId,
) -> Result<Option<LedgerRow>, StoreError> {
    let rows: Vec<LedgerRow> = record::all(store, &KeyRange::prefix(account_key(account))).await?;
    Ok(rows.into_iter().find(|row| row.message == message && row.deleted_here.is_none()))
}

/// Notes that the person wants the whole of a message of which only the header is here: the next
/// download brings it.
///
/// # Errors
///
/// [`MailError::Gone`] if the server has it no more, or it came from none.
pub async fn want_whole(
    store: &impl Store,
    account: AccountId,
    message: MessageId,
) -> Result<(), MailError> {
    let _editing = store.editing().lock().await;
    let row = row_of(store, account, message).await?;
    let row = row.filter(|row| row.partial && row.is_on_server());
    let mut row = row.ok_or(MailError::Gone("rest of the message"))?;
    row.wanted = true;
    Ok(store.apply(vec![row.put()], Durability::Relaxed).await?)
}

#[cfg(test)]
pub(super) mod tests {
    use postern_bridge::MailboxId;

    use super::*;
    use crate::record::decode;

    pub(crate) fn row(uidl: &str) -> LedgerRow {
        LedgerRow {
            account: AccountId(1),
            uidl: uidl.into(),
            message: MessageId { mailbox: MailboxId(1), uid: 1 },
            listed_size: 1,
            size: 1,
            sha256: [0; 32],
            header: None,
            text_size: None,
            partial: false,
            wanted: false,
            first_seen: 0,
            stored: 1000,
            verified: Some(1000),
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
            gone: None,
        }
    }

    #[test]
    fn a_row_that_changes_is_found_under_what_it_is_now() {
        let mut ledger = Ledger::default();
        ledger.insert(LedgerRow { header: Some([1; 32]), ..row("a") });
        ledger.insert(LedgerRow { header: Some([2; 32]), sha256: [2; 32], ..row("a") });
        assert_eq!(ledger.with_header([1; 32]).count(), 0);
        assert_eq!(ledger.with_content([0; 32]).count(), 0);
        assert_eq!(ledger.with_header([2; 32]).count(), 1);
        assert_eq!(ledger.with_content([2; 32]).count(), 1);
    }

    #[test]
    fn a_row_of_an_earlier_version_is_whole_and_has_no_digest_of_its_header() {
        #[derive(Serialize)]
        struct Earlier {
            account: AccountId,
            #[serde(with = "serde_bytes")]
            uidl: Vec<u8>,
            message: MessageId,
            listed_size: u64,
            size: u64,
            #[serde(with = "serde_bytes")]
            sha256: [u8; 32],
            first_seen: i64,
            stored: i64,
            verified: Option<i64>,
            deleted_here: Option<i64>,
            delete_asked: Option<i64>,
            delete_confirmed: Option<i64>,
        }
        let now = row("a");
        let earlier = Earlier {
            account: now.account,
            uidl: now.uidl.clone(),
            message: now.message,
            listed_size: now.listed_size,
            size: now.size,
            sha256: now.sha256,
            first_seen: now.first_seen,
            stored: now.stored,
            verified: now.verified,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
        };
        assert_eq!(decode::<LedgerRow>(&record::encode(&earlier)), Ok(now));
        let full = LedgerRow { header: Some([7; 32]), gone: Some(3), partial: true, ..row("b") };
        assert_eq!(decode::<LedgerRow>(&record::encode(&full)), Ok(full));
    }
}
