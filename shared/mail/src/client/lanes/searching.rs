//! The searching lane: a server may look for long, and nothing that a person clicks should wait for
//! it.

use std::{ops::ControlFlow, time::Duration};

use futures_channel::mpsc;
use postern_bridge::{AccountId, MailboxId};

use super::{Client, link::Link};
use crate::{
    Host, MailError,
    client::search::Told,
    imap::{Found, ListChange},
    search::Query,
};

/// How long an unused connection of the searching lane is kept.
const KEEP_IDLE: Duration = Duration::from_secs(60);

/// Something to look for.
pub(in crate::client) struct Searching {
    /// Where, in this order, and what.
    pub(in crate::client) places: Vec<(MailboxId, Query)>,
    /// Hears what is found. When nobody listens any more, the server is asked nothing more.
    pub(in crate::client) told: mpsc::UnboundedSender<Told>,
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
                Some(job) => self.find(&mut link, job).await,
                None => link.hang_up().await,
            }
        }
    }

    async fn find(&self, link: &mut Link<H>, Searching { places, told }: Searching) {
        for (mailbox, query) in places {
            if told.is_closed() {
                return;
            }
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
            let done = link
                .work(async |imap, host| imap.find(host, mailbox, &query, &mut found).await)
                .await;
            let Err(error) = done else { continue };
            // One mailbox that can't be searched does not hold up the others.
            let goes_on = matches!(error, MailError::Refused { .. } | MailError::Gone(_));
            let _ = told.unbounded_send(Told::Failed(error));
            if !goes_on {
                return;
            }
        }
    }
}
