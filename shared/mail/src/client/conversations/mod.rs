//! The conversations that pages show.
//!
//! Of a mailbox whose list shows conversations, what its messages say of them is held in memory, and
//! so it is of those in the account's mailbox for sent mail: read once, newest first and piece by
//! piece, and then kept up with the lists by their differences, and with the records by what the store
//! says was written. So is what rows sum up; of a row in view only the records of its newest and its
//! first message are read, and only when they have changed.
//!
//! | Module | Job |
//! |---|---|
//! | `lines` | the lines of a list, each with a key that stays its own |
//! | `open` | the conversation that a page has open |
//! | `row` | the row of a conversation |
//! | `selected` | which messages a selection of conversations names |
//! | `threaded` | what is held of a mailbox and of that for sent mail |

mod lines;
mod open;
mod row;
mod selected;
#[cfg(test)]
mod tests;
mod threaded;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};

use futures_util::lock::Mutex;
use postern_bridge::{ClientId, Delta, MailboxId, MessageId, Moved, Protocol, Role, Row};

pub(super) use self::open::Open;
use self::{
    row::summed,
    threaded::{Threaded, difference},
};
use super::{Client, lists::Change, search::names_recipients};
use crate::{
    Host, MailError, Store,
    record::{self, Mailbox, Record},
    store::{Changed, Durability, StoreError},
    threads,
};

/// Milliseconds between two times that pages are told of more that was read.
const TELL_EVERY: i64 = 400;

/// What is held of mailboxes whose lists show conversations.
pub(super) type Grouped = HashMap<MailboxId, Rc<Kept>>;

/// The conversations of one mailbox.
#[derive(Default)]
pub(super) struct Kept {
    threaded: Mutex<Threaded>,
    /// What the server has said belongs together, to be taken in.
    told: RefCell<Vec<Vec<u32>>>,
    /// What may have been written since it was read, to be looked at.
    written: RefCell<Changed>,
    /// Whether the rest of it is being read.
    reading: Cell<bool>,
}

impl<H: Host> Client<H> {
    /// Shows conversations in the list of a mailbox, or messages again; tells the page what the message
    /// that it is at goes by then.
    pub(super) async fn group_conversations(
        &self,
        page: ClientId,
        id: MailboxId,
        on: bool,
        at: Option<MessageId>,
    ) -> Result<(), MailError> {
        // One that can't be read is made anew here.
        self.mailbox(id).await?;
        let mailbox = {
            let _editing = self.store().editing().lock().await;
            let mailbox = record::mailbox(self.store(), id).await?;
            let mailbox = Mailbox { conversations: on, ..mailbox };
            self.store().apply(vec![mailbox.put()], Durability::Relaxed).await?;
            mailbox
        };
        if !on {
            self.inner.grouped.borrow_mut().remove(&id);
        } else if mailbox.uid_next == 0 {
            // Its server may tell what belongs together before everything is here.
            self.sync_mailbox(&mailbox);
        }
        self.tell_mailboxes(None, mailbox.account).await?;
        self.mailbox_changed(id, Change::Rows).await?;
        if let Some(from) = at.filter(|_| on) {
            let kept = self.kept(id);
            let threaded = kept.threaded.lock().await;
            if let Some(line) = threaded.line_of(self.current(from)) {
                let to = threaded.lines()[line].key;
                self.tell(Some(page), Delta::Rekeyed(vec![Moved { from, to }]));
            }
        }
        Ok(())
    }

    /// Tells a page the rows of its window, as conversations.
    pub(super) async fn tell_conversation_rows(
        &self,
        page: ClientId,
        mailbox: &Mailbox,
    ) -> Result<(), MailError> {
        let kept = self.kept(mailbox.id);
        let sources = self.sources(mailbox).await?;
        if let Some(window) = self.inner.windows.borrow_mut().get_mut(&page) {
            window.also = sources.get(1).copied();
        }
        let is_whole = self.read_on(&kept, &sources).await? && kept.is_linked();
        let Some(rows) = self.window_of(page, mailbox.id) else { return Ok(()) };
        let start = rows.start;
        let (total, rows) = self.conversation_rows(&kept, mailbox, rows).await?;
        let fresh = self.is_fresh(mailbox.id);
        let (mailbox_id, search, conversations) = (mailbox.id, None, true);
        let rows =
            Delta::Rows { mailbox: mailbox_id, total, start, rows, fresh, search, conversations };
        self.tell(Some(page), rows);
        self.tell_conversation(page).await?;
        if !is_whole {
            self.read_rest(mailbox.id, kept, sources);
        }
        Ok(())
    }

    /// What the server has said belongs together counts, where conversations are shown.
    pub(super) fn conversations_told(&self, mailbox: MailboxId, told: Vec<Vec<u32>>) {
        if let Some(kept) = self.inner.grouped.borrow().get(&mailbox) {
            kept.told.borrow_mut().extend(told);
        }
    }

    /// The messages in the rows above and below that of this one, where conversations are shown.
    pub(super) fn neighbouring_conversations(&self, message: MessageId) -> Option<Vec<MessageId>> {
        let grouped = self.inner.grouped.borrow();
        let threaded = grouped.get(&message.mailbox)?.threaded.try_lock()?;
        let at = threaded.line_of(message)?;
        let places = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        Some(places.filter_map(|at| threaded.lines().get(at)).map(|own| own.head.id).collect())
    }

    fn kept(&self, mailbox: MailboxId) -> Rc<Kept> {
        Rc::clone(self.inner.grouped.borrow_mut().entry(mailbox).or_default())
    }

    /// The mailboxes whose messages are in a mailbox's conversations: itself first.
    async fn sources(&self, mailbox: &Mailbox) -> Result<Vec<MailboxId>, StoreError> {
        let mut sources = vec![mailbox.id];
        if !matches!(mailbox.role, Some(Role::Sent | Role::Drafts | Role::Junk | Role::Trash)) {
            let all = self.mailboxes(mailbox.account).await?;
            let sent = all.iter().find(|own| own.role == Some(Role::Sent) && own.selectable);
            sources.extend(sent.map(|own| own.id));
        }
        Ok(sources)
    }

    /// Takes in what has changed in the lists, and another piece of what was not read yet; whether
    /// that was all.
    async fn read_on(&self, kept: &Kept, sources: &[MailboxId]) -> Result<bool, MailError> {
        // Of mail that has a server, the server is asked: its own names count, and are in no header.
        let is_local = self.account_of(sources[0]).await?.protocol == Protocol::Pop3;
        let mut threaded = kept.threaded.lock().await;
        self.hand_out_written();
        threaded.note(&kept.written.take());
        let mut is_whole = threaded.read_again(self.store()).await?;
        for source in sources {
            if !self.has_list(*source) {
                self.load_order(*source).await?;
            }
            let read = threaded.read.get(source).map(Vec::as_slice).unwrap_or_default();
            let difference = self.with_order(*source, |order| difference(read, order));
            is_whole &= difference.is_all;
            threaded.take_in(self.store(), *source, difference).await?;
        }
        if !is_local {
            threaded.unlinked.clear();
        }
        for together in kept.told.take() {
            threaded.conversations.tell(sources[0], &together);
        }
        Ok(is_whole)
    }

    /// Notes, for whoever holds something made of them, which records were written.
    pub(super) fn hand_out_written(&self) {
        let changed = self.store().written().take();
        if let Some(recognised) = &mut *self.inner.recognised.borrow_mut() {
            recognised.changed.add(&changed);
        }
        for kept in self.inner.grouped.borrow().values() {
            kept.written.borrow_mut().add(&changed);
        }
    }

    /// Reads what is left, and tells pages of it now and then.
    fn read_rest(&self, mailbox: MailboxId, kept: Rc<Kept>, sources: Vec<MailboxId>) {
        if kept.reading.replace(true) {
            return;
        }
        let client = self.clone();
        self.inner.host.spawn(async move {
            let read = client.read_all(mailbox, &kept, &sources).await;
            kept.reading.set(false);
            // What can't be read is tried again when the list is drawn the next time.
            if read.is_ok() {
                let _ = client.tell_everyone_rows(mailbox).await;
            }
        });
    }

    async fn read_all(
        &self,
        mailbox: MailboxId,
        kept: &Rc<Kept>,
        sources: &[MailboxId],
    ) -> Result<(), MailError> {
        let mut told = self.inner.host.now();
        while !(self.read_on(kept, sources).await? && kept.is_linked()) {
            self.learn_links(kept).await?;
            let is_wanted =
                self.inner.grouped.borrow().get(&mailbox).is_some_and(|own| Rc::ptr_eq(own, kept));
            if !is_wanted {
                break;
            }
            if self.inner.host.now() - told >= TELL_EVERY {
                self.tell_everyone_rows(mailbox).await?;
                told = self.inner.host.now();
            }
        }
        Ok(())
    }

    /// Learns some of the links that an earlier version did not look for.
    async fn learn_links(&self, kept: &Kept) -> Result<(), MailError> {
        // What was learnt was written, and is read as such. What could not be learnt is not tried
        // again and again.
        let mut threaded = kept.threaded.lock().await;
        Ok(threads::adopt(self.store(), &mut threaded.unlinked).await?)
    }

    /// How many rows there are, and some of them.
    async fn conversation_rows(
        &self,
        kept: &Kept,
        mailbox: &Mailbox,
        rows: Range<u32>,
    ) -> Result<(u32, Vec<Row>), MailError> {
        let mut threaded = kept.threaded.lock().await;
        self.follow_lines(&mut threaded, mailbox.id);
        let lines = threaded.lines();
        let total = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let shown = lines.iter().rev().skip(rows.start as usize).take(rows.len());
        let parts: Vec<_> = shown.map(|line| threaded.part(mailbox.id, *line)).collect();
        let read = parts.iter().flat_map(|part| [part.head, part.sum.first.unwrap_or(part.head)]);
        let read: Vec<MessageId> = read.collect();
        let records = threaded.records(self.store(), &read).await?;
        let recipients = names_recipients(mailbox);
        let rows = parts.into_iter().filter_map(|part| {
            // One that has gone meanwhile goes with the next look at the list.
            let head = records.get(&part.head)?;
            let first = part.sum.first.and_then(|id| records.get(&id)).unwrap_or(head);
            Some(summed(part, head.clone(), first, recipients))
        });
        Ok((total, rows.collect()))
    }

    /// Brings the lines of a mailbox up to date, and tells pages what goes by another key now.
    fn follow_lines(&self, threaded: &mut Threaded, mailbox: MailboxId) {
        let rekeyed = threaded.follow(mailbox, |id| self.current(id));
        if !rekeyed.is_empty() {
            self.tell(None, Delta::Rekeyed(rekeyed));
        }
    }
}

impl Kept {
    /// Whether the links of all that was read are known; also while that can't be told.
    fn is_linked(&self) -> bool {
        self.threaded.try_lock().is_none_or(|threaded| threaded.unlinked.is_empty())
    }
}
