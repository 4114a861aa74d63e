//! The conversation that the reading pane shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use leptos::prelude::*;
use postern_bridge::{ConversationView, Intent, MessageId, MessageView, Moved, Problem, Row};

use super::{App, list::List, reader::Reader};

/// Unread messages that are unfolded when a conversation is opened: the newest.
const UNFOLDED: usize = 10;

/// A conversation, some of whose messages are unfolded.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// The message that it was opened by.
    message: Option<MessageId>,
    /// What its row goes by, as far as is known.
    key: Option<MessageId>,
    /// Its messages, oldest first; none while they are not known.
    messages: Vec<Arc<Row>>,
    more: u32,
    unfolded: BTreeSet<MessageId>,
    /// The messages that were asked for, but for the one that it was opened by.
    asked: BTreeMap<MessageId, Reader>,
    /// The message that was unfolded last.
    current: Option<MessageId>,
}

impl Conversation {
    /// Turns to the conversation of a message; whether it is another one.
    fn open(&mut self, message: MessageId) -> bool {
        let is_other = self.message != Some(message);
        if is_other {
            *self = Self { message: Some(message), ..Self::default() };
        }
        is_other
    }

    /// Turns to none; whether there was one.
    fn close(&mut self) -> bool {
        std::mem::take(self).message.is_some()
    }

    /// Takes over which messages there are; returns those to ask for. Of another conversation, or
    /// of one that has left, nothing is shown.
    fn show(&mut self, view: ConversationView) -> Vec<MessageId> {
        let ConversationView { message, key, messages, more } = view;
        if self.message != Some(message) {
            return Vec::new();
        }
        self.key = Some(key);
        // What comes later stays folded: to unfold is to read, and perhaps nobody looks any more.
        if self.messages.is_empty() {
            let unread = messages.iter().rev().filter(|row| !row.flags.seen);
            self.unfolded.extend(unread.take(UNFOLDED).map(|row| row.id));
            self.unfolded.insert(message);
            self.unfolded.extend(messages.last().map(|row| row.id));
        }
        let is_there = |id: &MessageId| messages.iter().any(|row| row.id == *id);
        self.unfolded.retain(is_there);
        self.asked.retain(|id, _| is_there(id));
        self.current = self.current.filter(is_there);
        self.more = more;
        self.messages = messages.into_iter().map(Arc::new).collect();
        let missing = self.unfolded.iter().copied();
        let missing = missing.filter(|id| *id != message && !self.asked.contains_key(id));
        let missing: Vec<MessageId> = missing.collect();
        self.asked.extend(missing.iter().map(|id| (*id, Reader::Opening(*id))));
        missing
    }

    /// Whether there is more than one message to show.
    pub(crate) fn is_shown(&self) -> bool {
        self.messages.len() > 1
    }

    /// Its messages, oldest first.
    pub(crate) fn messages(&self) -> &[Arc<Row>] {
        &self.messages
    }

    /// How many more belong to it.
    pub(crate) fn more(&self) -> u32 {
        self.more
    }

    /// The message that it was opened by.
    pub(crate) fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// A message of it.
    pub(crate) fn find(&self, id: MessageId) -> Option<&Arc<Row>> {
        self.messages.iter().find(|row| row.id == id)
    }

    /// What the row goes by of what is opened by a message, as far as is known.
    fn key_of(&self, message: MessageId) -> MessageId {
        self.key.filter(|_| self.message == Some(message)).unwrap_or(message)
    }

    /// Whether a message is unfolded.
    pub(crate) fn is_unfolded(&self, id: MessageId) -> bool {
        self.unfolded.contains(&id)
    }

    /// A message as it was asked for; none if it was not, or is the one that it was opened by.
    pub(crate) fn asked(&self, id: MessageId) -> Option<&Reader> {
        self.asked.get(&id)
    }

    /// Unfolds a message, or folds it; whether it is to be asked for.
    fn toggle(&mut self, id: MessageId) -> bool {
        if self.unfolded.remove(&id) {
            return false;
        }
        self.unfolded.insert(id);
        self.current = Some(id);
        let is_asked = self.message == Some(id) || self.asked.contains_key(&id);
        if !is_asked {
            self.asked.insert(id, Reader::Opening(id));
        }
        !is_asked
    }

    /// Takes over a message that was asked for.
    pub(crate) fn take(&mut self, view: MessageView) {
        if let Some(reader) = self.asked.get_mut(&view.id) {
            reader.show(view);
        }
    }

    /// Takes over that a message can't be shown.
    pub(crate) fn fail(&mut self, message: MessageId, problem: Problem) {
        if let Some(reader) = self.asked.get_mut(&message) {
            reader.fail(message, problem);
        }
    }

    /// Asks for a message again that could not be shown.
    fn ask_again(&mut self, message: MessageId) {
        if let Some(reader) = self.asked.get_mut(&message) {
            *reader = Reader::Opening(message);
        }
    }

    /// Takes over that a message has another number.
    fn renumber(&mut self, from: MessageId, to: MessageId) {
        for id in [&mut self.message, &mut self.key, &mut self.current] {
            *id = id.map(|id| if id == from { to } else { id });
        }
        if self.unfolded.remove(&from) {
            self.unfolded.insert(to);
        }
        if let Some(mut reader) = self.asked.remove(&from) {
            reader.renumber(from, to);
            self.asked.insert(to, reader);
        }
        if let Some(row) = self.messages.iter_mut().find(|row| row.id == from) {
            Arc::make_mut(row).id = to;
        }
    }
}

impl App {
    /// Makes the conversation follow the opened message, where the list shows conversations.
    pub(super) fn follow_conversation(self) {
        let opened = Memo::new(move |_| {
            let message = self.route.get().message()?;
            let is_grouped =
                self.list.with(|list| list.is_grouped() && list.mailbox() == Some(message.mailbox));
            is_grouped.then_some(message)
        });
        Effect::new(move |_| match opened.get() {
            Some(message) => {
                let is_other =
                    self.conversation.try_update(|own| own.open(message)).unwrap_or_default();
                if is_other {
                    self.send(Intent::OpenConversation { message });
                }
            }
            None => {
                if self.conversation.try_update(Conversation::close).unwrap_or_default() {
                    self.send(Intent::CloseConversation);
                }
            }
        });
    }

    /// Shows conversations in the open list rather than messages, or no longer.
    pub(crate) fn toggle_conversations(self) {
        let Some(mailbox) = self.list.with_untracked(List::mailbox) else { return };
        let on = self.mailboxes.with_untracked(|mailboxes| {
            mailboxes.get(mailbox).is_some_and(|own| !own.conversations)
        });
        self.picked.update(|picked| picked.clear());
        let at = self.list.with_untracked(|list| list.under_cursor().map(|row| row.id));
        self.send(Intent::GroupConversations { mailbox, on, at });
    }

    /// Takes over which messages the opened conversation has, and asks for those to be shown.
    pub(super) fn show_conversation(self, view: ConversationView) {
        let (message, key) = (view.message, view.key);
        let missing = self.conversation.try_update(|own| own.show(view)).unwrap_or_default();
        for message in missing {
            self.send(Intent::OpenMessage { message });
        }
        // Whoever is at the message by which it was opened is at its row.
        if message != key {
            self.list.update(|list| list.rekey(message, key));
        }
    }

    /// Follows rows of conversations that go by another key.
    pub(super) fn rekeyed(self, moves: &[Moved]) {
        for Moved { from, to } in moves {
            self.list.update(|list| list.rekey(*from, *to));
            self.picked.update(|picked| picked.rekeyed(*from, *to));
            if self.conversation.with_untracked(|own| own.key == Some(*from)) {
                self.conversation.update(|own| own.key = Some(*to));
            }
        }
    }

    /// Unfolds a message of the conversation, or folds it.
    pub(crate) fn toggle_letter(self, message: MessageId) {
        if self.conversation.try_update(|own| own.toggle(message)).unwrap_or_default() {
            self.send(Intent::OpenMessage { message });
        }
    }

    /// Asks for a message of the conversation again that could not be shown.
    pub(crate) fn ask_again(self, message: MessageId) {
        if self.reader.with_untracked(|reader| reader.message() == Some(message)) {
            self.reader.set(Reader::Opening(message));
        } else {
            self.conversation.update(|own| own.ask_again(message));
        }
        self.send(Intent::OpenMessage { message });
    }

    /// The message that is answered or forwarded: the one of a conversation that was unfolded last,
    /// or else the opened one.
    pub(super) fn answered(self) -> Option<Arc<MessageView>> {
        let opened = || self.reader.with_untracked(|reader| reader.view().cloned());
        self.conversation.with_untracked(|own| {
            match own.current.filter(|id| own.is_unfolded(*id)) {
                // One that is not here yet is not answered by answering another one.
                Some(current) if own.message != Some(current) => {
                    own.asked(current).and_then(Reader::view).cloned()
                }
                _ => opened(),
            }
        })
    }

    /// What the row of what is open goes by; follows what changes.
    pub(crate) fn open_key(self) -> Option<MessageId> {
        let open = self.route.get().message()?;
        Some(self.conversation.with(|own| own.key_of(open)))
    }

    /// Follows messages of the conversation that have another number now.
    pub(super) fn conversation_moved(self, moves: &[Moved]) {
        let is_touched = self.conversation.with_untracked(|own| {
            moves.iter().any(|step| own.key == Some(step.from) || own.find(step.from).is_some())
        });
        if is_touched {
            self.conversation.update(|own| {
                for Moved { from, to } in
                    moves.iter().filter(|own| own.from.mailbox == own.to.mailbox)
                {
                    own.renumber(*from, *to);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Flags, MailboxId, ProblemKind};

    use super::{super::reader::tests::message, *};

    fn id(uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(1), uid }
    }

    fn row(uid: u32, seen: bool) -> Row {
        Row {
            id: id(uid),
            key: id(uid),
            messages: 1,
            unread: u32::from(!seen),
            correspondents: String::new(),
            subject: String::new(),
            preview: String::new(),
            date: i64::from(uid),
            flags: Flags { seen, ..Flags::default() },
            keywords: vec![],
            has_attachments: false,
        }
    }

    fn view(message: u32, rows: &[(u32, bool)]) -> ConversationView {
        let messages = rows.iter().map(|(uid, seen)| row(*uid, *seen)).collect();
        ConversationView { message: id(message), key: id(1), messages, more: 0 }
    }

    fn unfolded(conversation: &Conversation) -> Vec<u32> {
        conversation.unfolded.iter().map(|id| id.uid).collect()
    }

    #[test]
    fn what_is_unread_and_what_is_newest_is_unfolded() {
        let mut conversation = Conversation::default();
        assert!(conversation.open(id(4)) && !conversation.open(id(4)));
        let rows = [(1, true), (2, false), (3, true), (4, true), (5, true)];
        assert_eq!(conversation.show(view(4, &rows)), [id(2), id(5)]);
        assert_eq!(unfolded(&conversation), [2, 4, 5]);
        // Read by now: it stays unfolded. What comes later is not read by coming.
        let rows = [(1, true), (2, true), (3, true), (4, true), (5, true), (6, false)];
        assert_eq!(conversation.show(view(4, &rows)), []);
        assert_eq!(unfolded(&conversation), [2, 4, 5]);
        let many: Vec<_> = (10..60).map(|uid| (uid, false)).collect();
        let mut conversation = Conversation::default();
        conversation.open(id(10));
        conversation.show(view(10, &many));
        assert_eq!(unfolded(&conversation).len(), UNFOLDED + 1);
    }

    #[test]
    fn another_conversation_is_not_shown() {
        let mut conversation = Conversation::default();
        assert!(conversation.show(view(4, &[(4, true), (5, false)])).is_empty());
        conversation.open(id(3));
        assert!(conversation.show(view(4, &[(4, true), (5, false)])).is_empty());
        assert!(!conversation.is_shown());
    }

    #[test]
    fn a_message_is_asked_for_once_and_can_be_folded_again() {
        let mut conversation = Conversation::default();
        conversation.open(id(2));
        conversation.show(view(2, &[(1, true), (2, true)]));
        assert!(conversation.toggle(id(1)));
        assert!(!conversation.toggle(id(1)) && !conversation.is_unfolded(id(1)));
        assert!(!conversation.toggle(id(1)) && conversation.is_unfolded(id(1)));
        assert_eq!(conversation.asked(id(1)), Some(&Reader::Opening(id(1))));
        let problem = Problem::new(ProblemKind::Offline, "");
        conversation.fail(id(1), problem.clone());
        assert_eq!(conversation.asked(id(1)), Some(&Reader::Failed(id(1), problem)));
        conversation.ask_again(id(1));
        assert_eq!(conversation.asked(id(1)), Some(&Reader::Opening(id(1))));
        conversation.take(message(1));
        conversation.take(message(7));
        assert!(conversation.asked(id(1)).and_then(Reader::view).is_some());
        assert_eq!(conversation.asked(id(7)), None);
        // The one that it was opened by is not asked for a second time.
        assert!(!conversation.toggle(id(2)) && !conversation.toggle(id(2)));
    }

    #[test]
    fn a_message_keeps_its_state_under_another_number_and_what_has_left_loses_it() {
        let mut conversation = Conversation::default();
        conversation.open(id(2));
        conversation.show(view(2, &[(1, false), (2, true)]));
        conversation.renumber(id(1), id(9));
        conversation.renumber(id(2), id(8));
        assert_eq!((conversation.message(), unfolded(&conversation)), (Some(id(8)), vec![8, 9]));
        assert!(conversation.asked(id(9)).is_some());
        // Its row goes by the first, whose number is another one now.
        assert_eq!((conversation.key_of(id(8)), conversation.key_of(id(5))), (id(9), id(5)));
        conversation.show(view(8, &[(8, true)]));
        assert_eq!((unfolded(&conversation), conversation.asked(id(9))), (vec![8], None));
        assert!(!conversation.is_shown());
        assert!(conversation.close() && !conversation.close());
    }
}
