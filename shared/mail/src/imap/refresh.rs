//! Messages that were stored before, looked at again: their flags, and what an earlier version left out.

use std::{collections::BTreeMap, ops::ControlFlow};

use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, FetchOptions},
};

use super::{
    ImapClient,
    batch::{BATCH, Sync},
    halves::Halving,
    labels, limits, listing,
    plan::{self, FlagsFrom},
};
use crate::{Host, MailError, Transport};

/// Which flags are still to be looked at, where all are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Left {
    /// All of them, in one go.
    All,
    /// Those of messages with smaller UIDs than this; of all if it is 0. It may be broken off.
    Below(u32),
}

impl<T: Transport> ImapClient<T> {
    /// Asks for the links of messages that an earlier version, which did not ask for them, stored: the
    /// newest first, piece by piece, until something else is to be done first. Those from `linked_from`
    /// on are known. Messages that the server refuses stay without.
    pub(super) async fn learn_links<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        linked_from: u32,
        known: &[u32],
    ) -> Result<(), MailError> {
        let items = listing::link_items(&self.capabilities(sync.host()).await?);
        let mut halving = Halving::new(items, "list the conversations");
        for piece in below(known, linked_from).rchunks(BATCH) {
            let unlinked = sync.unlinked(piece).await?;
            let mut links = BTreeMap::new();
            for window in plan::flag_windows(&unlinked) {
                let came = self.fetch_window(sync.host(), &window, &mut halving).await?;
                let told = came.into_iter().filter(|fetch| fetch.envelope.is_some());
                links.extend(told.filter_map(|fetch| Some((fetch.uid?, listing::links(&fetch)))));
            }
            sync.set_links(links, piece[0]).await?;
            self.look_out(sync)?;
            if sync.is_paused() {
                break;
            }
        }
        Ok(())
    }

    /// Asks for the labels of messages that an earlier version, which did not ask for them, stored: as
    /// [`learn_links`](Self::learn_links) does, from `labelled_from` on down.
    pub(super) async fn learn_labels<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        labelled_from: u32,
        known: &[u32],
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let items = labels::items(sync.labels);
        for piece in below(known, labelled_from).rchunks(BATCH) {
            for window in plan::flag_windows(piece) {
                self.ask_flags(sync, window, (&items, None), stored).await?;
            }
            sync.update(|own| own.synced.labelled_from = piece[0]).await?;
            self.look_out(sync)?;
            if sync.is_paused() {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the flags and labels of messages that were stored before. Where that is broken off, from
    /// which UID on they are known is stored.
    pub(super) async fn refresh_flags<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        from: FlagsFrom,
        left: Left,
        known: &[u32],
        stored: &mut Vec<u32>,
    ) -> Result<ControlFlow<()>, MailError> {
        let items = labels::items(sync.labels);
        if let (FlagsFrom::Since(mod_seq), Some(last)) = (from, known.last())
            && let Some(uids) = SequenceSet::from_ranges([1..=*last])
        {
            self.ask_flags(sync, uids, (&items, Some(mod_seq)), stored).await?;
        }
        let is_whole = match from {
            FlagsFrom::Nowhere => true,
            FlagsFrom::Since(_) => !self.has_lost_news(),
            FlagsFrom::Server => false,
        };
        if !is_whole {
            let known = match left {
                Left::All => known,
                Left::Below(from) => below(known, from),
            };
            let mut windows = plan::flag_windows(known).into_iter().peekable();
            while let Some(window) = windows.next() {
                let from = window.numbers().next().unwrap_or_default();
                self.ask_flags(sync, window, (&items, None), stored).await?;
                if left == Left::All || windows.peek().is_none() {
                    continue;
                }
                self.look_out(sync)?;
                if sync.gives_way() {
                    sync.update(|own| own.synced.flagged_from = from).await?;
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks at the flags and labels of messages of which those here are in doubt.
    pub(super) async fn look_again<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        doubtful: &[u32],
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let items = labels::items(sync.labels);
        for window in plan::flag_windows(doubtful) {
            self.ask_flags(sync, window, (&items, None), stored).await?;
        }
        Ok(())
    }

    /// Asks for the flags of messages, or of those that have changed since a mod-sequence. A server
    /// that stops before the end is asked for the rest.
    async fn ask_flags<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        uids: SequenceSet,
        (items, changed_since): (&[FetchItem], Option<u64>),
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let options = FetchOptions { changed_since, ..FetchOptions::default() };
        let mut rest = Some(uids);
        for _ in 0..limits::STOPS {
            let Some(uids) = rest.take() else { return Ok(()) };
            let command = Command::uid_fetch_with(&uids, items, &options)?;
            let mut answer = self.run(sync.host(), command, "list the flags").await?;
            sync.lacks_flags |= answer.is_damaged;
            let stop = answer.stopped_at();
            if let Some(news) = &mut self.news {
                // A server that tells more than it was asked.
                for fetch in answer.fetches() {
                    news.fetch(&fetch);
                }
            }
            self.apply_news(sync, stored).await?;
            if let Some(stop) = stop {
                rest = plan::below(&uids, stop);
                // It does not tell where it stopped, or stops where it was.
                if stop == 0 || rest.as_ref() == Some(&uids) {
                    break;
                }
            }
        }
        sync.lacks_flags = true;
        Ok(())
    }
}

/// Those of ascending UIDs that are smaller than one; all if that is 0.
fn below(ascending: &[u32], uid: u32) -> &[u32] {
    match uid {
        0 => ascending,
        uid => &ascending[..ascending.partition_point(|own| *own < uid)],
    }
}
