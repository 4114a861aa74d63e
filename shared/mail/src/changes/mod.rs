//! Changes that the person makes: at once here, in order on the server.
//!
//! | Module | Job |
//! |---|---|
//! | `editor`, `transfer` | makes a change of messages here and queues it, in one batch |
//! | `ledger` | what a POP3 account's ledger learns of it |
//! | `folders`, `drafts` | the same for mailboxes and unfinished messages |
//! | `entry`, `everything` | the queue's records |
//! | `pending` | what the queue says while the server says something else: for the sync |
//! | `settle` | how far an entry has come, and its end |
//! | `take_back`, `unmake` | what an entry has changed here, taken back: refused, left, or undone |
//! | `moved` | where a message is by now |
//! | `undo` | taking a change back |
//! | `stage`, `bytes` | a batch in the making |
//! | `sentence` | what was done, for people |
//!
//! What the server is told, and how, is in [`crate::imap`]. A POP3 account has no queue: its
//! mailboxes are local, an entry is done with its batch and kept only to be taken back.
//!
//! **Provisional UIDs.** A message that is moved is in its new mailbox at once, its bytes with it,
//! under a UID from the top of the 32-bit range ([`limits::PROVISIONAL`]), until COPYUID or a search
//! for its Message-ID tells the real one. It can be read, marked and moved on meanwhile: entries that
//! name it get the real UID when it is known.
//!
//! **Crash points**, and what the next start or connection makes of each:
//!
//! | After | State | Next |
//! |---|---|---|
//! | nothing was written | as before | the page asks again |
//! | bytes of a large message were carried | as before, and a marker | what was carried is removed |
//! | the batch | shown and queued | the entry is told to the server |
//! | `Tried` was written | the server may have heard | the same again: every step can be repeated |
//! | STORE of a mark | the mark is there | STORE again changes nothing |
//! | STORE that takes a label, but not that of a keyword of its name | one of them may be left | both again change nothing |
//! | a refusal of a mark that may be there all the same | it is there, or not | it is taken back here and looked at, in one batch with the note that what is to change it back is told all the same |
//! | MOVE, no answer | moved, or not | MOVE again moves what is left; the others are found by Message-ID |
//! | `Copying` was written | copied, or not | copies are looked for from the UIDNEXT that was noted before COPY, by Message-ID, size and date; only what is missing is copied, once more where a copy has another date |
//! | COPY of some, and an OK all the same | those are in both places | the others come back with the write of `Copied`, and what is queued to delete all that is there does with them; before that they are copied once more |
//! | COPY, and a copy is neither named nor found, as where there is no UIDNEXT from which it is looked for | in both places | it ends so, and the person is told |
//! | it was written that some of those are gone where they were | those are lost to the entry, which counts them | the copies are looked for again; what was lost is told at the end |
//! | `Copied` was written | in both places | STORE `\Deleted` and UID EXPUNGE again change nothing |
//! | UID EXPUNGE of a piece of an emptied mailbox | some of it is gone | what lies below `until`, which was noted with the batch, goes; what came since stays |
//! | UID EXPUNGE of those by which it is known | all of it is gone | nothing is left to do |
//! | `until` was written, where nothing was known | some of it may be gone | the same |
//! | `since` was written | put there, or not | looked for by its Message-ID first; one of which the server tells nothing is it only from the UIDNEXT on that was noted before the first APPEND under this UIDVALIDITY |
//! | APPEND, no answer | there, or not | the same |
//! | CREATE, RENAME, DELETE, no answer | done, or not | a refusal that says so counts as done |
//! | the server has done it, but no write | shown under provisional UIDs | the same again, with nothing left to do |
//!
//! A UIDVALIDITY that changed drops what is stored of a mailbox, not what is queued: its messages
//! are found by Message-ID, size and arrival, or the change is reported as refused. So it is with a
//! mailbox whose name another one may have by now: where two have the same UIDVALIDITY, and no names that
//! stay, the server is asked first whether the messages are those that were meant; one that is to be
//! emptied is known by some of its messages, which go last.

mod bytes;
mod drafts;
mod editor;
mod entry;
mod everything;
mod expunge;
mod folders;
mod keyword;
mod ledger;
pub mod limits;
mod marks;
mod moved;
mod only_here;
mod pending;
mod rights;
mod sentence;
mod settle;
mod stage;
mod take_back;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod undo;
mod unmake;

use std::collections::BTreeSet;

pub use editor::{Editor, Made, Origin, forget_changes};
pub use entry::{Entry, Item, State, Step, Task, entries, is_damaged};
pub use folders::{Mailboxes, new_path};
pub(crate) use keyword::{JUNK, NOT_JUNK, is_for_filters, is_keyword, is_tag};
pub use marks::adopt_marks;
pub(crate) use moved::moved_to;
pub use only_here::only_here;
pub use pending::{Counted, Pending, is_provisional};
use postern_bridge::{AccountId, MailboxId, MessageId};
pub(crate) use rights::{check_marking, check_removal};
pub use sentence::{Tense, damaged, sentence};
pub use settle::{Arrivals, Removal, Settled, begin, done, drop_items, hold, learn};
pub(crate) use take_back::is_withheld;
pub use take_back::{learn_left, left_out, refused};
pub use undo::{Undone, can_undo, undo};

use crate::{
    Host, MailError, Store,
    record::{self, Record},
    store::{Durability, KeyRange, Order, StoreError, Table},
};

/// How many entries are read at a time to find the next one.
const PAGE: usize = 16;

/// The entry that the server is to be told next.
///
/// # Errors
///
/// If the store can't be read.
pub async fn next(store: &impl Store, account: AccountId) -> Result<Option<Entry>, StoreError> {
    // What follows from an entry that is held waits with it.
    let mut held: BTreeSet<MessageId> = BTreeSet::new();
    // What it takes out of a mailbox is still there, and must not be deleted with the rest.
    let mut held_in: BTreeSet<MailboxId> = BTreeSet::new();
    let mut range = KeyRange::prefix(record::account_key(account));
    loop {
        let page = store.scan(Table::Changes, &range, Order::Ascending, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        range.start = last.clone().bytes(&[0]);
        for (_, value) in &page {
            // What comes after one that can't be read may depend on it.
            let entry: Entry = record::decode(value)?;
            if !entry.is_open() {
                continue;
            }
            let waits = entry.task.mailbox().is_some_and(|mailbox| {
                let place = |item: &Item| MessageId { mailbox, uid: item.uid };
                matches!(entry.task, Task::Empty { .. }) && held_in.contains(&mailbox)
                    || entry.task.items().iter().any(|item| held.contains(&place(item)))
            });
            if entry.state != State::Held && !waits {
                return Ok(Some(entry));
            }
            if let Task::Transfer { from, .. } = &entry.task {
                held_in.insert(*from);
            }
            if let Task::Transfer { from, items, copy: true, .. } = &entry.task {
                // What is to be copied must not be deleted before.
                held.extend(items.iter().map(|item| MessageId { mailbox: *from, uid: item.uid }));
            }
            let brought = match &entry.task {
                Task::Append { item, .. } => std::slice::from_ref(item),
                task => task.items(),
            };
            held.extend(brought.iter().filter_map(|item| entry.task.place(item)));
        }
    }
}

/// How many entries the server is still to be told.
///
/// # Errors
///
/// If the store can't be read.
pub async fn open(store: &impl Store, account: AccountId) -> Result<u32, StoreError> {
    let open = entries(store, account).await?.iter().filter(|entry| entry.is_open()).count();
    Ok(u32::try_from(open).unwrap_or(u32::MAX))
}

/// Has entries that the server refused, and that hold what is in no other place, tried again.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn retry_held<H: Host>(host: &H, account: AccountId) -> Result<(), MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut held = entries(store, account).await?;
    held.retain(|entry| entry.state == State::Held);
    if held.is_empty() {
        return Ok(());
    }
    let again = held.into_iter().map(|entry| Entry { state: State::Tried, ..entry }.put());
    Ok(store.apply(again.collect(), Durability::Strict).await?)
}

/// Where a message is here that an entry has put at a place, after the entries that follow; `None` if
/// one of them has deleted it.
///
/// # Errors
///
/// If the store can't be read.
pub async fn here(
    store: &impl Store,
    account: AccountId,
    id: MessageId,
) -> Result<Option<MessageId>, StoreError> {
    Ok(here_after(&entries(store, account).await?, id))
}

/// The same after the entries of an account; the place may also be that where the server still has the
/// message.
pub fn here_after(entries: &[Entry], id: MessageId) -> Option<MessageId> {
    let mut place = id;
    for entry in entries.iter().filter(|entry| entry.is_open()) {
        if entry.task.mailbox() != Some(place.mailbox) {
            continue;
        }
        let Some(item) = entry.task.items().iter().find(|item| item.uid == place.uid) else {
            continue;
        };
        match &entry.task {
            Task::Transfer { to, copy: false, .. } => {
                place = MessageId { mailbox: *to, uid: item.to };
            }
            Task::Expunge { .. } | Task::Empty { .. } => return None,
            _ => {}
        }
    }
    Some(place)
}

/// Where the server has a message: elsewhere than here, if it is on its way.
///
/// # Errors
///
/// If the store can't be read.
pub async fn on_server(
    store: &impl Store,
    account: AccountId,
    id: MessageId,
) -> Result<MessageId, StoreError> {
    let mut place = id;
    if !is_provisional(id.uid) {
        return Ok(place);
    }
    for entry in entries(store, account).await?.iter().rev().filter(|entry| entry.is_open()) {
        let Task::Transfer { from, to, items, .. } = &entry.task else { continue };
        let here = |item: &&Item| place == MessageId { mailbox: *to, uid: item.to };
        if let Some(item) = items.iter().find(here) {
            place = MessageId { mailbox: *from, uid: item.uid };
        }
    }
    Ok(place)
}
