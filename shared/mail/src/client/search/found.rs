//! What one search has found so far, and how that follows what becomes of it. Pure.

use std::collections::{HashMap, HashSet};

use futures_util::future::AbortHandle;
use postern_bridge::{MailboxId, MessageId, Moved, SearchState, SearchView, Selection};

use crate::{imap::ListChange, record::Place};

/// A page's search, and what it has found so far. Dropping it stops it.
pub(in crate::client) struct Search {
    request: u32,
    /// Oldest first.
    found: Vec<Hit>,
    /// Mailboxes whose rows name the recipients.
    pub(super) sent: HashSet<MailboxId>,
    /// What the server has found and the next sync will store.
    pub(super) awaited: HashSet<MessageId>,
    /// What was found and has been moved away since, by where it is now: it may come back.
    away: HashMap<MessageId, Hit>,
    pub(super) state: SearchState,
    work: AbortHandle,
}

/// A message that was found; ordered as a list is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hit {
    arrived: i64,
    pub(super) id: MessageId,
}

impl Drop for Search {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Hit {
    pub(super) fn new(mailbox: MailboxId, Place { arrived, uid }: Place) -> Self {
        Self { arrived, id: MessageId { mailbox, uid } }
    }
}

impl Search {
    /// A search that has found nothing yet; dropping it stops the work.
    pub(super) fn new(request: u32, work: AbortHandle) -> Self {
        Self {
            request,
            found: Vec::new(),
            sent: HashSet::new(),
            awaited: HashSet::new(),
            away: HashMap::new(),
            state: SearchState::Searching,
            work,
        }
    }

    /// Only what is there stays found of a mailbox.
    pub(super) fn keep(&mut self, mailbox: MailboxId, there: &HashSet<MessageId>) {
        self.found.retain(|hit| hit.id.mailbox != mailbox || there.contains(&hit.id));
    }

    /// How many were found.
    pub(in crate::client) fn total(&self) -> usize {
        self.found.len()
    }

    /// What was found, newest first, and when each arrived.
    pub(in crate::client) fn newest_first(&self) -> impl Iterator<Item = (MessageId, i64)> {
        self.found.iter().rev().map(|hit| (hit.id, hit.arrived))
    }

    /// Whether rows of a mailbox name the recipients.
    pub(in crate::client) fn names_recipients(&self, mailbox: MailboxId) -> bool {
        self.sent.contains(&mailbox)
    }

    /// As pages are told of it.
    pub(in crate::client) fn view(&self) -> SearchView {
        SearchView { request: self.request, state: self.state.clone() }
    }

    /// Whether anything was found in a mailbox, or is still to come from it.
    pub(in crate::client) fn touches(&self, mailbox: MailboxId) -> bool {
        let is_there = |id: &MessageId| id.mailbox == mailbox;
        self.found.iter().any(|hit| is_there(&hit.id)) || self.awaited.iter().any(is_there)
    }

    pub(super) fn add(&mut self, hits: impl IntoIterator<Item = Hit>) {
        let before = self.found.len();
        self.found.extend(hits);
        if self.found.len() > before {
            // In runs that are sorted already, which this sort makes use of.
            self.found.sort();
            self.found.dedup();
        }
    }

    /// Follows a mailbox's list.
    pub(super) fn follow(&mut self, mailbox: MailboxId, change: &ListChange) {
        if change.cleared {
            self.found.retain(|hit| hit.id.mailbox != mailbox);
        }
        if !change.removed.is_empty() {
            let removed: HashSet<u32> = change.removed.iter().map(|place| place.uid).collect();
            self.found.retain(|hit| hit.id.mailbox != mailbox || !removed.contains(&hit.id.uid));
        }
        let mut came = Vec::new();
        for place in &change.added {
            let hit = Hit::new(mailbox, *place);
            if self.awaited.remove(&hit.id) {
                came.push(hit);
            }
        }
        self.add(came);
    }

    /// Follows messages that have another place or number now. Who leaves the mailbox in which it was
    /// found is found no more, until it comes back.
    pub(super) fn follow_moved(&mut self, moved: &[Moved]) {
        let from: HashSet<MessageId> = moved.iter().map(|step| step.from).collect();
        let gone = self.found.extract_if(.., |hit| from.contains(&hit.id));
        // What stays found, by where it is.
        let mut stay: HashMap<MessageId, Hit> = gone.map(|hit| (hit.id, hit)).collect();
        for Moved { from, to } in moved {
            let Some(hit) = stay.remove(from).or_else(|| self.away.remove(from)) else { continue };
            if hit.id.mailbox == to.mailbox {
                stay.insert(*to, Hit { id: *to, ..hit });
            } else {
                self.away.insert(*to, hit);
            }
        }
        self.add(stay.into_values());
    }

    /// What a selection stands for, if it is one of what was found here.
    pub(in crate::client) fn selected(&self, selection: &Selection) -> Option<Vec<MessageId>> {
        match selection {
            Selection::FoundBetween { search, one, other } if *search == self.request => {
                let place = |id| self.found.iter().position(|hit| hit.id == id);
                let (one, other) = place(*one).zip(place(*other))?;
                let between = &self.found[one.min(other)..=one.max(other)];
                Some(between.iter().map(|hit| hit.id).collect())
            }
            Selection::FoundBut { search, except, .. } if *search == self.request => {
                let except: HashSet<&MessageId> = except.iter().collect();
                let ids = self.found.iter().map(|hit| hit.id);
                Some(ids.filter(|id| !except.contains(id)).collect())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(mailbox: u32, uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(mailbox), uid }
    }

    fn search(found: &[(i64, u32, u32)]) -> Search {
        let mut search = Search::new(7, AbortHandle::new_pair().0);
        let hit = |(arrived, mailbox, uid): &(i64, u32, u32)| Hit {
            arrived: *arrived,
            id: id(*mailbox, *uid),
        };
        search.add(found.iter().map(hit));
        search
    }

    fn shown(search: &Search) -> Vec<(u32, u32)> {
        search.newest_first().map(|(id, _)| (id.mailbox.0, id.uid)).collect()
    }

    #[test]
    fn what_is_found_twice_is_shown_once_newest_first() {
        let search = search(&[(5, 1, 9), (7, 2, 1), (5, 1, 9), (5, 2, 9)]);
        assert_eq!(shown(&search), [(2, 1), (2, 9), (1, 9)]);
    }

    #[test]
    fn a_message_that_is_moved_away_is_found_again_when_it_comes_back() {
        let mut search = search(&[(5, 1, 9), (7, 1, 3)]);
        let step = |from, to| Moved { from, to };
        search.follow_moved(&[step(id(1, 9), id(4, 80))]);
        assert_eq!(shown(&search), [(1, 3)]);
        search.follow_moved(&[step(id(4, 80), id(4, 2))]);
        assert_eq!(shown(&search), [(1, 3)]);
        search.follow_moved(&[step(id(4, 2), id(1, 10))]);
        assert_eq!(shown(&search), [(1, 3), (1, 10)]);
        search.follow_moved(&[step(id(1, 3), id(1, 11))]);
        assert_eq!(shown(&search), [(1, 11), (1, 10)]);
    }

    #[test]
    fn what_the_server_found_is_shown_when_the_sync_stores_it() {
        let mut search = search(&[(5, 1, 9)]);
        search.awaited.insert(id(1, 12));
        let places = |places: &[(i64, u32)]| -> Vec<Place> {
            places.iter().map(|(arrived, uid)| Place { arrived: *arrived, uid: *uid }).collect()
        };
        let added = places(&[(8, 12), (9, 13)]);
        search.follow(MailboxId(1), &ListChange { added, ..ListChange::default() });
        assert_eq!(shown(&search), [(1, 12), (1, 9)]);
        let removed = places(&[(5, 9)]);
        search.follow(
            MailboxId(2),
            &ListChange { removed: removed.clone(), ..ListChange::default() },
        );
        assert_eq!(shown(&search), [(1, 12), (1, 9)]);
        search.follow(MailboxId(1), &ListChange { removed, ..ListChange::default() });
        assert_eq!(shown(&search), [(1, 12)]);
        search.follow(MailboxId(1), &ListChange { cleared: true, ..ListChange::default() });
        assert_eq!(shown(&search), []);
    }

    #[test]
    fn a_selection_of_another_search_selects_nothing() {
        let search = search(&[(5, 1, 9), (6, 2, 1), (7, 1, 3)]);
        let between = |search| Selection::FoundBetween { search, one: id(1, 3), other: id(2, 1) };
        let but =
            |search| Selection::FoundBut { search, mailbox: MailboxId(1), except: vec![id(2, 1)] };
        assert_eq!(search.selected(&between(7)), Some(vec![id(2, 1), id(1, 3)]));
        assert_eq!(search.selected(&but(7)), Some(vec![id(1, 9), id(1, 3)]));
        assert_eq!(search.selected(&between(6)), None);
        assert_eq!(search.selected(&but(8)), None);
    }
}
