//! The searching lane: a server may look for long, and nothing that a person clicks should wait for
//! it.

use std::{ops::ControlFlow, time::Duration};

use futures_channel::mpsc;
use postern_bridge::{AccountId, MailboxId};

use super::{Client, Work, link::Link, sharing::Lane};
use crate::{
    Host, MailError,
    client::search::Told,
    imap::{Found, ListChange, Reach},
    search::Query,
};

/// How long an unused connection of the searching lane is kept.
const KEEP_IDLE: Duration = Duration::from_secs(60);

/// What the lane is to do.
pub(in crate::client) enum Searching {
    /// Look for something.
    Look {
        /// Where, in this order, and what.
        places: Vec<(MailboxId, Query)>,
        /// Hears what is found. When nobody listens any more, the server is asked nothing more.
        told: mpsc::UnboundedSender<Told>,
    },
    /// Give up the connection, which another lane needs.
    HangUp,
}

/// A mailbox to look in: what a person clicks may go between two of them where they share a
/// connection.
pub(super) struct Look {
    mailbox: MailboxId,
    query: Query,
    told: mpsc::UnboundedSender<Told>,
    /// Whether it is done over the sync lane's connection, which is not given up for it.
    pub(super) is_lent: bool,
}

impl<H: Host> Client<H> {
    pub(super) async fn searching_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Searching>,
    ) {
        let mut link = Link::new(&self, account);
        while let Some(job) = self.next_job(&mut jobs, KEEP_IDLE).await {
            match job {
                Some(Searching::Look { places, told }) => {
                    self.look_everywhere(account, &mut link, places, told).await;
                }
                Some(Searching::HangUp) | None => {
                    link.hang_up().await;
                    self.searches_no_more(account);
                }
            }
        }
    }

    async fn look_everywhere(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        places: Vec<(MailboxId, Query)>,
        told: mpsc::UnboundedSender<Told>,
    ) {
        for (mailbox, query) in places {
            if told.is_closed() {
                return;
            }
            let look = Work::Look(Look { mailbox, query, told: told.clone(), is_lent: false });
            let looked = self.do_somewhere(account, Lane::Searching, link, look).await;
            let Err(error) = looked else { continue };
            // One mailbox that can't be searched does not hold up the others.
            let goes_on = matches!(error, MailError::Refused { .. } | MailError::Gone(_));
            let _ = told.unbounded_send(Told::Failed(error));
            if !goes_on {
                return;
            }
        }
    }

    /// Has the server look in one mailbox.
    pub(super) async fn look_there(
        &self,
        link: &mut Link<H>,
        Look { mailbox, query, told, is_lent }: Look,
    ) -> Result<(), MailError> {
        let mut found = |found: Found| {
            if !found.listed.is_empty() {
                let added = found.listed.clone();
                self.list_changed(mailbox, ListChange { added, ..ListChange::default() });
            }
            // Fails when nobody listens.
            match told.unbounded_send(Told::Found(mailbox, found)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let may_leave = !is_lent && link.may_leave();
        let is_wanted = || !may_leave || !told.is_closed();
        let reach = link
            .work(async |imap, host| imap.find(host, mailbox, &query, &is_wanted, &mut found).await)
            .await?;
        match reach {
            Reach::Whole => {}
            Reach::Newest => drop(told.unbounded_send(Told::TooMany)),
            // What is looked for next does not wait behind it.
            Reach::BrokenOff => link.leave(),
        }
        Ok(())
    }
}
