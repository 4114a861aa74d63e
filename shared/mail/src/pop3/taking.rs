//! What has come is told from what is stored, and changes rows of the ledger.

use super::{
    compare::remarked,
    fetch::Fetch,
    identity::{Facts, Identity, identify, listed_alike},
    limits::{BATCH_BYTES, BATCH_MESSAGES, MAX_ALIKE},
    listing::Listed,
    notes::ServerNotes,
    received::Received,
    row::{LedgerRow, RowChange},
    storing::Content,
    trouble::Troubles,
};
use crate::{Host, MailError};

impl<H: Host> Fetch<'_, H> {
    /// Finds out which messages those are that have arrived, one after the other.
    pub(super) async fn take_arrived(&mut self, troubles: &Troubles) -> Result<(), MailError> {
        for arrived in std::mem::take(&mut self.arrived) {
            let received = arrived.hashed().await;
            let is_over = |own: &&Listed| troubles.tries(own) > 0 && self.is_told_apart(own);
            let over = Some(&received.listed).filter(is_over).cloned();
            self.take(received).await?;
            if let Some(listed) = over {
                self.trouble(|own| own.forget_listed(&listed)).await?;
            }
        }
        Ok(())
    }

    /// A message has arrived: which one is it?
    pub(super) async fn take(&mut self, mut received: Received) -> Result<(), MailError> {
        let remarked = remarked(self.host.store(), &received, self.ledger).await?;
        let facts = received.facts(&remarked);
        match identify(facts, self.listing, self.ledger) {
            Identity::Unreadable => {}
            Identity::New if self.may_hold_back(&received) && self.seems_a_copy(facts) => {
                return self.hold_back(received).await;
            }
            Identity::New if received.listed.uidl.is_none() && self.is_pending(&received) => {}
            Identity::New => {
                self.retire_namesake(&received);
                self.pending.push(received);
                return Ok(());
            }
            Identity::Completes(row) if self.shared.contains(&row.message) && row.is_damaged() => {
                // What is there is the other one's.
                self.ledger.remove(&row.name());
                self.pending.push(received);
                return Ok(());
            }
            Identity::Completes(row) => {
                let row = self.free(*row, &received);
                // What comes next is another message, even if its header is the same.
                self.ledger.remove(&row.name());
                if received.listed.uidl.is_none() {
                    received.copy = self.free_copy(&received);
                }
                received.completes = Some(row.into());
                self.pending.push(received);
                return Ok(());
            }
            Identity::Known(change) => {
                self.known.compared.insert(change.now.name());
                if change.before != change.now {
                    self.change(*change);
                }
            }
        }
        if received.spilled_to().is_some() {
            self.place.discard_partial(self.host.store()).await?;
        }
        Ok(())
    }

    /// Whether there is room for one more message that is held back: those are a batch at most, and what
    /// they have to be compared with is bounded as well.
    fn may_hold_back(&self, received: &Received) -> bool {
        let held = self.held_back.iter().chain([received]).map(Received::weight);
        !self.known.takes_as_listed
            && received.spilled_to().is_none()
            && self.held_back.len() < BATCH_MESSAGES
            && self.known.alike.len() < MAX_ALIKE
            && held.sum::<usize>() <= BATCH_BYTES
    }

    /// Holds back what seems to be a copy. That there is something is noted before it is kept from being
    /// stored.
    async fn hold_back(&mut self, received: Received) -> Result<(), MailError> {
        if self.held_back.is_empty() {
            let (store, account) = (self.host.store(), self.place.account);
            ServerNotes::edit(store, account, ServerNotes::hold_back).await?;
        }
        // Whichever it is, it is not the one that had its id.
        self.known.gives_ids_again |= self.namesake(&received).is_some_and(LedgerRow::is_on_server);
        self.held_back.push(received);
        Ok(())
    }

    /// Whether a new message is a copy of one that is listed as it was, unless the listing misleads: the
    /// rows of those that this session has not seen are noted.
    fn seems_a_copy(&mut self, facts: Facts<'_>) -> bool {
        let alike = listed_alike(facts, self.listing, self.ledger).map(LedgerRow::name);
        let unseen = alike.filter(|name| !self.known.compared.contains(name));
        let unseen: Vec<Vec<u8>> = unseen.collect();
        let any = !unseen.is_empty();
        self.known.alike.extend(unseen);
        any
    }

    /// Frees the names of a header that comes to be complete under another unique id: of the one that
    /// it had and of the one that it gets, another message may come to be the owner before both are
    /// stored.
    fn free(&mut self, row: LedgerRow, received: &Received) -> LedgerRow {
        if received.listed.uidl.as_ref().is_none_or(|uidl| *uidl == row.uidl) {
            return row;
        }
        let now = self.ledger.without_uidl(row.clone(), self.seen);
        if row != now {
            self.change(RowChange { before: row, now: now.clone() });
        }
        self.retire_namesake(received);
        now
    }

    /// The row that has a new message's unique id is about another message, which may still be there
    /// under another id.
    fn retire_namesake(&mut self, received: &Received) {
        if let Some(row) = self.namesake(received).cloned() {
            let now = self.ledger.without_uidl(row.clone(), self.seen);
            self.known.gives_ids_again |= row.is_on_server();
            self.change(RowChange { before: row, now });
        }
    }

    /// The row that has its unique id.
    fn namesake(&self, received: &Received) -> Option<&LedgerRow> {
        self.ledger.by_uidl(received.listed.uidl.as_ref()?)
    }

    pub(super) fn change(&mut self, change: RowChange) {
        let changes = self.ledger.note(change, self.seen);
        // Another row has given its id up for this one. That of a message that is gone says nothing of
        // others: some servers number anew what comes into an empty mailbox.
        let mut others = changes.iter().rev().skip(1);
        self.known.gives_ids_again |= others.any(|own| own.before.is_on_server());
        self.changes.extend(changes);
    }

    /// Which one what has come will be of those with the same bytes and no unique id.
    pub(super) fn free_copy(&self, received: &Received) -> u32 {
        if received.listed.uidl.is_some() {
            return 0;
        }
        let same = |own: &Content| own.is_unnamed && own.sha256 == received.sha256;
        let pending = self.unstored().filter(same).map(|own| own.copy + 1).max();
        self.ledger.free_copy(received.sha256).max(pending.unwrap_or(0))
    }

    fn is_pending(&self, received: &Received) -> bool {
        self.unstored().any(|own| own.sha256 == received.sha256)
    }

    /// What has come and is not in the ledger yet.
    fn unstored(&self) -> impl Iterator<Item = Content> {
        let storing = self.batch.contents.iter().copied();
        storing.chain(self.pending.iter().map(Content::of))
    }
}
