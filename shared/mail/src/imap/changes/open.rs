//! The mailbox of an entry, opened, with UIDs that mean what they meant.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::MailboxId;
use postern_imap::SequenceSet;

use super::{ImapClient, find::Found};
use crate::{
    Host, MailError, Transport,
    changes::{self, Entry, Item, Settled, Task, is_provisional},
    error::Denial,
    imap::select::Selected,
    record::{self, Mailbox},
};

impl<T: Transport> ImapClient<T> {
    /// Makes sure that a mailbox is open, and that the server finds these messages in it.
    pub(super) async fn open_with<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        items: &[Item],
    ) -> Result<Selected, MailError> {
        let uid_validity = self.selected.as_ref().map_or(0, |selected| selected.uid_validity);
        let mut uids = items.iter().map(|item| known_uid(item, uid_validity));
        let newest = uids.try_fold(0, |newest, uid| Some(uid?.max(newest)));
        self.open(host, mailbox, newest).await
    }

    /// Opens the mailbox of an entry. Messages whose UIDs belong to an earlier UIDVALIDITY or to another
    /// mailbox, or are not known, are found by what else is known of them; those that are not found leave
    /// the entry. One that is to be deleted and is not there is as it should be.
    pub(super) async fn open_for<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        mailbox: MailboxId,
    ) -> Result<Settled, MailError> {
        let own = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
        let selected = self.open_with(host, &own, entry.task.items()).await?;
        let deletes = matches!(entry.task, Task::Expunge { .. });
        let strangers = self.strangers(host, &own, entry.task.items()).await?;
        let (mut lost, mut gone) = (BTreeSet::new(), BTreeSet::new());
        let mut found_some = false;
        let mut task = entry.task.clone();
        for (index, item) in task.items_mut().into_iter().flatten().enumerate() {
            let known = known_uid(item, selected.uid_validity);
            if known.is_some_and(|uid| !strangers.contains(&uid)) {
                continue;
            }
            match self.find_one(host, item).await? {
                Found::At(uid) => {
                    item.uid = uid;
                    item.uid_validity = selected.uid_validity;
                    found_some = true;
                }
                Found::Nowhere if deletes => drop(gone.insert(index)),
                Found::Nowhere | Found::Several(_) | Found::Uncertain => drop(lost.insert(index)),
            }
        }
        entry.task = task;
        if !(lost.is_empty() && gone.is_empty()) {
            return changes::drop_items(host, entry, &lost, &gone).await;
        }
        if found_some {
            changes::learn(host, entry).await?;
        }
        Ok(Settled::default())
    }
}

impl<T: Transport> ImapClient<T> {
    /// The UIDs of messages under which the open mailbox has others.
    pub(super) async fn strangers<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        items: &[Item],
    ) -> Result<BTreeSet<u32>, MailError> {
        if !self.may_be_another(host, mailbox).await? {
            return Ok(BTreeSet::new());
        }
        let compared = self.are_same(host, items).await?;
        Ok(compared.into_iter().filter(|(_, is_same)| !is_same).map(|(uid, _)| uid).collect())
    }

    /// Makes sure that the open mailbox is the one that had these messages: that one of them is there, and
    /// no other message under the UID of any.
    ///
    /// # Errors
    ///
    /// If it may be another one.
    pub(super) async fn check_identity<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        items: &[Item],
    ) -> Result<(), MailError> {
        if !self.may_be_another(host, mailbox).await? {
            return Ok(());
        }
        let compared = self.are_same(host, items).await?;
        if !compared.is_empty() && compared.into_values().all(|is_same| is_same) {
            return Ok(());
        }
        let sentence = "Another folder may have this one's name by now, so that nothing was deleted of \
                        which that was not certain. Open it to see what is in it, and empty it again.";
        Err(MailError::Input(sentence.into()))
    }

    /// Whether the open mailbox may be another one than this. Two that were made within one second have the
    /// same UIDVALIDITY at some servers (RFC 9051 section 2.3.1.1 permits that), so that nothing but their
    /// messages shows that they have changed names, where the server has no names for them that stay
    /// (MAILBOXID).
    async fn may_be_another<H: Host<Transport = T>>(
        &self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<bool, MailError> {
        let uid_validity = self.selected.as_ref().map_or(0, |selected| selected.uid_validity);
        let is_like = |own: &Mailbox| {
            let counted = own.synced.counted.map(|(uid_validity, _)| uid_validity);
            own.id != mailbox.id && [Some(own.uid_validity), counted].contains(&Some(uid_validity))
        };
        let all = record::mailboxes(host.store(), mailbox.account).await?;
        Ok(mailbox.server_id.is_none() && all.iter().any(is_like))
    }

    /// Of those of these messages under whose UIDs the open mailbox has any, whether they are the same.
    async fn are_same<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        items: &[Item],
    ) -> Result<BTreeMap<u32, bool>, MailError> {
        let uid_validity = self.selected.as_ref().map_or(0, |selected| selected.uid_validity);
        let known = items.iter().filter_map(|item| Some((known_uid(item, uid_validity)?, item)));
        self.same_at(host, known.collect()).await
    }
}

/// The UID of a message, if it is one of that UIDVALIDITY.
fn known_uid(item: &Item, uid_validity: u32) -> Option<u32> {
    let is_known = item.uid != 0 && !is_provisional(item.uid) && item.uid_validity == uid_validity;
    is_known.then_some(item.uid)
}

/// The UIDs of an entry's messages; `None` if none is left.
pub(super) fn uids(entry: &Entry) -> Option<SequenceSet> {
    SequenceSet::from_numbers(entry.task.items().iter().map(|item| item.uid))
}

/// What is not done in a mailbox that is open for reading alone.
pub(super) fn read_only(what: &'static str) -> MailError {
    let text = "it is open for reading alone".into();
    MailError::Denied { what, why: Denial::NotAllowed, text }
}

/// A mailbox that is not there any more is told as a folder.
pub(super) fn gone(error: MailError) -> MailError {
    match error {
        MailError::Gone(_) => MailError::Gone("folder"),
        error => error,
    }
}
