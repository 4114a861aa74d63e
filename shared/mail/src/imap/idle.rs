//! Waiting for news.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use postern_bridge::MailboxId;
use postern_imap::{Command, Event, Response, quirks::Quirk};

use super::ImapClient;
use crate::{Clock, Host, MailError, Transport};

impl<T: Transport> ImapClient<T> {
    /// Waits until the server tells that a mailbox has changed, until `other` has something, or for
    /// as long as `patience`: with IDLE (RFC 2177) where there is one, else without looking.
    ///
    /// Returns what `other` gave, if it came first: also if the connection broke meanwhile, so that
    /// nothing is lost with it. The result is whether there are news.
    pub async fn wait_for_news<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
    ) -> (Option<O>, Result<bool, MailError>) {
        let mut came = None;
        let result = self.idle(host, mailbox, patience, other, &mut came).await;
        (came, result)
    }

    async fn idle<H: Host<Transport = T>, O>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        patience: Duration,
        other: &mut (impl Future<Output = O> + Unpin),
        came: &mut Option<O>,
    ) -> Result<bool, MailError> {
        let offered = self.capabilities(host).await?.has("IDLE");
        if !offered || self.connection.session.quirks().has(Quirk::RefusesIdle) {
            *came = without_looking(host, patience, other).await;
            return Ok(false);
        }
        self.open(host, mailbox).await?;
        let tag = self.connection.session.start(Command::idle());
        let mut news = false;
        let mut patience = patience;
        loop {
            let next = self.connection.next_event_or(host, patience, "news", other).await;
            match next {
                Ok(Either::Left(Event::Idling { renew_within })) => {
                    patience = patience.min(renew_within);
                }
                // A server that refuses IDLE, or ends it on its own, is not asked again at once.
                Ok(Either::Left(Event::Completed { .. })) => {
                    *came = without_looking(host, patience, other).await;
                    return Ok(news);
                }
                Ok(Either::Left(Event::Response(
                    Response::Exists(_) | Response::Expunge(_) | Response::Fetch(_),
                ))) => {
                    news = true;
                    break;
                }
                Err(MailError::TimedOut(_)) => break,
                Ok(Either::Left(Event::Fatal(error))) => {
                    return Err(MailError::Protocol(error.to_string()));
                }
                // Such as "OK Still here": a sign of life, and no news.
                Ok(Either::Left(_)) => {}
                Ok(Either::Right(other)) => {
                    *came = Some(other);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.connection.session.done();
        let mut answer = super::exchange::Answer::default();
        self.wait_for(host, tag, "stop waiting for news", &mut answer).await?;
        Ok(news)
    }
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
