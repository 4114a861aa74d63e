//! Which messages a change of all messages of a mailbox is about.

use serde::{Deserialize, Serialize};

use super::pending::is_provisional;
use crate::record::Mailbox;

/// All messages that a mailbox had at a moment. Numbers only grow, so that later ones are told apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Everything {
    /// The last UID.
    last: u32,
    /// The last provisional UID.
    last_provisional: u32,
    /// The UIDVALIDITY that the last UID belongs to, where what is not stored here is meant as well; 0
    /// if it is not, or nothing is known of it.
    #[serde(default)]
    uid_validity: u32,
}

impl Everything {
    pub(super) fn of(uids: &[u32]) -> Self {
        let last = |provisional| {
            let kind = uids.iter().filter(|uid| is_provisional(**uid) == provisional);
            kind.max().copied().unwrap_or(0)
        };
        Self { last: last(false), last_provisional: last(true), uid_validity: 0 }
    }

    /// All that a mailbox on a server has, as far as the person could know: these messages, and what
    /// was there when the server was last asked what it has.
    pub(super) fn known(mailbox: &Mailbox, uids: &[u32]) -> Self {
        let stored = Self::of(uids);
        let counted = mailbox.synced.counted.unwrap_or_default();
        let uid_validity = match mailbox.uid_validity {
            0 => counted.0,
            own => own,
        };
        let told = [(mailbox.uid_validity, mailbox.uid_next), counted];
        let told = told.iter().filter(|(validity, _)| *validity == uid_validity);
        let next = told.map(|(_, next)| *next).max().unwrap_or_default();
        // Of an empty mailbox the server tells at least that the next UID is 1.
        let is_known = next > 0 || stored.last > 0;
        let uid_validity = if is_known { uid_validity } else { 0 };
        Self { last: next.saturating_sub(1).max(stored.last), uid_validity, ..stored }
    }

    pub(super) fn has(self, uid: u32) -> bool {
        uid <= if is_provisional(uid) { self.last_provisional } else { self.last }
    }

    /// Whether a mailbox has other messages by now, under whatever UIDs: it was made anew since.
    pub(super) fn is_of_before(self, mailbox: &Mailbox) -> bool {
        let both = [self.uid_validity, mailbox.uid_validity];
        !both.contains(&0) && both[0] != both[1]
    }

    /// UIDVALIDITY and the first UID of what is not meant; `None` if they are not known.
    pub(super) fn until(self) -> Option<(u32, u32)> {
        (self.uid_validity != 0).then_some((self.uid_validity, self.last.saturating_add(1)))
    }
}
