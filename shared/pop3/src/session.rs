//! The conversation.

use std::collections::VecDeque;

use postern_sasl::Credentials;

use crate::{
    Apop, Capabilities, Command, CommandError, Event, Output, Request, Response, SessionError,
    answer::{Answer, List, status},
    apop,
    limits::{MAX_CHALLENGES, MAX_IN_FLIGHT},
    line::LineBuffer,
    unstuff::Unstuff,
};

/// A POP3 session; see the crate's text for how to drive it.
#[derive(Debug)]
pub struct Session {
    phase: Phase,
    pipelining: bool,
    /// Commands that are not sent yet.
    queue: VecDeque<Command>,
    /// Commands that wait for their answer, in order.
    in_flight: VecDeque<Command>,
    /// The answer to the first of them, once it has more lines.
    answer: Option<Answer>,
    /// Steps of the log-in that is under way.
    steps: usize,
    /// What the greeting offers for APOP.
    timestamp: Option<String>,
    line: LineBuffer,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// The server speaks first.
    Greeting,
    /// Commands and answers.
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
            pipelining: false,
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            answer: None,
            steps: 0,
            timestamp: None,
            line: LineBuffer::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Gives a command; it is sent when its turn comes.
    ///
    /// # Errors
    ///
    /// If the command can't be sent safely.
    pub fn start(&mut self, command: Command) -> Result<(), CommandError> {
        command.check()?;
        self.queue.push_back(command);
        Ok(())
    }

    /// The log-in with APOP; `None` if the server's greeting has no timestamp for it, or the
    /// credentials can't be used with it.
    pub fn apop(&self, credentials: &Credentials) -> Option<Command> {
        let line = apop::line(self.timestamp.as_deref()?, credentials)?;
        Some(Command::Apop(Apop(line)))
    }

    /// Whether commands may be sent without waiting for answers: only if the server offers
    /// PIPELINING (RFC 2449 section 6.6).
    pub fn set_pipelining(&mut self, allowed: bool) {
        self.pipelining = allowed;
    }

    /// The TLS handshake after [`Event::StartTls`] is done. What the server said before it must be
    /// asked again (RFC 2595 section 4).
    pub fn tls_established(&mut self) {
        if self.phase == Phase::Upgrading {
            self.phase = Phase::Talking;
            self.pipelining = false;
            self.timestamp = None;
        }
    }

    /// Takes bytes from the server.
    pub fn handle_input(&mut self, mut input: &[u8]) {
        while !input.is_empty() && self.phase != Phase::Over {
            if let Err(error) = self.step(&mut input) {
                self.phase = Phase::Over;
                self.event(Event::Failed(error));
            }
        }
    }

    /// What the session wants next; to be called until `None`.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front().or_else(|| self.next_commands().map(Output::Send))
    }

    /// The commands whose turn it is.
    fn next_commands(&mut self) -> Option<Vec<u8>> {
        let window = if self.pipelining { MAX_IN_FLIGHT } else { 1 };
        // A half-empty window is refilled as a whole: one write for many commands.
        if self.phase != Phase::Talking || self.in_flight.len() > window / 2 {
            return None;
        }
        let mut bytes = Vec::new();
        while self.in_flight.len() < window
            && !self.in_flight.back().is_some_and(Command::is_turning_point)
            && let Some(command) = self.queue.pop_front()
        {
            bytes.extend_from_slice(command.line().as_bytes());
            bytes.extend_from_slice(b"\r\n");
            self.in_flight.push_back(command);
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Takes a line, or content, out of `input`.
    fn step(&mut self, input: &mut &[u8]) -> Result<(), SessionError> {
        if self.phase == Phase::Upgrading {
            return Err(SessionError::BytesBeforeTls);
        }
        if let Some(Answer::Content { message, unstuff }) = &mut self.answer {
            let message = *message;
            let mut bytes = Vec::with_capacity(input.len());
            let ended = unstuff.take(input, &mut bytes);
            if !bytes.is_empty() {
                self.event(Event::Content { message, bytes });
            }
            if ended {
                self.answered(Event::ContentEnd { message });
            }
            return Ok(());
        }
        let Some(line) = self.line.take(input)? else { return Ok(()) };
        if let Some(Answer::List(list)) = &mut self.answer {
            if let Some(event) = list.add(&line)? {
                self.answered(event);
            }
            return Ok(());
        }
        self.take_status(&line)?;
        if self.phase == Phase::Upgrading && !input.is_empty() {
            return Err(SessionError::BytesBeforeTls);
        }
        Ok(())
    }

    fn take_status(&mut self, line: &[u8]) -> Result<(), SessionError> {
        if let Some(challenge) = line.strip_prefix(b"+ ").or_else(|| (line == b"+").then_some(b""))
        {
            return self.take_challenge(challenge);
        }
        match (strip_word(line, b"+OK"), strip_word(line, b"-ERR")) {
            (Some(rest), _) => self.take_ok(rest),
            (_, Some(rest)) => self.take_err(rest),
            _ => Err(SessionError::NoStatus),
        }
    }

    fn take_ok(&mut self, rest: &[u8]) -> Result<(), SessionError> {
        if self.phase == Phase::Greeting {
            self.phase = Phase::Talking;
            self.timestamp = apop::timestamp(rest);
            let text = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
            self.event(Event::Greeting(text));
            return Ok(());
        }
        let event = match self.in_flight.front().ok_or(SessionError::Unasked)? {
            Command::Capa => {
                let capabilities = Capabilities::default();
                self.answer = Some(Answer::List(List::Capabilities { lines: 0, capabilities }));
                return Ok(());
            }
            Command::List => {
                self.answer = Some(Answer::List(List::sizes()));
                return Ok(());
            }
            Command::Uidl => {
                self.answer = Some(Answer::List(List::unique_ids()));
                return Ok(());
            }
            Command::Retr(message) | Command::Top { message, .. } => {
                let unstuff = Unstuff::default();
                self.answer = Some(Answer::Content { message: *message, unstuff });
                return Ok(());
            }
            Command::UserPass(credentials) if self.steps == 0 => {
                self.steps = 1;
                let line = format!("PASS {}\r\n", credentials.password().unwrap_or_default());
                self.outputs.push_back(Output::Send(line.into_bytes()));
                return Ok(());
            }
            Command::Auth(mechanism) if !mechanism.is_verified() => {
                return Err(SessionError::Unverified);
            }
            Command::UserPass(_) | Command::Apop(_) | Command::Auth(_) => Event::LoggedIn,
            Command::Stls => {
                self.phase = Phase::Upgrading;
                Event::StartTls
            }
            Command::Stat => status(rest)?,
            Command::Dele(message) => Event::MarkedDeleted { message: *message },
            Command::Utf8 | Command::Rset | Command::Noop => Event::Done,
            Command::Quit => {
                self.phase = Phase::Over;
                Event::Bye
            }
        };
        self.answered(event);
        Ok(())
    }

    fn take_err(&mut self, rest: &[u8]) -> Result<(), SessionError> {
        let response = Response::parse(rest);
        if self.phase == Phase::Greeting {
            self.phase = Phase::Over;
            self.event(Event::Refused { request: Request::Connect, response });
            return Ok(());
        }
        let request = self.in_flight.front().ok_or(SessionError::Unasked)?.request();
        if request == Request::Quit {
            self.phase = Phase::Over;
        }
        self.answered(Event::Refused { request, response });
        Ok(())
    }

    /// A challenge: answered by the mechanism, or cancelled if it has no answer (RFC 5034
    /// section 4); the server then says `-ERR`.
    fn take_challenge(&mut self, challenge: &[u8]) -> Result<(), SessionError> {
        let Some(Command::Auth(mechanism)) = self.in_flight.front_mut() else {
            return Err(SessionError::NoStatus);
        };
        self.steps += 1;
        if self.steps > MAX_CHALLENGES {
            return Err(SessionError::TooManyChallenges);
        }
        let line = mechanism.answer(challenge).map_err(|_| SessionError::Unverified)?;
        self.outputs.push_back(Output::Send((line + "\r\n").into_bytes()));
        Ok(())
    }

    /// The first command in flight is answered.
    fn answered(&mut self, event: Event) {
        self.in_flight.pop_front();
        self.answer = None;
        self.steps = 0;
        self.event(event);
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// What follows a status word, which stands alone or before a space, in any case.
fn strip_word<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(word.len())?;
    let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
    (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
}
