//! Doing something to messages and folders, and hearing what came of it.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{
    Change, ChangeId, Done, Intent, MailboxId, Mark, MessageId, Moved, Problem, Refused, Row,
    Selection,
};

use super::{
    App,
    command::{Command, Need, Purpose, Traits},
    dialog::{Dialog, Question},
    picked::Place,
    reader::Reader,
    toasts::Topic,
};
use crate::{browser, route::Route, text};

/// What the page remembers of changes that it asked for.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Requests whose answer is told even if it is about one mark.
    told: Vec<u32>,
    /// The last change that can be taken back.
    last: Option<ChangeId>,
    /// The request for the messages that are to be deleted for good, if the person says so; what is
    /// picked, and how many rows that is.
    naming: Option<(u32, Selection, u32)>,
}

impl App {
    /// Does something, if this account may.
    pub(crate) fn obey(self, command: Command) {
        if !self.allows(&command) {
            return;
        }
        match command {
            Command::Archive => self.dispose(|messages| Change::Archive { messages }),
            Command::Delete => self.dispose(|messages| Change::Delete { messages }),
            Command::Junk => self.dispose(|messages| Change::Junk { messages }),
            Command::NotJunk => self.dispose(|messages| Change::NotJunk { messages }),
            Command::DeleteForGood => self.ask_to_delete_for_good(),
            Command::PutInto(purpose, to) => {
                if let Some(messages) = self.targets() {
                    self.put_into(purpose, messages, to);
                }
            }
            Command::ChooseFolder(purpose) => {
                self.ask_about(|messages, _| Dialog::ChooseFolder(purpose, messages));
            }
            Command::ChooseTags => self.ask_about(Dialog::Tags),
            Command::Seen(set) => self.mark(Mark::Seen, set),
            Command::Starred(set) => self.mark(Mark::Flagged, set),
            Command::PickAll => {
                if let Some(mailbox) = self.list.with_untracked(|list| list.mailbox()) {
                    self.picked.update(|picked| picked.all(mailbox));
                }
            }
            Command::NewFolder(account, parent) => {
                self.dialog.set(Some(Dialog::NewFolder(account, parent)));
            }
            Command::RenameFolder(mailbox) => {
                self.dialog.set(Some(Dialog::RenameFolder(mailbox)));
            }
            Command::PlaceFolder(mailbox) => {
                self.dialog.set(Some(Dialog::PlaceFolder(mailbox)));
            }
            Command::DeleteFolder(mailbox) => {
                self.dialog.set(Some(Dialog::Confirm(Question::DeleteFolder(mailbox))));
            }
            Command::EmptyFolder(mailbox) => {
                self.dialog.set(Some(Dialog::Confirm(Question::EmptyFolder(mailbox))));
            }
            Command::SaveFolder(mailbox) => self.dialog.set(Some(Dialog::SaveFolder(mailbox))),
            Command::ImportInto(mailbox) => self.dialog.set(Some(Dialog::ImportInto(mailbox))),
            Command::Subscribe(mailbox, subscribed) => {
                self.change(Change::Subscribe { mailbox, subscribed }, true);
            }
        }
    }

    /// Does what a question was about: the answer was yes.
    pub(crate) fn confirm(self, question: Question) {
        match question {
            Question::DeleteForGood { picked, messages, .. } => {
                let messages = Selection::Messages(messages);
                self.dispose_of(picked, |_| Change::DeleteForGood { messages });
            }
            Question::EmptyFolder(mailbox) => self.change(Change::Empty { mailbox }, true),
            Question::DeleteFolder(mailbox) => self.change(Change::DeleteMailbox { mailbox }, true),
        }
    }

    /// Moves or copies messages to a folder.
    pub(crate) fn put_into(self, purpose: Purpose, messages: Selection, to: MailboxId) {
        match purpose {
            Purpose::Move => self.dispose_of(messages, |messages| Change::Move { messages, to }),
            Purpose::Copy => {
                self.change(Change::Copy { messages, to }, true);
                self.picked.update(|picked| picked.clear());
            }
        }
    }

    /// Gives messages a tag, or takes it.
    pub(crate) fn tag(self, messages: Selection, count: u32, tag: String, set: bool) {
        self.change(Change::Mark { messages, mark: Mark::Keyword(tag), set }, count > 1);
    }

    /// Opens a dialog about the messages that something would be done to now. It keeps to them,
    /// whatever becomes of the list meanwhile.
    fn ask_about(self, dialog: impl FnOnce(Selection, u32) -> Dialog) {
        if let Some(messages) = self.targets() {
            self.dialog.set(Some(dialog(messages, self.target_count())));
        }
    }

    /// Asks whether messages shall be deleted for good: those that there are now, and no others.
    fn ask_to_delete_for_good(self) {
        let Some(picked) = self.targets() else { return };
        let (rows, messages) = (self.target_count(), picked.clone());
        let request = self.request(|request| Intent::NameMessages { request, messages });
        self.changes.update_value(|changes| changes.naming = Some((request, picked, rows)));
    }

    /// Takes over which messages a selection means.
    pub(super) fn named(self, request: u32, result: Result<Vec<MessageId>, Problem>) {
        let naming = self.changes.try_update_value(|changes| {
            changes.naming.take_if(|(awaited, ..)| *awaited == request)
        });
        let Some((_, picked, rows)) = naming.flatten() else { return };
        match result {
            Ok(messages) => {
                let question = Question::DeleteForGood { picked, rows, messages };
                self.dialog.set(Some(Dialog::Confirm(question)));
            }
            Err(problem) => self.toasts.update(|toasts| toasts.problem(problem)),
        }
    }

    /// Asks the engine for a change; `told` says whether its success is worth a note.
    pub(crate) fn change(self, change: Change, told: bool) {
        let request = self.request(|request| Intent::Change { request, change });
        if told {
            self.changes.update_value(|changes| changes.told.push(request));
        }
    }

    /// Takes the last change back, if there is one.
    pub(crate) fn undo_last(self) {
        if let Some(change) = self.changes.try_update_value(|changes| changes.last.take()).flatten()
        {
            self.undo(change);
        }
    }

    /// Takes a change back.
    pub(crate) fn undo(self, change: ChangeId) {
        self.request(|request| Intent::Undo { request, change });
        self.changes.update_value(|changes| {
            if changes.last == Some(change) {
                changes.last = None;
            }
        });
    }

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

    fn mark(self, mark: Mark, set: bool) {
        if let Some(messages) = self.targets() {
            let many = self.target_count() > 1 || messages.names_conversations();
            self.change(Change::Mark { messages, mark, set }, many);
        }
    }

    /// Does something after which the messages are no longer where they were.
    fn dispose(self, change: impl FnOnce(Selection) -> Change) {
        if let Some(messages) = self.targets() {
            self.dispose_of(messages, change);
        }
    }

    fn dispose_of(self, messages: Selection, change: impl FnOnce(Selection) -> Change) {
        if Some(&messages) == self.targets().as_ref() {
            self.leave_targets();
        }
        self.change(change(messages), true);
        self.picked.update(|picked| picked.clear());
    }

    /// Goes on from the opened message if it is about to go: to the next one where both are in view,
    /// else to the list.
    fn leave_targets(self) {
        let Some(open) = untrack(|| self.open_key()) else { return };
        let next = self.list.with_untracked(|list| {
            self.picked.with_untracked(|picked| {
                let own = list.find(open)?;
                let goes = |row: &Row| row.key == own.key || picked.contains(row);
                if !(picked.is_empty() || picked.contains(own)) {
                    return None;
                }
                let stays = |index| list.row(index).filter(|row| !goes(row)).map(|row| row.id);
                let cursor = list.index_of(open)?;
                let near = (cursor.saturating_add(1)..cursor.saturating_add(100)).find_map(stays);
                Some(near.or_else(|| (0..cursor).rev().take(100).find_map(stays)))
            })
        });
        match next {
            Some(Some(next)) if !browser::is_narrow() => self.go(self.route_to(next)),
            Some(_) => self.go(self.route.get_untracked().parent()),
            None => {}
        }
    }

    pub(super) fn changed(self, request: u32, result: Result<Done, Problem>) {
        let told = self
            .changes
            .try_update_value(|changes| {
                let at = changes.told.iter().position(|told| *told == request);
                at.map(|at| changes.told.swap_remove(at))
            })
            .flatten()
            .is_some();
        match result {
            Ok(done) => {
                if done.can_undo {
                    self.changes.update_value(|changes| changes.last = Some(done.change));
                }
                if told {
                    let undo = done.can_undo.then_some(done.change);
                    self.toasts.update(|toasts| toasts.changed(done.sentence, undo));
                }
                if let Some(mailbox) = done.mailbox {
                    self.go(Route::Mailbox(mailbox));
                }
            }
            Err(problem) => self.toasts.update(|toasts| toasts.problem(problem)),
        }
    }

    pub(super) fn undone(self, change: ChangeId, result: Result<String, Problem>) {
        match result {
            Ok(sentence) => self.toasts.update(|toasts| toasts.undone(change, sentence)),
            Err(problem) => self.toasts.update(|toasts| toasts.problem(problem)),
        }
    }

    pub(super) fn refused(self, refused: Refused) {
        let text = text::change::refused(&refused.sentence, &refused.problem.sentence);
        self.toasts.update(|toasts| toasts.refused(refused.change, text));
    }

    /// Follows messages that have another number now.
    pub(super) fn moved(self, moves: &[Moved]) {
        self.conversation_moved(moves);
        for Moved { from, to } in moves {
            self.picked.update(|picked| picked.moved(*from, *to));
            if from.mailbox != to.mailbox {
                continue;
            }
            self.list.update(|list| list.renumber(*from, *to));
            self.change_composer(|composer| {
                if composer.draft.saved() == Some(*from) {
                    composer.draft.set_saved(*to);
                }
            });
            if self.route.get_untracked().message() == Some(*from) {
                self.reader.update(|reader| reader.renumber(*from, *to));
                self.go_instead(self.route_to(*to));
            }
        }
    }
}

impl Reader {
    /// Takes over that the message has another number.
    pub(super) fn renumber(&mut self, from: MessageId, to: MessageId) {
        match self {
            Self::Open(view) if view.id == from => Arc::make_mut(view).id = to,
            Self::Opening(id) | Self::Failed(id, _) if *id == from => *id = to,
            _ => {}
        }
    }
}
