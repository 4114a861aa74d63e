//! Making a change here, and queueing it for the server, in the same batch.
//!
//! A change of many messages is made in parts, each a batch of its own that is whole in itself: it
//! writes what the pages show and the entry that tells the server. A crash between two parts leaves
//! the first ones made and queued; the page asks again for what it got no answer to, and then only
//! the rest is done. In a local mailbox an entry is done with its batch.

use std::collections::BTreeSet;

use futures_util::lock::MutexGuard;
use postern_bridge::{AccountId, ChangeId, ClientId, MailboxId, Mark, MessageId, Moved, Protocol};

use super::{
    entry::{Entry, Item, State, Task, entries},
    everything::Everything,
    keyword::check_mark,
    ledger::Places,
    limits,
    pending::{has_mark, set_mark},
    stage::Stage,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Mailbox, Message, Record, Series, next_numbers},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// Which request of which page a change came with.
pub type Origin = (ClientId, u32);

/// Makes the parts of one change.
pub struct Editor<'a, H> {
    pub(super) host: &'a H,
    pub(super) account: &'a Account,
    origin: Option<Origin>,
    /// Whether nobody has asked for it.
    unasked: bool,
    change: Option<ChangeId>,
    /// Whether the store's lock for editing is held, so that no part has to take it.
    locked: bool,
    /// The parts that were made, those of an earlier try of the same request included.
    parts: Vec<Entry>,
    /// What "all" means in this change.
    pub(super) all: Option<Everything>,
    /// Messages that have another place now.
    moved: Vec<Moved>,
    changed: BTreeSet<MailboxId>,
    /// The subjects of messages that were left where they are, since bytes of them are missing.
    damaged: Vec<String>,
    /// Where the rows of the ledger are, by message, as it was when it was read.
    pub(super) rows: Option<Places>,
}

/// What an editor has done.
#[derive(Debug, Default)]
pub struct Made {
    /// The change's number; `None` if there was nothing to do.
    pub change: Option<ChangeId>,
    /// Its parts.
    pub parts: Vec<Entry>,
    /// Messages that have another place now.
    pub moved: Vec<Moved>,
    /// The mailboxes whose messages or counts changed.
    pub changed: BTreeSet<MailboxId>,
    /// The subjects of messages that were left where they are, since bytes of them are missing.
    pub damaged: Vec<String>,
}

impl<'a, H: Host> Editor<'a, H> {
    /// Begins a change; the same origin again goes on with it.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn begin(
        host: &'a H,
        account: &'a Account,
        origin: Option<Origin>,
    ) -> Result<Self, StoreError> {
        let mut parts = Vec::new();
        if origin.is_some() {
            parts = entries(host.store(), account.id).await?;
            parts.retain(|part| part.origin == origin);
        }
        Ok(Self {
            host,
            account,
            origin,
            unasked: false,
            change: parts.first().map(|part| part.change),
            locked: false,
            all: parts.iter().find_map(|part| part.all),
            parts,
            moved: Vec::new(),
            changed: BTreeSet::new(),
            damaged: Vec::new(),
            rows: None,
        })
    }

    /// The same for what nobody has asked for.
    #[must_use]
    pub fn unasked(self) -> Self {
        Self { unasked: true, ..self }
    }

    /// Begins a change under the store's lock for editing, which is held until it is finished.
    pub(super) async fn begin_locked(
        host: &'a H,
        account: &'a Account,
        _editing: &MutexGuard<'_, ()>,
    ) -> Result<Self, StoreError> {
        Ok(Self { locked: true, ..Self::begin(host, account, None).await? })
    }

    /// The store's lock for editing, unless it is held for the whole change.
    pub(super) async fn editing(&self) -> Option<MutexGuard<'a, ()>> {
        match self.locked {
            true => None,
            false => Some(self.host.store().editing().lock().await),
        }
    }

    /// Whether the store's lock for editing is held; returns whether it was.
    pub(super) fn set_locked(&mut self, locked: bool) -> bool {
        std::mem::replace(&mut self.locked, locked)
    }

    /// What was done.
    pub fn finish(self) -> Made {
        let Self { change, parts, moved, changed, damaged, .. } = self;
        Made { change, parts, moved, changed, damaged }
    }

    /// Of all messages that a mailbox has now, leaves those that are meant by a change of all: what has
    /// come since the request was first seen to is not.
    pub fn keep_meant(&mut self, uids: &mut Vec<u32>) {
        let all = *self.all.get_or_insert_with(|| Everything::of(uids));
        uids.retain(|uid| all.has(*uid));
    }

    /// Gives messages of one mailbox a mark or takes it; those that have it so already are left.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] for a keyword that is none; else if the store can't be written.
    pub async fn mark(
        &mut self,
        mailbox: MailboxId,
        uids: &[u32],
        mark: &Mark,
        set: bool,
    ) -> Result<(), MailError> {
        for uids in uids.chunks(limits::ITEMS) {
            let _editing = self.editing().await;
            let mut stage = Stage::new(self.host.store());
            let ids: Vec<_> = uids.iter().map(|uid| MessageId { mailbox, uid: *uid }).collect();
            stage.load(&ids).await?;
            let own = stage.mailbox(mailbox).await?.clone();
            check_mark(mark, set, self.is_local() || own.synced.labelled)?;
            let mut items = Vec::new();
            for id in ids {
                let Some(message) = stage.message(id).await? else { continue };
                if has_mark(message.flags, &message.keywords, mark) == set {
                    continue;
                }
                items.push(Item::of(message, &own));
                let change = |message: &mut Message| {
                    set_mark(&mut message.flags, &mut message.keywords, mark, set);
                };
                stage.change(id, change).await?;
            }
            if !items.is_empty() {
                let task = Task::Mark { mailbox, items, mark: mark.clone(), set };
                self.commit(stage, vec![task]).await?;
            }
        }
        Ok(())
    }

    /// Writes a batch together with the entries that are made of it.
    pub(super) async fn commit(
        &mut self,
        stage: Stage<'_, H::Store>,
        tasks: Vec<Task>,
    ) -> Result<(), MailError> {
        let state = self.first_state();
        self.commit_as(stage, tasks, state).await
    }

    /// Where entries stand as they are made.
    pub(super) fn first_state(&self) -> State {
        if self.is_local() { State::Done(self.host.now()) } else { State::Queued }
    }

    /// The same with entries that stand there.
    pub(super) async fn commit_as(
        &mut self,
        mut stage: Stage<'_, H::Store>,
        tasks: Vec<Task>,
        state: State,
    ) -> Result<(), MailError> {
        let store = self.host.store();
        let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
        let (first, numbered) = next_numbers(store, Series::Change, count).await?;
        let change = self.change.unwrap_or(ChangeId(first));
        let strict = self.is_local() || !tasks.iter().all(|task| matches!(task, Task::Mark { .. }));
        let parts: Vec<Entry> = tasks
            .into_iter()
            .zip(first..)
            .map(|(task, number)| Entry {
                account: self.account.id,
                number,
                change,
                origin: self.origin,
                unasked: self.unasked,
                all: self.all,
                lost: 0,
                task,
                state,
            })
            .collect();
        stage.write(numbered);
        parts.iter().for_each(|part| stage.write(part.put()));
        if self.change.is_none() {
            for old in old_entries(store, self.account.id).await? {
                stage.write(old.delete());
            }
        }
        let finished = stage.finish().await?;
        let durability = if strict { Durability::Strict } else { Durability::Relaxed };
        store.apply(finished.writes, durability).await?;
        self.change = Some(change);
        self.parts.extend(parts);
        self.changed.extend(finished.mailboxes);
        Ok(())
    }

    pub(super) fn is_local(&self) -> bool {
        self.account.protocol == Protocol::Pop3
    }

    /// The parts that an earlier try of the same request has made, and this one.
    pub(super) fn parts(&self) -> &[Entry] {
        &self.parts
    }

    pub(super) fn note_damaged(&mut self, subject: String) {
        self.damaged.push(subject);
    }

    pub(super) fn note_moved(&mut self, step: Moved) {
        self.moved.push(step);
    }

    /// The messages that have another place by now.
    pub(super) fn moved(&self) -> &[Moved] {
        &self.moved
    }

    /// UIDs for messages that come into a mailbox: a local one gives them out itself; on a server
    /// they are provisional until it has told its own.
    pub(super) async fn places(
        &self,
        stage: &mut Stage<'_, H::Store>,
        target: &Mailbox,
        count: usize,
    ) -> Result<impl Iterator<Item = u32> + use<H>, MailError> {
        let wanted = u32::try_from(count).unwrap_or(u32::MAX);
        let local = self.is_local();
        let first = if local {
            target.uid_next
        } else {
            let (first, numbered) =
                next_numbers(self.host.store(), Series::Provisional, wanted).await?;
            stage.write(numbered);
            first
        };
        let last = first.checked_add(wanted).ok_or(MailError::Unsupported("so many messages"))?;
        Ok((first..last).map(move |number| {
            if local {
                number
            } else {
                limits::PROVISIONAL + number % (u32::MAX - limits::PROVISIONAL)
            }
        }))
    }
}

/// The oldest entries that are done, beyond those that are kept.
async fn old_entries(store: &impl Store, account: AccountId) -> Result<Vec<Entry>, StoreError> {
    let mut done = entries(store, account).await?;
    done.retain(|entry| !entry.is_open());
    // A change is kept as a whole, or not at all.
    let oldest_kept = done.iter().rev().nth(limits::DONE - 1).map(|entry| entry.change);
    let first_kept = done.iter().position(|entry| Some(entry.change) == oldest_kept);
    done.truncate(first_kept.unwrap_or(0));
    Ok(done)
}

/// A mailbox's own name.
pub(super) fn name(mailbox: &Mailbox) -> &str {
    mailbox.names.last().map_or("", |name| name)
}

/// The write that forgets all entries of an account.
pub fn forget_changes(account: AccountId) -> Write {
    let range = KeyRange::prefix(record::account_key(account));
    Write::DeleteRange { table: Table::Changes, range }
}
