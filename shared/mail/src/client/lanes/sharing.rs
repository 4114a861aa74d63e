//! Lanes that make do with the sync lane's connection, where the server allows no more.

use std::{cell::Cell, time::Duration};

use futures_channel::oneshot;
use postern_bridge::AccountId;

use super::{Client, Reading, Searching, Work, link::Link};
use crate::{Host, MailError};

/// How long a lane makes do without a connection of its own before it tries to have one again.
const SHARED: Duration = Duration::from_secs(600);

/// A lane that can do without a connection of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lane {
    Reading,
    Searching,
}

/// What is known of an account's lanes about that.
#[derive(Default)]
pub(super) struct Sharing {
    /// Until when the reading lane does without, in milliseconds since 1970 (UTC).
    reading: Cell<i64>,
    /// Until when the searching lane does without, in milliseconds since 1970 (UTC).
    searching: Cell<i64>,
    /// Whether the searching lane has a connection that it could give up.
    is_searching: Cell<bool>,
}

/// A lane's work, done over the sync lane's connection.
pub(super) struct Lent {
    pub(super) work: Work,
    pub(super) done: oneshot::Sender<Result<(), MailError>>,
}

impl Lent {
    /// Whether a person waits for it.
    pub(super) fn is_urgent(&self) -> bool {
        !matches!(self.work, Work::Ahead(_))
    }
}

impl Sharing {
    fn until(&self, lane: Lane) -> &Cell<i64> {
        match lane {
            Lane::Reading => &self.reading,
            Lane::Searching => &self.searching,
        }
    }
}

impl<H: Host> Client<H> {
    /// Does work over the lane's own connection, or over that of the sync lane if the server allows
    /// no other.
    pub(super) async fn do_somewhere(
        &self,
        account: AccountId,
        lane: Lane,
        link: &mut Link<H>,
        work: Work,
    ) -> Result<(), MailError> {
        if matches!(work, Work::Asked(Reading::Changes)) {
            // Also where there is no connection: else nothing would be told any more.
            self.changes_taken(account);
        }
        if self.does_without(account, lane) {
            link.hang_up().await;
            return self.lend(account, work).await;
        }
        if self.inner.online.get() {
            match link.open().await {
                Ok(()) => {}
                Err(MailError::TooManyConnections(_)) => {
                    self.make_room(account, lane);
                    return self.lend(account, work).await;
                }
                Err(error) => {
                    if let Work::Asked(Reading::Part { section, .. }) = &work {
                        self.tell_fetched(account, section, None);
                    }
                    return work.fail(error);
                }
            }
        }
        if lane == Lane::Searching {
            self.with_sharing(account, |sharing| sharing.is_searching.set(true));
        }
        self.do_work(account, link, work).await
    }

    /// The server allows no more connections, and the sync lane has none: for a while it has the
    /// account's only one.
    pub(super) fn share_connections(&self, account: AccountId) {
        self.do_without(account, Lane::Searching);
        self.do_without(account, Lane::Reading);
    }

    /// The server allowed a lane no connection. What is read goes before what is searched for: if
    /// the searching lane has a connection, the reading lane will have that.
    fn make_room(&self, account: AccountId, lane: Lane) {
        let searches = self.with_sharing(account, |sharing| sharing.is_searching.get());
        self.do_without(account, Lane::Searching);
        if lane == Lane::Reading && searches != Some(true) {
            self.do_without(account, Lane::Reading);
        }
    }

    /// For a while a lane has no connection of its own.
    fn do_without(&self, account: AccountId, lane: Lane) {
        let until = self.inner.host.now() + i64::try_from(SHARED.as_millis()).unwrap_or(0);
        self.with_sharing(account, |sharing| sharing.until(lane).set(until));
        match lane {
            Lane::Reading => self.queue_reading(account, Reading::HangUp),
            Lane::Searching => self.queue_search(account, Searching::HangUp),
        }
    }

    fn does_without(&self, account: AccountId, lane: Lane) -> bool {
        let until = self.with_sharing(account, |sharing| sharing.until(lane).get());
        until.is_some_and(|until| self.inner.host.now() < until)
    }

    /// The searching lane has no connection any more.
    pub(super) fn searches_no_more(&self, account: AccountId) {
        self.with_sharing(account, |sharing| sharing.is_searching.set(false));
    }

    fn with_sharing<T>(&self, account: AccountId, look: impl FnOnce(&Sharing) -> T) -> Option<T> {
        self.inner.accounts.borrow().get(&account).map(|running| look(&running.lanes.sharing))
    }

    /// Has the sync lane do work over its connection, and waits until it is done.
    async fn lend(&self, account: AccountId, mut work: Work) -> Result<(), MailError> {
        if let Work::Look(look) = &mut work {
            look.is_lent = true;
        }
        let (done, answer) = oneshot::channel();
        if let Some(running) = self.inner.accounts.borrow().get(&account) {
            let _ = running.lanes.lent.unbounded_send(Lent { work, done });
        }
        answer.await.unwrap_or(Err(MailError::Gone("account")))
    }
}
