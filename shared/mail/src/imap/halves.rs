//! Messages that a server refuses to list in one go, asked for again in halves.
//!
//! A refusal does not say which message it is about, and is the same with every try. So what did not
//! come is asked for in halves, down to single messages: those that are refused alone are left out,
//! and the others come.

use std::collections::BTreeSet;

use postern_imap::{Command, SequenceSet, command::FetchItem, response::Fetch};

use super::{ImapClient, exchange::Answer, limits, refusal::refusal, refused::Refused};
use crate::{Host, MailError, Transport};

/// What it takes to find out which messages a server does not list.
pub(super) struct Halving {
    /// What is asked for, with each message's envelope.
    items: Vec<FetchItem>,
    /// The same as a verb phrase: "list the messages".
    what: &'static str,
    /// How many more commands may be spent on it.
    left: u32,
    /// Why messages were left out that were not refused alone, if there are any.
    gave_up: Option<MailError>,
    /// Those that were refused alone.
    refused: Vec<u32>,
    /// Why the last of them was.
    why: Option<MailError>,
}

impl Halving {
    pub(super) fn new(items: Vec<FetchItem>, what: &'static str) -> Self {
        let left = limits::HALVES;
        Self { items, what, left, gave_up: None, refused: Vec::new(), why: None }
    }

    /// Why messages were left out that were not refused alone, if there are any.
    pub(super) fn gave_up(self) -> Option<MailError> {
        self.gave_up
    }

    /// Why messages were left out, if there are any.
    pub(super) fn left_out(self) -> Option<MailError> {
        self.gave_up.or(self.why)
    }

    /// Asks for all messages of a window at once.
    pub(super) fn command(&self, window: &SequenceSet) -> Result<Command, MailError> {
        Ok(Command::uid_fetch(window, &self.items)?)
    }

    /// Why some messages were refused, if any were.
    ///
    /// # Errors
    ///
    /// If the server refuses for a reason that has nothing to do with the messages.
    pub(super) fn refusal(&self, answer: &Answer) -> Result<Option<MailError>, MailError> {
        match answer.ends.iter().find_map(|end| refusal(self.what, end)) {
            Some(why @ (MailError::Refused { .. } | MailError::Denied { .. })) => Ok(Some(why)),
            Some(error) => Err(error),
            None => Ok(None),
        }
    }
}

impl<T: Transport> ImapClient<T> {
    /// Fetches what is asked for of the messages of a window, as far as the server tells it.
    ///
    /// # Errors
    ///
    /// If the server can't be asked.
    pub(super) async fn fetch_window<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        window: &SequenceSet,
        halving: &mut Halving,
    ) -> Result<Vec<Fetch>, MailError> {
        let command = halving.command(window)?;
        let mut answer = self.run_all(host, vec![command], halving.what).await?;
        let refusal = halving.refusal(&answer)?;
        let mut came: Vec<Fetch> = answer.fetches().collect();
        match refusal {
            Some(refusal) if window.count() > 1 => {
                let missing = missing(window.numbers(), &came);
                self.fetch_halves(host, missing, refusal, halving, &mut came).await?;
            }
            Some(refusal) => halving.why = Some(refusal),
            None => {}
        }
        Ok(came)
    }

    /// Fetches the same of messages that were refused at once, and remembers those that are refused each
    /// alone: also if the server then hangs up, so that it is not asked about the same ones again.
    ///
    /// # Errors
    ///
    /// If the server can't be asked or the store not be written. What `came` until then counts.
    pub(super) async fn fetch_refused<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uids: Vec<u32>,
        refusal: MailError,
        (halving, refused): (&mut Halving, &mut Refused),
        came: &mut Vec<Fetch>,
    ) -> Result<(), MailError> {
        if let [uid] = uids[..] {
            return Ok(refused.add(host.store(), [uid]).await?);
        }
        let done = self.fetch_halves(host, uids, refusal, halving, came).await;
        refused.add(host.store(), std::mem::take(&mut halving.refused)).await?;
        done
    }

    /// Fetches the same of messages, given by UID, ascending, that did not come when they were asked
    /// for at once and some were refused; the newest first.
    ///
    /// # Errors
    ///
    /// If the server can't be asked. What `came` until then counts.
    async fn fetch_halves<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uids: Vec<u32>,
        refusal: MailError,
        halving: &mut Halving,
        came: &mut Vec<Fetch>,
    ) -> Result<(), MailError> {
        let mut why = refusal;
        let mut pieces = halves(&uids);
        while let Some(piece) = pieces.pop() {
            let Some(set) = SequenceSet::from_numbers(piece.iter().copied()) else { continue };
            let Some(left) = halving.left.checked_sub(1) else {
                halving.gave_up = Some(why);
                break;
            };
            halving.left = left;
            let command = halving.command(&set)?;
            let mut answer = self.run_all(host, vec![command], halving.what).await?;
            let refusal = halving.refusal(&answer)?;
            let more: Vec<Fetch> = answer.fetches().collect();
            if let Some(refusal) = refusal {
                why = refusal;
                let missing = missing(piece.iter().copied(), &more);
                if piece.len() > 1 {
                    pieces.extend(halves(&missing));
                } else {
                    halving.refused.extend(missing);
                    halving.why = Some(why.clone());
                }
            }
            came.extend(more);
        }
        Ok(())
    }
}

/// Those of which nothing came, ascending.
fn missing(uids: impl IntoIterator<Item = u32>, came: &[Fetch]) -> Vec<u32> {
    let listed = came.iter().filter(|fetch| fetch.envelope.is_some());
    let came: BTreeSet<u32> = listed.filter_map(|fetch| fetch.uid).collect();
    uids.into_iter().filter(|uid| !came.contains(uid)).collect()
}

/// The older half and the newer one.
fn halves(uids: &[u32]) -> Vec<Vec<u32>> {
    let (older, newer) = uids.split_at(uids.len() / 2);
    vec![older.to_vec(), newer.to_vec()]
}
