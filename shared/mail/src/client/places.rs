//! Messages that pages still know by an earlier number.

use std::collections::{HashMap, VecDeque};

use postern_bridge::{MessageId, Moved};

/// How many messages that were moved are remembered under their old numbers.
const REMEMBERED: usize = 20_000;

/// Where messages are now that pages may still know by an earlier number.
#[derive(Default)]
pub(super) struct Places {
    now: HashMap<MessageId, MessageId>,
    order: VecDeque<MessageId>,
}

impl Places {
    pub(super) fn note(&mut self, moved: &[Moved]) {
        for step in moved.iter().filter(|step| step.from != step.to) {
            // What comes back to a place is there.
            self.now.remove(&step.to);
            self.now.insert(step.from, step.to);
            self.order.push_back(step.from);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.now.remove(&oldest);
            }
        }
    }

    /// Where a message is now.
    pub(super) fn of(&self, id: MessageId) -> MessageId {
        let mut place = id;
        // As many steps as there are at most: a circle ends as well.
        for _ in 0..self.now.len() {
            match self.now.get(&place) {
                Some(next) => place = *next,
                None => break,
            }
        }
        place
    }
}
