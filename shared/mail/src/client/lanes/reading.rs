//! The reading lane: what the person waits for, and what is likely to be read next.

use std::time::Duration;

use futures_channel::mpsc;
use postern_bridge::{AccountId, Delta, MailboxId, MessageId};

use super::{Client, Reading, link::Link};
use crate::{
    Host, MailError, Store,
    record::{self, Body, Message},
    store::{KeyRange, Order, Table},
};

/// How long an unused connection of the reading lane is kept.
const KEEP_IDLE: Duration = Duration::from_secs(120);
/// How many of the newest messages are fetched before anybody asks for them.
const PREFETCHED: usize = 20;
/// The largest message that is fetched before anybody asks for it, in bytes.
const PREFETCHED_SIZE: u64 = 256 * 1024;

impl<H: Host> Client<H> {
    pub(super) async fn reading_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Reading>,
    ) {
        let mut link = Link::new(&self, account);
        while let Some(job) = self.next_job(&mut jobs, KEEP_IDLE).await {
            match job {
                // A receiver that is gone has stopped waiting.
                Some(Reading::Body { message, done }) => {
                    let body = link.work(async |imap, host| imap.fetch_body(host, message).await);
                    let _ = done.send(body.await);
                }
                Some(Reading::Part { message, section, done }) => {
                    let part = link
                        .work(async |imap, host| imap.fetch_part(host, message, &section).await);
                    let _ = done.send(part.await);
                }
                Some(Reading::Seen { message, seen }) => {
                    let stored =
                        link.work(async |imap, host| imap.store_seen(host, message, seen).await);
                    if let Err(error) = stored.await
                        && !error.is_passing()
                    {
                        self.tell(None, Delta::Problem(self.problem(account, &error)));
                    }
                }
                Some(Reading::Prefetch { message }) => {
                    // Nobody asked for it: when it is asked for, an error will be told.
                    let _ = self.prefetch(&mut link, message).await;
                }
                None => link.hang_up().await,
            }
        }
    }

    async fn prefetch(&self, link: &mut Link<H>, id: MessageId) -> Result<(), MailError> {
        let message: Option<Message> = record::get(self.store(), &record::message_key(id)).await?;
        if message.is_some_and(|message| message.body == Body::Absent) {
            link.work(async |imap, host| imap.fetch_body(host, id).await).await?;
            self.note_change(id.mailbox);
        }
        Ok(())
    }

    /// Has the newest messages of a mailbox fetched: they are likely to be read next.
    pub(super) async fn prefetch_newest(
        &self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<(), MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let newest =
            self.store().scan(Table::Arrival, &range, Order::Descending, PREFETCHED).await?;
        for (key, _) in newest {
            let id = record::arrived_message(&key)?;
            let message: Option<Message> =
                record::get(self.store(), &record::message_key(id)).await?;
            if message.is_some_and(|own| own.body == Body::Absent && own.size <= PREFETCHED_SIZE) {
                self.queue_reading(account, Reading::Prefetch { message: id });
            }
        }
        Ok(())
    }
}
