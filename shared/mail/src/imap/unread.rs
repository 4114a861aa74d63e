//! How many messages of a mailbox are unread, as the server counts them, while some of them change.

use postern_bridge::MailboxId;
use postern_imap::{
    SequenceSet,
    command::{SearchKey, SearchReturn},
};

use super::{ImapClient, limits::UNSETTLED, stored::stored_messages};
use crate::{
    Host, MailError, Store, Transport,
    changes::{self, Pending},
    record,
};

impl<T: Transport> ImapClient<T> {
    /// Asks how many messages of the open mailbox are unread, and remembers when. What is queued does not
    /// count as done yet: see [`Pending::unread`].
    ///
    /// Of a message that is queued to become read, over another connection, nobody can tell whether the
    /// server has counted it as it was or as it will be. So those are left out of what is asked for, and
    /// counted here. What one does while the answer is on its way, and what arrives by a copy, whose UID is
    /// not known, can still be counted wrong until the next time.
    pub(super) async fn count_unread<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
    ) -> Result<u32, MailError> {
        let store = host.store();
        let editing = store.editing().lock().await;
        self.counted = host.now();
        let own = record::mailbox(store, mailbox).await?;
        let queued = changes::entries(store, own.account).await?;
        let pending = Pending::from_entries(&queued, &own, self.counted);
        let mut unsettled = pending.unsettled().clone();
        if own.uid_validity != self.uid_validity() || unsettled.len() > UNSETTLED {
            unsettled.clear();
        }
        let uids: Vec<u32> = unsettled.keys().copied().collect();
        let here = stored_messages(store, mailbox, &uids).await?;
        drop(editing);
        let is_unread =
            here.iter().map(|message| message.as_ref().is_some_and(|own| !own.flags.seen));
        let before: i64 =
            is_unread.zip(unsettled.values()).map(|(now, change)| i64::from(now) - change).sum();

        let others =
            SequenceSet::from_numbers(uids).map(|uids| SearchKey::negate(SearchKey::Uid(uids)));
        let keys = [SearchKey::Unseen].into_iter().chain(others).collect();
        let found = self.search_all(host, keys, SearchReturn::Count).await?;
        let others = u32::try_from(found.count.unwrap_or_default()).unwrap_or(u32::MAX);
        Ok(others.saturating_add_signed(i32::try_from(before).unwrap_or_default()))
    }

    /// UIDVALIDITY of the open mailbox.
    fn uid_validity(&self) -> u32 {
        self.selected.as_ref().map_or(0, |selected| selected.uid_validity)
    }
}
