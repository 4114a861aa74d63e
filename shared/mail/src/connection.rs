//! Drives a sans-I/O session over a transport, with patience.

use std::{convert::Infallible, future::pending, pin::pin, time::Duration};

use futures_util::future::{Either, select};

use crate::{
    Clock, MailError, Transport,
    host::{TransportError, within},
};

/// The most bytes that are written at once.
const PIECE: usize = 64 * 1024;

/// What a session wants next.
pub enum Output<E> {
    /// Bytes to send.
    Send(Vec<u8>),
    /// Something that happened.
    Event(E),
}

/// A sans-I/O protocol session: bytes in, events and bytes out.
pub trait Session {
    /// What it tells.
    type Event;

    /// Takes bytes from the server.
    fn handle_input(&mut self, input: &[u8]);

    /// What it wants next; to be called until `None`.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;
}

/// A session and the transport that it talks through.
pub struct Connection<T, S> {
    transport: T,
    /// The session, for giving it commands.
    pub session: S,
}

impl<T: Transport, S: Session> Connection<T, S> {
    /// Puts a session on a fresh transport.
    pub fn new(transport: T, session: S) -> Self {
        Self { transport, session }
    }

    /// Sends what the session has to send and waits for its next event.
    ///
    /// # Errors
    ///
    /// If the transport breaks or ends, or nothing at all arrives for as long as `patience`; `what`
    /// names what is waited for.
    pub async fn next_event(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        what: &'static str,
    ) -> Result<S::Event, MailError> {
        let mut never = pending::<Infallible>();
        let Either::Left(event) = self.next_event_or(clock, patience, what, &mut never).await?;
        Ok(event)
    }

    /// The same, or what `other` gives if that comes first. Nothing is lost then: what is being sent
    /// is sent to its end, and what arrives later is for the next call.
    ///
    /// # Errors
    ///
    /// Those of [`next_event`](Self::next_event).
    pub async fn next_event_or<O>(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        what: &'static str,
        other: &mut (impl Future<Output = O> + Unpin),
    ) -> Result<Either<S::Event, O>, MailError> {
        loop {
            while let Some(output) = self.session.poll_output() {
                match output {
                    Output::Event(event) => return Ok(Either::Left(event)),
                    Output::Send(bytes) => self.send(clock, patience, what, bytes).await?,
                }
            }
            let input = pin!(within(clock, patience, self.transport.read()));
            let input = match select(input, &mut *other).await {
                Either::Left((input, _)) => input.ok_or(MailError::TimedOut(what))??,
                Either::Right((other, _)) => return Ok(Either::Right(other)),
            };
            if input.is_empty() {
                return Err(TransportError::Lost.into());
            }
            self.session.handle_input(&input);
        }
    }

    /// Sends what the session has to send, without waiting for an answer.
    ///
    /// # Errors
    ///
    /// If the transport breaks or takes nothing for as long as `patience`; `what` names what is
    /// sent. If the session has an event, that is [`MailError::Protocol`]: nothing was asked.
    pub async fn flush(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        what: &'static str,
    ) -> Result<(), MailError> {
        while let Some(output) = self.session.poll_output() {
            let Output::Send(bytes) = output else {
                return Err(MailError::Protocol("an answer before the question".into()));
            };
            within(clock, patience, self.transport.write(bytes))
                .await
                .ok_or(MailError::TimedOut(what))??;
        }
        Ok(())
    }

    /// Sends bytes, with patience for each piece: a slow link may take long for many.
    async fn send(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        what: &'static str,
        bytes: Vec<u8>,
    ) -> Result<(), MailError> {
        if bytes.len() <= PIECE {
            let writing = within(clock, patience, self.transport.write(bytes));
            return Ok(writing.await.ok_or(MailError::TimedOut(what))??);
        }
        for piece in bytes.chunks(PIECE) {
            let writing = within(clock, patience, self.transport.write(piece.to_vec()));
            writing.await.ok_or(MailError::TimedOut(what))??;
        }
        Ok(())
    }

    /// Upgrades the transport to TLS, after the server's go-ahead.
    ///
    /// # Errors
    ///
    /// If the handshake fails or takes longer than `patience`.
    pub async fn upgrade_tls(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
    ) -> Result<(), MailError> {
        Ok(within(clock, patience, self.transport.start_tls())
            .await
            .ok_or(MailError::TimedOut("a secure connection"))??)
    }

    /// Closes the transport.
    pub async fn close(mut self) {
        self.transport.close().await;
    }
}
