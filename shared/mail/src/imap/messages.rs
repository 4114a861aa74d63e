//! One mailbox's messages brought up to date.

use std::{collections::BTreeSet, ops::ControlFlow};

use futures_util::future::join;
use postern_bridge::MailboxId;
use postern_imap::{SequenceSet, session::Tag};

use super::{
    ImapClient,
    batch::{Sync, SyncStep},
    exchange::Answer,
    halves::Halving,
    listing::{self, Records},
    newcomers::Newcomers,
    plan::{self, FlagsFrom},
    refresh::Left,
    refused::Refused,
    search::Present,
    select::Selected,
    stored::stored_uids,
};
use crate::{
    Host, MailError, Transport,
    changes::is_provisional,
    record::{self, Mailbox, Message, SyncPoint},
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
    ///   mod-sequence is the earlier one and the mailbox stale, so that the next call asks again;
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
                let mod_seq = selected.mod_seq;
                let (linked, counted) = (true, own.synced.counted);
                own.synced =
                    SyncPoint { mod_seq, linked, labelled, counted, ..SyncPoint::default() };
            })
            .await?;
        }
        let is_empty = stored.is_empty();
        let mut flags = plan::flags_from(&before, &selected, told && !labelled, is_empty);
        if told && self.has_lost_news() {
            flags = FlagsFrom::Server;
        }
        sync.lacks_flags = told && !reset && selected.is_damaged;
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
            own.synced = SyncPoint {
                mod_seq,
                exists: total,
                unseen,
                stale: lacks_flags || matches!(left, Left::Below(1..)),
                linked: true,
                linked_from: 0,
                labelled: labelled && (before.synced.labelled || !lacks_flags),
                labelled_from: 0,
                flagged_from: 0,
                counted: own.synced.counted,
            };
        })
        .await?;
        self.ask_previews(&mut sync).await?;
        Ok(ControlFlow::Continue(()))
    }

    /// Fetches the messages that are not stored, and removes those that are gone without a word.
    async fn fetch_missing<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        before: &Mailbox,
        selected: &Selected,
        reset: bool,
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        if !reset && let Some(new) = plan::new_uids(before.uid_next, selected.uid_next, stored) {
            self.fetch_new(sync, &new, stored).await?;
            if sync.is_paused() {
                return Ok(());
            }
            // All below was stored as a whole: of as many messages none is missing, and none gone.
            let departures = sync.pending().await?.departures();
            if u32::try_from(stored.len() + departures as usize) == Ok(selected.exists) {
                // A new one may have gone before it was fetched, and made up for an old one that
                // is gone: that shows with the next look, but numbers would be wrong until then.
                if new.is_empty() && departures == 0 {
                    self.note_order(stored.clone());
                }
                return Ok(());
            }
        }
        let Present { uids, is_whole } = match selected.exists {
            0 => Present { uids: Vec::new(), is_whole: true },
            _ => self.present(sync.host()).await?,
        };
        if sync.gives_way() {
            return Ok(());
        }
        let pending = sync.pending().await?;
        let here = |uid: &u32| !is_provisional(*uid) && !pending.has_departed(*uid);
        let there = uids.iter().copied().filter(here);
        let difference = plan::difference(there, std::mem::take(stored));
        *stored = difference.known;
        if is_whole {
            let there = uids.iter().filter(|uid| pending.has_departed(**uid)).count();
            let there = u32::try_from(there).unwrap_or(u32::MAX);
            sync.gone = pending.departures().saturating_sub(there);
            self.note_order(uids);
            sync.remove(&difference.vanished).await?;
        } else {
            // Whether what was not told is gone can't be known.
            sync.is_partial = true;
            stored.extend(difference.vanished);
            stored.sort_unstable();
        }
        self.fetch_new(sync, &difference.missing, stored).await
    }

    /// Remembers which message has which number, if the server tells numbers rather than UIDs.
    fn note_order(&mut self, uids: Vec<u32>) {
        if !self.enabled.qresync
            && let Some(news) = &mut self.news
        {
            news.set_order(uids);
        }
    }

    /// Fetches those of these messages that there are and that the server does not refuse; those that it
    /// has refused before come last, and are asked for in one go. The first window is not held up by
    /// others; from then on the next one is taken in while one is stored. As long as windows come
    /// quickly, one more is on its way, so that the server need not wait; where they do not, it would keep
    /// waiting who wants something else. What comes meanwhile goes before the older ones, and is told at once.
    async fn fetch_new<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        missing: &[u32],
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        if missing.is_empty() {
            return Ok(());
        }
        let (host, mailbox) = (sync.host(), sync.mailbox);
        let spelling = self.enabled.spelling;
        let asks_threads = self.wants_threads(sync, missing).await?;
        let mut is_first = true;
        let items = listing::items(&self.capabilities(host).await?);
        let mut halving = Halving::new(items, "list the messages");
        let before = stored.len();
        let uid_validity = self.selected.map_or(0, |selected| selected.uid_validity);
        let mut refused = Refused::load(host.store(), mailbox, uid_validity, host.now()).await?;
        let (fresh, again) = refused.divide(missing);
        let mut windows = plan::NewWindows::of(&fresh, &again);
        let mut current = self.start_fetch(windows.next(), &halving)?;
        let mut newcomers = self.newcomers(missing, stored);
        // Each is taken once, with whichever answer it comes first.
        let mut taken = BTreeSet::new();
        let mut ahead = None;
        let mut came = None;
        while let Some((tag, window)) = current {
            let began = host.now();
            let answer = Answer::listing(Records::new(mailbox, spelling));
            let next = self.finish(host, tag, "list the messages", answer);
            // What has come is stored even if the connection breaks.
            let (next, added) = join(next, take_in(sync, came)).await;
            stored.extend(added?);
            let mut next = next?;
            sync.is_partial |= next.stopped_at().is_some();
            let mut done = Ok(());
            let refusal = halving.refusal(&next).unwrap_or_else(|error| {
                done = Err(error);
                None
            });
            let is_missing = |uid| {
                let is_asked = missing.binary_search(&uid).is_ok() || newcomers.has(uid);
                is_asked && !taken.contains(&uid)
            };
            let mut messages = next.listed(is_missing);
            let is_again = window.numbers().any(|uid| again.binary_search(&uid).is_ok());
            if let Some(refusal) = refusal.filter(|_| !is_again) {
                let here: BTreeSet<u32> = messages.iter().map(|own| own.id.uid).collect();
                let uids = window.numbers().filter(|uid| is_missing(*uid) && !here.contains(uid));
                let mut more = Vec::new();
                let state = (&mut halving, &mut refused);
                done = self.fetch_refused(host, uids.collect(), refusal, state, &mut more).await;
                let is_missing = |uid| is_missing(uid) && !here.contains(&uid);
                messages.extend(listing::messages(mailbox, more, spelling, is_missing));
            }
            taken.extend(messages.iter().map(|own| own.id.uid));
            sync.count_in(newcomers.among(&messages));
            let are_new = newcomers.ended(&window);
            came = Some(messages);
            if done.is_err() {
                take_in(sync, came).await?;
                return done;
            }
            if are_new {
                stored.extend(take_in(sync, came.take()).await?);
            }
            if is_first {
                // It is being looked at: nothing else comes before what belongs to it.
                let shown = take_in(sync, came.take()).await?;
                if asks_threads && !sync.is_paused() {
                    self.ask_threads(sync).await?;
                }
                // Where it is all there is, there is something to be done first.
                if !windows.is_empty() {
                    self.ask_previews(sync).await?;
                }
                stored.extend(shown);
                is_first = false;
            }
            let took = host.now() - began;
            if !are_new {
                windows.took(window.count(), took);
            }
            let mut new = None;
            if !windows.is_empty() {
                self.look_out(sync)?;
                new = self.connection.session.exists().and_then(|exists| newcomers.window(exists));
            }
            if new.is_some()
                && let Some(news) = &mut self.news
            {
                news.go_ahead();
            }
            let mut next = |goes_on: bool| match sync.is_paused() {
                true => None,
                false => new.take().or_else(|| goes_on.then(|| windows.next()).flatten()),
            };
            current = match ahead {
                Some(ahead) => Some(ahead),
                None => self.start_fetch(next(true), &halving)?,
            };
            ahead = self.start_fetch(next(took < plan::QUICK), &halving)?;
        }
        stored.extend(take_in(sync, came).await?);
        refused.remove(host.store(), |uid| taken.contains(&uid)).await?;
        match halving.gave_up() {
            Some(refusal) if stored.len() == before => return Err(refusal),
            gave_up => sync.is_partial |= gave_up.is_some(),
        }
        stored.sort_unstable();
        Ok(())
    }

    /// What may come while these messages are fetched, which are missing beside those that are stored.
    fn newcomers(&self, missing: &[u32], stored: &[u32]) -> Newcomers {
        let known = stored.iter().filter(|uid| !is_provisional(**uid)).chain(missing).max();
        let next = known.map_or(1, |uid| uid.saturating_add(1));
        let (uid_next, exists) =
            self.selected.map_or((None, u32::MAX), |own| (own.uid_next, own.exists));
        Newcomers::behind(next.max(uid_next.unwrap_or_default()), exists)
    }

    fn start_fetch(
        &mut self,
        window: Option<SequenceSet>,
        halving: &Halving,
    ) -> Result<Option<(Tag, SequenceSet)>, MailError> {
        let Some(window) = window else { return Ok(None) };
        let command = halving.command(&window)?;
        Ok(Some((self.connection.session.start(command), window)))
    }
}

/// Stores a window, if one has come; returns the UIDs of those that are stored.
async fn take_in<H: Host>(
    sync: &mut Sync<'_, H>,
    came: Option<Vec<Message>>,
) -> Result<Vec<u32>, MailError> {
    match came {
        Some(messages) => sync.add(messages, |_| {}).await,
        None => Ok(Vec::new()),
    }
}
