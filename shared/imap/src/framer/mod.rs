//! Cuts the byte stream into responses (RFC 9051 section 2.2), whatever the split of the input.
//!
//! A response is a line, or several lines with literals between them. Small literals are held as a
//! part of their response; large ones are passed on in the pieces in which they arrive. A response
//! that lies in the input as a whole is not copied.

mod literal;
mod response;
#[cfg(test)]
mod tests;

use literal::{announced_literal, may_follow_a_literal};
use memchr::memchr;
pub(crate) use response::{Literal, RawResponse, Segment};

use crate::limits::Limits;

/// More room than this is not kept from one response to the next.
const KEPT: usize = 64 << 10;

/// What the framer cuts out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Frame<'a> {
    /// A whole response.
    Response(RawResponse<'a>),
    /// A large literal begins: its number and size.
    StreamStart(u64, u64),
    /// More of it.
    StreamChunk(u64, &'a [u8]),
    /// It is complete.
    StreamEnd(u64),
}

/// The stream is damaged: where the next response begins can't be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FramingError {
    /// One response holds more bytes than allowed.
    #[error("the server sent a response that is too long")]
    ResponseTooLong,
    /// One response has more literals than allowed.
    #[error("the server sent a response of too many pieces")]
    TooManyLiterals,
    /// A literal is larger than allowed, or than any number.
    #[error("the server announced more bytes than can be taken")]
    LiteralTooLarge,
    /// A literal of fewer than no bytes.
    #[error("the server announced a negative number of bytes")]
    NegativeLiteral,
    /// What follows a literal can't follow one: it is longer or shorter than was announced.
    #[error("the server announced another number of bytes than it sent")]
    WrongLiteralSize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In a line that begins here, counted from the response's start.
    Line {
        start: usize,
    },
    /// In a literal that is held and ends here, counted in the same way.
    Held {
        end: usize,
    },
    Streaming {
        rest: u64,
    },
    /// The response was given out.
    Complete,
}

/// The framer. See the module's text.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: Limits,
    state: State,
    /// The beginning of a response that was not complete in the input.
    held: Vec<u8>,
    literals: Vec<Literal>,
    /// The number of the last streamed literal.
    stream: u64,
}

impl Framer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Line { start: 0 },
            held: Vec::new(),
            literals: Vec::new(),
            stream: 0,
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next frame; `None` when the input
    /// is used up.
    pub(crate) fn next<'f, 'i: 'f>(
        &'f mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Frame<'f>>, FramingError> {
        if let State::Complete = self.state {
            self.begin_response();
        }
        // How much of the input belongs to the response, as far as it was looked at.
        let mut taken = 0;
        loop {
            match self.state {
                State::Line { start } => {
                    let Some(length) = memchr(b'\n', &input[taken..]) else {
                        self.check(self.held.len() + input.len())?;
                        self.hold(input, input.len());
                        return Ok(None);
                    };
                    taken += length + 1;
                    let end = self.held.len() + taken - 1;
                    self.check(end)?;
                    if !self.held.is_empty() {
                        self.hold(input, taken);
                        taken = 0;
                    }
                    let bytes = if self.held.is_empty() { *input } else { &self.held[..] };
                    let line = &bytes[start..end];
                    if start > 0 && !may_follow_a_literal(line) {
                        return Err(FramingError::WrongLiteralSize);
                    }
                    let Some((length, size)) = announced_literal(start == 0, line)? else {
                        let end = end - usize::from(line.last() == Some(&b'\r'));
                        self.state = State::Complete;
                        let bytes = match self.held.is_empty() {
                            true => take(input, taken),
                            false => &self.held[..],
                        };
                        let bytes = &bytes[..end];
                        return Ok(Some(Frame::Response(RawResponse {
                            bytes,
                            literals: &self.literals,
                        })));
                    };
                    if let Some(start) = self.begin_literal(start + length, end + 1, size)? {
                        self.hold(input, taken);
                        return Ok(Some(start));
                    }
                }
                State::Held { end } => {
                    let missing = end - self.held.len() - taken;
                    if input.len() - taken < missing {
                        self.hold(input, input.len());
                        return Ok(None);
                    }
                    taken += missing;
                    self.state = State::Line { start: end };
                }
                State::Streaming { rest: 0 } => {
                    self.state = State::Line { start: self.held.len() };
                    return Ok(Some(Frame::StreamEnd(self.stream)));
                }
                State::Streaming { rest } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let length = usize::try_from(rest).unwrap_or(usize::MAX).min(input.len());
                    self.state = State::Streaming { rest: rest - length as u64 };
                    return Ok(Some(Frame::StreamChunk(self.stream, take(input, length))));
                }
                State::Complete => self.begin_response(),
            }
        }
    }

    fn begin_response(&mut self) {
        self.state = State::Line { start: 0 };
        self.literals.clear();
        if self.held.capacity() > KEPT {
            self.held = Vec::new();
        } else {
            self.held.clear();
        }
    }

    /// Notes a literal; what to tell if it is one that streams.
    fn begin_literal(
        &mut self,
        announced: usize,
        start: usize,
        size: u64,
    ) -> Result<Option<Frame<'static>>, FramingError> {
        if self.literals.len() >= self.limits.literals {
            return Err(FramingError::TooManyLiterals);
        }
        let literal = Literal { announced, start, end: start, streamed: None };
        match usize::try_from(size) {
            Ok(size) if size <= self.limits.held_literal => {
                let end = start + size;
                self.check(end)?;
                self.literals.push(Literal { end, ..literal });
                self.state = State::Held { end };
                Ok(None)
            }
            _ if size > self.limits.streamed_literal => Err(FramingError::LiteralTooLarge),
            _ => {
                self.stream += 1;
                self.literals.push(Literal { streamed: Some((self.stream, size)), ..literal });
                self.state = State::Streaming { rest: size };
                Ok(Some(Frame::StreamStart(self.stream, size)))
            }
        }
    }

    fn check(&self, length: usize) -> Result<(), FramingError> {
        if length > self.limits.response {
            return Err(FramingError::ResponseTooLong);
        }
        Ok(())
    }

    /// Keeps the front of the input for later.
    fn hold(&mut self, input: &mut &[u8], length: usize) {
        self.held.extend_from_slice(take(input, length));
    }
}

fn take<'i>(input: &mut &'i [u8], length: usize) -> &'i [u8] {
    let (front, behind) = input.split_at(length);
    *input = behind;
    front
}
