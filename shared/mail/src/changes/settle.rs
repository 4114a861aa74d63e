//! How far an entry has come: the server has done it, or some of it, or could not find what it is about.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, MessageId, Moved};

use super::{
    entry::{Entry, State, Task, entries, key},
    pending::is_provisional,
    stage::Stage,
};
use crate::{
    Host, MailError, Store,
    record::{self, Record},
    store::Durability,
};

/// What became of the messages that an entry brought to a mailbox.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arrivals {
    /// UIDVALIDITY of the mailbox that the UIDs belong to; 0 if no UID is known, or not to which
    /// UIDVALIDITY each belongs.
    pub uid_validity: u32,
    /// UIDs in the order of the entry's items; 0 where it is not known.
    pub uids: Vec<u32>,
}

/// Whether messages that left a mailbox are gone there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removal {
    /// They are, or none was to go.
    Whole,
    /// The server could only mark them as deleted: they show there again.
    OnlyMarked,
}

/// What the end of an entry means for the pages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settled {
    /// Messages that have another number or place now.
    pub moved: Vec<Moved>,
    /// Mailboxes whose messages or counts changed here.
    pub changed: BTreeSet<MailboxId>,
    /// Mailboxes that must be asked for: they have what is not stored here.
    pub unknown: BTreeSet<MailboxId>,
    /// Whether there are other mailboxes now, or under other names.
    pub mailboxes: bool,
    /// How many messages were left as they were.
    pub left: u32,
}

impl Settled {
    /// Nothing but mailboxes that must be asked for.
    pub fn asking(mailboxes: impl IntoIterator<Item = MailboxId>) -> Self {
        Self { unknown: mailboxes.into_iter().collect(), ..Self::default() }
    }

    /// What an earlier try has done in these mailboxes before it broke off, so that nobody was
    /// told: so many messages were left.
    pub fn untold(mailboxes: impl IntoIterator<Item = MailboxId>, left: u32) -> Self {
        let asking = Self::asking(mailboxes);
        Self { changed: asking.unknown.clone(), left, ..asking }
    }

    /// What both mean together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.moved.extend(other.moved);
        self.changed.extend(other.changed);
        self.unknown.extend(other.unknown);
        self.mailboxes |= other.mailboxes;
        self.left += other.left;
        self
    }
}

/// Marks an entry as one that the server may have heard of, before it does. Returns it as it is
/// stored; `None` if it was taken back.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn begin<H: Host>(host: &H, entry: &Entry) -> Result<Option<Entry>, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let stored: Option<Entry> = record::get(store, &entry.key()).await?;
    let Some(mut entry) = stored.filter(Entry::is_open) else { return Ok(None) };
    if entry.state != State::Tried {
        entry.state = State::Tried;
        store.apply(vec![entry.put()], Durability::Strict).await?;
    }
    Ok(Some(entry))
}

/// Writes what was learnt in the middle of an entry, before the next step. Whether the change may be
/// taken back is left as it is.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn learn<H: Host>(host: &H, entry: &Entry) -> Result<(), MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let stored: Option<Entry> = record::get(store, &entry.key()).await?;
    let Some(stored) = stored else { return Ok(()) };
    let learnt = Entry { task: entry.task.clone(), ..stored };
    Ok(store.apply(vec![learnt.put()], Durability::Strict).await?)
}

/// Keeps an entry that can't be told to the server now, with what it changed here, until Postern
/// starts the next time.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn hold<H: Host>(host: &H, entry: &Entry) -> Result<(), MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let stored: Option<Entry> = record::get(store, &entry.key()).await?;
    let Some(stored) = stored.filter(Entry::is_open) else { return Ok(()) };
    let held = Entry { state: State::Held, ..stored };
    Ok(store.apply(vec![held.put()], Durability::Strict).await?)
}

/// The server has done an entry: its messages get the UIDs that the server gave them, here and in
/// the entries that are still to come. `undone` are the items that the server did not have.
///
/// # Errors
///
/// If the store can't be read or written; the entry is then still open, and doing it again changes
/// nothing on the server.
pub async fn done<H: Host>(
    host: &H,
    entry: &Entry,
    arrivals: &Arrivals,
    removal: Removal,
) -> Result<Settled, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let Some(mut entry): Option<Entry> =
        record::get(store, &key(entry.account, entry.number)).await?
    else {
        return Ok(Settled::default());
    };
    let brings = matches!(entry.task, Task::Transfer { .. } | Task::Append { .. });
    let mut later = if brings { later_entries(store, &entry).await? } else { Vec::new() };
    let mut stage = Stage::new(store);
    let mut settled = Settled::default();
    let target = match &mut entry.task {
        Task::Transfer { to, items, .. } => Some((*to, &mut items[..])),
        Task::Append { mailbox, item, .. } => Some((*mailbox, std::slice::from_mut(item))),
        Task::Create { .. } | Task::Rename { .. } | Task::Remove { .. } => {
            settled.mailboxes = true;
            None
        }
        _ => None,
    };
    if let Some((to, items)) = target {
        let validity = arrive(&mut stage, to, arrivals.uid_validity).await?;
        for (item, uid) in items.iter_mut().zip(arrivals.uids.iter().chain(std::iter::repeat(&0))) {
            // One that looks like a message on its way could be in the place of another.
            let uid = if validity && !is_provisional(*uid) { *uid } else { 0 };
            let from = MessageId { mailbox: to, uid: item.to };
            let known = MessageId { mailbox: to, uid };
            if uid == 0 {
                settled.unknown.insert(to);
                stage.remove(from).await?;
            } else if stage.relocate(Moved { from, to: known }).await? {
                settled.moved.push(Moved { from, to: known });
            }
            rename(&mut later, from, known, arrivals.uid_validity);
            item.to = uid;
        }
    }
    entry.state = State::Done(host.now());
    stage.write(match removal {
        Removal::Whole => entry.put(),
        Removal::OnlyMarked => entry.delete(),
    });
    later.iter().filter(|(_, touched)| *touched).for_each(|(own, _)| stage.write(own.put()));
    let finished = stage.finish().await?;
    store.apply(finished.writes, Durability::Strict).await?;
    settled.changed.extend(finished.mailboxes);
    Ok(settled)
}

/// Some of an entry's items, by their index, could not be found on the server: they go here too, and
/// where they were is looked at again. Those in `gone` are of no further interest to anybody; the
/// others count as left, and the entry counts them as lost, in the same batch.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn drop_items<H: Host>(
    host: &H,
    entry: &mut Entry,
    lost: &BTreeSet<usize>,
    gone: &BTreeSet<usize>,
) -> Result<Settled, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let stored: Option<Entry> = record::get(store, &entry.key()).await?;
    entry.change = stored.map_or(entry.change, |stored| stored.change);
    let mut later = later_entries(store, entry).await?;
    let mut stage = Stage::new(store);
    let mut settled = Settled::default();
    let task = entry.task.clone();
    if let Some(items) = entry.task.items_mut() {
        settled.left = u32::try_from(lost.len()).unwrap_or(u32::MAX);
        settled.unknown.extend(task.mailbox().filter(|_| !lost.is_empty()));
        for item in lost.union(gone).filter_map(|index| items.get(*index)) {
            let Some(place) = task.place(item).filter(|place| is_provisional(place.uid)) else {
                continue;
            };
            stage.remove(place).await?;
            rename(&mut later, place, MessageId { uid: 0, ..place }, 0);
        }
        let mut index = 0..;
        items.retain(|_| {
            index.next().is_none_or(|index| !lost.contains(&index) && !gone.contains(&index))
        });
    }
    entry.lost = entry.lost.saturating_add(settled.left);
    stage.write(entry.put());
    later.iter().filter(|(_, touched)| *touched).for_each(|(own, _)| stage.write(own.put()));
    let finished = stage.finish().await?;
    store.apply(finished.writes, Durability::Strict).await?;
    settled.changed.extend(finished.mailboxes);
    Ok(settled)
}

/// The open entries after one, and whether they were changed.
async fn later_entries(store: &impl Store, entry: &Entry) -> Result<Vec<(Entry, bool)>, MailError> {
    let all = entries(store, entry.account).await?;
    let later = all.into_iter().filter(|own| own.is_open() && own.number > entry.number);
    Ok(later.map(|own| (own, false)).collect())
}

/// Whether UIDs of this UIDVALIDITY can stand in a mailbox: it has the same one, or none yet, and
/// then takes it.
async fn arrive<S: Store>(
    stage: &mut Stage<'_, S>,
    mailbox: MailboxId,
    uid_validity: u32,
) -> Result<bool, MailError> {
    if uid_validity == 0 {
        return Ok(false);
    }
    match stage.mailbox(mailbox).await {
        Ok(mailbox) => {
            if mailbox.uid_validity == 0 {
                mailbox.uid_validity = uid_validity;
            }
            Ok(mailbox.uid_validity == uid_validity)
        }
        Err(MailError::Gone(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives a message another number in entries that are still to come.
fn rename(later: &mut [(Entry, bool)], from: MessageId, to: MessageId, uid_validity: u32) {
    for (entry, touched) in later {
        if entry.task.mailbox() != Some(from.mailbox) {
            continue;
        }
        let items = entry.task.items_mut().into_iter().flatten();
        for item in items.filter(|item| item.uid == from.uid) {
            item.uid = to.uid;
            item.uid_validity = uid_validity;
            *touched = true;
        }
    }
}
