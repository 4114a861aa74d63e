//! What pages search for.
//!
//! A search first looks at what is stored of each message, then into the stored texts, and meanwhile
//! has the server look. Whatever is found is shown at once. A page has one search at a time; a new
//! one, or a mailbox that is opened, ends it, and the server is asked no more.

use std::collections::{HashMap, HashSet};

use futures_channel::mpsc;
use futures_util::{
    StreamExt,
    future::{AbortHandle, abortable, join},
};
use postern_bridge::{
    Change as Wanted, ClientId, MailboxId, MessageId, Moved, Problem, ProblemKind, Protocol, Role,
    SearchScope, SearchState, SearchView, Selection,
};

use super::{Client, lanes::Searching, lists::Window};
use crate::{
    Host, MailError, Store,
    imap::{self, ListChange},
    record::{self, Account, Mailbox, Place},
    search::{self, Query, Scan},
    store::{KeyRange, StoreError, Table},
};

/// Milliseconds between two times that a page is told of more that was found.
const TELL_EVERY: i64 = 150;

/// A page's search, and what it has found so far. Dropping it stops it.
pub(super) struct Search {
    request: u32,
    /// Oldest first.
    found: Vec<Hit>,
    /// Mailboxes whose rows name the recipients.
    sent: HashSet<MailboxId>,
    /// What the server has found and the next sync will store.
    awaited: HashSet<MessageId>,
    /// What was found and has been moved away since, by where it is now: it may come back.
    away: HashMap<MessageId, Hit>,
    state: SearchState,
    work: AbortHandle,
}

/// A message that was found; ordered as a list is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hit {
    arrived: i64,
    pub(super) id: MessageId,
}

/// What the lane for searching tells.
pub(super) enum Told {
    /// Something was found in a mailbox.
    Found(MailboxId, imap::Found),
    /// Something can't be searched on the server.
    Failed(MailError),
}

impl Drop for Search {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Hit {
    fn new(mailbox: MailboxId, Place { arrived, uid }: Place) -> Self {
        Self { arrived, id: MessageId { mailbox, uid } }
    }
}

impl Search {
    /// How many were found.
    pub(super) fn total(&self) -> usize {
        self.found.len()
    }

    /// What was found, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = MessageId> {
        self.found.iter().rev().map(|hit| hit.id)
    }

    /// Whether rows of a mailbox name the recipients.
    pub(super) fn names_recipients(&self, mailbox: MailboxId) -> bool {
        self.sent.contains(&mailbox)
    }

    /// As pages are told of it.
    pub(super) fn view(&self) -> SearchView {
        SearchView { request: self.request, state: self.state.clone() }
    }

    /// Whether anything was found in a mailbox, or is still to come from it.
    pub(super) fn touches(&self, mailbox: MailboxId) -> bool {
        let is_there = |id: &MessageId| id.mailbox == mailbox;
        self.found.iter().any(|hit| is_there(&hit.id)) || self.awaited.iter().any(is_there)
    }

    fn add(&mut self, hits: impl IntoIterator<Item = Hit>) {
        let before = self.found.len();
        self.found.extend(hits);
        if self.found.len() > before {
            // In runs that are sorted already, which this sort makes use of.
            self.found.sort();
            self.found.dedup();
        }
    }

    /// Follows a mailbox's list.
    fn follow(&mut self, mailbox: MailboxId, change: &ListChange) {
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
    fn follow_moved(&mut self, moved: &[Moved]) {
        for Moved { from, to } in moved {
            let at = self.found.iter().position(|hit| hit.id == *from);
            let hit = at.map(|at| self.found.remove(at)).or_else(|| self.away.remove(from));
            let Some(hit) = hit else { continue };
            if hit.id.mailbox == to.mailbox {
                self.add([Hit { id: *to, ..hit }]);
            } else {
                self.away.insert(*to, hit);
            }
        }
    }

    /// What a selection stands for, if it is one of what was found here.
    fn selected(&self, selection: &Selection) -> Option<Vec<MessageId>> {
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

impl<H: Host> Client<H> {
    /// Shows only messages that match, or the whole mailbox again if nothing is searched for.
    pub(super) async fn search_messages(
        &self,
        page: ClientId,
        request: u32,
        mailbox: MailboxId,
        scope: SearchScope,
        typed: &str,
    ) -> Result<(), MailError> {
        let query = Query::parse(typed);
        if query.is_empty() {
            self.inner.windows.borrow_mut().insert(page, Window::top(mailbox));
            return self.show_rows(page, mailbox, Window::FIRST_ROWS).await;
        }
        let (looking, work) = abortable(self.look(page, mailbox, scope, query));
        let search = Search {
            request,
            found: Vec::new(),
            sent: HashSet::new(),
            awaited: HashSet::new(),
            away: HashMap::new(),
            state: SearchState::Searching,
            work,
        };
        let window = Window { search: Some(search), ..Window::top(mailbox) };
        self.inner.windows.borrow_mut().insert(page, window);
        // Aborted, it is shown no more.
        looking.await.unwrap_or(Ok(()))
    }

    async fn look(
        &self,
        page: ClientId,
        mailbox: MailboxId,
        scope: SearchScope,
        query: Query,
    ) -> Result<(), MailError> {
        let account = self.account_of(mailbox).await?;
        let places = self.places_to_look(&account, mailbox, scope, &query).await?;
        let undecided = self.look_at_stored(page, &places).await?;
        let is_local = account.protocol == Protocol::Pop3;
        let offline = !self.inner.online.get();
        let mut left_out = None;
        if is_local || offline {
            self.look_inside(page, &undecided).await?;
        } else {
            let (looked, told) = join(
                self.look_inside(page, &undecided),
                self.look_on_server(page, &account, &places),
            )
            .await;
            looked?;
            left_out = told?;
        }
        let state = match left_out {
            _ if offline && !is_local => SearchState::Offline,
            Some(Problem { kind: ProblemKind::Offline, .. }) => SearchState::Offline,
            Some(problem) => SearchState::Partly(problem.sentence),
            None => SearchState::Whole,
        };
        self.change_search(page, |search| search.state = state);
        self.tell_rows(page).await
    }

    /// The mailboxes to search, the open one first, and what to look for in each.
    async fn places_to_look(
        &self,
        account: &Account,
        open: MailboxId,
        scope: SearchScope,
        query: &Query,
    ) -> Result<Vec<(Mailbox, Query)>, MailError> {
        let mut mailboxes = self.mailboxes(account.id).await?;
        let everywhere = scope == SearchScope::Account || query.names_mailboxes();
        mailboxes.retain(|own| own.selectable && (everywhere || own.id == open));
        mailboxes.sort_by_key(|own| own.id != open);
        let within = |own: Mailbox| Some((query.within(&own)?, own));
        Ok(mailboxes.into_iter().filter_map(within).map(|(query, own)| (own, query)).collect())
    }

    /// Finds what the records show; returns what depends on stored texts.
    async fn look_at_stored<'a>(
        &self,
        page: ClientId,
        places: &'a [(Mailbox, Query)],
    ) -> Result<Vec<(MessageId, &'a Query)>, MailError> {
        let sent = places.iter().map(|(own, _)| own).filter(|own| names_recipients(own));
        let sent: HashSet<_> = sent.map(|own| own.id).collect();
        self.change_search(page, |search| search.sent = sent);
        let mut undecided = Vec::new();
        let mut told = self.inner.host.now();
        for (own, query) in places {
            let mut scan = Scan::new(own.id);
            while let Some(seen) = scan.next(self.store(), query).await? {
                let hits = seen.found.into_iter().map(|place| Hit::new(own.id, place));
                self.change_search(page, |search| search.add(hits));
                let open = seen.undecided.into_iter().map(|place| Hit::new(own.id, place).id);
                undecided.extend(open.map(|id| (id, query)));
                if self.inner.host.now() - told >= TELL_EVERY {
                    self.tell_rows(page).await?;
                    told = self.inner.host.now();
                }
            }
        }
        self.tell_rows(page).await?;
        // The newest are looked into first.
        undecided.reverse();
        Ok(undecided)
    }

    /// Finds what the stored texts show.
    async fn look_inside(
        &self,
        page: ClientId,
        undecided: &[(MessageId, &Query)],
    ) -> Result<(), MailError> {
        let mut told = self.inner.host.now();
        let mut is_told = true;
        for (id, query) in undecided {
            if search::looks_inside(self.store(), *id, query).await? {
                self.add_stored(page, *id).await?;
                is_told = false;
            }
            if !is_told && self.inner.host.now() - told >= TELL_EVERY {
                self.tell_rows(page).await?;
                (told, is_told) = (self.inner.host.now(), true);
            }
        }
        Ok(())
    }

    async fn add_stored(&self, page: ClientId, id: MessageId) -> Result<(), MailError> {
        let found: Option<record::Message> =
            record::get(self.store(), &record::message_key(id)).await?;
        if let Some(message) = found {
            let hit = Hit::new(id.mailbox, message.place());
            self.change_search(page, |search| search.add([hit]));
        }
        Ok(())
    }

    /// Finds what the server finds; the first thing that kept it from looking, if anything did.
    async fn look_on_server(
        &self,
        page: ClientId,
        account: &Account,
        places: &[(Mailbox, Query)],
    ) -> Result<Option<Problem>, MailError> {
        let (told, mut hears) = mpsc::unbounded();
        let places = places.iter().map(|(own, query)| (own.id, query.clone())).collect();
        self.queue_search(account.id, Searching { places, told });
        let mut problem = None;
        while let Some(told) = hears.next().await {
            match told {
                Told::Found(mailbox, found) => {
                    let awaited: Vec<MessageId> =
                        found.awaited.iter().map(|uid| MessageId { mailbox, uid: *uid }).collect();
                    if !awaited.is_empty() {
                        self.ask_for(account.id, mailbox);
                    }
                    let hits = found.places.into_iter().map(|place| Hit::new(mailbox, place));
                    self.change_search(page, |search| {
                        search.add(hits);
                        search.awaited.extend(awaited);
                    });
                    self.tell_rows(page).await?;
                }
                Told::Failed(error) => {
                    problem.get_or_insert_with(|| self.problem(account.id, &error));
                }
            }
        }
        Ok(problem)
    }

    fn change_search(&self, page: ClientId, change: impl FnOnce(&mut Search)) {
        let mut windows = self.inner.windows.borrow_mut();
        if let Some(search) = windows.get_mut(&page).and_then(|window| window.search.as_mut()) {
            change(search);
        }
    }

    fn change_searches(&self, mut change: impl FnMut(&mut Search)) {
        let mut windows = self.inner.windows.borrow_mut();
        windows.values_mut().filter_map(|window| window.search.as_mut()).for_each(&mut change);
    }

    /// What was found follows a mailbox's list.
    pub(super) fn searches_follow(&self, mailbox: MailboxId, changed: &ListChange) {
        self.change_searches(|search| search.follow(mailbox, changed));
    }

    /// What was found follows messages that have another place or number.
    pub(super) fn searches_follow_moved(&self, moved: &[Moved]) {
        self.change_searches(|search| search.follow_moved(moved));
    }

    /// Which messages a mailbox has may have changed: what is no longer there is found no more.
    pub(super) async fn searches_look_again(&self, mailbox: MailboxId) -> Result<(), StoreError> {
        let mut touched = false;
        self.change_searches(|search| touched |= search.touches(mailbox));
        if !touched {
            return Ok(());
        }
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let keys = self.store().keys(Table::Arrival, &range).await?;
        let there: HashSet<MessageId> =
            keys.iter().map(record::arrived_message).collect::<Result<_, _>>()?;
        self.change_searches(|search| {
            search.found.retain(|hit| hit.id.mailbox != mailbox || there.contains(&hit.id));
        });
        Ok(())
    }

    /// Names the messages that a change of what the page's search has found is about.
    pub(super) fn name_found(&self, page: ClientId, change: &mut Wanted) -> Result<(), MailError> {
        let Some(messages) = change.messages_mut() else { return Ok(()) };
        if !matches!(messages, Selection::FoundBetween { .. } | Selection::FoundBut { .. }) {
            return Ok(());
        }
        let windows = self.inner.windows.borrow();
        let search = windows.get(&page).and_then(|window| window.search.as_ref());
        let found = search.and_then(|search| search.selected(messages));
        *messages = Selection::Messages(found.ok_or(MailError::Gone("search"))?);
        Ok(())
    }
}

/// Whether rows of a mailbox name the recipients.
pub(super) fn names_recipients(mailbox: &Mailbox) -> bool {
    matches!(mailbox.role, Some(Role::Sent | Role::Drafts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(mailbox: u32, uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(mailbox), uid }
    }

    fn search(found: &[(i64, u32, u32)]) -> Search {
        let mut search = Search {
            request: 7,
            found: Vec::new(),
            sent: HashSet::new(),
            awaited: HashSet::new(),
            away: HashMap::new(),
            state: SearchState::Searching,
            work: AbortHandle::new_pair().0,
        };
        let hit = |(arrived, mailbox, uid): &(i64, u32, u32)| Hit {
            arrived: *arrived,
            id: id(*mailbox, *uid),
        };
        search.add(found.iter().map(hit));
        search
    }

    fn shown(search: &Search) -> Vec<(u32, u32)> {
        search.newest_first().map(|id| (id.mailbox.0, id.uid)).collect()
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
