//! One mailbox's messages brought up to date.

use std::ops::ControlFlow;

use postern_bridge::MailboxId;

use super::{
    ImapClient,
    batch::{Sync, SyncStep},
    plan::{self, FlagsFrom},
    refresh::Left,
    stored::stored_uids,
};
use crate::{
    Host, MailError, Transport,
    changes::is_provisional,
    record::{self, Doubts, SyncPoint},
    store::StoreError,
};

impl<T: Transport> ImapClient<T> {
    /// Brings the stored messages of a mailbox up to date: new ones are fetched newest first in
    /// windows, those that are gone are removed, and so are the flags of the others: by QRESYNC
    /// where the server has it, else by CONDSTORE, else by looking at all of them. `changed` is
    /// called after each batch; where it says so, no more new messages are fetched, and the result
    /// is that the mailbox is not up to date yet. If UIDVALIDITY changed, what is stored of this
    /// mailbox is dropped first. From then on the mailbox is watched: see [`catch_up`](Self::catch_up).
    /// Whether something else is to be done first is also asked where nothing was stored: after the mailbox
    /// was opened and counted, and its messages were compared.
    ///
    /// It may break off after any batch, and the next call goes on from there:
    /// - after the batch that drops what is stored: nothing is stored, so that the mod-sequence in
    ///   it stands for all of that;
    /// - after new messages: `uid_next` is that of the last whole sync, so the UIDs are compared;
    /// - after how messages begin was stored: the next connection asks for the rest;
    /// - after messages that are gone, or flags: the mod-sequence is the earlier one, so the server
    ///   tells the same again, which does no harm;
    /// - after links that an earlier version did not ask for: `linked_from` in the same batch says from
    ///   which UID on they are known, and it goes on below;
    /// - after labels that it did not ask for: `labelled_from` in the next batch says so of them; before
    ///   that they are asked for again. What changes above meanwhile is told since the mod-sequence, which
    ///   is the earlier one;
    /// - after a window of flags, where the server has no mod-sequences and all are looked at: `flagged_from`
    ///   says so of them, and the next call looks at those below. What changed above meanwhile is not seen,
    ///   so that the mailbox is stale after that, and all are looked at once more. Where there are
    ///   mod-sequences, the one that the last batch stores must stand for all flags: it is not broken off;
    /// - after flags or labels of which some could not be read, or at which the server stopped: the
    ///   mod-sequence is the earlier one and the mailbox stale, so that the next call asks again; but
    ///   for labels that an earlier version did not ask for: all would be asked for each time;
    /// - before the marks that are in doubt were told: they stay so, also if more come to be in doubt
    ///   meanwhile;
    /// - after messages were refused: which these are is stored at once, and they come last with the next
    ///   call;
    /// - after a look at which the server did not tell all that there is: the mailbox is stale, so that
    ///   the next look compares the UIDs again;
    /// - after messages were dropped whose records here can't be read any more: the mailbox is stale, and
    ///   they are missing;
    /// - the last batch but for previews stores `uid_next` and mod-sequence of the SELECT, when all that
    ///   they stand for is stored.
    ///
    /// # Errors
    ///
    /// If the server can't be asked or the store not be written.
    pub async fn sync_messages<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        changed: &mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, MailError> {
        let mut done = self.compare(host, mailbox, changed).await;
        if let Err(MailError::Store(StoreError::Damaged(_))) = done {
            let before = record::mailbox(host.store(), mailbox).await?;
            let stored = stored_uids(host.store(), mailbox).await?.len();
            let mut sync = Sync::new(host, mailbox, stored, host.now(), changed);
            sync.set_total(before.synced.exists, host.now());
            sync.set_unread(before.synced.unseen, host.now());
            if sync.drop_unreadable().await? > 0 {
                self.come_to_rest(host).await?;
                done = self.compare(host, mailbox, changed).await;
            }
        }
        if done != Ok(ControlFlow::Continue(())) {
            // Not watched until it is whole.
            self.news = None;
        }
        done
    }

    async fn compare<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        changed: &mut dyn FnMut(SyncStep) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, MailError> {
        let asked = host.now();
        let before = record::mailbox(host.store(), mailbox).await?;
        let mut stored = match before.uid_validity {
            0 => Vec::new(),
            _ => stored_uids(host.store(), mailbox).await?,
        };
        let known = plan::known(&before, &stored);
        let told = known.is_some() && self.enabled.qresync;
        let selected = self.select_watched(host, &before, known).await?;
        let reset = before.uid_validity != selected.uid_validity;
        let labels = self.labels(host).await?;
        let labelled = labels.is_some();
        if reset {
            stored.clear();
        }
        let mut sync = Sync::new(host, mailbox, stored.len(), asked, changed);
        sync.labels = labels;
        sync.set_total(selected.exists, host.now());
        if sync.gives_way() {
            return Ok(ControlFlow::Break(()));
        }
        let unread = self.count_unread(host, mailbox).await?;
        sync.set_unread(unread, self.counted);
        if sync.gives_way() {
            return Ok(ControlFlow::Break(()));
        }
        let mut noted = before.clone();
        selected.note_rights(&mut noted);
        if noted != before {
            // At once: a message may be opened before all of them are here.
            sync.update(|own| selected.note_rights(own)).await?;
        }
        if reset {
            sync.clear(selected.uid_validity, |own| {
                if own.uid_validity != 0 {
                    // It may be another mailbox of the same name.
                    own.server_id = None;
                }
                own.uid_validity = selected.uid_validity;
                own.uid_next = 0;
                own.doubts = Doubts::default();
                let mod_seq = selected.mod_seq;
                let (linked, counted) = (true, own.synced.counted);
                own.synced =
                    SyncPoint { mod_seq, linked, labelled, counted, ..SyncPoint::default() };
            })
            .await?;
        }
        let is_empty = stored.is_empty();
        let mut flags = plan::flags_from(&before, &selected, told && !labelled, is_empty);
        if told && (self.has_lost_news() || selected.lacks_flags && !is_empty) {
            flags = FlagsFrom::Server;
        }
        self.apply_news(&mut sync, &mut stored).await?;
        let mut known = stored.clone();
        self.fetch_missing(&mut sync, &before, &selected, reset, &mut stored).await?;
        if sync.is_paused() {
            return Ok(ControlFlow::Break(()));
        }
        known.retain(|uid| stored.binary_search(uid).is_ok());
        if !before.synced.linked && !reset {
            self.learn_links(&mut sync, before.synced.linked_from, &known).await?;
            if sync.is_paused() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Where all flags are looked at, labels come with them.
        if labelled && !before.synced.labelled && !reset && flags != FlagsFrom::Server {
            let from = before.synced.labelled_from;
            self.learn_labels(&mut sync, from, &known, &mut stored).await?;
            if sync.is_paused() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let left = match (flags, selected.mod_seq) {
            (FlagsFrom::Server, 0) if !reset => Left::Below(before.synced.flagged_from),
            _ => Left::All,
        };
        if self.refresh_flags(&mut sync, flags, left, &known, &mut stored).await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let doubts = if reset { Doubts::default() } else { before.doubts };
        let all_are_seen = matches!((flags, left), (FlagsFrom::Server, Left::All | Left::Below(0)));
        if !all_are_seen {
            self.look_again(&mut sync, &doubts.among(&known), &mut stored).await?;
        }
        if let Some(last) = stored.iter().rfind(|uid| !is_provisional(**uid)) {
            self.reaches(last.saturating_add(1));
        }
        let (total, unseen, is_partial) = (sync.total(), sync.unread, sync.is_partial);
        let lacks_flags = sync.lacks_flags;
        sync.update(|own| {
            if is_partial {
                own.synced.stale = true;
                return;
            }
            own.uid_next = selected.uid_next.unwrap_or_default();
            let mod_seq = if lacks_flags { before.synced.mod_seq } else { selected.mod_seq };
            if !lacks_flags {
                own.doubts.settle(&doubts);
            }
            own.synced = SyncPoint {
                mod_seq,
                exists: total,
                unseen,
                stale: lacks_flags || matches!(left, Left::Below(1..)),
                linked: true,
                linked_from: 0,
                labelled,
                labelled_from: 0,
                flagged_from: 0,
                counted: own.synced.counted,
            };
        })
        .await?;
        self.ask_previews(&mut sync).await?;
        Ok(ControlFlow::Continue(()))
    }
}
