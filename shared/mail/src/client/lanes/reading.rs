//! The reading lane: what the person waits for, and what is likely to be read next.

use std::{pin::pin, time::Duration};

use futures_channel::{mpsc, oneshot};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use postern_bridge::{AccountId, Delta, MessageId, Progress};

use super::{Client, Reading, Work, link::Link, sharing::Lane};
use crate::{Host, MailError, imap::Fetched};

/// How long an unused connection of the reading lane is kept.
const KEEP_IDLE: Duration = Duration::from_secs(120);

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
            Work::Asked(Reading::Part { message, section, so_far, done }) => {
                let fetched = link
                    .work(async |imap, host| {
                        imap.fetch_piece(host, message, &section, so_far.clone()).await
                    })
                    .await;
                self.tell_fetched(account, &section, fetched.as_ref().ok());
                match fetched {
                    // Nobody waits for it any more, as when its backup was stopped.
                    Ok(fetched) if !fetched.is_whole && done.is_canceled() => Ok(()),
                    Ok(fetched) if !fetched.is_whole => {
                        let so_far = Some(fetched);
                        let rest = Reading::Part { message, section, so_far, done };
                        self.queue_reading(account, rest);
                        Ok(())
                    }
                    fetched => answer(done, fetched.map(drop)),
                }
            }
            Work::Asked(Reading::Whole { message, done }) => {
                let whole = link.work(async |imap, host| imap.fetch_raw(host, message).await).await;
                answer(done, whole)
            }
            Work::Asked(Reading::Changes) => self.make_next_change(account, link).await,
            // The connection is the lane's, who sees to it.
            Work::Asked(Reading::HangUp) => Ok(()),
            Work::Ahead(message) => self.fetch_ahead(account, link, message).await,
            Work::Look(look) => self.look_there(link, look).await,
        }
    }
}

impl<H: Host> Client<H> {
    /// Shows how much of an attachment has come; a message that is fetched for a backup is told of
    /// there.
    pub(super) fn tell_fetched(
        &self,
        account: AccountId,
        section: &str,
        fetched: Option<&Fetched>,
    ) {
        if section.is_empty() {
            return;
        }
        let under_way = fetched.filter(|fetched| !fetched.is_whole);
        let progress = under_way.map(|fetched| {
            Progress::of_bytes("Fetching an attachment", fetched.stored, fetched.size)
        });
        self.tell(None, Delta::Progress { account, progress });
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
