//! One command and its replies.

use postern_sasl::{Mechanism, encode};

use crate::{
    Address, Command, Envelope, Event, Extensions, HelloName, Reply, Request, SessionError,
    limits::{MAX_CHALLENGES, MAX_RECIPIENTS_IN_FLIGHT},
    stuff::Stuff,
};

/// RFC 4954 section 4.
const MAX_AUTH_LINE: usize = 12_288;

/// A command that is being carried out.
#[derive(Debug)]
pub(crate) enum Exchange {
    Hello {
        name: HelloName,
        old: bool,
    },
    StartTls,
    Auth {
        mechanism: Mechanism,
        challenges: usize,
    },
    Envelope(EnvelopeExchange),
    Data,
    /// The server waits for the message.
    Content(Stuff),
    /// The final dot is written.
    Committing,
    Rset,
    Quit,
}

/// What a reply leads to.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this and wait for more.
    Send(Vec<u8>),
    /// Wait for more.
    Wait,
    /// The command is done.
    Done(Event),
    /// The command is done, and nothing more can follow.
    Last(Event),
    /// The message may be sent.
    Content,
}

impl Exchange {
    /// Begins a command; the bytes to send.
    pub(crate) fn begin(command: Command, extensions: &Extensions) -> (Self, Vec<u8>) {
        match command {
            Command::Hello(name) => {
                let line = format!("EHLO {}\r\n", name.0);
                (Self::Hello { name, old: false }, line.into())
            }
            Command::StartTls => (Self::StartTls, b"STARTTLS\r\n".into()),
            Command::Auth(mechanism) => {
                let line = auth_line(&mechanism);
                (Self::Auth { mechanism, challenges: 0 }, line.into())
            }
            Command::Envelope(envelope) => {
                let (exchange, bytes) = EnvelopeExchange::begin(envelope, extensions);
                (Self::Envelope(exchange), bytes)
            }
            Command::Data => (Self::Data, b"DATA\r\n".into()),
            Command::Rset => (Self::Rset, b"RSET\r\n".into()),
            Command::Quit => (Self::Quit, b"QUIT\r\n".into()),
        }
    }

    /// Takes a reply.
    pub(crate) fn take(&mut self, reply: Reply) -> Result<Step, SessionError> {
        match self {
            Self::Hello { name, old } => {
                if reply.is_positive() {
                    return Ok(Step::Done(Event::Hello(if *old {
                        Extensions::default()
                    } else {
                        Extensions::parse(&reply.lines)
                    })));
                }
                if reply.is_permanent() && !*old {
                    *old = true;
                    return Ok(Step::Send(format!("HELO {}\r\n", name.0).into()));
                }
                refused(Request::Hello, reply)
            }
            Self::StartTls => succeed(reply, Event::StartTls, Request::StartTls),
            Self::Auth { mechanism, challenges } => match reply.code {
                334 => answer_challenge(mechanism, challenges, &reply),
                _ if reply.is_positive() && !mechanism.is_verified() => {
                    Err(SessionError::Unverified)
                }
                _ => succeed(reply, Event::LoggedIn, Request::LogIn),
            },
            Self::Envelope(envelope) => envelope.take(reply),
            Self::Data => match reply.code {
                354 => Ok(Step::Content),
                400.. => refused(Request::Data, reply),
                code => Err(SessionError::Unfitting(code)),
            },
            // The server gives up before it has the message; it still reads content, not commands.
            Self::Content(_) => match reply.code {
                400.. => Ok(Step::Last(Event::Refused { request: Request::Content, reply })),
                code => Err(SessionError::Unfitting(code)),
            },
            Self::Committing if reply.is_positive() => Ok(Step::Done(Event::Accepted(reply))),
            Self::Committing => refused(Request::Content, reply),
            Self::Rset => succeed(reply, Event::Reset, Request::Rset),
            Self::Quit if reply.is_positive() => Ok(Step::Last(Event::Bye)),
            Self::Quit => Ok(Step::Last(Event::Refused { request: Request::Quit, reply })),
        }
    }
}

fn succeed(reply: Reply, event: Event, request: Request) -> Result<Step, SessionError> {
    if reply.is_positive() { Ok(Step::Done(event)) } else { refused(request, reply) }
}

fn refused(request: Request, reply: Reply) -> Result<Step, SessionError> {
    if reply.code < 400 {
        return Err(SessionError::Unfitting(reply.code));
    }
    Ok(Step::Done(Event::Refused { request, reply }))
}

fn auth_line(mechanism: &Mechanism) -> String {
    let name = mechanism.name();
    let with_response = mechanism.initial_response().map(|response| {
        // An empty response is spelled "=", so that it is not taken for a missing one.
        let response = if response.is_empty() { "=".into() } else { encode(response) };
        format!("AUTH {name} {response}\r\n")
    });
    with_response
        .filter(|line| line.len() <= MAX_AUTH_LINE)
        .unwrap_or_else(|| format!("AUTH {name}\r\n"))
}

/// Answered by the mechanism, or cancelled if it has no answer; the server then refuses.
fn answer_challenge(
    mechanism: &mut Mechanism,
    challenges: &mut usize,
    reply: &Reply,
) -> Result<Step, SessionError> {
    *challenges += 1;
    if *challenges > MAX_CHALLENGES {
        return Err(SessionError::TooManyChallenges);
    }
    let line = mechanism.answer(reply.text()).map_err(|_| SessionError::Unverified)?;
    Ok(Step::Send((line + "\r\n").into()))
}

/// MAIL and its RCPTs; the replies come in the order of the commands.
#[derive(Debug)]
pub(crate) struct EnvelopeExchange {
    envelope: Envelope,
    window: usize,
    sender_reply: Option<Reply>,
    /// Recipients that were named to the server.
    named: usize,
    /// Recipients that it has answered.
    answered: usize,
    refused: Vec<(Address, Reply)>,
}

impl EnvelopeExchange {
    fn begin(envelope: Envelope, extensions: &Extensions) -> (Self, Vec<u8>) {
        let mut bytes = envelope.mail_line(extensions).into_bytes();
        bytes.extend_from_slice(b"\r\n");
        let window = if extensions.pipelining { MAX_RECIPIENTS_IN_FLIGHT } else { 1 };
        let mut exchange = Self {
            envelope,
            window,
            sender_reply: None,
            named: 0,
            answered: 0,
            refused: Vec::new(),
        };
        if extensions.pipelining {
            bytes.extend(exchange.name_more());
        }
        (exchange, bytes)
    }

    fn take(&mut self, reply: Reply) -> Result<Step, SessionError> {
        if reply.code / 100 == 3 {
            return Err(SessionError::Unfitting(reply.code));
        }
        if self.sender_reply.is_none() {
            self.sender_reply = Some(reply);
        } else {
            let recipient = &self.envelope.recipients[self.answered];
            self.answered += 1;
            if !reply.is_positive() {
                self.refused.push((recipient.clone(), reply));
            }
        }
        if self.answered < self.named {
            return Ok(Step::Wait);
        }
        match self.sender_reply.take_if(|reply| !reply.is_positive()) {
            Some(reply) => refused(Request::Sender, reply),
            None if self.named < self.envelope.recipients.len() => Ok(Step::Send(self.name_more())),
            None if self.refused.is_empty() => Ok(Step::Done(Event::EnvelopeAccepted)),
            None => {
                let refused = std::mem::take(&mut self.refused);
                Ok(Step::Done(Event::RecipientsRefused(refused)))
            }
        }
    }

    /// Names as many recipients as may be on their way at once.
    fn name_more(&mut self) -> Vec<u8> {
        let first = self.named;
        self.named = self.envelope.recipients.len().min(first + self.window);
        let recipients = &self.envelope.recipients[first..self.named];
        recipients
            .iter()
            .flat_map(|recipient| format!("RCPT TO:<{recipient}>\r\n").into_bytes())
            .collect()
    }
}
