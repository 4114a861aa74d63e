//! The messages of a mailbox in their conversations, as far as they were read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use postern_bridge::{MailboxId, MessageId, Moved};

use super::{
    lines::{Line, Lines},
    row::Part,
};
use crate::{
    Store,
    record::{self, Message, Place},
    store::{Changed, StoreError},
    threads::{self, Conversations, limits},
};

/// What the messages of a mailbox, and of that for sent mail, say of their conversations.
#[derive(Default)]
pub(super) struct Threaded {
    pub(super) conversations: Conversations,
    /// What of each mailbox's list is among them, in its order.
    pub(super) read: BTreeMap<MailboxId, Vec<Place>>,
    /// Messages whose links an earlier version did not look for.
    pub(super) unlinked: Vec<MessageId>,
    /// Messages that were read and may have been written since.
    stale: BTreeSet<MessageId>,
    lines: Vec<Line>,
    /// Whether the lines are as they were.
    lines_hold: bool,
    /// Records of what is shown, as they are stored.
    records: HashMap<MessageId, Message>,
}

impl Threaded {
    /// Takes over what was written.
    pub(super) fn note(&mut self, changed: &Changed) {
        match changed {
            Changed::These(ids) => {
                let known = ids.iter().filter(|id| self.conversations.contains(**id));
                self.stale.extend(known);
                self.records.retain(|id, _| !ids.contains(id));
            }
            Changed::Any => {
                let read = self.read.iter().flat_map(|(mailbox, places)| {
                    places.iter().map(|place| MessageId { mailbox: *mailbox, uid: place.uid })
                });
                self.stale.extend(read);
                self.records.clear();
                self.unlinked.clear();
            }
        }
    }

    /// Reads again what may have been written, a piece of it; whether that was all.
    pub(super) async fn read_again(&mut self, store: &impl Store) -> Result<bool, StoreError> {
        let ids: Vec<MessageId> = self.stale.iter().rev().take(limits::PIECE).copied().collect();
        if !ids.is_empty() {
            let read = threads::read(store, &ids, &mut self.conversations).await?;
            self.take(read);
            for id in &ids {
                self.stale.remove(id);
            }
        }
        Ok(self.stale.is_empty())
    }

    /// Takes over how a list differs from what was read of it.
    pub(super) async fn take_in(
        &mut self,
        store: &impl Store,
        source: MailboxId,
        difference: Difference,
    ) -> Result<(), StoreError> {
        let Difference { gone, new, .. } = difference;
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        self.lines_hold = false;
        let ids = |places: &[Place]| -> Vec<MessageId> {
            places.iter().map(|place| MessageId { mailbox: source, uid: place.uid }).collect()
        };
        let left = ids(&gone);
        self.conversations.remove(&left);
        for id in &left {
            self.stale.remove(id);
            self.records.remove(id);
        }
        let read = threads::read(store, &ids(&new), &mut self.conversations).await?;
        self.take(read);
        let known = self.read.entry(source).or_default();
        known.retain(|place| gone.binary_search(place).is_err());
        known.extend(new);
        // In runs that are sorted already, which this sort makes use of.
        known.sort();
        Ok(())
    }

    fn take(&mut self, read: threads::Read) {
        self.unlinked.extend(read.unlinked);
        self.lines_hold &= !read.regrouped;
    }

    /// Brings the lines up to date; returns what goes by another key now.
    pub(super) fn follow(
        &mut self,
        mailbox: MailboxId,
        current: impl Fn(MessageId) -> MessageId,
    ) -> Vec<Moved> {
        if std::mem::replace(&mut self.lines_hold, true) {
            return Vec::new();
        }
        let now = Lines::follow(&self.lines, &self.conversations, mailbox, current);
        self.lines = now.lines;
        now.rekeyed
    }

    /// The lines, oldest first, as they were when they were followed.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The line of a message's conversation.
    pub(super) fn line_of(&self, id: MessageId) -> Option<usize> {
        let group = self.conversations.group(id)?;
        self.lines.iter().rposition(|own| self.conversations.group(own.head.id) == Some(group))
    }

    /// What a row is made of.
    pub(super) fn part(&self, mailbox: MailboxId, line: Line) -> Part {
        let head = line.head.id;
        let sum = self.conversations.sum(head, mailbox);
        Part { head, key: line.key, awaited: self.conversations.awaited(head), sum }
    }

    /// The records of messages, by what is held of them and what is read from the store; without those
    /// that have gone or can't be read.
    pub(super) async fn records(
        &mut self,
        store: &impl Store,
        ids: &[MessageId],
    ) -> Result<&HashMap<MessageId, Message>, StoreError> {
        let missing: Vec<MessageId> =
            ids.iter().filter(|id| !self.records.contains_key(id)).copied().collect();
        if !missing.is_empty() {
            let keys: Vec<_> = missing.iter().map(|id| record::message_key(*id)).collect();
            let read = record::get_many_readable::<Message>(store, &keys).await?;
            self.records.extend(read.into_iter().flatten().map(|own| (own.id, own)));
        }
        if self.records.len() > limits::HELD {
            let used: HashSet<&MessageId> = ids.iter().collect();
            self.records.retain(|id, _| used.contains(id));
        }
        Ok(&self.records)
    }

    /// All messages of these messages' conversations that are listed in a mailbox, each once.
    pub(super) fn all_of(
        &self,
        mailbox: MailboxId,
        ids: &[MessageId],
        current: impl Fn(MessageId) -> MessageId,
    ) -> Vec<MessageId> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for id in ids {
            let messages = self.conversations.of(current(*id)).into_iter().map(|own| own.id);
            let listed: Vec<_> = messages.filter(|own| own.mailbox == mailbox).collect();
            // One that has left speaks for itself, and as what the page saw: where it is by now may
            // be a place where the same change means something else.
            let named = if listed.is_empty() { vec![*id] } else { listed };
            all.extend(named.into_iter().filter(|own| seen.insert(*own)));
        }
        all
    }

    /// All listed messages of the conversations from one to another, as they stood when those were
    /// the newest of theirs: what has come since leads to no others.
    pub(super) fn between(
        &self,
        mailbox: MailboxId,
        one: MessageId,
        other: MessageId,
    ) -> Option<Vec<MessageId>> {
        let own = |id: MessageId| self.conversations.of(id).into_iter().find(|own| own.id == id);
        let (one, other) = (own(one)?, own(other)?);
        let (low, high) = (one.min(other), one.max(other));
        let start = self.lines.partition_point(|line| line.head < low);
        let end = self.lines.partition_point(|line| line.head <= high);
        let between = self.lines[start..end].iter().map(|line| line.head.id);
        let between: Vec<MessageId> = between.chain([low.id, high.id]).collect();
        Some(self.all_of(mailbox, &between, |id| id))
    }

    /// The UIDs of all that is listed in a mailbox, oldest first, and which of them are of these
    /// messages' conversations: both as they are at this moment.
    pub(super) fn all_and_those(
        &self,
        mailbox: MailboxId,
        ids: &[MessageId],
        current: impl Fn(MessageId) -> MessageId,
    ) -> (Vec<u32>, HashSet<u32>) {
        let listed = self.read.get(&mailbox).map(Vec::as_slice).unwrap_or_default();
        let all: Vec<u32> = listed.iter().map(|place| place.uid).collect();
        let groups: HashSet<u32> =
            ids.iter().filter_map(|id| self.conversations.group(current(*id))).collect();
        let group = |uid: u32| self.conversations.group(MessageId { mailbox, uid });
        let is_one = |uid: &u32| group(*uid).is_none_or(|own| groups.contains(&own));
        let those = all.iter().copied().filter(is_one).collect();
        (all, those)
    }
}

/// How a list differs from what was read of it.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Difference {
    /// What is listed no more, in order.
    pub(super) gone: Vec<Place>,
    /// What was not read yet: the newest of it, in order.
    pub(super) new: Vec<Place>,
    /// Whether it is all of it.
    pub(super) is_all: bool,
}

/// Compares two lists, each in order.
pub(super) fn difference(read: &[Place], listed: &[Place]) -> Difference {
    let mut difference = Difference { is_all: true, ..Difference::default() };
    let mut read = read.iter().rev().peekable();
    for place in listed.iter().rev() {
        while let Some(gone) = read.next_if(|own| *own > place) {
            difference.gone.push(*gone);
        }
        if read.next_if_eq(&place).is_some() {
            continue;
        }
        if difference.new.len() < limits::PIECE {
            difference.new.push(*place);
        } else {
            difference.is_all = false;
        }
    }
    difference.gone.extend(read);
    difference.gone.reverse();
    difference.new.reverse();
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAILBOX: MailboxId = MailboxId(1);

    fn places(uids: impl IntoIterator<Item = u32>) -> Vec<Place> {
        uids.into_iter().map(|uid| Place { arrived: 7, uid }).collect()
    }

    #[test]
    fn a_list_is_read_newest_first_in_pieces_and_followed() {
        let piece = u32::try_from(limits::PIECE).unwrap();
        let all = places(1..=piece + 2);
        let first = difference(&[], &all);
        assert_eq!((first.new.len(), first.new[0].uid, first.is_all), (limits::PIECE, 3, false));
        let rest = difference(&first.new, &all);
        assert_eq!((rest.new, rest.is_all), (places([1, 2]), true));
        let changed = difference(&places([2, 4, 6, 8]), &places([1, 2, 3, 6]));
        let expected = Difference { gone: places([4, 8]), new: places([1, 3]), is_all: true };
        assert_eq!(changed, expected);
        assert_eq!(difference(&places([1]), &[]).gone, places([1]));
    }

    #[test]
    fn a_selection_of_rows_is_all_that_is_listed_of_their_conversations() {
        let mut threaded = Threaded::default();
        let id = |mailbox, uid| MessageId { mailbox: MailboxId(mailbox), uid };
        for (mailbox, uid, own, references) in [
            (1, 1, "a@x", vec![]),
            (1, 2, "b@x", vec![]),
            (1, 3, "c@x", vec!["a@x"]),
            (2, 4, "d@x", vec!["a@x"]),
            (1, 5, "e@x", vec![]),
        ] {
            let arrived = i64::from(uid);
            let clue = threads::Clue { message_id: own, references, arrived, ..Default::default() };
            threaded.conversations.add(id(mailbox, uid), &clue);
            threaded.read.entry(MailboxId(mailbox)).or_default().push(Place { arrived, uid });
        }
        threaded.follow(MAILBOX, |id| id);
        let trash = id(7, 1);
        let now = |own: MessageId| if own == id(1, 9) { trash } else { own };
        let named = threaded.all_of(MAILBOX, &[id(1, 3), id(1, 9)], now);
        assert_eq!(named, [id(1, 1), id(1, 3), id(1, 9)], "what has left is named as it was seen");
        let between = threaded.between(MAILBOX, id(1, 5), id(1, 3)).unwrap();
        assert_eq!(between, [id(1, 1), id(1, 3), id(1, 5)]);
        // Before the third came, the rows were 5, 2 and 1: it leads to no other rows than those.
        let between = threaded.between(MAILBOX, id(1, 2), id(1, 1)).unwrap();
        assert_eq!(between, [id(1, 2), id(1, 1), id(1, 3)]);
        assert_eq!(threaded.between(MAILBOX, id(1, 9), id(1, 1)), None);
        let (all, those) = threaded.all_and_those(MAILBOX, &[id(1, 1)], now);
        assert_eq!((all, those), (vec![1, 2, 3, 5], [1, 3].into()));
        // What is in no conversation yet is left out as well: who knows which one it will be in.
        threaded.read.entry(MAILBOX).or_default().push(Place { arrived: 9, uid: 9 });
        let (all, those) = threaded.all_and_those(MAILBOX, &[id(2, 4)], now);
        assert_eq!((all, those), (vec![1, 2, 3, 5, 9], [1, 3, 9].into()));
    }
}
