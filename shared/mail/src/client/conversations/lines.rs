//! The lines of a list of conversations, each with a key that stays its own. Pure.

use std::collections::HashMap;

use postern_bridge::{MailboxId, MessageId, Moved};

use crate::threads::{Conversations, Head, Listed};

/// A line of a list of conversations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Line {
    /// The newest message that is listed.
    pub(super) head: Head,
    /// The message that the conversation goes by: listed, and the same one as long as it is.
    pub(super) key: MessageId,
}

/// The lines of a mailbox, oldest first, and what became of earlier keys.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Keys of lines that go by another one now.
    pub(super) rekeyed: Vec<Moved>,
}

impl Lines {
    /// The lines of a mailbox as they are now, each under the key that its conversation had before.
    /// Where two conversations have become one, one of both stays; where the message of a key has gone,
    /// another one takes its place. `current` is where a message is now.
    pub(super) fn follow(
        before: &[Line],
        conversations: &Conversations,
        mailbox: MailboxId,
        current: impl Fn(MessageId) -> MessageId,
    ) -> Self {
        let listed = conversations.listed(mailbox);
        let here = |id: MessageId| Some(current(id)).filter(|own| own.mailbox == mailbox);
        let group = |id: MessageId| conversations.group(here(id)?);
        // Which conversation each earlier key leads to; by its message, or else by that of its line.
        let earlier = before.iter().filter_map(|line| {
            let by_key = group(line.key);
            let of = by_key.or_else(|| group(line.head.id))?;
            Some((of, line.key, by_key.and(here(line.key))))
        });
        let earlier: Vec<(u32, MessageId, Option<MessageId>)> = earlier.collect();
        let mut keys: HashMap<u32, MessageId> = HashMap::with_capacity(listed.len());
        for (of, _, key) in &earlier {
            if let Some(key) = *key {
                keys.entry(*of).or_insert(key);
            }
        }
        let line = |own: &Listed| {
            let key = *keys.entry(own.group).or_insert(own.oldest.id);
            Line { head: own.newest, key }
        };
        let lines = listed.iter().map(line).collect();
        // What only has another number is told as such.
        let now = earlier.iter().filter_map(|(of, key, here)| {
            Some(Moved { from: here.unwrap_or(*key), to: *keys.get(of)? })
        });
        let rekeyed = now.filter(|own| own.from != own.to).collect();
        Self { lines, rekeyed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::Clue;

    const MAILBOX: MailboxId = MailboxId(1);

    fn id(uid: u32) -> MessageId {
        MessageId { mailbox: MAILBOX, uid }
    }

    type Pairs = Vec<(u32, u32)>;

    #[derive(Default)]
    struct List {
        conversations: Conversations,
        lines: Vec<Line>,
    }

    impl List {
        fn add(&mut self, uid: u32, own: &str, references: &[&str]) {
            let full = |name: &str| format!("{name}@x");
            let own = full(own);
            let references: Vec<String> = references.iter().map(|name| full(name)).collect();
            let clue = Clue {
                message_id: &own,
                references: references.iter().map(String::as_str).collect(),
                arrived: i64::from(uid),
                ..Clue::default()
            };
            self.conversations.add(id(uid), &clue);
        }

        /// The lines by the UIDs of their newest message and key, and what has another key.
        fn follow(&mut self) -> (Pairs, Pairs) {
            self.follow_by(|id| id)
        }

        fn follow_by(&mut self, current: impl Fn(MessageId) -> MessageId) -> (Pairs, Pairs) {
            let now = Lines::follow(&self.lines, &self.conversations, MAILBOX, current);
            self.lines = now.lines;
            let lines = self.lines.iter().map(|own| (own.head.id.uid, own.key.uid)).collect();
            let rekeyed = now.rekeyed.iter().map(|own| (own.from.uid, own.to.uid)).collect();
            (lines, rekeyed)
        }
    }

    #[test]
    fn a_conversation_keeps_its_key_whatever_comes_to_it() {
        let mut list = List::default();
        list.add(5, "b", &["a"]);
        list.add(6, "x", &[]);
        assert_eq!(list.follow(), (vec![(5, 5), (6, 6)], vec![]));
        list.add(9, "c", &["a"]);
        assert_eq!(list.follow(), (vec![(6, 6), (9, 5)], vec![]));
        // An older one that is read later.
        list.add(2, "a", &[]);
        assert_eq!(list.follow(), (vec![(6, 6), (9, 5)], vec![]));
    }

    #[test]
    fn when_the_message_of_a_key_goes_or_two_conversations_become_one_that_is_told() {
        let mut list = List::default();
        list.add(1, "a", &[]);
        list.add(2, "b", &["a"]);
        list.add(3, "x", &[]);
        assert_eq!(list.follow().0, [(2, 1), (3, 3)]);
        list.conversations.remove(&[id(1)]);
        assert_eq!(list.follow(), (vec![(2, 2), (3, 3)], vec![(1, 2)]));
        list.add(4, "y", &["x", "b"]);
        assert_eq!(list.follow(), (vec![(4, 2)], vec![(3, 2)]));
        list.conversations.remove(&[id(4)]);
        assert_eq!(list.follow(), (vec![(2, 2), (3, 3)], vec![]));
        list.conversations.remove(&[id(2)]);
        assert_eq!(list.follow(), (vec![(3, 3)], vec![]));
    }

    #[test]
    fn a_key_whose_message_has_another_number_is_that_message_still() {
        let mut list = List::default();
        list.add(7, "a", &[]);
        list.add(8, "b", &["a"]);
        assert_eq!(list.follow().0, [(8, 7)]);
        list.conversations.remove(&[id(7)]);
        list.add(3, "a", &[]);
        let now = list.follow_by(|own| if own == id(7) { id(3) } else { own });
        assert_eq!(now, (vec![(8, 3)], vec![]));
    }
}
