//! Drives a sans-I/O session over a transport, with patience.

use std::{convert::Infallible, future::pending, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use postern_bridge::TlsSession;

use crate::{
    Clock, MailError, Transport,
    host::{TransportError, within},
    pop3::ServerNotes,
};

/// The most bytes that are written at once.
const PIECE: usize = 64 * 1024;

/// How long a goodbye may take.
pub(crate) const GOODBYE: Duration = Duration::from_secs(3);

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

/// What a test of a server found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tested {
    /// What the server answered, as one sentence.
    pub found: String,
    /// What protected the connection.
    pub session: Option<TlsSession>,
    /// What is to be remembered of a POP3 server.
    pub pop3: Option<ServerNotes>,
}

/// A session and the transport that it talks through.
pub struct Connection<T, S> {
    transport: T,
    /// When the server last said something, in milliseconds since 1970 (UTC).
    heard: i64,
    /// The session, for giving it commands.
    pub session: S,
}

impl<T: Transport, S: Session> Connection<T, S> {
    /// Puts a session on a fresh transport.
    pub fn new(transport: T, session: S) -> Self {
        Self { transport, heard: 0, session }
    }

    /// When the server last said something, in milliseconds since 1970 (UTC); 0 if it has not.
    pub fn heard(&self) -> i64 {
        self.heard
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
            self.heard = clock.now();
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

    /// What protects the transport.
    pub fn tls(&self) -> Option<TlsSession> {
        self.transport.tls()
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

    /// Closes the transport. One that does not take the goodbye in time is dropped without.
    pub async fn close(mut self, clock: &impl Clock) {
        let _ = within(clock, GOODBYE, self.transport.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use futures_util::FutureExt;

    use super::*;

    /// Time that passes at once.
    struct Soon;

    impl Clock for Soon {
        fn now(&self) -> i64 {
            0
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    /// A transport whose other side takes nothing any more.
    struct Stalled(#[expect(dead_code, reason = "only its being there counts")] Rc<()>);

    impl Transport for Stalled {
        async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
            pending().await
        }

        async fn write(&mut self, _bytes: Vec<u8>) -> Result<(), TransportError> {
            pending().await
        }

        async fn start_tls(&mut self) -> Result<(), TransportError> {
            pending().await
        }

        fn tls(&self) -> Option<TlsSession> {
            None
        }

        async fn close(&mut self) {
            pending().await
        }
    }

    struct Silent;

    impl Session for Silent {
        type Event = ();

        fn handle_input(&mut self, _input: &[u8]) {}

        fn poll_output(&mut self) -> Option<Output<()>> {
            None
        }
    }

    #[test]
    fn a_transport_that_can_not_say_goodbye_is_dropped() {
        let there = Rc::new(());
        let connection = Connection::new(Stalled(Rc::clone(&there)), Silent);
        assert_eq!(connection.close(&Soon).now_or_never(), Some(()));
        assert_eq!(Rc::strong_count(&there), 1);
    }
}
