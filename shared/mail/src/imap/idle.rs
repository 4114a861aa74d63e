//! Waiting for news.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use postern_bridge::MailboxId;
use postern_imap::{Command, Event, Response, quirks::Quirk};

use super::{ImapClient, limits};
use crate::{Clock, Host, MailError, Transport};

/// How long more is awaited after the server has told of another mailbox, in milliseconds: what
/// happens there seldom happens to one message.
pub(super) const SETTLES: i64 = 400;
/// How often a server without IDLE is asked for news.
const ASK_EVERY: Duration = Duration::from_secs(20);

impl<T: Transport> ImapClient<T> {
    /// Waits until the server tells that a watched mailbox has changed, until `other` has something,
    /// or for as long as `patience`: with IDLE (RFC 2177) where there is one, else by asking now and
    /// then. A server with NOTIFY (RFC 5465) tells of other mailboxes as well, which ends the waiting.
    /// A mailbox that is not watched on this connection may have changed already.
    ///
    /// Returns what `other` gave, if it came first: also if the connection broke meanwhile, so that
    /// nothing is lost with it. The result is whether there are news of this mailbox, for
    /// [`catch_up`](Self::catch_up); if not, it is time to look at the others.
    pub async fn wait_for_news<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
    ) -> (Option<O>, Result<bool, MailError>) {
        let mut came = None;
        let result = self.watch(host, mailbox, patience, other, &mut came).await;
        (came, result)
    }

    async fn watch<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
        came: &mut Option<O>,
    ) -> Result<bool, MailError> {
        if !self.watches(mailbox) || self.has_news() {
            return Ok(true);
        }
        if std::mem::take(&mut self.told_of_others) {
            return Ok(false);
        }
        let offered = self.capabilities(host).await?;
        let refused = self.has_quirk(Quirk::RefusesIdle);
        if offered.has("IDLE") && !refused {
            if offered.has("NOTIFY")
                && self.overflows < limits::OVERFLOWS
                && !std::mem::replace(&mut self.watches_all, true)
            {
                // One that refuses is asked now and then, as if it did not offer that.
                self.run_all(host, vec![Command::notify()], "tell what changes").await?;
            }
            if self.idle(host, patience, other, came).await? {
                let news = self.has_news();
                // Who hears that there are none looks at the others.
                self.told_of_others &= news || came.is_some();
                return Ok(news);
            }
        }
        // A server that refuses IDLE, or ends it on its own, is not told to again at once.
        self.ask_now_and_then(host, patience, other, came).await
    }

    /// Waits with IDLE; false if the server ended it.
    async fn idle<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
        came: &mut Option<O>,
    ) -> Result<bool, MailError> {
        let tag = self.connection.session.start(Command::idle());
        // However often the server says that it is still there.
        let mut end = after(host.now(), patience);
        while !self.has_news() {
            let left = end.saturating_sub(host.now());
            let Ok(left @ 1..) = u64::try_from(left) else { break };
            let left = Duration::from_millis(left);
            let event = self.connection.next_event_or(host, left, "news", other).await;
            if let Ok(Either::Left(event)) = &event {
                self.overhear(event);
            }
            match event {
                Ok(Either::Left(Event::Idling { renew_within })) => {
                    end = end.min(after(host.now(), renew_within));
                }
                Ok(Either::Left(Event::Completed { tag: ended, .. })) if ended == tag => {
                    return Ok(false);
                }
                Ok(Either::Left(Event::Completed { tag, status })) => {
                    // IDLE goes out when that is done.
                    self.ended.insert(tag, status);
                }
                Ok(Either::Left(Event::Response(response))) => {
                    if matches!(response, Response::MailboxStatus(_) | Response::List(_))
                        && !std::mem::replace(&mut self.told_of_others, true)
                    {
                        end = end.min(host.now() + SETTLES);
                    }
                    // Such as "OK Still here": a sign of life, and no news.
                    self.is_news(&response);
                }
                Ok(Either::Left(Event::Defect(defect))) => {
                    if let Some(news) = &mut self.news {
                        news.doubt(&defect);
                    }
                }
                Ok(Either::Left(Event::Fatal(error))) => {
                    return Err(MailError::Protocol(error.to_string()));
                }
                Ok(Either::Left(_)) => {}
                Ok(Either::Right(other)) => {
                    *came = Some(other);
                    break;
                }
                Err(MailError::TimedOut(_)) => break,
                Err(error) => return Err(error),
            }
        }
        self.connection.session.done();
        let mut answer = super::exchange::Answer::default();
        self.wait_for(host, tag, "stop waiting for news", &mut answer).await?;
        Ok(true)
    }

    async fn ask_now_and_then<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
        came: &mut Option<O>,
    ) -> Result<bool, MailError> {
        let mut left = patience;
        while !left.is_zero() && !self.has_news() {
            let pause = left.min(ASK_EVERY);
            left -= pause;
            *came = without_looking(host, pause, other).await;
            if came.is_some() {
                break;
            }
            self.noop(host).await?;
        }
        Ok(self.has_news())
    }

    fn has_news(&self) -> bool {
        self.news.as_ref().is_some_and(|news| !news.is_empty())
    }
}

/// So much later, in milliseconds since 1970 (UTC).
fn after(now: i64, duration: Duration) -> i64 {
    now.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

async fn without_looking<O>(
    clock: &impl Clock,
    patience: Duration,
    other: &mut (impl Future<Output = O> + Unpin),
) -> Option<O> {
    match select(other, pin!(clock.sleep(patience))).await {
        Either::Left((other, _)) => Some(other),
        Either::Right(_) => None,
    }
}
