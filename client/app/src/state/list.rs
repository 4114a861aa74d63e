//! The open mailbox's list: the rows near what is in view, and the cursor.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use postern_bridge::{Intent, MailboxId, MessageId, Row, SearchScope, SearchState, SearchView};

use super::window;

/// Rows kept on either side of those that arrived last. With it, memory does not grow with the
/// mailbox, and scrolling back a little needs no answer.
const KEPT_AROUND: u32 = 600;

/// What is searched for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Search {
    /// Its number.
    pub(crate) request: u32,
    /// Where.
    pub(crate) scope: SearchScope,
    /// What was typed.
    pub(crate) query: String,
    /// How far it is; `None` before anything is known of it.
    pub(crate) state: Option<SearchState>,
}

/// What rows that the engine tells are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    /// The messages of a mailbox.
    Messages,
    /// The conversations of a mailbox.
    Conversations,
    /// What a search has found.
    Found(SearchView),
}

/// The list of one mailbox, or of what a search from it has found; newest first, row 0 at the top.
#[derive(Debug, Default)]
pub(crate) struct List {
    mailbox: Option<MailboxId>,
    total: Option<u32>,
    fresh: bool,
    search: Option<Search>,
    /// Whether each row is a conversation.
    grouped: bool,
    /// Whether what is shown is from before the search began, changed or ended.
    outdated: bool,
    rows: BTreeMap<u32, Arc<Row>>,
    asked: Range<u32>,
    cursor: u32,
    /// The key of the row under the cursor, so that the cursor stays on it when rows move.
    marked: Option<MessageId>,
}

impl List {
    /// Turns to a mailbox, or to none; whatever was shown is forgotten.
    pub(crate) fn open(&mut self, mailbox: Option<MailboxId>) {
        *self = Self { mailbox, ..Self::default() };
    }

    /// Searches for something, or for nothing any more. What is shown stays until the answer comes.
    pub(crate) fn search(&mut self, search: Option<Search>) {
        self.search = search;
        self.outdated = true;
        self.asked = 0..0;
    }

    /// Whether what is shown is from before the search began, changed or ended.
    pub(crate) fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// Whether each row is a conversation.
    pub(crate) fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// What is searched for.
    pub(crate) fn searched(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Takes over rows; those of another mailbox or search are ignored.
    pub(crate) fn apply(
        &mut self,
        mailbox: MailboxId,
        total: u32,
        start: u32,
        rows: Vec<Row>,
        fresh: bool,
        shown: Shown,
    ) {
        let (found, grouped) = match shown {
            Shown::Messages => (None, false),
            Shown::Conversations => (None, true),
            Shown::Found(view) => (Some(view), false),
        };
        let awaited = self.search.as_ref().map(|search| search.request);
        if self.mailbox != Some(mailbox) || found.as_ref().map(|own| own.request) != awaited {
            return;
        }
        if let (Some(search), Some(found)) = (&mut self.search, found) {
            search.state = Some(found.state);
        }
        // Other rows, of which the one that is open may still be one.
        if std::mem::replace(&mut self.grouped, grouped) != grouped {
            // Whoever was at a conversation is at its newest message.
            let head = self.marked.and_then(|marked| self.find(marked)).map(|row| row.id);
            self.marked = head.or(self.marked);
            self.rows.clear();
        }
        if std::mem::take(&mut self.outdated) {
            self.rows.clear();
            self.cursor = 0;
            self.marked = None;
        }
        let end = start.saturating_add(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        if self.total.is_some_and(|known| known != total) {
            // Messages came or went: the other rows' numbers no longer hold.
            self.rows.clear();
        }
        self.total = Some(total);
        self.fresh = fresh;
        self.rows.extend((start..).zip(rows.into_iter().map(Arc::new)));
        let near = start.saturating_sub(KEPT_AROUND)..end.saturating_add(KEPT_AROUND);
        self.rows.retain(|index, _| near.contains(index) && *index < total);
        self.follow_marked();
    }

    /// The rows to ask for so that those drawn become known; `None` when they were asked for.
    pub(crate) fn ask(&mut self, drawn: &Range<u32>) -> Option<Range<u32>> {
        let asked = &self.asked;
        if !asked.is_empty() && asked.start <= drawn.start && drawn.end <= asked.end {
            return None;
        }
        self.asked = window::wanted(drawn, self.total, Intent::ROWS_AT_ONCE);
        Some(self.asked.clone()).filter(|asked| !asked.is_empty())
    }

    /// The mailbox.
    pub(crate) fn mailbox(&self) -> Option<MailboxId> {
        self.mailbox
    }

    /// How many rows there are; `None` while unknown.
    pub(crate) fn total(&self) -> Option<u32> {
        self.total
    }

    /// Whether the server has been asked since the mailbox was opened.
    pub(crate) fn fresh(&self) -> bool {
        self.fresh
    }

    /// A row, if it is known.
    pub(crate) fn row(&self, index: u32) -> Option<&Arc<Row>> {
        self.rows.get(&index)
    }

    /// The row that goes by this key, or that shows this message, if it is known.
    pub(crate) fn find(&self, key: MessageId) -> Option<&Arc<Row>> {
        self.index_of(key).and_then(|index| self.row(index))
    }

    /// That row's number.
    pub(crate) fn index_of(&self, key: MessageId) -> Option<u32> {
        let by = |is_it: fn(&Row, MessageId) -> bool| {
            self.rows.iter().find(|(_, row)| is_it(row, key)).map(|(index, _)| *index)
        };
        by(|row, key| row.key == key).or_else(|| by(|row, key| row.id == key))
    }

    /// All rows that are known, newest first.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// Takes over that a message has another number.
    pub(crate) fn renumber(&mut self, from: MessageId, to: MessageId) {
        if let Some(row) = self.rows.values_mut().find(|row| row.id == from) {
            Arc::make_mut(row).id = to;
        }
        self.rekey(from, to);
    }

    /// Takes over that a row goes by another key.
    pub(crate) fn rekey(&mut self, from: MessageId, to: MessageId) {
        if let Some(row) = self.rows.values_mut().find(|row| row.key == from) {
            Arc::make_mut(row).key = to;
        }
        if self.marked == Some(from) {
            self.mark(to);
        }
    }

    /// The number of the row under the cursor.
    pub(crate) fn cursor(&self) -> u32 {
        self.cursor
    }

    /// The row under the cursor, if it is known.
    pub(crate) fn under_cursor(&self) -> Option<&Arc<Row>> {
        self.row(self.cursor)
    }

    /// Moves the cursor by some rows, within the list.
    pub(crate) fn move_cursor(&mut self, by: i64) {
        self.put_cursor(
            (i64::from(self.cursor).saturating_add(by)).clamp(0, i64::from(u32::MAX)) as u32
        );
    }

    /// Puts the cursor on a row, or on the last one if there are fewer.
    pub(crate) fn put_cursor(&mut self, index: u32) {
        self.cursor = index.min(self.total.unwrap_or(0).saturating_sub(1));
        self.marked = self.under_cursor().map(|row| row.key);
    }

    /// Puts the cursor on a message, or on a key, when its row is, or becomes, known.
    pub(crate) fn mark(&mut self, message: MessageId) {
        self.marked = Some(message);
        self.follow_marked();
    }

    fn follow_marked(&mut self) {
        let index = self.marked.and_then(|marked| self.index_of(marked));
        match index {
            Some(index) => self.cursor = index,
            None => self.cursor = self.cursor.min(self.total.unwrap_or(0).saturating_sub(1)),
        }
        if self.marked.is_none() || index.is_some() {
            self.marked = self.under_cursor().map(|row| row.key);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
