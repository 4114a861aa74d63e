//! Messages that were stored before, looked at again: their flags, and what an earlier version left out.

use std::collections::BTreeMap;

use postern_imap::{Command, SequenceSet, command::FetchOptions};

use super::{
    ImapClient,
    batch::{BATCH, Sync},
    halves::Halving,
    labels, listing,
    plan::{self, FlagsFrom},
};
use crate::{Host, MailError, Transport};

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
        let below = match linked_from {
            0 => known.len(),
            from => known.partition_point(|uid| *uid < from),
        };
        for piece in known[..below].rchunks(BATCH) {
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
        let below = match labelled_from {
            0 => known.len(),
            from => known.partition_point(|uid| *uid < from),
        };
        for piece in known[..below].rchunks(BATCH) {
            for window in plan::flag_windows(piece) {
                let command = Command::uid_fetch(&window, &items)?;
                self.ask_flags(sync, command, stored).await?;
            }
            sync.update(|own| own.synced.labelled_from = piece[0]).await?;
            self.look_out(sync)?;
            if sync.is_paused() {
                break;
            }
        }
        Ok(())
    }

    /// Looks at the flags and labels of messages that were stored before.
    pub(super) async fn refresh_flags<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        from: FlagsFrom,
        known: &[u32],
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let items = labels::items(sync.labels);
        if let (FlagsFrom::Since(mod_seq), Some(last)) = (from, known.last())
            && let Some(uids) = SequenceSet::from_ranges([1..=*last])
        {
            let options = FetchOptions { changed_since: Some(mod_seq), ..FetchOptions::default() };
            let command = Command::uid_fetch_with(&uids, &items, &options)?;
            self.ask_flags(sync, command, stored).await?;
        }
        let is_whole = match from {
            FlagsFrom::Nowhere => true,
            FlagsFrom::Since(_) => !self.has_lost_news(),
            FlagsFrom::Server => false,
        };
        if !is_whole {
            for window in plan::flag_windows(known) {
                let command = Command::uid_fetch(&window, &items)?;
                self.ask_flags(sync, command, stored).await?;
            }
        }
        Ok(())
    }

    async fn ask_flags<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        command: Command,
        stored: &mut Vec<u32>,
    ) -> Result<(), MailError> {
        let mut answer = self.run(sync.host(), command, "list the flags").await?;
        if let Some(news) = &mut self.news {
            // A server that tells more than it was asked.
            for fetch in answer.fetches() {
                news.fetch(&fetch);
            }
        }
        self.apply_news(sync, stored).await
    }
}
