//! The reading lane: what the person waits for, and what is likely to be read next.

use std::{pin::pin, time::Duration};

use futures_channel::{mpsc, oneshot};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use postern_bridge::{AccountId, Delta, MailboxId, MessageId, Progress};

use super::{Change, Client, Reading, Work, link::Link, sharing::Lane};
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
/// Bytes of all that is fetched ahead in one go.
const PREFETCH_BUDGET: u64 = 2 << 20;

impl<H: Host> Client<H> {
    pub(super) async fn reading_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Reading>,
        mut ahead: mpsc::UnboundedReceiver<MessageId>,
    ) {
        let mut link = Link::new(&self, account);
        loop {
            // What a person waits for goes first: `select` looks at its first future first.
            let idle = pin!(self.inner.host.sleep(KEEP_IDLE));
            let next = select(jobs.next(), select(ahead.next(), idle)).await;
            let work = match next {
                Either::Left((Some(job), _)) => Work::Asked(job),
                Either::Right((Either::Left((Some(message), _)), _)) => Work::Ahead(message),
                Either::Right((Either::Right(_), _)) => Work::Asked(Reading::HangUp),
                Either::Left((None, _)) | Either::Right((Either::Left((None, _)), _)) => return,
            };
            let done = match work {
                Work::Asked(Reading::HangUp) => {
                    link.hang_up().await;
                    Ok(())
                }
                work => self.do_somewhere(account, Lane::Reading, &mut link, work).await,
            };
            if done.is_err() {
                // Without a connection nothing is fetched ahead: each would wait for it again.
                while ahead.try_recv().is_ok() {}
            }
        }
    }

    /// Does a piece of work. Who asked is told of an error; the result is for the lane.
    pub(super) async fn do_work(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        work: Work,
    ) -> Result<(), MailError> {
        match work {
            Work::Asked(Reading::Body { message, done }) => {
                let body = link.work(async |imap, host| imap.fetch_body(host, message).await).await;
                answer(done, body)
            }
            Work::Asked(Reading::Part { message, section, done }) => {
                let mut progress = |done, total| {
                    let progress = Progress::of_bytes("Fetching an attachment", done, total);
                    self.tell(None, Delta::Progress { account, progress: Some(progress) });
                };
                let part = link
                    .work(async |imap, host| {
                        imap.fetch_part(host, message, &section, &mut progress).await
                    })
                    .await;
                self.tell(None, Delta::Progress { account, progress: None });
                answer(done, part)
            }
            Work::Asked(Reading::Whole { message, done }) => {
                let whole = link.work(async |imap, host| imap.fetch_raw(host, message).await).await;
                answer(done, whole)
            }
            Work::Asked(Reading::Changes) => self.make_next_change(account, link).await,
            // The connection is the lane's, who sees to it.
            Work::Asked(Reading::HangUp) => Ok(()),
            Work::Ahead(message) => self.prefetch(link, message).await,
            Work::Look(look) => self.look_there(link, look).await,
        }
    }

    async fn prefetch(&self, link: &mut Link<H>, id: MessageId) -> Result<(), MailError> {
        let message: Option<Message> = record::get(self.store(), &record::message_key(id)).await?;
        let wanted = message.is_some_and(|message| message.body == Body::Absent);
        if wanted && !self.inner.paused.get() {
            link.work(async |imap, host| imap.fetch_body(host, id).await).await?;
            self.note_change(id.mailbox, Change::Rows);
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
        let mut left = PREFETCH_BUDGET;
        for (key, _) in newest {
            let id = record::arrived_message(&key)?;
            let message: Option<Message> =
                record::get(self.store(), &record::message_key(id)).await?;
            let Some(message) = message.filter(|own| own.body == Body::Absent) else { continue };
            if message.size <= PREFETCHED_SIZE.min(left) {
                left -= message.size;
                self.queue_prefetch(account, id);
            }
        }
        Ok(())
    }
}

impl Work {
    /// Tells who asked that it can't be done.
    pub(super) fn fail(self, error: MailError) -> Result<(), MailError> {
        match self {
            Self::Asked(Reading::Body { done, .. } | Reading::Part { done, .. }) => {
                answer(done, Err(error))
            }
            _ => Err(error),
        }
    }
}

/// Gives an answer to who asked, if it still waits, and its error to the lane.
fn answer<T>(
    done: oneshot::Sender<Result<T, MailError>>,
    result: Result<T, MailError>,
) -> Result<(), MailError> {
    let error = result.as_ref().err().cloned();
    let _ = done.send(result);
    error.map_or(Ok(()), Err)
}
