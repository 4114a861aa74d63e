//! The ledger: one row per message ever stored from a POP3 server, or that something stands for.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use postern_bridge::AccountId;
use sha2::{Digest, Sha256};

use super::{
    limits::LEDGER_WINDOW,
    listing::Listing,
    row::{LedgerRow, RowChange, nameless, next_copy, write},
};
use crate::{
    Store,
    record::{self, account_key},
    store::{Durability, KeyRange, Order, StoreError, Table},
};

/// An account's rows, as they are stored.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: BTreeMap<Vec<u8>, LedgerRow>,
    contents: Index,
    headers: Index,
    /// The names of rows that can't be read. Their messages were stored or deleted here, so that they
    /// are neither fetched nor deleted on the server.
    unreadable: BTreeSet<Vec<u8>>,
    /// What the server lists, once it was asked.
    listing: Option<Rc<Listing>>,
}

/// The names of rows by a digest of what they are about.
#[derive(Debug, Default)]
struct Index(BTreeSet<(Kind, Vec<u8>)>);

/// A digest, whether the row is partial, and whether the server lists its message as it was.
type Kind = ([u8; 32], bool, bool);

impl Index {
    /// The names of rows that are partial or not; `unlisted` for those alone that the server does not
    /// list as they were.
    fn names(
        &self,
        digest: [u8; 32],
        partial: bool,
        unlisted: bool,
    ) -> impl Iterator<Item = &Vec<u8>> {
        let listed = [false, true].into_iter().filter(move |listed| !(unlisted && *listed));
        listed.flat_map(move |listed| {
            let kind = (digest, partial, listed);
            let range = self.0.range((kind, Vec::new())..);
            range.take_while(move |(own, _)| *own == kind).map(|(_, name)| name)
        })
    }
}

impl Ledger {
    /// Reads an account's rows, some at a time. One that can't be read holds up no other. Nobody else gives
    /// rows other names meanwhile, so that none is missed.
    pub(super) async fn load(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let prefix = account_key(account);
        let at = prefix.0.len();
        let mut range = KeyRange::prefix(prefix);
        let mut ledger = Self::default();
        loop {
            let window = store.scan(Table::Ledger, &range, Order::Ascending, LEDGER_WINDOW).await?;
            let Some((last, _)) = window.last() else { return Ok(ledger) };
            range.start = last.clone().bytes(&[0]);
            for (key, value) in window {
                match record::decode(&value) {
                    Ok(row) => ledger.insert(row),
                    Err(_) => drop(ledger.unreadable.insert(key.0[at..].to_vec())),
                }
            }
        }
    }

    /// The server was asked: rows are told apart by whether it lists their messages.
    pub(super) fn compare(&mut self, listing: Rc<Listing>) {
        let rows = std::mem::take(&mut self.rows);
        (self.contents, self.headers) = Default::default();
        self.listing = Some(listing);
        rows.into_values().for_each(|row| self.insert(row));
    }

    /// A row was stored.
    pub(super) fn insert(&mut self, row: LedgerRow) {
        let name = row.name();
        self.remove(&name);
        let kind = self.kind(&row);
        self.contents.0.insert((kind(row.sha256), name.clone()));
        if let Some(header) = row.header {
            self.headers.0.insert((kind(header), name.clone()));
        }
        self.rows.insert(name, row);
    }

    /// Under which kinds a row is found.
    fn kind(&self, row: &LedgerRow) -> impl Fn([u8; 32]) -> Kind + use<> {
        let listed = self.listing.as_ref().is_some_and(|listing| listing.has(row));
        let partial = row.partial;
        move |digest| (digest, partial, listed)
    }

    /// A row changes. Returns all changes to be stored, in their order: what has its new name already
    /// gives it up.
    pub(super) fn note(&mut self, change: RowChange, at: i64) -> Vec<RowChange> {
        let (old, new) = (change.before.name(), change.now.name());
        let mut changes = Vec::new();
        if old != new
            && let Some(other) = self.rows.get(&new).cloned()
        {
            let now = self.without_uidl(other.clone(), at);
            self.remove(&new);
            self.insert(now.clone());
            changes.push(RowChange { before: other, now });
        }
        self.remove(&old);
        self.insert(change.now.clone());
        changes.push(change);
        changes
    }

    /// The row of a message whose unique id is another one's by now, under a name that is free.
    pub(super) fn without_uidl(&self, row: LedgerRow, at: i64) -> LedgerRow {
        let has_none = row.uidl.is_empty();
        let row = row.without_uidl(at);
        let copy = if has_none { row.copy } else { self.free_copy(row.sha256) };
        LedgerRow { copy, ..row }
    }

    /// The first number that is free among the rows with these bytes and no unique id.
    pub(super) fn free_copy(&self, sha256: [u8; 32]) -> u32 {
        let range = nameless(&sha256, 0)..=nameless(&sha256, u32::MAX);
        let row = self.rows.range(range.clone()).next_back().map(|(name, _)| name);
        let last = row.max(self.unreadable.range(range).next_back());
        last.map_or(0, |name| next_copy(name))
    }

    /// A row is gone, or has another name.
    pub(super) fn remove(&mut self, name: &[u8]) {
        if let Some(row) = self.rows.remove(name) {
            let kind = self.kind(&row);
            self.contents.0.remove(&(kind(row.sha256), name.to_vec()));
            if let Some(header) = row.header {
                self.headers.0.remove(&(kind(header), name.to_vec()));
            }
        }
    }

    /// Whether there is a row of this name that can't be read.
    pub(super) fn is_unreadable(&self, name: &[u8]) -> bool {
        self.unreadable.contains(name)
    }

    /// How many rows can't be read.
    pub(super) fn unreadable(&self) -> usize {
        self.unreadable.len()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &LedgerRow> + Clone {
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

    /// The rows of messages with these bytes, whole ones first; `unlisted` for those alone that the
    /// server does not list as they were.
    pub(super) fn with_content(
        &self,
        sha256: [u8; 32],
        unlisted: bool,
    ) -> impl Iterator<Item = &LedgerRow> {
        let names = [false, true].into_iter();
        let names = names.flat_map(move |partial| self.contents.names(sha256, partial, unlisted));
        names.filter_map(|name| self.rows.get(name))
    }

    /// The rows of messages with this header that are partial or not; `unlisted` as above.
    pub(super) fn with_header(
        &self,
        header: [u8; 32],
        partial: bool,
        unlisted: bool,
    ) -> impl Iterator<Item = &LedgerRow> {
        let names = self.headers.names(header, partial, unlisted);
        names.filter_map(|name| self.rows.get(name))
    }

    /// The rows of messages of which nothing is here.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = &LedgerRow> {
        self.with_content(Sha256::digest([]).into(), false).filter(|row| row.is_placeholder())
    }

    /// How many rows hold up deletions on the server.
    pub(super) fn holding(&self) -> usize {
        self.rows().filter(|row| row.holds_deletions()).count()
    }

    /// The rows of messages that are damaged here and not handed out again.
    pub(super) fn refused(&self) -> impl Iterator<Item = &LedgerRow> {
        self.rows().filter(|row| row.is_damaged() && row.refused.is_some())
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

#[cfg(test)]
mod tests {
    use super::{super::row::tests::row, *};
    use crate::record::Record;

    #[test]
    fn a_row_that_changes_is_found_under_what_it_is_now() {
        let mut ledger = Ledger::default();
        ledger.insert(LedgerRow { header: Some([1; 32]), ..row("a") });
        ledger.insert(LedgerRow { header: Some([2; 32]), sha256: [2; 32], ..row("a") });
        assert_eq!(ledger.with_header([1; 32], false, false).count(), 0);
        assert_eq!(ledger.with_content([0; 32], false).count(), 0);
        assert_eq!(ledger.with_header([2; 32], false, false).count(), 1);
        assert_eq!(ledger.with_content([2; 32], false).count(), 1);
    }

    #[test]
    fn rows_of_the_same_bytes_that_lose_their_ids_stay_apart() {
        let mut ledger: Ledger = ["a", "b", "c"].map(row).into_iter().collect();
        for (uidl, copy) in [("a", 0), ("b", 1), ("c", 2)] {
            let now = ledger.without_uidl(ledger.by_uidl(uidl.as_bytes()).unwrap().clone(), 1);
            assert_eq!(now.copy, copy);
            ledger.note(RowChange { before: row(uidl), now }, 1);
        }
        assert_eq!(ledger.rows().count(), 3);
        assert_eq!(ledger.with_content([0; 32], true).count(), 3);
        let key = ledger.rows().last().unwrap().key();
        assert_eq!(next_copy(&key.0[4..]), 3);
    }
}
