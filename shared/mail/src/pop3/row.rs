//! One message of a POP3 server: its row in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{AccountId, MessageId};
use serde::{Deserialize, Serialize};

use super::{limits::MAX_MESSAGE, notes::ServerNotes};
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
    /// SHA-256 of what follows its header, where it has no unique id: when it is deleted here, nothing
    /// else tells it from another message with the same header.
    #[serde(default, with = "serde_bytes", skip_serializing_if = "Option::is_none")]
    pub text: Option<[u8; 32]>,
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
    /// When the server was asked for it again, since it is damaged here, and did not hand it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<i64>,
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
    /// Which one it is of the rows with these bytes and no unique id.
    #[serde(default)]
    pub copy: u32,
}

impl LedgerRow {
    /// What follows the account in the row's key. No unique id that can be used has a control
    /// character, so the two kinds never meet.
    pub(super) fn name(&self) -> Vec<u8> {
        if self.uidl.is_empty() { nameless(&self.sha256, self.copy) } else { self.uidl.clone() }
    }

    /// Whether the server still had it when it was asked last.
    pub fn is_on_server(&self) -> bool {
        self.delete_confirmed.is_none() && self.gone.is_none()
    }

    /// Whether it stands for a message of which nothing is here, not even the header: the server did
    /// not hand it out.
    pub fn is_placeholder(&self) -> bool {
        self.partial && self.size == 0
    }

    /// Whether what is stored is not what came, as far as reading it back has told.
    pub(super) fn is_damaged(&self) -> bool {
        self.verified.is_none() && self.deleted_here.is_none()
    }

    /// Whether nothing may be deleted on the server on its account: it was not read back and compared.
    /// One that the server does not hand out again is damaged for good, as far as anybody knows, and
    /// holds up the others no longer; they are read back before they are deleted.
    pub(super) fn holds_deletions(&self) -> bool {
        self.verified.is_none() && self.refused.is_none()
    }

    /// The row of a message whose unique id is another one's by now; under which name is to be found.
    pub(super) fn without_uidl(self, now: i64) -> Self {
        let gone = self.gone.or(self.delete_confirmed.is_none().then_some(now));
        Self { uidl: Vec::new(), gone, ..self }
    }
}

/// The name of the row of a message without a unique id.
pub(super) fn nameless(sha256: &[u8; 32], copy: u32) -> Vec<u8> {
    let number = if copy == 0 { Vec::new() } else { copy.to_be_bytes().to_vec() };
    [&[0], &sha256[..], &number].concat()
}

/// The number after that of a name as [`nameless`] makes them.
pub(super) fn next_copy(name: &[u8]) -> u32 {
    let number = name.get(33..).and_then(|number| number.try_into().ok());
    number.map_or(0, u32::from_be_bytes).saturating_add(1)
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
            && (other.sha256, other.message) != (now.sha256, now.message)
        {
            let mut former = retired(store, other, at).await?;
            while rows.get(&former.key()).is_some_and(Option::is_some) {
                former.copy += 1;
            }
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

/// A row that has lost its unique id to another one since it was read, under a name that is free in
/// the store.
pub(super) async fn retired(
    store: &impl Store,
    row: LedgerRow,
    at: i64,
) -> Result<LedgerRow, StoreError> {
    let row = LedgerRow { copy: 0, ..row.without_uidl(at) };
    let key = row.key();
    let taken = store.keys(Table::Ledger, &KeyRange::prefix(key.clone())).await?;
    let account = key.0.len() - row.name().len();
    let copy = taken.last().map_or(0, |key| next_copy(&key.0[account..]));
    Ok(LedgerRow { copy, ..row })
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
    let rows: Vec<LedgerRow> = rows(store, account).await?;
    Ok(rows.into_iter().find(|row| row.message == message && row.deleted_here.is_none()))
}

/// An account's rows, but for those that can't be read.
///
/// # Errors
///
/// If the store can't be read.
pub async fn rows(store: &impl Store, account: AccountId) -> Result<Vec<LedgerRow>, StoreError> {
    let range = KeyRange::prefix(account_key(account));
    Ok(record::readable(store, &range).await?.0)
}

/// Notes that the person wants the whole of a message of which only the header is here: the next
/// download brings it.
///
/// # Errors
///
/// [`MailError::Gone`] if the server has it no more, or it came from none; [`MailError::Input`] if it
/// is too large.
pub async fn want_whole(
    store: &impl Store,
    account: AccountId,
    message: MessageId,
) -> Result<(), MailError> {
    let _editing = store.editing().lock().await;
    let row = row_of(store, account, message).await?;
    let row = row.filter(|row| row.partial && row.is_on_server());
    let mut row = row.ok_or(MailError::Gone("rest of the message"))?;
    if row.listed_size > MAX_MESSAGE {
        let sentence = "This message is larger than what Postern can store.";
        return Err(MailError::Input(sentence.into()));
    }
    row.wanted = true;
    let mut notes = ServerNotes::load(store, account).await?;
    notes.troubles.forget(&row.uidl, row.listed_size);
    Ok(store.apply(vec![row.put(), notes.put()], Durability::Relaxed).await?)
}

/// Notes that bytes of a stored message are missing, so that the next download fetches it again into its
/// place; whether the server still has it and hands it out, as far as is known.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn doubt(
    store: &impl Store,
    account: AccountId,
    message: MessageId,
) -> Result<bool, StoreError> {
    let _editing = store.editing().lock().await;
    let mut own = rows(store, account).await?;
    own.retain(|row| row.message == message && row.deleted_here.is_none());
    let comes_again = own.iter().any(|row| row.is_on_server() && row.refused.is_none());
    own.retain(|row| row.verified.is_some());
    if !own.is_empty() {
        let doubted = |row| LedgerRow { verified: None, ..row }.put();
        store.apply(own.into_iter().map(doubted).collect(), Durability::Relaxed).await?;
    }
    Ok(comes_again)
}

/// Notes whether somebody waits for a message, if its row is there.
pub(super) async fn want(
    store: &impl Store,
    row: &LedgerRow,
    wanted: bool,
) -> Result<(), StoreError> {
    let _editing = store.editing().lock().await;
    let Some(row): Option<LedgerRow> = record::get(store, &row.key()).await? else { return Ok(()) };
    store.apply(vec![LedgerRow { wanted, ..row }.put()], Durability::Relaxed).await
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
            text: None,
            partial: false,
            wanted: false,
            first_seen: 0,
            stored: 1000,
            verified: Some(1000),
            refused: None,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
            gone: None,
            copy: 0,
        }
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
