//! What an entry has changed here, taken back: the server has refused it, or done some of it, or a person
//! wants it undone.

use std::collections::BTreeSet;

use postern_bridge::MailboxId;

use super::{
    entry::{Entry, Item, State, Task, entries},
    settle::Settled,
    stage::Stage,
    unmake::{doubt, return_item, unmake},
};
use crate::{Host, MailError, Store, error::Denial, record::Record, store::Durability};

/// Writes how far a transfer has come, as [`learn`](super::learn) does. Some of its items, by their index, the
/// server has left where they were: they come back here as well, count as left, and leave the
/// entry, also one that is not stored any more. What is queued to delete all that is where they
/// came back is taken back in the same batch.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn learn_left<H: Host>(
    host: &H,
    entry: &mut Entry,
    left: &BTreeSet<usize>,
) -> Result<Settled, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let Task::Transfer { from, to, items, copy, .. } = &mut entry.task else {
        return Ok(Settled::default());
    };
    let (from, to, copy) = (*from, *to, *copy);
    let returned: Vec<Item> = left.iter().filter_map(|index| items.get(*index)).cloned().collect();
    let mut index = 0..;
    items.retain(|_| index.next().is_none_or(|index| !left.contains(&index)));
    let mut all = entries(store, entry.account).await?;
    let before = all.clone();
    let Some(stored) = all.iter_mut().find(|own| own.number == entry.number) else {
        return Ok(Settled::default());
    };
    stored.task = entry.task.clone();
    let mut stage = Stage::new(store);
    let mut settled = Settled::default();
    for item in &returned {
        let way = (from, to, copy);
        return_item(&mut stage, &mut all, entry.number, way, item, &mut settled).await?;
        settled.unknown.extend([from, to]);
    }
    if !copy {
        doubt(&mut stage, from, &returned, &mut settled).await?;
    }
    if !returned.is_empty() {
        let doomed = open_from(&all, entry.number, |own| deletes_all_in(&own.task, from));
        unmake_all(&mut stage, &mut all, &doomed, &mut settled).await?;
    }
    settled.left = u32::try_from(returned.len()).unwrap_or(u32::MAX);
    write_entries(&mut stage, &before, &mut all);
    let finished = stage.finish().await?;
    store.apply(finished.writes, Durability::Strict).await?;
    settled.changed.extend(finished.mailboxes);
    Ok(settled)
}

/// The server has refused an entry: what it changed here is as it was before, together with the
/// later parts of the same change, and with what followed from a mailbox that can't be made. What is in
/// no other place, an unfinished message, stays. So does what is to change a mark back, unless the
/// `error` says that this was never changed.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn refused<H: Host>(
    host: &H,
    entry: &Entry,
    error: &MailError,
) -> Result<Settled, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut all = entries(store, entry.account).await?;
    if is_withheld(error) {
        forget_tries(&mut all, entry.number);
    }
    let follows = |own: &Entry| match (&entry.task, &own.task) {
        (Task::Create { mailbox: made, .. }, Task::Transfer { to, .. }) => made == to,
        (
            Task::Create { mailbox: made, .. },
            Task::Rename { mailbox, .. } | Task::Subscribe { mailbox, .. },
        ) => made == mailbox,
        (Task::Transfer { from, .. }, task) if deletes_all_in(task, *from) => true,
        _ => own.change == entry.change,
    };
    let doomed = open_from(&all, entry.number, |own| own.number == entry.number || follows(own));
    take_back(host, &mut all, &doomed).await
}

/// The server does not keep what an entry asks for, and nobody need be told: what it alone has changed here
/// is as it was before.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn left_out<H: Host>(host: &H, entry: &Entry) -> Result<Settled, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut all = entries(store, entry.account).await?;
    forget_tries(&mut all, entry.number);
    let own = open_from(&all, entry.number, |own| own.number == entry.number);
    take_back(host, &mut all, &own).await
}

/// Whether a server that refuses a mark with this does not keep it, or has nobody change it: it has
/// not done it, and would not take it back either.
pub(crate) fn is_withheld(error: &MailError) -> bool {
    matches!(error, MailError::Unsupported(_) | MailError::Denied { why: Denial::NotAllowed, .. })
}

/// What an entry asks for is not there, as if the server had never heard of it.
fn forget_tries(all: &mut [Entry], number: u32) {
    if let Some(own) = all.iter_mut().find(|own| own.number == number) {
        own.state = State::Queued;
    }
}

/// Whether a task deletes all that is in a mailbox: what comes back there must not go with the rest.
fn deletes_all_in(task: &Task, id: MailboxId) -> bool {
    match task {
        Task::Empty { mailbox, .. } => *mailbox == id,
        Task::Remove { mailbox } => mailbox.id == id,
        _ => false,
    }
}

/// The numbers of some of the open entries from one on.
fn open_from(all: &[Entry], number: u32, is_meant: impl Fn(&Entry) -> bool) -> Vec<u32> {
    let open = all.iter().filter(|own| own.is_open() && own.number >= number && is_meant(own));
    open.map(|own| own.number).collect()
}

/// Takes open entries back, the last one first, in one batch.
pub(super) async fn take_back<H: Host>(
    host: &H,
    all: &mut Vec<Entry>,
    doomed: &[u32],
) -> Result<Settled, MailError> {
    let store = host.store();
    let mut stage = Stage::new(store);
    let mut settled = Settled::default();
    let before = all.clone();
    unmake_all(&mut stage, all, doomed, &mut settled).await?;
    write_entries(&mut stage, &before, all);
    let finished = stage.finish().await?;
    store.apply(finished.writes, Durability::Strict).await?;
    settled.changed.extend(finished.mailboxes);
    Ok(settled)
}

async fn unmake_all<S: Store>(
    stage: &mut Stage<'_, S>,
    all: &mut Vec<Entry>,
    doomed: &[u32],
    settled: &mut Settled,
) -> Result<(), MailError> {
    for number in doomed.iter().rev() {
        if let Some(at) = all.iter().position(|own| own.number == *number) {
            unmake(stage, all, at, settled).await?;
        }
    }
    Ok(())
}

/// Has the batch write what became of entries. What names no message has nothing left to do.
fn write_entries<S: Store>(stage: &mut Stage<'_, S>, before: &[Entry], all: &mut Vec<Entry>) {
    all.retain_mut(|own| {
        !own.is_open() || own.task.items_mut().is_none_or(|items| !items.is_empty())
    });
    for own in before {
        match all.iter().find(|now| now.number == own.number) {
            None => stage.write(own.delete()),
            Some(now) if now != own => stage.write(now.put()),
            Some(_) => {}
        }
    }
}
