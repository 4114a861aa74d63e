//! The rows that pages show.
//!
//! For each open mailbox the order of its messages is kept in memory (12 bytes a message); rows
//! are read from the store for the window in view alone, so that a list costs the same whatever
//! its length.

use std::ops::Range;

use postern_bridge::{ClientId, Delta, Intent, MailboxId, MessageId, Role, Row};

use super::Client;
use crate::{
    Host, MailError, Store,
    record::{self, Message},
    store::{KeyRange, Table},
};

/// The order of a mailbox's messages.
#[derive(Default)]
pub(super) struct List {
    /// Oldest first.
    order: Vec<MessageId>,
    /// Whether the server has been asked since the mailbox was opened.
    fresh: bool,
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
    mailbox: MailboxId,
    rows: Range<u32>,
}

/// The rows shown before the page says how many fit.
const FIRST_ROWS: Range<u32> = 0..50;

impl<H: Host> Client<H> {
    /// Shows a mailbox from the store at once, and has it brought up to date.
    pub(super) async fn open_mailbox(
        &self,
        page: ClientId,
        id: MailboxId,
    ) -> Result<(), MailError> {
        let mailbox = record::mailbox(self.store(), id).await?;
        let window = Window { mailbox: id, rows: FIRST_ROWS };
        self.inner.windows.borrow_mut().insert(page, window);
        self.forget_hidden_lists();
        self.load_order(id).await?;
        self.set_fresh(id, false);
        self.tell_rows(page).await?;
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
        let window = Window { mailbox, rows: rows.start..end };
        self.inner.windows.borrow_mut().insert(page, window);
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
        let mailbox = record::mailbox(self.store(), id).await?;
        let (unread, total) = (mailbox.unread, mailbox.total);
        self.tell(None, Delta::Counts { mailbox: id, unread, total });
        if self.inner.lists.borrow().contains_key(&id) {
            if change == Change::Order {
                self.load_order(id).await?;
            }
            self.tell_everyone_rows(id).await?;
        }
        Ok(())
    }

    /// The server has said everything about a mailbox.
    pub(super) async fn mailbox_fresh(&self, id: MailboxId) -> Result<(), MailError> {
        self.set_fresh(id, true);
        self.mailbox_changed(id, Change::Order).await
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
    fn forget_hidden_lists(&self) {
        let shown = self.shown_mailboxes();
        self.inner.lists.borrow_mut().retain(|mailbox, _| shown.contains(mailbox));
    }

    /// The mailboxes that pages show now.
    pub(super) fn shown_mailboxes(&self) -> Vec<MailboxId> {
        let mut shown: Vec<_> =
            self.inner.windows.borrow().values().map(|window| window.mailbox).collect();
        shown.sort_unstable();
        shown.dedup();
        shown
    }

    /// The message that the list shows below this one.
    pub(super) fn next_older(&self, message: MessageId) -> Option<MessageId> {
        let lists = self.inner.lists.borrow();
        let order = &lists.get(&message.mailbox)?.order;
        let at = order.iter().rposition(|id| *id == message)?;
        at.checked_sub(1).map(|older| order[older])
    }

    async fn tell_everyone_rows(&self, mailbox: MailboxId) -> Result<(), MailError> {
        let pages: Vec<ClientId> = {
            let windows = self.inner.windows.borrow();
            let showing = windows.iter().filter(|(_, window)| window.mailbox == mailbox);
            showing.map(|(page, _)| *page).collect()
        };
        for page in pages {
            self.tell_rows(page).await?;
        }
        Ok(())
    }

    async fn load_order(&self, mailbox: MailboxId) -> Result<(), MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let keys = self.store().keys(Table::Arrival, &range).await?;
        let order = keys.iter().map(record::arrived_message).collect::<Result<_, _>>()?;
        self.inner.lists.borrow_mut().entry(mailbox).or_default().order = order;
        Ok(())
    }

    async fn tell_rows(&self, page: ClientId) -> Result<(), MailError> {
        let (mailbox, total, start, keys, fresh) = {
            let windows = self.inner.windows.borrow();
            let Some(Window { mailbox, rows }) = windows.get(&page) else { return Ok(()) };
            let lists = self.inner.lists.borrow();
            let Some(List { order, fresh }) = lists.get(mailbox) else { return Ok(()) };
            let total = u32::try_from(order.len()).unwrap_or(u32::MAX);
            let newest_first = order.iter().rev().skip(rows.start as usize).take(rows.len());
            let keys: Vec<_> = newest_first.map(|id| record::message_key(*id)).collect();
            (*mailbox, total, rows.start, keys, *fresh)
        };
        let shows_recipients = record::mailbox(self.store(), mailbox)
            .await?
            .role
            .is_some_and(|role| matches!(role, Role::Sent | Role::Drafts));
        let values = self.store().get_many(Table::Messages, &keys).await?;
        let rows = values
            .iter()
            .flatten()
            .map(|value| Ok(row(record::decode(value)?, shows_recipients)))
            .collect::<Result<_, MailError>>()?;
        self.tell(Some(page), Delta::Rows { mailbox, total, start, rows, fresh });
        Ok(())
    }
}

fn row(message: Message, shows_recipients: bool) -> Row {
    let people = if shows_recipients { &message.to } else { &message.from };
    let labels: Vec<_> = people.iter().map(|address| address.label()).collect();
    Row {
        id: message.id,
        correspondents: labels.join(", "),
        subject: message.subject,
        preview: message.preview,
        date: message.arrived,
        flags: message.flags,
        keywords: message.keywords,
        has_attachments: message.has_attachments,
    }
}
