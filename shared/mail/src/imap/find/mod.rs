//! Messages that the server finds.

mod here;
mod results;

use std::{ops::ControlFlow, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use postern_bridge::{MailboxId, MessageId};
use postern_imap::SequenceSet;

use self::{
    here::as_here,
    results::{Failure, Results},
};
use super::{ImapClient, halves::Halving, listing, select::Selected};
use crate::{
    Clock, Host, MailError, Store, Transport,
    changes::{Pending, is_provisional},
    record::{self, Message, Place, Record},
    search::{self, Asked, Query, Rung, limits},
    store::{Durability, Table},
};

/// How long an answer is awaited that nobody wants any more: a new connection costs more.
const MOMENT: Duration = Duration::from_millis(500);

/// Something that the server has found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// Messages that are stored, some of them just now.
    pub places: Vec<Place>,
    /// Those of them that were not stored before.
    pub listed: Vec<Place>,
    /// Messages that have been moved away here, with the mailboxes that they are in now.
    pub moved: Vec<(MailboxId, Place)>,
    /// UIDs of messages that the next sync of their mailbox will store.
    pub awaited: Vec<u32>,
}

/// Whether all that the server has found is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All of it, or as much as was wanted.
    Whole,
    /// Of a mailbox that was never synced the newest ones, as many as are fetched
    /// ([`limits::FETCHED`]).
    Newest,
    /// None of it: nobody wants to know any more, and the server is still looking. Until it has
    /// answered, the connection is of no use.
    BrokenOff,
}

impl<T: Transport> ImapClient<T> {
    /// Has the server look for messages of a mailbox. `found` is called with what was found and is
    /// stored, and again for each window of what was not stored and has been fetched; where it says
    /// so, no more is asked for, and where nothing `is_wanted` any more, an answer that takes long is
    /// not waited for. A server that refuses a charset or a key is asked for less, and what
    /// it then finds counts if what is stored of it shows that it fulfils the rest.
    ///
    /// Only where no sync has been whole yet, messages are stored here, as a sync that is broken off
    /// after a window leaves them; elsewhere a message that is not stored has just come, and its
    /// mailbox's next sync stores it.
    ///
    /// # Errors
    ///
    /// If the server refuses in every way, or can't be asked, or the store not be written.
    pub async fn find<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        query: &Query,
        is_wanted: &dyn Fn() -> bool,
        found: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<Reach, MailError> {
        let before = record::mailbox(host.store(), mailbox).await?;
        // Not just examined: others may go on to change what this connection has open.
        let newest = before.uid_next.saturating_sub(1);
        let selected = self.open(host, &before, Some(newest)).await?;
        if before.uid_validity != 0 && before.uid_validity != selected.uid_validity {
            return Err(MailError::Gone("mailbox"));
        }
        let is_synced = before.uid_next != 0;
        let mut left = limits::FETCHED;
        let asked = host.now();
        let Some(newest) = while_wanted(host, is_wanted, self.ask(host, query)).await else {
            return Ok(Reach::BrokenOff);
        };
        let (mut results, rest) = newest?;
        loop {
            let (mut known, mut missing) =
                as_here(host, (mailbox, asked), &results.uids, query, &rest).await?;
            if is_synced {
                missing.retain(|uid| *uid >= before.uid_next);
                known.awaited = std::mem::take(&mut missing);
                if !rest.is_empty() {
                    // Of them nobody knows yet whether they fulfil it.
                    known.awaited.clear();
                }
            }
            if found(known).is_break() {
                return Ok(Reach::Whole);
            }
            let newest = missing.split_off(missing.len().saturating_sub(left));
            left -= newest.len();
            if self.fetch_found(host, &selected, &newest, &rest, found).await?.is_break() {
                return Ok(Reach::Whole);
            }
            let Some(older) = results.older else {
                return Ok(if missing.is_empty() { Reach::Whole } else { Reach::Newest });
            };
            if left == 0 {
                return Ok(Reach::Newest);
            }
            let older = while_wanted(host, is_wanted, self.find_older(host, older)).await;
            let Some(older) = older else { return Ok(Reach::BrokenOff) };
            results = older?;
        }
    }

    /// Fetches and stores messages that were found, given by UID, ascending; the newest first.
    async fn fetch_found<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        selected: &Selected,
        uids: &[u32],
        rest: &Query,
        found: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, MailError> {
        let mailbox = selected.mailbox;
        let items = listing::items(&self.capabilities(host).await?);
        let mut halving = Halving::new(items, "list the messages");
        for window in uids.rchunks(limits::WINDOW) {
            let Some(set) = SequenceSet::from_numbers(window.iter().copied()) else { continue };
            let came = self.fetch_window(host, &set, &mut halving).await?;
            let spelling = self.enabled.spelling;
            let messages = listing::messages(mailbox, came, spelling, |uid| {
                window.binary_search(&uid).is_ok() && !is_provisional(uid)
            });
            let listed = keep(host, selected, messages).await?;
            // Some may have been stored by a sync meanwhile.
            let (places, _) = search::admitted(host.store(), mailbox, window, rest).await?;
            if found(Found { places, listed, ..Found::default() }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        halving.gave_up().map_or(Ok(ControlFlow::Continue(())), Err)
    }

    /// What the server finds, and what must be known of those messages besides.
    async fn ask<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        query: &Query,
    ) -> Result<(Results, Query), MailError> {
        let labels = self.labels(host).await?;
        let mut tried = Vec::new();
        let mut refused = None;
        for rung in Rung::ALL {
            let Asked { keys, rest } = query.asked(rung, labels);
            if tried.contains(&keys) || (keys.is_empty() && rung != Rung::All) {
                continue;
            }
            match self.find_newest(host, &keys).await {
                Ok(results) => return Ok((results, rest)),
                Err(Failure::Failed(error)) => return Err(error),
                Err(failure) => drop(refused.get_or_insert(failure)),
            }
            tried.push(keys);
        }
        Err(refused.unwrap_or(Failure::Refused(String::new())).into())
    }
}

/// Waits for what the server answers; `None` if nobody wants it any more and it does not come soon.
async fn while_wanted<T>(
    clock: &impl Clock,
    is_wanted: &dyn Fn() -> bool,
    answer: impl Future<Output = T>,
) -> Option<T> {
    let mut answer = pin!(answer);
    loop {
        let was_wanted = is_wanted();
        match select(answer.as_mut(), pin!(clock.sleep(MOMENT))).await {
            Either::Left((answer, _)) => return Some(answer),
            Either::Right(_) if was_wanted => {}
            Either::Right(_) => return None,
        }
    }
}

/// Stores messages of a mailbox that has not been synced as a whole; returns the places of those
/// that were not stored. What is queued about them counts more than what the server told.
async fn keep<H: Host>(
    host: &H,
    selected: &Selected,
    messages: Vec<Message>,
) -> Result<Vec<Place>, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut mailbox = record::mailbox(store, selected.mailbox).await?;
    let mut writes = Vec::new();
    if mailbox.uid_validity == 0 {
        // Nothing is stored, so that the mod-sequence stands for all of that.
        mailbox.uid_validity = selected.uid_validity;
        mailbox.synced.mod_seq = selected.mod_seq;
        mailbox.synced.linked = true;
        writes.push(mailbox.put());
    }
    if mailbox.uid_validity != selected.uid_validity || mailbox.uid_next != 0 {
        // A sync was quicker.
        return Ok(Vec::new());
    }
    let keys: Vec<_> = messages.iter().map(|own| record::message_key(own.id)).collect();
    let stored = store.get_many(Table::Messages, &keys).await?;
    let pending = Pending::of(store, mailbox.id, host.now()).await?;
    let mut places = Vec::new();
    for (mut message, stored) in messages.into_iter().zip(stored) {
        let MessageId { uid, .. } = message.id;
        if stored.is_some() || pending.has_departed(uid) {
            continue;
        }
        pending.mark(uid, &mut message.flags, &mut message.keywords);
        places.push(message.place());
        writes.extend(message.put_listed());
    }
    if !places.is_empty() {
        store.apply(writes, Durability::Relaxed).await?;
    }
    Ok(places)
}
