//! Doing something to messages and folders, and hearing what came of it.

use std::sync::Arc;

use leptos::prelude::*;
use postern_bridge::{
    Change, ChangeId, Done, Intent, MailboxId, Mark, MessageId, Moved, Problem, Refused, Row,
    Selection,
};

use super::{
    App,
    command::{Command, Purpose},
    dialog::{Dialog, Question},
    reader::Reader,
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
