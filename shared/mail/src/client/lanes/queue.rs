//! What the sync lane of an IMAP account has to do, and in which order.

use std::collections::VecDeque;

use futures_channel::mpsc;
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use postern_bridge::MailboxId;

use super::{Sync, sharing::Lent};

/// The lane's work, as far as it waits.
pub(super) struct Queue {
    jobs: mpsc::UnboundedReceiver<Sync>,
    pub(super) waiting: Vec<Sync>,
    lent_jobs: mpsc::UnboundedReceiver<Lent>,
    /// What is to be done for other lanes.
    lent: VecDeque<Lent>,
    /// What was broken off for something more urgent, and goes on when nothing else waits.
    pub(super) paused: Vec<Sync>,
}

impl Queue {
    /// One in which nothing waits.
    pub(super) fn new(
        jobs: mpsc::UnboundedReceiver<Sync>,
        lent_jobs: mpsc::UnboundedReceiver<Lent>,
    ) -> Self {
        let (waiting, paused, lent) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { jobs, waiting, lent_jobs, lent, paused }
    }

    /// Takes in what has been asked for meanwhile.
    pub(super) fn gather(&mut self) {
        while let Ok(job) = self.jobs.try_recv() {
            self.waiting.push(job);
        }
        while let Ok(lent) = self.lent_jobs.try_recv() {
            self.lent.push_back(lent);
        }
    }

    /// Waits until something is asked for; false if nothing will be any more.
    pub(super) async fn wait(&mut self) -> bool {
        match select(self.jobs.next(), self.lent_jobs.next()).await {
            Either::Left((Some(job), _)) => self.waiting.push(job),
            Either::Right((Some(lent), _)) => self.lent.push_back(lent),
            Either::Left((None, _)) | Either::Right((None, _)) => return false,
        }
        true
    }

    /// Whether a person waits for something else than this mailbox.
    pub(super) fn is_urgent(&mut self, at_work: MailboxId) -> bool {
        self.gather();
        let is_other = |job: &Sync| matches!(job, Sync::Mailbox(mailbox) if *mailbox != at_work);
        self.waiting.iter().any(is_other) || self.lent.iter().any(Lent::is_urgent)
    }

    /// What to do for other lanes now: what a person waits for at once, the rest when nothing
    /// else is left to do.
    pub(super) fn next_lent(&mut self) -> Option<Lent> {
        let is_idle = self.waiting.is_empty() && self.paused.is_empty();
        let at = self.lent.iter().position(|lent| lent.is_urgent() || is_idle)?;
        self.lent.remove(at)
    }
}

/// Takes the job to do next, and its repetitions: what was asked for last is looked at now, so it
/// goes first; looking at everything comes last.
pub(super) fn take_next(waiting: &mut Vec<Sync>) -> Sync {
    let opened = waiting.iter().rposition(|job| matches!(job, Sync::Mailbox(_) | Sync::News(_)));
    let filing = || waiting.iter().position(|job| matches!(job, Sync::File { .. }));
    let job = waiting[opened.or_else(filing).unwrap_or(0)];
    waiting.retain(|other| *other != job);
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_last_comes_first_and_nothing_is_done_twice() {
        let (one, two) = (Sync::Mailbox(MailboxId(1)), Sync::Mailbox(MailboxId(2)));
        let file = Sync::File { outbox: 1 };
        let mut waiting = vec![Sync::All, one, file, one, two, Sync::All];
        let mut order = Vec::new();
        while !waiting.is_empty() {
            order.push(take_next(&mut waiting));
        }
        assert!(order == [two, one, file, Sync::All]);
    }
}
