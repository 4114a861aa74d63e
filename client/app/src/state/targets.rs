//! What something would be done to now, and picking it.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{MailboxId, MessageId, Row, Selection};

use super::{
    App,
    command::{Command, Need, Purpose, Traits},
    picked::Place,
    toasts::Topic,
};
use crate::text;

impl App {
    /// What something would be done to now: what is picked, or else the opened message, or else the
    /// one under the cursor.
    pub(crate) fn targets(self) -> Option<Selection> {
        let kind = self.list_kind();
        let picked = self.picked.with_untracked(|picked| picked.selection(kind));
        picked.or_else(|| self.one_target().map(|message| kind.named(vec![message])))
    }

    /// How many messages that is.
    pub(crate) fn target_count(self) -> u32 {
        let total = self.list.with_untracked(|list| list.total().unwrap_or(0));
        self.picked.with_untracked(|picked| if picked.is_empty() { 1 } else { picked.count(total) })
    }

    /// What those messages are like, as far as their rows are known; follows what changes.
    pub(crate) fn target_traits(self) -> Traits {
        let open = self.route.get().message().filter(|_| self.picked.with(|own| own.is_empty()));
        let mut traits = self.traits_of(&self.target_rows(), open);
        let is_named = self.picked.with(|picked| picked.is_empty() || picked.is_named());
        if !is_named && self.list.with(|list| list.searched().is_some()) {
            // What was found may be anywhere, also where no row is known of it.
            traits.role = None;
        }
        traits
    }

    /// What the opened message is like, as far as its row is known; follows what changes.
    pub(crate) fn opened_traits(self) -> Traits {
        let open = self.open_key();
        let row = self.list.with(|list| open.and_then(|id| list.find(id)).cloned());
        self.traits_of(row.as_slice(), open)
    }

    /// What rows are like; without any, the role is that of the opened message's folder, or else of
    /// the one that is listed.
    fn traits_of(self, rows: &[Arc<Row>], open: Option<MessageId>) -> Traits {
        let role_of = |id| {
            self.mailboxes.with(|mailboxes| mailboxes.get(id).and_then(|mailbox| mailbox.role))
        };
        let mut roles = rows.iter().map(|row| role_of(row.id.mailbox));
        let role = match roles.next() {
            Some(first) => first.filter(|_| roles.all(|role| role == first)),
            None => {
                let listed = || self.list.with(|list| list.mailbox());
                open.map(|message| message.mailbox).or_else(listed).and_then(role_of)
            }
        };
        Traits {
            role,
            seen: rows.iter().all(|row| row.flags.seen),
            starred: !rows.is_empty() && rows.iter().all(|row| row.flags.flagged),
        }
    }

    /// Whether this account may do something; a note says why if it may not.
    pub(crate) fn allows(self, command: &Command) -> bool {
        let Some(need) = untrack(|| self.forbids(command)) else { return true };
        let why = text::change::forbidden(need);
        self.toasts.update(|toasts| toasts.note(Topic::Change, why));
        false
    }

    /// What keeps this account from what a command does to a folder's messages, or to those that
    /// something would be done to now; follows what changes.
    pub(crate) fn forbids(self, command: &Command) -> Option<Need> {
        if let Command::EmptyFolder(id) = command {
            return self.forbids_in(command, [*id]);
        }
        let rows = self.target_rows();
        let listed = || self.list.with(|list| list.mailbox());
        let only = || self.route.get().mailbox().or_else(listed);
        let mailboxes = rows.iter().map(|row| row.id.mailbox);
        let only = if rows.is_empty() { only() } else { None };
        self.forbids_in(command, mailboxes.chain(only))
    }

    /// The same where the messages are in these folders.
    pub(crate) fn forbids_in(
        self,
        command: &Command,
        mailboxes: impl IntoIterator<Item = MailboxId>,
    ) -> Option<Need> {
        self.mailboxes.with(|all| {
            let may = |id| all.get(id).map(|mailbox| mailbox.may);
            command.lacks(mailboxes.into_iter().filter_map(may))
        })
    }

    /// The known rows of what something would be done to; follows what changes.
    pub(crate) fn target_rows(self) -> Vec<Arc<Row>> {
        let one = self.open_key();
        self.list.with(|list| {
            self.picked.with(|picked| {
                if !picked.is_empty() {
                    return list.known().filter(|row| picked.contains(row)).cloned().collect();
                }
                let row = match one {
                    Some(message) => list.find(message),
                    None => list.under_cursor(),
                };
                row.cloned().into_iter().collect()
            })
        })
    }

    /// Whether the tags of what something would be done to are labels; follows what changes.
    pub(crate) fn tags_are_labels(self) -> bool {
        let rows = self.target_rows();
        self.mailboxes.with(|mailboxes| {
            let is_labelled = |row: &Arc<Row>| mailboxes.get(row.id.mailbox).map(|own| own.labels);
            !rows.is_empty() && rows.iter().all(|row| is_labelled(row) == Some(true))
        })
    }

    /// Picks a row of the list, or no longer.
    pub(crate) fn toggle_picked(self, index: u32) {
        self.list.update(|list| list.put_cursor(index));
        let known = self.list.with_untracked(|list| list.known().cloned().collect::<Vec<_>>());
        if let Some(place) = self.place(index) {
            let known = known.iter().map(|row| &**row);
            self.picked.update(|picked| picked.toggle(place, known));
        }
    }

    /// Picks all rows from where the last one was picked to this one.
    pub(crate) fn pick_to(self, index: u32) {
        let cursor = self.place(self.list.with_untracked(|list| list.cursor()));
        self.list.update(|list| list.put_cursor(index));
        let known = self.list.with_untracked(|list| list.known().cloned().collect::<Vec<_>>());
        if let Some(place) = self.place(index) {
            let known = known.iter().map(|row| &**row);
            self.picked.update(|picked| picked.extend_to(place, cursor, known));
        }
    }

    /// Makes a row the one that something is done to, unless it is among several that are.
    pub(crate) fn aim_at(self, index: u32) {
        let Some(row) = self.list.with_untracked(|list| list.row(index).cloned()) else { return };
        self.list.update(|list| list.put_cursor(index));
        if !self.picked.with_untracked(|picked| picked.contains(&row)) {
            self.picked.update(|picked| picked.only(Place::of(&row, index)));
        }
    }

    /// Whether a folder takes what is dragged from the list: another one of the same account, if what is
    /// dragged may be moved, or is to be copied.
    pub(crate) fn takes_dragged(self, purpose: Purpose, to: MailboxId) -> bool {
        if untrack(|| self.forbids(&Command::PutInto(purpose, to))).is_some() {
            return false;
        }
        let Some(from) = self.list.with_untracked(|list| list.mailbox()) else { return false };
        self.mailboxes.with_untracked(|mailboxes| match (mailboxes.get(from), mailboxes.get(to)) {
            (Some(from), Some(to)) => {
                let is_other = to.id != from.id || self.is_searching();
                is_other && to.account == from.account && to.may.take_messages
            }
            _ => false,
        })
    }

    fn place(self, index: u32) -> Option<Place> {
        self.list.with_untracked(|list| list.row(index).map(|row| Place::of(row, index)))
    }

    fn one_target(self) -> Option<MessageId> {
        let open = self.route.get_untracked().message();
        open.or_else(|| self.list.with_untracked(|list| list.under_cursor().map(|row| row.key)))
    }
}
