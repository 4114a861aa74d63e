//! Which message records were written: for whoever holds in memory what is made of them.

use std::{cell::RefCell, collections::BTreeSet};

use postern_bridge::MessageId;

use super::{Table, Write};
use crate::record;

/// Messages that are noted one by one; of more it is only noted that any may have been written.
pub const NOTED: usize = 20_000;

/// The message records that a store's batches have written since somebody took a look.
#[derive(Debug, Default)]
pub struct Written {
    changed: RefCell<Changed>,
}

/// Messages whose records may differ from what they were.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Changed {
    /// These.
    These(BTreeSet<MessageId>),
    /// Any.
    Any,
}

/// Notes what a batch writes when it is dropped: once the batch was written, or was given up.
#[must_use]
pub struct Noting<'a> {
    written: &'a Written,
    changed: Changed,
}

impl Written {
    /// What is about to be written; to be held until it is.
    pub fn noting(&self, batch: &[Write]) -> Noting<'_> {
        Noting { written: self, changed: Changed::by(batch) }
    }

    /// What was written since the last time that this was asked.
    pub fn take(&self) -> Changed {
        self.changed.take()
    }
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.written.changed.borrow_mut().add(&self.changed);
    }
}

impl Default for Changed {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Changed {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        if let (Self::These(these), Self::These(others)) = (&mut *self, other) {
            these.extend(others);
            if these.len() <= NOTED {
                return;
            }
        }
        *self = Self::Any;
    }

    fn by(batch: &[Write]) -> Self {
        let mut these = BTreeSet::new();
        for write in batch {
            let message = match write {
                Write::Put { table: Table::Messages, key, .. }
                | Write::Delete { table: Table::Messages, key } => record::keyed_message(key),
                Write::DeleteRange { table: Table::Messages, .. } => None,
                _ => continue,
            };
            let Some(message) = message else { return Self::Any };
            these.insert(message);
        }
        Self::These(these)
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxId;

    use super::*;
    use crate::store::KeyRange;

    fn id(uid: u32) -> MessageId {
        MessageId { mailbox: MailboxId(3), uid }
    }

    fn put(table: Table, uid: u32) -> Write {
        Write::Put { table, key: record::message_key(id(uid)), value: Vec::new() }
    }

    fn these(uids: &[u32]) -> Changed {
        Changed::These(uids.iter().map(|uid| id(*uid)).collect())
    }

    #[test]
    fn records_are_noted_when_they_are_written_and_told_once() {
        let written = Written::default();
        let delete = Write::Delete { table: Table::Messages, key: record::message_key(id(9)) };
        let noting = written.noting(&[put(Table::Messages, 4), put(Table::Bodies, 5), delete]);
        assert_eq!(written.take(), these(&[]));
        drop(noting);
        drop(written.noting(&[put(Table::Messages, 4)]));
        assert_eq!(written.take(), these(&[4, 9]));
        assert_eq!(written.take(), these(&[]));
    }

    #[test]
    fn of_a_whole_range_or_of_too_many_any_may_have_been_written() {
        let written = Written::default();
        let range = KeyRange::prefix(record::mailbox_key(MailboxId(3)));
        let clear = Write::DeleteRange { table: Table::Messages, range };
        drop(written.noting(&[put(Table::Messages, 4), clear]));
        assert_eq!(written.take(), Changed::Any);
        let most = u32::try_from(NOTED).unwrap();
        let batch: Vec<Write> = (0..most).map(|uid| put(Table::Messages, uid)).collect();
        drop(written.noting(&batch));
        drop(written.noting(&batch));
        assert!(matches!(written.take(), Changed::These(these) if these.len() == NOTED));
        drop(written.noting(&batch));
        drop(written.noting(&[put(Table::Messages, most)]));
        assert_eq!(written.take(), Changed::Any);
    }
}
