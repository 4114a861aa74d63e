//! What the server told about a mailbox, applied to the store in batches.

mod unreadable;

use std::{collections::BTreeMap, ops::ControlFlow};

use futures_util::lock::MutexGuard;
use postern_bridge::MailboxId;
use postern_imap::mailbox_name::Spelling;

use super::{
    listing,
    news::Marks,
    previews::lacks_preview,
    stored::{forget_known, stored_messages},
};
use crate::{
    Host, MailError, Store,
    changes::{self, Counted, Pending},
    record::{self, Links, Mailbox, Message, Place, Record},
    store::{Durability, StoreError, Write},
};

/// How many messages one batch changes.
pub(super) const BATCH: usize = 2_000;

/// A batch was stored: the list can be drawn again. Or an answer came, and it is asked whether something
/// else is to be done first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncStep {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// How many of its messages are stored now.
    pub stored: u32,
    /// How many messages it has on the server.
    pub total: u32,
    /// How many of them are unread.
    pub unread: u32,
    /// What became of the list; `None` if nothing was stored.
    pub change: Option<ListChange>,
}

/// What became of a mailbox's list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListChange {
    /// Whether what is listed was dropped before.
    pub cleared: bool,
    /// Messages that are listed now.
    pub added: Vec<Place>,
    /// Messages that are listed no more.
    pub removed: Vec<Place>,
    /// UIDs of messages that the server says belong together, listed or not.
    pub together: Vec<Vec<u32>>,
}

/// A sync of one mailbox in progress.
pub(super) struct Sync<'a, H> {
    host: &'a H,
    pub(super) mailbox: MailboxId,
    /// How many messages are stored.
    stored: u32,
    /// How many messages the server has.
    total: u32,
    /// How many of them are unread.
    pub(super) unread: u32,
    /// How many messages it has no more that are still to go, as far as the queue knows.
    pub(super) gone: u32,
    /// When the server counted those.
    counted: Counted,
    /// Since when what is stored was told, in milliseconds since 1970 (UTC): what was done here
    /// since then counts more.
    asked: i64,
    changed: &'a mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    /// How labels are spelled, where the server has them.
    pub(super) labels: Option<Spelling>,
    paused: bool,
    /// Whether the server did not tell all of it: a message may be gone or missing.
    pub(super) is_partial: bool,
    /// Whether it did not tell all flags, or some of what it told could not be read.
    pub(super) lacks_flags: bool,
}

impl<'a, H: Host> Sync<'a, H> {
    /// A sync that begins with so many messages stored.
    pub(super) fn new(
        host: &'a H,
        mailbox: MailboxId,
        stored: usize,
        asked: i64,
        changed: &'a mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    ) -> Self {
        let stored = u32::try_from(stored).unwrap_or(u32::MAX);
        Self {
            host,
            mailbox,
            stored,
            total: stored,
            unread: 0,
            gone: 0,
            counted: Counted::at(asked),
            asked,
            changed,
            labels: None,
            paused: false,
            is_partial: false,
            lacks_flags: false,
        }
    }

    /// Takes the server's count of messages, told at `counted` (milliseconds since 1970, UTC).
    pub(super) fn set_total(&mut self, total: u32, counted: i64) {
        (self.total, self.counted.total) = (total, counted);
    }

    /// How many messages the server has.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Takes the server's count of unread messages, for which it was asked at `counted`.
    pub(super) fn set_unread(&mut self, unread: u32, counted: i64) {
        (self.unread, self.counted.unread) = (unread, counted);
    }

    /// What it runs on.
    pub(super) fn host(&self) -> &'a H {
        self.host
    }

    /// Who is told of each batch.
    pub(super) fn changed(&mut self) -> &mut dyn FnMut(SyncStep) -> ControlFlow<()> {
        self.changed
    }

    /// Something else is to be done first.
    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    /// Whether something else is to be done first.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Drops what is stored of the mailbox's messages, but for those that are on their way into it:
    /// the server does not have those yet. What is of this UIDVALIDITY stays: a change may have
    /// brought the first messages, and told it, since the mailbox was looked at.
    pub(super) async fn clear(
        &mut self,
        uid_validity: u32,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<(), MailError> {
        self.stored = 0;
        let store = self.host.store();
        let editing = store.editing().lock().await;
        if record::mailbox(store, self.mailbox).await?.uid_validity == uid_validity {
            return self.commit(&editing, Vec::new(), ListChange::default(), update).await;
        }
        let (writes, coming) = forget_known(store, self.mailbox).await?;
        let change = ListChange { cleared: true, added: coming, ..ListChange::default() };
        self.commit(&editing, writes, change, update).await
    }

    /// Stores new messages, as they are here: with the marks of the queue, and without those that
    /// have been moved away meanwhile. Returns the UIDs of those that are stored.
    pub(super) async fn add(
        &mut self,
        mut messages: Vec<Message>,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<Vec<u32>, MailError> {
        let editing = self.host.store().editing().lock().await;
        let pending = self.pending().await?;
        messages.retain(|message| !pending.has_departed(message.id.uid));
        for message in &mut messages {
            pending.mark(message.id.uid, &mut message.flags, &mut message.keywords);
        }
        self.stored += u32::try_from(messages.len()).unwrap_or_default();
        let uids: Vec<u32> = messages.iter().map(|message| message.id.uid).collect();
        // What a change has brought there meanwhile has its bytes with it, and is counted.
        let here = stored_messages(self.host.store(), self.mailbox, &uids).await?;
        let mut here = here.iter().map(Option::is_some);
        messages.retain(|_| !here.next().unwrap_or_default());
        let mut writes = Vec::with_capacity(2 * messages.len());
        for message in &messages {
            writes.extend(message.put_listed());
        }
        let added = messages.iter().map(Message::place).collect();
        let change = ListChange { added, ..ListChange::default() };
        self.commit(&editing, writes, change, update).await?;
        Ok(uids)
    }

    /// Counts messages that have come since the mailbox was opened.
    pub(super) fn count_in(&mut self, new: Vec<&Message>) {
        self.counted.came.extend(new.iter().map(|message| message.id.uid));
        let count = |new: usize| u32::try_from(new).unwrap_or_default();
        self.total += count(new.len());
        self.unread += count(new.iter().filter(|message| !message.flags.seen).count());
    }

    /// How many messages the server has, when it has told all that happened.
    pub(super) async fn on_server(&self) -> Result<u32, MailError> {
        Ok(self.stored + self.pending().await?.departures())
    }

    /// What the queue says of the mailbox.
    pub(super) async fn pending(&self) -> Result<Pending, MailError> {
        Pending::of(self.host.store(), self.mailbox, self.asked).await
    }

    /// Removes messages that are gone; those that are not stored don't matter.
    pub(super) async fn remove(&mut self, vanished: &[u32]) -> Result<(), MailError> {
        for batch in vanished.chunks(BATCH) {
            let editing = self.host.store().editing().lock().await;
            let messages = stored_messages(self.host.store(), self.mailbox, batch).await?;
            let messages: Vec<Message> = messages.into_iter().flatten().collect();
            if messages.is_empty() {
                continue;
            }
            let count = u32::try_from(messages.len()).unwrap_or_default();
            self.stored = self.stored.saturating_sub(count);
            let writes = messages.iter().flat_map(Message::delete_whole).collect();
            let removed = messages.iter().map(Message::place).collect();
            let change = ListChange { removed, ..ListChange::default() };
            self.commit(&editing, writes, change, |_| {}).await?;
        }
        Ok(())
    }

    /// Stores the marks that messages have now; what the server has yet to be told overrides it. Where
    /// it has labels and did not tell them, the tags stay.
    pub(super) async fn set_marks(
        &mut self,
        told: impl IntoIterator<Item = (u32, Marks)>,
    ) -> Result<(), MailError> {
        let told: Vec<(u32, Marks)> = told.into_iter().collect();
        for batch in told.chunks(BATCH) {
            let uids: Vec<u32> = batch.iter().map(|(uid, _)| *uid).collect();
            let store = self.host.store();
            let editing = store.editing().lock().await;
            let messages = stored_messages(store, self.mailbox, &uids).await?;
            let pending = self.pending().await?;
            let writes: Vec<Write> = messages
                .into_iter()
                .zip(batch)
                .filter_map(|(message, (uid, marks))| {
                    let message = message?;
                    let mut keywords = match (self.labels, &marks.labels) {
                        (Some(_), None) => message.keywords.clone(),
                        (spelling, labels) => listing::tags(
                            &marks.flags,
                            labels.as_deref().unwrap_or_default(),
                            spelling.unwrap_or_default(),
                        ),
                    };
                    let mut flags = listing::flags(&marks.flags);
                    pending.mark(*uid, &mut flags, &mut keywords);
                    let differs = message.flags != flags || message.keywords != keywords;
                    differs.then(|| Message { flags, keywords, ..message }.put())
                })
                .collect();
            if !writes.is_empty() {
                self.commit(&editing, writes, ListChange::default(), |_| {}).await?;
            }
        }
        Ok(())
    }

    /// Those of the stored messages that an earlier version stored without their links.
    pub(super) async fn unlinked(&self, uids: &[u32]) -> Result<Vec<u32>, StoreError> {
        let messages = stored_messages(self.host.store(), self.mailbox, uids).await?;
        let unlinked = messages.into_iter().flatten().filter(|own| own.links.is_none());
        Ok(unlinked.map(|own| own.id.uid).collect())
    }

    /// Stores the links of messages that have none yet, and that from a UID on all have theirs.
    pub(super) async fn set_links(
        &mut self,
        told: BTreeMap<u32, Links>,
        from: u32,
    ) -> Result<(), MailError> {
        let uids: Vec<u32> = told.keys().copied().collect();
        let editing = self.host.store().editing().lock().await;
        let messages = stored_messages(self.host.store(), self.mailbox, &uids).await?;
        let link = |(message, links): (Option<Message>, Links)| {
            let message = message.filter(|own| own.links.is_none())?;
            Some(Message { links: Some(links), ..message }.put())
        };
        let writes: Vec<Write> =
            messages.into_iter().zip(told.into_values()).filter_map(link).collect();
        let note = |own: &mut Mailbox| own.synced.linked_from = from;
        self.commit(&editing, writes, ListChange::default(), note).await
    }

    /// Stores how messages begin, unless that is known.
    pub(super) async fn set_previews(
        &mut self,
        mut told: BTreeMap<u32, String>,
    ) -> Result<(), MailError> {
        told.retain(|_, preview| !preview.is_empty());
        let uids: Vec<u32> = told.keys().copied().collect();
        let store = self.host.store();
        let editing = store.editing().lock().await;
        let messages = stored_messages(store, self.mailbox, &uids).await?;
        let set = |(message, preview): (Option<Message>, String)| {
            let message = message.filter(lacks_preview)?;
            Some(Message { preview, ..message }.put())
        };
        let writes: Vec<Write> =
            messages.into_iter().zip(told.into_values()).filter_map(set).collect();
        if !writes.is_empty() {
            store.apply(writes, Durability::Relaxed).await?;
            drop(editing);
            // The counts were asked for earlier than what may have been done meanwhile.
            self.tell(ListChange::default());
        }
        Ok(())
    }

    /// Tells which messages the server says belong together, by UID.
    pub(super) fn tell_together(&mut self, together: Vec<Vec<u32>>) {
        self.tell(ListChange { together, ..ListChange::default() });
    }

    /// Says what became of the list.
    fn tell(&mut self, change: ListChange) {
        self.step(Some(change));
    }

    /// Whether something else is to be done first, which is asked anew.
    pub(super) fn gives_way(&mut self) -> bool {
        if !self.paused {
            self.step(None);
        }
        self.paused
    }

    fn step(&mut self, change: Option<ListChange>) {
        let Self { mailbox, stored, total, unread, .. } = *self;
        let step = SyncStep { mailbox, stored, total, unread, change };
        self.paused |= (self.changed)(step).is_break();
    }

    /// Stores what is known of the mailbox itself.
    pub(super) async fn update(
        &mut self,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<(), MailError> {
        let editing = self.host.store().editing().lock().await;
        self.commit(&editing, Vec::new(), ListChange::default(), update).await
    }

    /// Stores a batch together with the mailbox's counts, and says so.
    async fn commit(
        &mut self,
        _editing: &MutexGuard<'_, ()>,
        mut writes: Vec<Write>,
        change: ListChange,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<(), MailError> {
        let before = record::mailbox(self.host.store(), self.mailbox).await?;
        let mut mailbox = before.clone();
        update(&mut mailbox);
        let entries = changes::entries(self.host.store(), mailbox.account).await?;
        let mut pending = Pending::from_entries(&entries, &mailbox, self.asked);
        pending.add_done_since(&entries, &mailbox, &self.counted);
        mailbox.unread = pending.unread(self.unread);
        mailbox.total = pending.total(self.total.saturating_add(self.gone));
        if mailbox != before {
            writes.push(mailbox.put());
        }
        if !writes.is_empty() {
            self.host.store().apply(writes, Durability::Relaxed).await?;
            self.tell(change);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
