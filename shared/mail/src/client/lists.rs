//! The rows that pages show.
//!
//! For each open mailbox the order of its messages is kept in memory (16 bytes a message), and
//! follows what is stored by increments; rows are read from the store for the window in view alone,
//! so that a list costs the same whatever its length.

use std::ops::Range;

use postern_bridge::{ClientId, Delta, Intent, MailboxId, MessageId, Row, SearchView};

use super::{
    Client,
    conversations::Open,
    rows::{row, unreadable},
    search::{Search, names_recipients},
};
use crate::{
    Host, MailError, Store,
    imap::ListChange,
    record::{self, Owner, Place},
    store::{KeyRange, Table},
};

/// The order of a mailbox's messages.
#[derive(Default)]
pub(super) struct List {
    /// Oldest first.
    order: Vec<Place>,
    /// How often the order has changed: what was read from the store meanwhile is too old.
    changes: u64,
    /// Whether the server has been asked since the mailbox was opened.
    fresh: bool,
}

impl List {
    fn apply(&mut self, change: ListChange) {
        let ListChange { cleared, added, mut removed, .. } = change;
        self.changes += 1;
        if cleared {
            self.order.clear();
        }
        if !removed.is_empty() {
            removed.sort_unstable();
            self.order.retain(|place| removed.binary_search(place).is_err());
        }
        if !added.is_empty() {
            self.order.extend(added);
            // In runs that are sorted already, which this sort makes use of.
            self.order.sort();
            self.order.dedup();
        }
    }
}

/// What changed in a mailbox.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Change {
    /// What rows show.
    Rows,
    /// Which messages there are.
    Order,
}

/// What one page shows.
pub(super) struct Window {
    pub(super) mailbox: MailboxId,
    pub(super) rows: Range<u32>,
    /// What it searches for; without, all messages of the mailbox are shown.
    pub(super) search: Option<Search>,
    /// The mailbox whose messages are in the conversations that are shown, besides.
    pub(super) also: Option<MailboxId>,
    /// The conversation that is open.
    pub(super) conversation: Option<Open>,
}

impl Window {
    /// The rows shown before the page says how many fit.
    pub(super) const FIRST_ROWS: Range<u32> = 0..50;

    /// The top of a mailbox.
    pub(super) fn top(mailbox: MailboxId) -> Self {
        Self { mailbox, rows: Self::FIRST_ROWS, search: None, also: None, conversation: None }
    }

    /// Whether it may show a message of a mailbox.
    fn shows(&self, mailbox: MailboxId) -> bool {
        match &self.search {
            Some(search) => search.touches(mailbox),
            None => self.mailbox == mailbox || self.also == Some(mailbox),
        }
    }
}

impl<H: Host> Client<H> {
    /// Shows a mailbox from the store at once, and has it brought up to date.
    pub(super) async fn open_mailbox(
        &self,
        page: ClientId,
        id: MailboxId,
    ) -> Result<(), MailError> {
        let mailbox = self.mailbox(id).await?;
        self.inner.windows.borrow_mut().insert(page, Window::top(id));
        self.forget_hidden_lists();
        self.load_order(id).await?;
        self.set_fresh(id, false);
        self.tell_rows(page).await?;
        if mailbox.owner == Owner::Told {
            self.looked_at(id).await?;
        }
        self.sync_mailbox(&mailbox);
        Ok(())
    }

    /// Answers with the rows of a window, and remembers it for when they change.
    pub(super) async fn show_rows(
        &self,
        page: ClientId,
        mailbox: MailboxId,
        rows: Range<u32>,
    ) -> Result<(), MailError> {
        let end = rows.end.min(rows.start.saturating_add(Intent::ROWS_AT_ONCE));
        {
            let mut windows = self.inner.windows.borrow_mut();
            let window = windows.entry(page).or_insert_with(|| Window::top(mailbox));
            if window.mailbox != mailbox {
                *window = Window::top(mailbox);
            }
            window.rows = rows.start..end;
        }
        if !self.inner.lists.borrow().contains_key(&mailbox) {
            self.load_order(mailbox).await?;
        }
        self.tell_rows(page).await
    }

    /// The store's content of a mailbox changed: every page that shows it gets its rows again.
    pub(super) async fn mailbox_changed(
        &self,
        id: MailboxId,
        change: Change,
    ) -> Result<(), MailError> {
        let mailbox = self.mailbox(id).await?;
        let (unread, total) = (mailbox.unread, mailbox.total);
        self.tell(None, Delta::Counts { mailbox: id, unread, total });
        if change == Change::Order {
            self.inner.held.borrow_mut().drop_changed(id);
            if self.inner.lists.borrow().contains_key(&id) {
                self.load_order(id).await?;
            }
            self.searches_look_again(id).await?;
        }
        self.tell_everyone_rows(id).await
    }

    /// Messages came to be listed or are listed no more: the order follows at once, and pages are
    /// told in a moment.
    pub(super) fn list_changed(&self, mailbox: MailboxId, change: ListChange) {
        self.searches_follow(mailbox, &change);
        let mut change = change;
        self.conversations_told(mailbox, std::mem::take(&mut change.together));
        if let Some(list) = self.inner.lists.borrow_mut().get_mut(&mailbox) {
            list.apply(change);
        }
        self.note_change(mailbox, Change::Rows);
    }

    /// The server has said everything about a mailbox.
    pub(super) async fn mailbox_fresh(&self, id: MailboxId) -> Result<(), MailError> {
        self.set_fresh(id, true);
        self.mailbox_changed(id, Change::Rows).await
    }

    /// Whether the server has been asked since a mailbox was opened.
    pub(super) fn is_fresh(&self, id: MailboxId) -> bool {
        self.inner.lists.borrow().get(&id).is_some_and(|list| list.fresh)
    }

    /// Whether the order of a mailbox's messages is held.
    pub(super) fn has_list(&self, id: MailboxId) -> bool {
        self.inner.lists.borrow().contains_key(&id)
    }

    /// Looks at the order of a mailbox's messages, oldest first; empty if it is not held.
    pub(super) fn with_order<T>(&self, id: MailboxId, look: impl FnOnce(&[Place]) -> T) -> T {
        look(self.inner.lists.borrow().get(&id).map(|list| &list.order[..]).unwrap_or_default())
    }

    /// The rows that a page shows of a mailbox, if it does and searches for nothing.
    pub(super) fn window_of(&self, page: ClientId, mailbox: MailboxId) -> Option<Range<u32>> {
        let windows = self.inner.windows.borrow();
        let window = windows.get(&page)?;
        (window.mailbox == mailbox && window.search.is_none()).then(|| window.rows.clone())
    }

    fn set_fresh(&self, id: MailboxId, fresh: bool) {
        if let Some(list) = self.inner.lists.borrow_mut().get_mut(&id) {
            list.fresh = fresh;
        }
    }

    /// How many messages an open list has.
    pub(super) fn list_length(&self, mailbox: MailboxId) -> usize {
        self.inner.lists.borrow().get(&mailbox).map_or(0, |list| list.order.len())
    }

    /// Drops the order of mailboxes that no page shows.
    pub(super) fn forget_hidden_lists(&self) {
        let shown = self.shown_mailboxes();
        let also: Vec<_> =
            self.inner.windows.borrow().values().filter_map(|window| window.also).collect();
        let is_held = |mailbox: &MailboxId| shown.contains(mailbox) || also.contains(mailbox);
        self.inner.lists.borrow_mut().retain(|mailbox, _| is_held(mailbox));
        self.inner.grouped.borrow_mut().retain(|mailbox, _| shown.contains(mailbox));
        self.inner.held.borrow_mut().keep_only(&shown);
    }

    /// The mailboxes that pages show now.
    pub(super) fn shown_mailboxes(&self) -> Vec<MailboxId> {
        let mut shown: Vec<_> =
            self.inner.windows.borrow().values().map(|window| window.mailbox).collect();
        shown.sort_unstable();
        shown.dedup();
        shown
    }

    /// The messages that the list shows below and above this one, if there are any.
    pub(super) fn neighbours(&self, message: MessageId) -> Vec<MessageId> {
        if let Some(neighbours) = self.neighbouring_conversations(message) {
            return neighbours;
        }
        let lists = self.inner.lists.borrow();
        let Some(list) = lists.get(&message.mailbox) else { return Vec::new() };
        let at = list.order.iter().rposition(|place| place.uid == message.uid);
        let places = at.map(|at| [at.checked_sub(1), Some(at + 1)]).into_iter().flatten().flatten();
        let places = places.filter_map(|at| list.order.get(at));
        places.map(|place| MessageId { uid: place.uid, ..message }).collect()
    }

    pub(super) async fn tell_everyone_rows(&self, mailbox: MailboxId) -> Result<(), MailError> {
        let pages: Vec<ClientId> = {
            let windows = self.inner.windows.borrow();
            let showing = windows.iter().filter(|(_, window)| window.shows(mailbox));
            showing.map(|(page, _)| *page).collect()
        };
        for page in pages {
            self.tell_rows(page).await?;
        }
        Ok(())
    }

    pub(super) async fn load_order(&self, mailbox: MailboxId) -> Result<(), MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        loop {
            let before = self.inner.lists.borrow_mut().entry(mailbox).or_default().changes;
            let keys = self.store().keys(Table::Arrival, &range).await?;
            let order = keys.iter().map(record::listed_place).collect::<Result<_, _>>()?;
            let mut lists = self.inner.lists.borrow_mut();
            let list = lists.entry(mailbox).or_default();
            if list.changes == before {
                list.order = order;
                return Ok(());
            }
        }
    }

    /// Tells a page the rows of its window: of its mailbox, or of what its search has found.
    pub(super) async fn tell_rows(&self, page: ClientId) -> Result<(), MailError> {
        let listed = self.listed(page);
        if let Some(mailbox) = listed {
            let mailbox = self.mailbox(mailbox).await?;
            if mailbox.conversations {
                return self.tell_conversation_rows(page, &mailbox).await;
            }
        }
        let Some(Shown { mailbox, total, start, messages, fresh, search, recipients }) =
            self.shown(page)
        else {
            return Ok(());
        };
        let names_recipients = match search {
            Some(_) => false,
            None => names_recipients(&self.mailbox(mailbox).await?),
        };
        let keys: Vec<_> = messages.iter().map(|(id, _)| record::message_key(*id)).collect();
        let stored = self.store().get_many(Table::Messages, &keys).await?;
        let mut rows: Vec<Row> = Vec::with_capacity(messages.len());
        for ((id, arrived), stored) in messages.into_iter().zip(stored) {
            // One that has gone by now has its place taken by the next one in a moment.
            let Some(stored) = stored else { continue };
            let shows_recipients = names_recipients || recipients.contains(&id.mailbox);
            let message = record::decode(&stored);
            rows.push(message.map_or_else(
                |_| unreadable(id, arrived),
                |message| row(message, shows_recipients),
            ));
        }
        let conversations = false;
        let rows = Delta::Rows { mailbox, total, start, rows, fresh, search, conversations };
        self.tell(Some(page), rows);
        Ok(())
    }

    /// The mailbox that a page shows the list of, if it searches for nothing.
    fn listed(&self, page: ClientId) -> Option<MailboxId> {
        let windows = self.inner.windows.borrow();
        windows.get(&page).filter(|window| window.search.is_none()).map(|window| window.mailbox)
    }

    /// Which rows a page's window shows; `None` if it shows none.
    fn shown(&self, page: ClientId) -> Option<Shown> {
        let windows = self.inner.windows.borrow();
        let Window { mailbox, rows, search, .. } = windows.get(&page)?;
        let (mailbox, start) = (*mailbox, rows.start);
        let (skipped, count) = (rows.start as usize, rows.len());
        if let Some(search) = search {
            let messages: Vec<_> = search.newest_first().skip(skipped).take(count).collect();
            let mut recipients: Vec<_> = messages.iter().map(|(id, _)| id.mailbox).collect();
            recipients.sort_unstable();
            recipients.dedup();
            recipients.retain(|mailbox| search.names_recipients(*mailbox));
            let total = u32::try_from(search.total()).unwrap_or(u32::MAX);
            let search = Some(search.view());
            return Some(Shown {
                mailbox,
                total,
                start,
                messages,
                fresh: true,
                search,
                recipients,
            });
        }
        let lists = self.inner.lists.borrow();
        let List { order, fresh, .. } = lists.get(&mailbox)?;
        let newest_first = order.iter().rev().skip(skipped).take(count);
        let listed = |place: &Place| (MessageId { mailbox, uid: place.uid }, place.arrived);
        let messages = newest_first.map(listed).collect();
        let total = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let (search, recipients) = (None, Vec::new());
        Some(Shown { mailbox, total, start, messages, fresh: *fresh, search, recipients })
    }
}

/// What a page's window shows.
struct Shown {
    mailbox: MailboxId,
    total: u32,
    start: u32,
    /// The messages, and when each arrived.
    messages: Vec<(MessageId, i64)>,
    fresh: bool,
    search: Option<SearchView>,
    /// Mailboxes of a search's rows that name the recipients.
    recipients: Vec<MailboxId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(places: &[(i64, u32)]) -> Vec<Place> {
        places.iter().map(|(arrived, uid)| Place { arrived: *arrived, uid: *uid }).collect()
    }

    #[test]
    fn the_order_follows_what_is_listed() {
        let mut list = List::default();
        let mut apply = |cleared, added: &[(i64, u32)], removed: &[(i64, u32)]| {
            let (added, removed) = (places(added), places(removed));
            list.apply(ListChange { cleared, added, removed, ..ListChange::default() });
            list.order.iter().map(|place| place.uid).collect::<Vec<_>>()
        };
        assert_eq!(apply(false, &[(50, 5), (60, 6)], &[]), [5, 6]);
        assert_eq!(apply(false, &[(10, 9), (55, 7), (60, 6)], &[]), [9, 5, 7, 6]);
        assert_eq!(apply(false, &[], &[(60, 6), (10, 9), (1, 1)]), [5, 7]);
        assert_eq!(apply(true, &[(3, 1)], &[]), [1]);
    }
}
