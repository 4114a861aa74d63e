//! What this account may do with the messages of a mailbox, as the server tells (RFC 4314).

use postern_imap::response::MyRights;

use crate::record::Mailbox;

/// What may be done with a mailbox's messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rights {
    mark_read: bool,
    mark: bool,
    remove: bool,
}

impl Rights {
    /// Notes them in the mailbox's record.
    pub(super) fn note(self, own: &mut Mailbox) {
        own.can_mark_read = self.mark_read;
        own.can_mark = self.mark;
        own.can_remove = self.remove;
    }
}

impl From<&MyRights> for Rights {
    fn from(told: &MyRights) -> Self {
        Self { mark_read: told.can_mark_read(), mark: told.can_mark(), remove: told.can_remove() }
    }
}
