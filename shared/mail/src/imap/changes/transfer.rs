//! Moving and copying.
//!
//! With MOVE (RFC 6851) it is one command, which can be given again. Without it: COPY, then remove
//! where they were, and between the two steps it is written down how far things are. No message is
//! removed before the server has named its copy (COPYUID, RFC 4315), or that was found: an OK may
//! be about some of them alone. The others stay where they were, here as well.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::MailboxId;
use postern_imap::{Command, Response, response::Code};

use super::{
    ImapClient, Outcome,
    open::{gone, read_only, uids},
};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Entry, Item, Removal, Settled, Step, Task},
    imap::{exchange::Answer, limits, refusal::refusal, select::Selected},
    record::{self, Mailbox},
};

impl<T: Transport> ImapClient<T> {
    pub(super) async fn make_transfer<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
    ) -> Result<Outcome, MailError> {
        let Task::Transfer { from, to, copy, step, .. } = entry.task.clone() else {
            return Ok(Outcome::default());
        };
        let target = record::mailbox(host.store(), to).await.map_err(gone)?;
        let lost = match step {
            // What was to be removed may be gone already: that is no loss.
            Step::Copied { .. } => Settled::default(),
            _ => self.open_for(host, entry, from).await?,
        };
        let capabilities = self.capabilities(host).await?;
        let can_move = capabilities.has("MOVE");
        // A copy of what can't be removed then would be there twice.
        let is_open_to_read = self.selected.as_ref().is_some_and(|selected| selected.read_only);
        if !copy && !can_move && step == Step::Begun && is_open_to_read {
            return Err(read_only("move messages"));
        }
        let (arrivals, copied, removal) = if !copy && can_move && step == Step::Begun {
            let arrivals = self.move_at_once(host, entry, &target).await?;
            (arrivals, Outcome::default(), Removal::Whole)
        } else {
            let (arrivals, copied) = self.copy(host, entry, from, &target).await?;
            // If none was copied, the entry is gone: what came back must be told now.
            let removal = match copy || entry.task.items().is_empty() {
                true => Removal::Whole,
                false => self.remove_copied(host, entry, from).await?,
            };
            (arrivals, copied, removal)
        };
        let settled = changes::done(host, entry, &arrivals, removal).await?;
        let settled = lost.and(copied.settled).and(settled);
        Ok(Outcome { uncopied: copied.uncopied, ..Outcome::of(settled, removal, from) })
    }

    async fn move_at_once<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        target: &Mailbox,
    ) -> Result<Arrivals, MailError> {
        let Some(set) = uids(entry) else { return Ok(Arrivals::default()) };
        let command = Command::uid_move(&set, &self.named(&target.path))?;
        let answer = self.run_all(host, vec![command], "move messages").await?;
        accepted(&answer, "move messages")?;
        let (uid_validity, pairs) = copied(&answer, entry.task.items());
        self.complete(host, entry.task.items(), target, uid_validity, &pairs, (0, 1)).await
    }

    /// Has the copies made, or finds those that were made before the connection broke. Messages
    /// that were not copied leave the entry.
    async fn copy<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        from: MailboxId,
        target: &Mailbox,
    ) -> Result<(Arrivals, Outcome), MailError> {
        let step = match &entry.task {
            Task::Transfer { step, .. } => step.clone(),
            _ => Step::Begun,
        };
        let mut found = Arrivals::default();
        match step {
            Step::Copied { uid_validity, uids, .. } => {
                let arrivals = Arrivals { uid_validity, uids };
                return self.copies_are_there(host, entry, from, arrivals, false).await;
            }
            Step::Begun => {
                let (uid_validity, uid_next) = self.counters(host, target).await?;
                set_step(entry, Step::Copying { uid_validity, uid_next });
                changes::learn(host, entry).await?;
            }
            Step::Copying { uid_validity, uid_next } => {
                let originals = self.as_told(host, entry.task.items()).await?;
                let selected = self.select(host, target).await?;
                let since = since(&selected, (uid_validity, uid_next));
                let others = BTreeSet::new();
                found.uids = self.find_arrivals(host, &originals, since, &others, false).await?;
                found.uid_validity = selected.uid_validity;
            }
        }
        let is_missing = |index: &usize| found.uids.get(*index).is_none_or(|uid| *uid == 0);
        let items = entry.task.items();
        let missing: Vec<usize> = (0..items.len()).filter(is_missing).collect();
        let missing_uids = missing.iter().map(|index| items[*index].uid);
        let Some(set) = postern_imap::SequenceSet::from_numbers(missing_uids) else {
            return self.copies_are_there(host, entry, from, found, false).await;
        };
        let source = record::mailbox(host.store(), from).await.map_err(gone)?;
        if self.selected.as_ref().is_none_or(|selected| selected.mailbox != from) {
            self.select(host, &source).await?;
        }
        let command = Command::uid_copy(&set, &self.named(&target.path))?;
        let answer = self.run_all(host, vec![command], "copy messages").await?;
        accepted(&answer, "copy messages")?;
        let (uid_validity, mut pairs) = copied(&answer, items);
        let is_told = !pairs.is_empty();
        let known = items.iter().zip(&found.uids).filter(|(_, uid)| **uid != 0);
        pairs.extend(known.map(|(item, uid)| (item.uid, *uid)));
        let noted = match entry.task {
            Task::Transfer { step: Step::Copying { uid_validity, uid_next }, .. } => {
                (uid_validity, uid_next)
            }
            _ => (0, 1),
        };
        let is_named = |item: &Item| pairs.contains_key(&item.uid);
        let originals = match items.iter().all(is_named) {
            true => items.to_vec(),
            false => self.as_told(host, items).await?,
        };
        let mut arrivals =
            self.complete(host, &originals, target, uid_validity, &pairs, noted).await?;
        if ![0, arrivals.uid_validity].contains(&found.uid_validity) {
            arrivals.uid_validity = 0;
        }
        self.copies_are_there(host, entry, from, arrivals, is_told).await
    }

    /// Writes down which copies are there. A message without one does not go on; if it is to stay
    /// where it was anyway, only where the server `is_told` to have named the copies of the others.
    /// One that is not there any more, as another program has deleted it, is lost to the entry
    /// before that is written: if it breaks off in between, the copies are looked for again.
    async fn copies_are_there<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        from: MailboxId,
        mut arrivals: Arrivals,
        is_told: bool,
    ) -> Result<(Arrivals, Outcome), MailError> {
        let Task::Transfer { to, copy, step, .. } = entry.task.clone() else {
            return Ok((arrivals, Outcome::default()));
        };
        let mut settled = Settled::default();
        let mut left = BTreeSet::new();
        if is_told || !copy {
            left = uncopied(entry, &arrivals);
            if matches!(step, Step::Copying { .. }) && !left.is_empty() {
                let gone = self.gone_from(host, entry, from, &left).await?;
                if !gone.is_empty() {
                    settled = changes::drop_items(host, entry, &gone, &BTreeSet::new()).await?;
                    let mut index = 0..;
                    let uids = &mut arrivals.uids;
                    uids.retain(|_| index.next().is_none_or(|index| !gone.contains(&index)));
                    left = uncopied(entry, &arrivals);
                }
            }
            arrivals.uids.retain(|uid| *uid != 0);
        }
        let mut back = Settled::default();
        if let Step::Copied { left: before @ 1.., .. } = step {
            // They came back before it broke off, and nobody was told.
            back = Settled::untold([from, to], before);
        }
        let Arrivals { uid_validity, uids } = arrivals.clone();
        let count = u32::try_from(left.len()).unwrap_or(u32::MAX).saturating_add(back.left);
        set_step(entry, Step::Copied { uid_validity, uids, left: count });
        let back = back.and(changes::learn_left(host, entry, &left).await?);
        let uncopied = back.left;
        Ok((arrivals, Outcome { uncopied, ..settled.and(back).into() }))
    }

    /// Which of some of an entry's items, by their index, are not in the mailbox any more. If the
    /// server does not tell, all of them are there.
    async fn gone_from<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        from: MailboxId,
        indexes: &BTreeSet<usize>,
    ) -> Result<BTreeSet<usize>, MailError> {
        let source = record::mailbox(host.store(), from).await.map_err(gone)?;
        let uid_validity = self.open(host, &source, None).await?.uid_validity;
        let items = entry.task.items();
        let uids = indexes.iter().map(|index| items[*index].uid);
        let (Some(first), Some(last)) = (uids.clone().min(), uids.max()) else {
            return Ok(BTreeSet::new());
        };
        let Some(present) = self.present_in(host, first..=last).await? else {
            return Ok(BTreeSet::new());
        };
        let is_gone = |item: &Item| {
            item.uid_validity == uid_validity && present.binary_search(&item.uid).is_err()
        };
        Ok(indexes.iter().copied().filter(|index| is_gone(&items[*index])).collect())
    }

    /// Removes messages where they were, after they were copied. Those that are not there any more
    /// need not be removed.
    async fn remove_copied<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        from: MailboxId,
    ) -> Result<Removal, MailError> {
        let mut rest = entry.clone();
        let source = record::mailbox(host.store(), from).await.map_err(gone)?;
        let selected = self.open_with(host, &source, entry.task.items()).await?;
        let strangers = self.strangers(host, &source, entry.task.items()).await?;
        let stale = |item: &Item| {
            item.uid_validity != selected.uid_validity || strangers.contains(&item.uid)
        };
        if let Task::Transfer { items, .. } = &mut rest.task {
            for item in items.iter_mut().filter(|item| stale(item)) {
                item.uid = self.find_one(host, item).await?.uid().unwrap_or(0);
            }
            items.retain(|item| item.uid != 0);
        }
        self.remove(host, &rest).await
    }

    /// UIDs of arrivals that COPYUID did not tell are looked for, among what came since these
    /// counters of the target were `noted`. The server has said that they came: if it refuses to
    /// tell more, they are not known, and the target is asked for.
    async fn complete<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        items: &[Item],
        target: &Mailbox,
        uid_validity: u32,
        pairs: &BTreeMap<u32, u32>,
        noted: (u32, u32),
    ) -> Result<Arrivals, MailError> {
        let told = |item: &Item| pairs.get(&item.uid).copied().unwrap_or(0);
        let missing: Vec<Item> = items.iter().filter(|item| told(item) == 0).cloned().collect();
        if missing.is_empty() {
            return Ok(Arrivals { uid_validity, uids: items.iter().map(told).collect() });
        }
        let others = pairs.values().copied().collect();
        let found = match self.look_for(host, &missing, target, noted, &others).await {
            Err(error) if self.is_refusal(&error) => Arrivals { uid_validity, uids: Vec::new() },
            found => found?,
        };
        let mut looked_for = found.uids.into_iter();
        let uids = items.iter().map(|item| match told(item) {
            0 => looked_for.next().unwrap_or(0),
            uid => uid,
        });
        // UIDs of two kinds mean nothing, but that the copies are there.
        let is_same = [0, found.uid_validity].contains(&uid_validity);
        let uid_validity = if is_same { found.uid_validity } else { 0 };
        Ok(Arrivals { uid_validity, uids: uids.collect() })
    }

    /// Looks in a mailbox for messages that have come into it since these counters of it were
    /// `noted`.
    async fn look_for<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        items: &[Item],
        target: &Mailbox,
        noted: (u32, u32),
        others: &BTreeSet<u32>,
    ) -> Result<Arrivals, MailError> {
        let selected = self.select(host, target).await?;
        let since = since(&selected, noted);
        let uids = self.find_arrivals(host, items, since, others, true).await?;
        Ok(Arrivals { uid_validity: selected.uid_validity, uids })
    }

    /// Whether an error says no more than that the server does not tell what it was asked.
    pub(super) fn is_refusal(&self, error: &MailError) -> bool {
        match error {
            MailError::Refused { .. }
            | MailError::Denied { .. }
            | MailError::Unsupported(_)
            | MailError::Input(_) => true,
            MailError::Protocol(_) => !self.connection.session.is_busy(),
            _ => false,
        }
    }

    /// UIDVALIDITY and UIDNEXT of a mailbox that need not be open.
    async fn counters<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<(u32, u32), MailError> {
        let command = Command::status(&self.named(&mailbox.path))?;
        let answer = self.run(host, command, "count the messages").await?;
        let told = answer.responses.iter().find_map(|response| match response {
            Response::MailboxStatus(status) => Some(status),
            _ => None,
        });
        let (validity, next) = told.map(|own| (own.uid_validity, own.uid_next)).unwrap_or_default();
        Ok((validity.unwrap_or(0), next.unwrap_or(1)))
    }
}

/// The first UID of what has come into a mailbox since its UIDVALIDITY and UIDNEXT were noted; 1 if
/// they mean nothing any more.
fn since(selected: &Selected, (uid_validity, uid_next): (u32, u32)) -> u32 {
    if selected.uid_validity == uid_validity { uid_next } else { 1 }
}

/// Which of an entry's items, by their index, have become no copy.
fn uncopied(entry: &Entry, arrivals: &Arrivals) -> BTreeSet<usize> {
    let is_copied = |index: &usize| arrivals.uids.get(*index).is_some_and(|uid| *uid != 0);
    (0..entry.task.items().len()).filter(|index| !is_copied(index)).collect()
}

fn set_step(entry: &mut Entry, to: Step) {
    if let Task::Transfer { step, .. } = &mut entry.task {
        *step = to;
    }
}

/// What the server says to a command that was run with others, as a result.
pub(super) fn accepted(answer: &Answer, what: &'static str) -> Result<(), MailError> {
    answer.ends.iter().find_map(|end| refusal(what, end)).map_or(Ok(()), Err)
}

/// Which UIDs of these messages became which, as COPYUID tells: several times at some servers, but
/// no more than [`limits::MESSAGES`] in all.
fn copied(answer: &Answer, items: &[Item]) -> (u32, BTreeMap<u32, u32>) {
    let asked: BTreeSet<u32> = items.iter().map(|item| item.uid).collect();
    let mut pairs = BTreeMap::new();
    let mut validity = 0;
    let mut left = limits::MESSAGES;
    for code in answer.codes() {
        let Code::CopyUid(copied) = code else { continue };
        let Some(rest) = left.checked_sub(copied.count()) else { break };
        left = rest;
        let known = pairs.len();
        pairs.extend(copied.pairs().filter(|(uid, _)| asked.contains(uid)));
        if pairs.len() > known {
            validity = copied.uid_validity;
        }
    }
    (validity, pairs)
}
