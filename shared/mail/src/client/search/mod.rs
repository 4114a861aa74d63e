//! What pages search for.
//!
//! A search first looks at what is stored of each message, then into the stored texts, and meanwhile
//! has the server look. Whatever is found is shown at once. A page has one search at a time; a new
//! one, or a mailbox that is opened, ends it, and the server is asked no more.

mod found;
mod held;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_channel::mpsc;
use futures_util::{
    StreamExt,
    future::{abortable, join},
};
use postern_bridge::{
    ClientId, MailboxId, MessageId, Moved, ProblemKind, Protocol, Role, SearchScope, SearchState,
};

use self::found::Hit;
pub(super) use self::{found::Search, held::Held};
use super::{Client, lanes::Searching, lists::Window};
use crate::{
    Host, MailError, Store,
    imap::{self, ListChange},
    record::{self, Account, Mailbox},
    search::{self, Query, limits},
    store::{KeyRange, StoreError, Table},
};

/// Milliseconds between two times that a page is told of more that was found.
const TELL_EVERY: i64 = 150;
/// How long a server is not asked, in case that a person goes on typing.
const PAUSE: Duration = Duration::from_millis(250);

/// What the lane for searching tells.
pub(super) enum Told {
    /// Something was found in a mailbox.
    Found(MailboxId, imap::Found),
    /// The server has found more in a mailbox than is fetched.
    TooMany,
    /// Something can't be searched on the server.
    Failed(MailError),
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
        let search = Some(Search::new(request, work));
        let window = Window { search, ..Window::top(mailbox) };
        self.inner.windows.borrow_mut().insert(page, window);
        // Aborted, it is shown no more.
        let Ok(looked) = looking.await else { return Ok(()) };
        let state = match looked {
            Ok(state) => state,
            Err(error) => SearchState::Partly(error.problem("The mail server").sentence),
        };
        self.change_search(page, |search| search.state = state);
        self.tell_rows(page).await
    }

    /// Looks everywhere; returns whether that was all there is.
    async fn look(
        &self,
        page: ClientId,
        mailbox: MailboxId,
        scope: SearchScope,
        query: Query,
    ) -> Result<SearchState, MailError> {
        let account = self.account_of(mailbox).await?;
        let places = self.places_to_look(&account, mailbox, scope, &query).await?;
        let undecided = self.look_at_stored(page, &places).await?;
        if account.protocol == Protocol::Pop3 {
            self.look_inside(page, &undecided).await?;
            return Ok(SearchState::Whole);
        }
        if !self.inner.online.get() {
            self.look_inside(page, &undecided).await?;
            return Ok(SearchState::Offline);
        }
        let inside = self.look_inside(page, &undecided);
        let (inside, on_server) = join(inside, self.look_on_server(page, &account, &places)).await;
        inside?;
        on_server
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
        let mut hits = Vec::new();
        let mut told = self.inner.host.now();
        for (own, query) in places {
            let held = self.inner.held.borrow_mut().of(own.id);
            let mut held = held.lock().await;
            let mut looked_at = 0;
            loop {
                let seen = held.catalogue.look(looked_at..held.catalogue.len(), query);
                looked_at = held.catalogue.len();
                hits.extend(seen.found.into_iter().map(|place| Hit::new(own.id, place)));
                let open = seen.undecided.into_iter().map(|place| Hit::new(own.id, place).id);
                undecided.extend(open.map(|id| (id, query)));
                if self.inner.host.now() - told >= TELL_EVERY {
                    self.change_search(page, |search| search.add(hits.drain(..)));
                    self.tell_rows(page).await?;
                    told = self.inner.host.now();
                }
                if !held.read_on(self.store()).await? {
                    break;
                }
            }
        }
        self.change_search(page, |search| search.add(hits));
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
            if let Some(place) = search::looks_inside(self.store(), *id, query).await? {
                let hit = Hit::new(id.mailbox, place);
                self.change_search(page, |search| search.add([hit]));
                is_told = false;
            }
            if !is_told && self.inner.host.now() - told >= TELL_EVERY {
                self.tell_rows(page).await?;
                (told, is_told) = (self.inner.host.now(), true);
            }
        }
        Ok(())
    }

    /// Finds what the server finds; returns whether that is all, or what first kept it from that.
    async fn look_on_server(
        &self,
        page: ClientId,
        account: &Account,
        places: &[(Mailbox, Query)],
    ) -> Result<SearchState, MailError> {
        self.inner.host.sleep(PAUSE).await;
        let (told, mut hears) = mpsc::unbounded();
        let asked: HashMap<MailboxId, &Query> =
            places.iter().map(|(own, query)| (own.id, query)).collect();
        let places = places.iter().map(|(own, query)| (own.id, query.clone())).collect();
        self.queue_search(account.id, Searching::Look { places, told });
        let mut left_out = None;
        while let Some(told) = hears.next().await {
            match told {
                Told::Found(mailbox, found) => {
                    let awaited: Vec<MessageId> =
                        found.awaited.iter().map(|uid| MessageId { mailbox, uid: *uid }).collect();
                    if !awaited.is_empty() {
                        self.ask_for(account.id, mailbox);
                    }
                    // Where it is now, the same must have been looked for.
                    let is_asked = |(now, _): &(MailboxId, _)| {
                        asked.get(now).is_some_and(|own| Some(own) == asked.get(&mailbox))
                    };
                    let moved = found.moved.into_iter().filter(is_asked);
                    let here = found.places.into_iter().map(|place| (mailbox, place));
                    let hits = here.chain(moved).map(|(now, place)| Hit::new(now, place));
                    self.change_search(page, |search| {
                        search.add(hits);
                        search.awaited.extend(awaited);
                    });
                    self.tell_rows(page).await?;
                }
                Told::TooMany => drop(left_out.get_or_insert_with(too_many)),
                Told::Failed(error) => {
                    let problem = self.problem(account.id, &error);
                    left_out.get_or_insert(match problem.kind {
                        ProblemKind::Offline => SearchState::Offline,
                        _ => SearchState::Partly(problem.sentence),
                    });
                }
            }
        }
        Ok(left_out.unwrap_or(SearchState::Whole))
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
        self.change_searches(|search| search.keep(mailbox, &there));
        Ok(())
    }
}

/// Whether rows of a mailbox name the recipients.
pub(super) fn names_recipients(mailbox: &Mailbox) -> bool {
    matches!(mailbox.role, Some(Role::Sent | Role::Drafts))
}

fn too_many() -> SearchState {
    let newest = limits::FETCHED;
    SearchState::Partly(format!(
        "Of a folder that was never opened, only the newest {newest} messages that match are shown."
    ))
}
