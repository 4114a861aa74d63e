//! Accounts and mailboxes whose records can't be read any more: they are made anew, since all mail that
//! is kept under their numbers, of which there may be no other copy, can be reached through them alone.
//! For the same reason no number may be given twice: what notes the next ones is looked at as well, each
//! time beside what is soon read, and beside all that has numbers if something is to be mended.
//!
//! *If this ends early*, nothing was written: one strict batch has all of it. Such a record is replaced,
//! or removed where nothing is kept under it. An account's is kept aside if it is not too large; once it
//! can be read it replaces what was made up, unless the settings were entered anew.

mod account;
mod aside;
mod mailbox;
mod numbers;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use account::is_made_up;
pub(crate) use aside::forget;
pub(crate) use mailbox::has_made_up_name;

use postern_bridge::{AccountId, MailboxId, Protocol, Role};

use crate::{
    Store,
    changes::Entry,
    pop3::{LOCAL, LedgerRow, local_mailbox},
    record::{self, Account, Mailbox, Record, Series},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};
use numbers::Numbers;

/// How many numbers are left out after the last one that is known, since what was removed may be
/// remembered by its number.
const GAP: u32 = 1_000;

/// Makes anew what can't be read, puts back what can be read again, and has no number given twice. It takes
/// the lock for editing, under which numbers are given: it is the first thing that a start does with the
/// store, and goes on beside other work where damage is found later.
///
/// # Errors
///
/// If the store can't be read or written.
pub(crate) async fn recover(store: &impl Store) -> Result<(), StoreError> {
    let _editing = store.editing().lock().await;
    let (accounts, lost_accounts) = record::readable::<Account>(store, &KeyRange::all()).await?;
    let (mailboxes, lost_mailboxes) = record::readable::<Mailbox>(store, &KeyRange::all()).await?;
    let (changes, lost_changes) = record::readable::<Entry>(store, &KeyRange::all()).await?;
    let mut known = Known { accounts, mailboxes, changes, ..Known::default() };
    let mut numbers = Numbers::at_a_glance(store, &known, &lost_changes).await?;
    let due = aside::due(store, &known.accounts).await?;
    let is_whole = lost_accounts.is_empty() && lost_mailboxes.is_empty();
    if due.is_empty() && is_whole && !numbers.differ() {
        return Ok(());
    }
    let lost_mailboxes = || lost_mailboxes.iter().filter_map(number).map(MailboxId);
    known.ledger = ledger(store).await?;
    numbers.look_closer(store, &known, lost_mailboxes()).await?;
    let can_wait = due.is_empty() && is_whole && !numbers.are_wrong();
    let mut batch = aside::put_back(store, due, &mut known, &mut numbers).await?;
    if lost_accounts.len() == 1 && known.accounts.iter().all(|own| known.is_pop3(own.id)) {
        for id in lost_mailboxes() {
            known.has_lost_imap |= mailbox::is_of_imap(store, id).await?;
        }
    }
    for id in lost_accounts.iter().filter_map(number).map(AccountId) {
        let account = account::rebuilt(store, id, &known).await?;
        batch.extend(aside::keep(store, id).await?);
        batch.push(account.put());
        known.accounts.push(account);
    }
    let mut rebuilt = Vec::new();
    for id in lost_mailboxes() {
        match mailbox::rebuilt(store, id, &known).await? {
            Some(mailbox) => rebuilt.push(mailbox),
            // An empty one, which is worth nothing without its name.
            None => {
                batch.push(Write::Delete { table: Table::Mailboxes, key: record::mailbox_key(id) })
            }
        }
    }
    let lacking = known.give_inboxes(&mut rebuilt);
    if !lacking.is_empty() {
        let first = numbers.take(Series::Mailbox, lacking.len() as u32);
        let made =
            |((account, name, role), id)| local_mailbox(account, MailboxId(id), name, Some(role));
        rebuilt.extend(lacking.into_iter().zip(first..=u32::MAX).map(made));
    }
    batch.extend(rebuilt.iter().map(Record::put));
    batch.extend(numbers.writes());
    match store.apply(batch, Durability::Strict).await {
        // All that is missing are notes of series from which nothing was taken yet.
        Err(StoreError::QuotaExceeded) if can_wait => Ok(()),
        written => written,
    }
}

/// The number that an account's or a mailbox's key has; `None` for one that is no such key.
fn number(key: &Key) -> Option<u32> {
    Some(u32::from_be_bytes(key.0.as_slice().try_into().ok()?))
}

/// The number that stands at a place in a key.
fn number_at(key: &Key, at: usize) -> Option<u32> {
    number(&Key(key.0.get(at..at + 4)?.to_vec()))
}

/// What is left to judge by.
#[derive(Default)]
struct Known {
    accounts: Vec<Account>,
    mailboxes: Vec<Mailbox>,
    changes: Vec<Entry>,
    /// Whether there are messages as only IMAP leaves them which can be of the one lost account alone.
    has_lost_imap: bool,
    /// Of each mailbox that a ledger names, whose it is and the last UID that is named.
    ledger: BTreeMap<MailboxId, (AccountId, u32)>,
}

async fn ledger(store: &impl Store) -> Result<BTreeMap<MailboxId, (AccountId, u32)>, StoreError> {
    let (rows, _) = record::readable::<LedgerRow>(store, &KeyRange::all()).await?;
    let mut named = BTreeMap::new();
    for row in rows {
        let (_, last) = named.entry(row.message.mailbox).or_insert((row.account, 0));
        *last = row.message.uid.max(*last);
    }
    Ok(named)
}

impl Known {
    fn of(&self, account: AccountId) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes.iter().filter(move |mailbox| mailbox.account == account)
    }

    fn is_pop3(&self, account: AccountId) -> bool {
        let own = self.accounts.iter().find(|own| own.id == account);
        own.is_some_and(|own| own.protocol == Protocol::Pop3)
    }

    /// Which of the mailboxes that each POP3 account begins with has this number: those got theirs in a
    /// row, so that one tells of the others.
    fn first_mailbox(&self, id: MailboxId) -> Option<(AccountId, &'static str, Role)> {
        for account in self.accounts.iter().filter(|own| own.protocol == Protocol::Pop3) {
            let Some(at) = first_number(self.of(account.id)).and_then(|at| id.0.checked_sub(at))
            else {
                continue;
            };
            let Some((name, role)) = LOCAL.get(at as usize) else { continue };
            // One that was made again later has another number.
            if !self.of(account.id).any(|own| own.role == Some(*role)) {
                return Some((account.id, name, *role));
            }
        }
        None
    }

    /// POP3 needs an inbox: where an account's can't be told, it is the first of those made anew. What
    /// such an account lacks of the mailboxes that it began with is returned.
    fn give_inboxes(&self, rebuilt: &mut [Mailbox]) -> Vec<(AccountId, &'static str, Role)> {
        let mut lacking = Vec::new();
        for account in self.accounts.iter().filter(|own| own.protocol == Protocol::Pop3) {
            let is_inbox =
                |own: &Mailbox| own.account == account.id && own.role == Some(Role::Inbox);
            if self.mailboxes.iter().any(is_inbox) || rebuilt.iter().any(is_inbox) {
                continue;
            }
            let own = rebuilt.iter_mut().filter(|own| own.account == account.id);
            if let Some(first) = own.min_by_key(|own| own.id.0) {
                let (name, role) = LOCAL[0];
                first.role = Some(role);
                first.path = name.into();
                first.names = vec![name.into()];
            }
            let all = || self.mailboxes.iter().chain(&*rebuilt);
            let has = |role| all().any(|own| own.account == account.id && own.role == Some(role));
            let others = LOCAL.iter().filter(|(_, role)| !has(*role));
            lacking.extend(others.map(|(name, role)| (account.id, *name, *role)));
        }
        lacking
    }
}

/// The number of the first mailbox that a POP3 account began with: by its inbox, which is never made
/// again, or else as most of the others have it.
fn first_number<'a>(mailboxes: impl Iterator<Item = &'a Mailbox>) -> Option<u32> {
    let mut votes: BTreeMap<u32, u32> = BTreeMap::new();
    for mailbox in mailboxes {
        let at = LOCAL.iter().position(|(name, role)| {
            mailbox.role == Some(*role) && mailbox.path == name.as_bytes()
        });
        let first = at.and_then(|at| mailbox.id.0.checked_sub(at as u32));
        let Some(first) = first else { continue };
        if mailbox.role == Some(Role::Inbox) {
            return Some(first);
        }
        *votes.entry(first).or_default() += 1;
    }
    // Of two with as many votes the earlier one.
    votes.into_iter().rev().max_by_key(|(_, votes)| *votes).map(|(first, _)| first)
}
