//! What comes into a mailbox while it is brought up to date: fetched before the older messages. Pure.

use std::ops::RangeInclusive;

use postern_imap::SequenceSet;

use super::plan::FIRST_WINDOW;
use crate::{changes::is_provisional, record::Message};

/// Messages that come behind those that are being fetched. The server says by itself how many there
/// are, with the answer to any command.
#[derive(Debug)]
pub(super) struct Newcomers {
    /// The first UID that the next one can have.
    next: u32,
    /// For how many messages there is no need to ask: so many were there before, or when they were asked
    /// for, or when some had gone.
    known: u32,
    /// UIDs that are asked for.
    asked: Option<RangeInclusive<u32>>,
}

impl Newcomers {
    /// Those that come into a mailbox of so many messages, whose UIDs are smaller than `next`.
    pub(super) fn behind(next: u32, known: u32) -> Self {
        Self { next, known, asked: None }
    }

    /// What to ask for, when the server says that there are so many messages. A few UIDs: they are given
    /// out one after the other. What has a later one is found when all else is here.
    pub(super) fn window(&mut self, exists: u32) -> Option<SequenceSet> {
        let last = self.next.saturating_add(FIRST_WINDOW - 1);
        self.known = self.known.min(exists);
        if exists == self.known || self.asked.is_some() || is_provisional(last) {
            return None;
        }
        self.known = exists;
        let asked = self.next..=last;
        self.asked = Some(asked.clone());
        SequenceSet::from_ranges([asked])
    }

    /// Whether a message is one that was asked for.
    pub(super) fn has(&self, uid: u32) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.contains(&uid))
    }

    /// Takes note of what came, also with another window: those of them that are new.
    pub(super) fn among<'m>(&mut self, came: &'m [Message]) -> Vec<&'m Message> {
        let new: Vec<&Message> = came.iter().filter(|message| self.has(message.id.uid)).collect();
        let next = new.iter().map(|message| message.id.uid.saturating_add(1)).max();
        self.next = self.next.max(next.unwrap_or_default());
        new
    }

    /// A window has ended; whether it was one of these.
    pub(super) fn ended(&mut self, window: &SequenceSet) -> bool {
        let asked = self.asked.as_ref();
        asked.is_some_and(|asked| window.ranges() == [asked.clone()]) && self.asked.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{MailboxId, MessageId};

    use super::*;
    use crate::changes::{limits::PROVISIONAL, tests::message};

    #[test]
    fn they_are_asked_for_once_each_time_that_there_are_more_and_from_where_they_begin() {
        let mut newcomers = Newcomers::behind(101, 93);
        assert_eq!([93, 90].map(|exists| newcomers.window(exists)), [None, None]);
        let window = newcomers.window(91).unwrap();
        assert_eq!(window.ranges(), [101..=150]);
        assert_eq!(newcomers.window(92), None, "the answer is still to come");

        let came = [100, 103].map(|uid| message(MessageId { mailbox: MailboxId(1), uid }));
        let new: Vec<u32> = newcomers.among(&came).iter().map(|own| own.id.uid).collect();
        assert_eq!(new, [103]);
        assert!(!newcomers.ended(&SequenceSet::from(103)));
        assert!(newcomers.ended(&window) && !newcomers.ended(&window));
        assert_eq!(newcomers.window(91), None);
        assert_eq!(newcomers.window(92).unwrap().ranges(), [104..=153]);
    }

    #[test]
    fn nothing_is_asked_for_that_would_look_like_a_message_on_its_way() {
        assert_eq!(Newcomers::behind(PROVISIONAL - 1, 1).window(2), None);
        assert_eq!(Newcomers::behind(u32::MAX, 1).window(2), None);
    }
}
