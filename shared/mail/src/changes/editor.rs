//! Making a change here, and queueing it for the server, in the same batch.
//!
//! A change of many messages is made in parts, each a batch of its own that is whole in itself: it
//! writes what the pages show and the entry that tells the server. A crash between two parts leaves
//! the first ones made and queued; the page asks again for what it got no answer to, and then only
//! the rest is done. In a local mailbox an entry is done with its batch.

use std::collections::BTreeSet;

use futures_util::lock::MutexGuard;
use postern_bridge::{
    AccountId, ChangeId, ClientId, LABEL_RULE, MailboxId, Mark, MessageId, Moved, Protocol,
    is_label,
};

use super::{
    entry::{Entry, Item, State, Task, entries},
    everything::Everything,
    folders::stored_uids,
    ledger::Places,
    limits,
    pending::{has_mark, is_provisional, set_mark},
    stage::Stage,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Mailbox, Message, Record, Series, next_numbers},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// The keyword of what is junk.
pub(crate) const JUNK: &str = "$Junk";
/// The keyword of what is none.
pub(crate) const NOT_JUNK: &str = "$NotJunk";

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
    all: Option<Everything>,
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

    /// Deletes messages of one mailbox without a way back.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be written.
    pub async fn expunge(&mut self, mailbox: MailboxId, uids: &[u32]) -> Result<(), MailError> {
        for uids in uids.chunks(limits::ITEMS) {
            let _editing = self.editing().await;
            let mut stage = Stage::new(self.host.store());
            let task = self.stage_expunge(&mut stage, mailbox, uids).await?;
            if !task.items().is_empty() {
                self.commit(stage, vec![task]).await?;
            }
        }
        Ok(())
    }

    /// Deletes everything in a mailbox without a way back; on a server also what is not stored here, but
    /// nothing that has come since it was last heard of. One that was made anew meanwhile is left: the same
    /// request may come again after the server has been told, and its entry is no "Empty" any more then.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be written.
    pub async fn empty(&mut self, mailbox: MailboxId) -> Result<(), MailError> {
        let store = self.host.store();
        if self.parts.iter().any(|part| matches!(part.task, Task::Empty { .. })) {
            return Ok(());
        }
        let editing = self.editing().await;
        let known = record::mailbox(store, mailbox).await?;
        let mut uids = stored_uids(store, mailbox).await?;
        drop(editing);
        let all = *self.all.get_or_insert_with(|| Everything::known(&known, &uids));
        self.keep_meant(&mut uids);
        if self.is_local() {
            return self.expunge(mailbox, &uids).await;
        }
        let here = uids.iter().copied().filter(|uid| !is_provisional(*uid));
        let sample: BTreeSet<u32> = here.rev().take(limits::SAMPLE).collect();
        uids.retain(|uid| !sample.contains(uid));
        self.expunge(mailbox, &uids).await?;
        let _editing = self.editing().await;
        let mut stage = Stage::new(store);
        if all.is_of_before(stage.mailbox(mailbox).await?) {
            return Ok(());
        }
        let sample = Vec::from_iter(sample);
        let items = self.stage_expunge(&mut stage, mailbox, &sample).await?.items().to_vec();
        let own = stage.mailbox(mailbox).await?;
        (own.total, own.unread) = (0, 0);
        self.commit(stage, vec![Task::Empty { mailbox, until: all.until(), items }]).await
    }

    /// Removes messages in a batch; the entry for it. In a mailbox that was made anew since all of it was
    /// meant, they are others.
    pub(super) async fn stage_expunge(
        &mut self,
        stage: &mut Stage<'_, H::Store>,
        mailbox: MailboxId,
        uids: &[u32],
    ) -> Result<Task, MailError> {
        let ids: Vec<_> = uids.iter().map(|uid| MessageId { mailbox, uid: *uid }).collect();
        stage.load(&ids).await?;
        let own = stage.mailbox(mailbox).await?.clone();
        let mut items = Vec::new();
        if self.all.is_some_and(|all| all.is_of_before(&own)) {
            return Ok(Task::Expunge { mailbox, items });
        }
        let mut gone = Vec::new();
        for id in ids {
            let Some(message) = stage.remove(id).await? else { continue };
            items.push(Item::of(&message, &own));
            gone.push(id);
        }
        if self.is_local() {
            self.ledger_forgets(stage, &gone).await?;
        }
        Ok(Task::Expunge { mailbox, items })
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

/// Refuses keywords that IMAP can't carry, unless tags are labels in the mailbox: there, and in a local
/// one, to which a backup may have brought such. They can be taken anywhere.
fn check_mark(mark: &Mark, set: bool, has_labels: bool) -> Result<(), MailError> {
    let Mark::Keyword(name) = mark else { return Ok(()) };
    if is_keyword(name) || (has_labels || !set) && is_label(name) {
        return Ok(());
    }
    let sentence = match has_labels {
        true => LABEL_RULE,
        false => "A tag must be made of letters, digits and simple signs, without spaces.",
    };
    Err(MailError::Input(sentence.into()))
}

/// Whether it is one of the marks that filters learn from, which nobody asks for by themselves.
pub(crate) fn is_for_filters(mark: &Mark) -> bool {
    matches!(mark, Mark::Keyword(name) if [JUNK, NOT_JUNK].contains(&&**name))
}

/// Whether it can be a tag: a keyword, or a label of a server that has such.
pub(crate) fn is_tag(name: &str) -> bool {
    is_keyword(name) || is_label(name)
}

/// Whether IMAP can carry a keyword (an `atom`; RFC 9051, section 9), and it is no longer than a tag may
/// be.
pub(crate) fn is_keyword(name: &str) -> bool {
    let fits = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
    };
    !name.is_empty() && name.len() <= limits::NAME && name.bytes().all(fits)
}

/// The write that forgets all entries of an account.
pub fn forget_changes(account: AccountId) -> Write {
    let range = KeyRange::prefix(record::account_key(account));
    Write::DeleteRange { table: Table::Changes, range }
}
