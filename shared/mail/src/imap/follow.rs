//! What the server tells of a mailbox that is watched, stored.

use std::ops::ControlFlow;

use postern_bridge::MailboxId;
use postern_imap::{Command, SequenceSet};

use super::{
    ImapClient,
    batch::{Sync, SyncStep},
    listing,
    news::News,
    plan,
    stored::{stored_among, stored_uids},
};
use crate::{
    Host, MailError, Transport,
    changes::is_provisional,
    record::{self, Mailbox, SyncPoint},
    store::StoreError,
};

impl<T: Transport> ImapClient<T> {
    /// Stores what the server has told of a mailbox that is watched, since it was brought up to
    /// date: new messages, flags, and which messages are gone. If that can't be told from its
    /// words, the mailbox is compared as a whole.
    ///
    /// It may break off after any batch: new messages are stored together with the `uid_next` that
    /// includes them; the mod-sequence stays that of the last whole sync, so that it tells the rest
    /// again.
    ///
    /// # Errors
    ///
    /// If the server can't be asked or the store not be written.
    pub async fn catch_up<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        changed: &mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, MailError> {
        let before = record::mailbox(host.store(), mailbox).await?;
        let watched = self.watches(mailbox)
            && self.selected.as_ref().is_some_and(|own| own.uid_validity == before.uid_validity);
        let is_told = before.uid_next != 0 && !self.has_lost_news();
        if !(watched && is_told) {
            return self.sync_messages(host, mailbox, changed).await;
        }
        let done = self.follow(host, &before, changed).await;
        if done.is_err() {
            // What was told is not told again.
            self.news = None;
        }
        match done {
            Err(MailError::Store(StoreError::Damaged(_))) => {
                self.sync_messages(host, mailbox, changed).await
            }
            done => done,
        }
    }

    async fn follow<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        before: &Mailbox,
        changed: &mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, MailError> {
        let mailbox = before.id;
        let mut stored = stored_uids(host.store(), mailbox).await?;
        // What was done here since the server began to tell this counts more.
        let asked = std::mem::replace(&mut self.heard, host.now());
        let mut sync = Sync::new(host, mailbox, stored.len(), asked, changed);
        sync.labels = self.labels(host).await?;
        sync.set_total(before.synced.exists, self.counted);
        sync.set_unread(before.synced.unseen, self.counted);
        self.apply_news(&mut sync, &mut stored).await?;
        if let Some(arrived) = self.news.as_mut().and_then(News::take_arrived) {
            if arrived.saturating_sub(sync.on_server().await?) > plan::FIRST_WINDOW {
                return self.sync_messages(host, mailbox, sync.changed()).await;
            }
            match self.fetch_arrived(&mut sync, before.uid_next, &stored).await {
                // Which of them the server refuses, and what comes all the same, shows there.
                Err(MailError::Refused { .. } | MailError::Denied { .. }) => {
                    return self.sync_messages(host, mailbox, sync.changed()).await;
                }
                done => done?,
            }
        }
        let on_server = sync.on_server().await?;
        sync.set_total(on_server, host.now());
        let unread = self.count_unread(host, mailbox).await?;
        sync.set_unread(unread, self.counted);
        let (exists, unseen) = (sync.total(), sync.unread);
        sync.update(|own| own.synced = SyncPoint { exists, unseen, ..own.synced }).await?;
        Ok(ControlFlow::Continue(()))
    }

    /// Fetches the few messages that have come.
    async fn fetch_arrived<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        uid_next: u32,
        stored: &[u32],
    ) -> Result<(), MailError> {
        let Some(new) = SequenceSet::from_ranges([uid_next..=u32::MAX]) else { return Ok(()) };
        let items = listing::items(&self.capabilities(sync.host()).await?);
        let command = Command::uid_fetch(&new, &items)?;
        let mut answer = self.run(sync.host(), command, "list the messages").await?;
        let is_new = |uid| uid >= uid_next && !is_provisional(uid);
        let spelling = self.enabled.spelling;
        let mut messages = listing::messages(sync.mailbox, answer.fetches(), spelling, is_new);
        let Some(last) = messages.last() else { return Ok(()) };
        let next = last.id.uid.saturating_add(1);
        self.reaches(next);
        if let Some(news) = &mut self.news {
            news.extend_order(messages.iter().map(|message| message.id.uid));
        }
        // Some may have come while the older ones were fetched.
        messages.retain(|message| stored.binary_search(&message.id.uid).is_err());
        sync.count_in(messages.iter().collect());
        sync.add(messages, |own| own.uid_next = next).await?;
        self.ask_previews(sync).await
    }

    /// Stores the marks that the server told, and removes what is gone, also from `stored`.
    pub(super) async fn apply_news<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let Some(told) = self.news.as_mut().map(News::take_told) else { return Ok(()) };
        let mut gone = stored_among(sync.host().store(), sync.mailbox, &told.vanished).await?;
        gone.sort_unstable();
        sync.remove(&gone).await?;
        stored.retain(|uid| gone.binary_search(uid).is_err());
        let known = told.marks.into_iter().filter(|(uid, _)| stored.binary_search(uid).is_ok());
        sync.set_marks(known).await
    }

    /// Whether more has happened than the server told.
    pub(super) fn has_lost_news(&self) -> bool {
        self.news.as_ref().is_some_and(News::is_lost)
    }
}
