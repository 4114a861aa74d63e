//! Which messages a server refuses to list, from one sync to the next.
//!
//! To find them takes many commands, of which a sync has a bound: if each began anew, one with many of
//! them among its newest messages would never come to the older ones.

use std::collections::BTreeSet;

use postern_bridge::MailboxId;
use serde::{Deserialize, Serialize};

use super::limits;
use crate::{
    Store,
    record::{self, Record},
    store::{Durability, Key, StoreError, Table, Write},
};

/// The messages of a mailbox that the server has refused to list, each alone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Refused {
    mailbox: u32,
    /// UIDVALIDITY of the UIDs.
    uid_validity: u32,
    /// When the first of them was refused, in milliseconds since 1970 (UTC).
    since: i64,
    uids: BTreeSet<u32>,
}

impl Record for Refused {
    const TABLE: Table = Table::Meta;

    fn key(&self) -> Key {
        key(MailboxId(self.mailbox))
    }
}

impl Refused {
    /// What is remembered at `now` (milliseconds since 1970, UTC): nothing any more of another
    /// UIDVALIDITY, or when it is [`limits::REFUSED_FOR`] old.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub(super) async fn load(
        store: &impl Store,
        mailbox: MailboxId,
        uid_validity: u32,
        now: i64,
    ) -> Result<Self, StoreError> {
        let none = Self { mailbox: mailbox.0, uid_validity, since: now, uids: BTreeSet::new() };
        let stored: Option<Self> = match record::get(store, &none.key()).await {
            // It is found out again.
            Err(StoreError::Damaged(_)) => None,
            stored => stored?,
        };
        let is_valid = |own: &Self| {
            let age = now.saturating_sub(own.since);
            own.uid_validity == uid_validity && (0..limits::REFUSED_FOR).contains(&age)
        };
        Ok(stored.filter(is_valid).unwrap_or(none))
    }

    /// Messages, ascending, that were not refused before, and those that were.
    pub(super) fn divide(&self, uids: &[u32]) -> (Vec<u32>, Vec<u32>) {
        uids.iter().partition(|uid| !self.uids.contains(uid))
    }

    /// Remembers more of them, up to [`limits::REFUSED`] in all.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub(super) async fn add(
        &mut self,
        store: &impl Store,
        uids: impl IntoIterator<Item = u32>,
    ) -> Result<(), StoreError> {
        let before = self.uids.len();
        let room = limits::REFUSED.saturating_sub(before);
        self.uids.extend(uids.into_iter().take(room));
        if self.uids.len() == before {
            return Ok(());
        }
        store.apply(vec![self.put()], Durability::Relaxed).await
    }

    /// Forgets those that have come after all.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub(super) async fn remove(
        &mut self,
        store: &impl Store,
        came: impl Fn(u32) -> bool,
    ) -> Result<(), StoreError> {
        let before = self.uids.len();
        self.uids.retain(|uid| !came(*uid));
        if self.uids.len() == before {
            return Ok(());
        }
        let write = if self.uids.is_empty() { self.delete() } else { self.put() };
        store.apply(vec![write], Durability::Relaxed).await
    }
}

/// The write that forgets what a mailbox's server refuses.
pub(super) fn forget(mailbox: MailboxId) -> Write {
    Write::Delete { table: Table::Meta, key: key(mailbox) }
}

fn key(mailbox: MailboxId) -> Key {
    Key::new().bytes(b"imap-refused-").u32(mailbox.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::MemoryStore, testing::block_on};

    const INBOX: MailboxId = MailboxId(1);

    #[test]
    fn it_is_remembered_for_a_while_and_of_one_uidvalidity() {
        let store = MemoryStore::new();
        let load = |uid_validity, now| {
            block_on(Refused::load(&store, INBOX, uid_validity, now)).unwrap().uids.len()
        };
        let mut refused = block_on(Refused::load(&store, INBOX, 9, 1_000)).unwrap();
        block_on(refused.add(&store, [3, 5])).unwrap();
        let last = 1_000 + limits::REFUSED_FOR - 1;
        assert_eq!([load(9, 1_000), load(9, last), load(9, last + 1)], [2, 2, 0]);
        assert_eq!(load(8, 1_000), 0);
        // The clock was wrong.
        assert_eq!(load(9, 999), 0);
        block_on(refused.remove(&store, |uid| uid == 3)).unwrap();
        assert_eq!(load(9, 1_000), 1);
        block_on(refused.remove(&store, |_| true)).unwrap();
        assert_eq!(block_on(store.get(Table::Meta, &key(INBOX))).unwrap(), None);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let store = MemoryStore::new();
        let mut refused = block_on(Refused::load(&store, INBOX, 9, 0)).unwrap();
        let most = u32::try_from(limits::REFUSED).unwrap();
        block_on(refused.add(&store, 1..=most - 1)).unwrap();
        block_on(refused.add(&store, most..=most + 1)).unwrap();
        assert_eq!(
            refused.divide(&[most - 1, most, most + 1]),
            (vec![most + 1], vec![most - 1, most])
        );
    }

    #[test]
    fn a_record_that_can_not_be_read_counts_for_nothing() {
        let store = MemoryStore::new();
        let spoilt = Write::Put { table: Table::Meta, key: key(INBOX), value: vec![0xc1] };
        block_on(store.apply(vec![spoilt], Durability::Relaxed)).unwrap();
        assert!(block_on(Refused::load(&store, INBOX, 9, 0)).unwrap().uids.is_empty());
    }
}
