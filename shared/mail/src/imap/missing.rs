//! Messages of a mailbox that are not stored here, fetched in windows.

use std::collections::BTreeSet;

use futures_util::future::join;
use postern_imap::{SequenceSet, session::Tag};

use super::{
    ImapClient,
    batch::Sync,
    exchange::Answer,
    halves::Halving,
    listing::{self, Records},
    newcomers::Newcomers,
    plan,
    refused::Refused,
    search::Present,
    select::Selected,
};
use crate::{
    Host, MailError, Transport,
    changes::is_provisional,
    record::{Mailbox, Message},
};

impl<T: Transport> ImapClient<T> {
    /// Fetches the messages that are not stored, and removes those that are gone without a word.
    pub(super) async fn fetch_missing<H: Host<Transport = T>>(
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
        let asked = sync.host().now();
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
            // What has gone since the mailbox was opened is in its count then, and not in this one.
            sync.set_total(u32::try_from(uids.len()).unwrap_or(u32::MAX), asked);
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
        let uid_validity = self.selected.as_ref().map_or(0, |selected| selected.uid_validity);
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
            self.selected.as_ref().map_or((None, u32::MAX), |own| (own.uid_next, own.exists));
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
