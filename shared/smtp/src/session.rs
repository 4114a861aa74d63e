//! The conversation.

use std::collections::VecDeque;

use crate::{
    Command, CommandError, Event, Extensions, Output, Reply, Request, SessionError,
    exchange::{Exchange, Step},
    reply::ReplyBuffer,
    stuff::Stuff,
};

/// An SMTP submission session; see the crate's text for how to drive it.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    extensions: Extensions,
    queue: VecDeque<Command>,
    current: Option<Exchange>,
    reply: ReplyBuffer,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// The server speaks first.
    Greeting,
    /// Commands and replies.
    Talking,
    /// The server has agreed to TLS; the handshake is the caller's.
    Upgrading,
    /// Nothing more will be said.
    Over,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A session on a fresh connection.
    pub fn new() -> Self {
        Self {
            phase: Phase::Greeting,
            extensions: Extensions::default(),
            queue: VecDeque::new(),
            current: None,
            reply: ReplyBuffer::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Gives a command; it is sent when its turn comes.
    ///
    /// # Errors
    ///
    /// If the command can't be sent safely, or this server is known not to take it. An envelope is
    /// compared with what the server offered last, so give it after [`Event::Hello`].
    pub fn start(&mut self, command: Command) -> Result<(), CommandError> {
        if let Command::Envelope(envelope) = &command {
            envelope.check(&self.extensions)?;
        }
        self.queue.push_back(command);
        Ok(())
    }

    /// Sends the next piece of the message; dots are doubled on the way.
    ///
    /// # Errors
    ///
    /// [`CommandError::NoContentWanted`] unless [`Event::ContentWanted`] was the last event.
    pub fn content(&mut self, piece: &[u8]) -> Result<(), CommandError> {
        let Some(Exchange::Content(stuff)) = &mut self.current else {
            return Err(CommandError::NoContentWanted);
        };
        let wire = stuff.take(piece);
        if !wire.is_empty() {
            self.outputs.push_back(Output::Send(wire));
        }
        Ok(())
    }

    /// Writes the final dot: from here on the server may have the message.
    ///
    /// # Errors
    ///
    /// [`CommandError::NoContentWanted`] unless the server waits for a message.
    pub fn finish(&mut self) -> Result<(), CommandError> {
        let Some(Exchange::Content(stuff)) = &self.current else {
            return Err(CommandError::NoContentWanted);
        };
        self.outputs.push_back(Output::Send(stuff.finish().to_vec()));
        self.current = Some(Exchange::Committing);
        Ok(())
    }

    /// The TLS handshake after [`Event::StartTls`] is done. What the server offered before it is
    /// forgotten (RFC 3207 section 4.2).
    pub fn tls_established(&mut self) {
        if self.phase == Phase::Upgrading {
            self.phase = Phase::Talking;
            self.extensions = Extensions::default();
        }
    }

    /// Takes bytes from the server.
    pub fn handle_input(&mut self, mut input: &[u8]) {
        while !input.is_empty() && self.phase != Phase::Over {
            if let Err(error) = self.step(&mut input) {
                self.end(Event::Failed(error));
            }
        }
    }

    /// What the session wants next; to be called until `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty()
            && self.phase == Phase::Talking
            && self.current.is_none()
            && let Some(command) = self.queue.pop_front()
        {
            let (exchange, bytes) = Exchange::begin(command, &self.extensions);
            self.current = Some(exchange);
            return Some(Output::Send(bytes));
        }
        self.outputs.pop_front()
    }

    fn step(&mut self, input: &mut &[u8]) -> Result<(), SessionError> {
        if self.phase == Phase::Upgrading {
            return Err(SessionError::BytesBeforeTls);
        }
        let Some(reply) = self.reply.take(input)? else { return Ok(()) };
        self.take_reply(reply)?;
        if self.phase == Phase::Upgrading && !input.is_empty() {
            return Err(SessionError::BytesBeforeTls);
        }
        Ok(())
    }

    fn take_reply(&mut self, reply: Reply) -> Result<(), SessionError> {
        if self.phase == Phase::Greeting {
            return self.take_greeting(reply);
        }
        let Some(exchange) = &mut self.current else {
            // RFC 5321 section 3.8: the server may close whenever it must.
            if reply.code != 421 {
                return Err(SessionError::Unfitting(reply.code));
            }
            self.end(Event::Refused { request: Request::Connect, reply });
            return Ok(());
        };
        match exchange.take(reply)? {
            Step::Send(bytes) => self.outputs.push_back(Output::Send(bytes)),
            Step::Wait => {}
            Step::Content => {
                self.current = Some(Exchange::Content(Stuff::new()));
                self.event(Event::ContentWanted);
            }
            Step::Done(event) => self.done(event),
            Step::Last(event) => self.end(event),
        }
        Ok(())
    }

    fn take_greeting(&mut self, reply: Reply) -> Result<(), SessionError> {
        match reply.code {
            220 => {
                self.phase = Phase::Talking;
                self.event(Event::Greeting(reply));
                Ok(())
            }
            400.. => {
                self.end(Event::Refused { request: Request::Connect, reply });
                Ok(())
            }
            code => Err(SessionError::Unfitting(code)),
        }
    }

    fn done(&mut self, event: Event) {
        self.current = None;
        match &event {
            Event::Hello(extensions) => self.extensions = extensions.clone(),
            Event::StartTls => self.phase = Phase::Upgrading,
            _ => {}
        }
        self.event(event);
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Over;
        self.current = None;
        self.event(event);
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}
