//! The messages of a mailbox in their conversations, as far as they were read.

use std::collections::{BTreeMap, HashSet};

use postern_bridge::{MailboxId, MessageId};

use super::row::Part;
use crate::{
    Store,
    record::Place,
    store::StoreError,
    threads::{self, Conversations, Head, limits},
};

/// What the messages of a mailbox, and of that for sent mail, say of their conversations.
#[derive(Default)]
pub(super) struct Threaded {
    pub(super) conversations: Conversations,
    /// What of each mailbox's list is among them, in its order.
    pub(super) read: BTreeMap<MailboxId, Vec<Place>>,
    /// The newest listed message of each, oldest first; `None` after a change.
    pub(super) heads: Option<Vec<Head>>,
    /// Messages whose links an earlier version did not look for.
    pub(super) unlinked: Vec<MessageId>,
}

impl Threaded {
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
        self.heads = None;
        let ids = |places: &[Place]| -> Vec<MessageId> {
            places.iter().map(|place| MessageId { mailbox: source, uid: place.uid }).collect()
        };
        self.conversations.remove(&ids(&gone));
        let read = threads::read(store, &ids(&new), &mut self.conversations).await?;
        self.unlinked.extend(read.unlinked);
        let known = self.read.entry(source).or_default();
        known.retain(|place| gone.binary_search(place).is_err());
        known.extend(new);
        // In runs that are sorted already, which this sort makes use of.
        known.sort();
        Ok(())
    }

    /// The newest listed message of each conversation, oldest first.
    pub(super) fn heads(&mut self, mailbox: MailboxId) -> &[Head] {
        let Self { heads, conversations, .. } = self;
        heads.get_or_insert_with(|| conversations.heads(mailbox))
    }

    /// What a row is made of.
    pub(super) fn part(&self, head: MessageId) -> Part {
        let messages = self.conversations.of(head);
        let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let messages_in_all = count.saturating_add(self.conversations.awaited(head));
        let from = messages.len().saturating_sub(limits::SUMMED);
        let first = messages[..from.min(1)].iter();
        let mut read: Vec<MessageId> =
            first.chain(&messages[from..]).map(|message| message.id).collect();
        if !read.contains(&head) {
            read.push(head);
        }
        Part { head, messages: messages_in_all, read }
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
        &mut self,
        mailbox: MailboxId,
        one: MessageId,
        other: MessageId,
    ) -> Option<Vec<MessageId>> {
        let own = |id: MessageId| self.conversations.of(id).into_iter().find(|own| own.id == id);
        let (one, other) = (own(one)?, own(other)?);
        let (low, high) = (one.min(other), one.max(other));
        let heads = self.heads(mailbox);
        let start = heads.partition_point(|head| *head < low);
        let end = heads.partition_point(|head| *head <= high);
        let between = heads[start..end].iter().map(|head| head.id);
        let between: Vec<MessageId> = between.chain([low.id, high.id]).collect();
        Some(self.all_of(mailbox, &between, |id| id))
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
            (1, 1, "a", vec![]),
            (1, 2, "b", vec![]),
            (1, 3, "c", vec!["a"]),
            (2, 4, "d", vec!["a"]),
            (1, 5, "e", vec![]),
        ] {
            let arrived = i64::from(uid);
            let clue = threads::Clue { message_id: own, references, arrived, ..Default::default() };
            threaded.conversations.add(id(mailbox, uid), &clue);
        }
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
    }
}
