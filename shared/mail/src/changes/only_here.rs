//! What is here and nowhere else, as far as the queue tells.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, MessageId};

use super::{Entry, Task};

/// The mailboxes that the server may not have, and messages in which are in no other place: those that
/// it was not told to make yet, and those of messages that it was not given yet, wherever they were
/// moved since.
pub fn only_here(entries: &[Entry]) -> BTreeSet<MailboxId> {
    let mut mailboxes = BTreeSet::new();
    let mut messages: BTreeSet<MessageId> = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.is_open()) {
        match &entry.task {
            Task::Create { mailbox, .. } => drop(mailboxes.insert(*mailbox)),
            Task::Append { mailbox, item, .. } => {
                mailboxes.insert(*mailbox);
                messages.insert(MessageId { mailbox: *mailbox, uid: item.to });
            }
            Task::Transfer { from, to, items, .. } => {
                for item in items {
                    if messages.contains(&MessageId { mailbox: *from, uid: item.uid }) {
                        mailboxes.insert(*to);
                        messages.insert(MessageId { mailbox: *to, uid: item.to });
                    }
                }
            }
            _ => {}
        }
    }
    mailboxes
}
