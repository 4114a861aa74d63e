//! Changes of mailboxes, gathered before pages are told.

use std::{collections::hash_map::Entry, time::Duration};

use postern_bridge::MailboxId;

use super::{Client, lists::Change};
use crate::Host;

/// How long changes of a mailbox are gathered before pages are told.
const GATHER: Duration = Duration::from_millis(30);

impl<H: Host> Client<H> {
    /// A mailbox changed in the store: pages are told in a moment, once for many changes.
    pub(super) fn note_change(&self, mailbox: MailboxId, change: Change) {
        self.inner.held.borrow_mut().drop_changed(mailbox);
        match self.inner.changed.borrow_mut().entry(mailbox) {
            Entry::Occupied(mut noted) => {
                let most = change.max(*noted.get());
                noted.insert(most);
                return;
            }
            Entry::Vacant(free) => free.insert(change),
        };
        let client = self.clone();
        self.inner.host.spawn(async move {
            client.inner.host.sleep(client.gathering(mailbox)).await;
            let change = client.inner.changed.borrow_mut().remove(&mailbox);
            // A mailbox that is gone by now needs no redrawing; the store's failures are told by
            // whoever writes.
            let _ = client.mailbox_changed(mailbox, change.unwrap_or(Change::Order)).await;
        });
    }

    /// How long changes are gathered: a long list takes longer to put in order again.
    fn gathering(&self, mailbox: MailboxId) -> Duration {
        let thousands = self.list_length(mailbox) / 1000;
        GATHER + Duration::from_millis(5) * u32::try_from(thousands).unwrap_or_default()
    }
}
