//! From bytes to what they mean.

use std::{fmt, mem, time::Instant};

use super::{
    Close, FloodLimit, Kind, Opcode, Violation,
    flood::Flood,
    frame::{Header, LONGEST_CONTROL, PartialHeader},
    mask::unmask,
    utf8::Utf8,
};

/// What a page may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest text message, in bytes.
    pub text: u64,
    /// The longest binary message, in bytes.
    pub binary: u64,
    /// Fragments of one message.
    pub fragments: u32,
    /// Frames that carry nothing: pings, pongs, empty fragments and empty messages.
    pub flood: FloodLimit,
}

/// Reads a page's frames. It keeps no payload but a control frame's.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    header: PartialHeader,
    frame: Option<Frame>,
    message: Option<Message>,
    control: Control,
    utf8: Utf8,
    flood: Flood,
    closed: bool,
}

/// What has arrived.
#[derive(Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// A piece of a message, unmasked. Pieces come as they arrive; a piece is empty only where a
    /// message ends. Text was checked to be UTF-8, and may be cut within a character.
    Data {
        /// What the message consists of.
        kind: Kind,
        /// The piece.
        bytes: &'a mut [u8],
        /// Whether the message ends with it.
        last: bool,
    },
    /// A ping, which a pong with the same payload answers.
    Ping(Control),
    /// A pong.
    Pong,
    /// The page closes the connection. Nothing is read after that.
    Close(Option<Close>),
}

/// The payload of a control frame.
#[derive(Clone, Copy)]
pub struct Control {
    bytes: [u8; LONGEST_CONTROL],
    length: u8,
}

/// A frame whose payload is arriving.
#[derive(Debug)]
struct Frame {
    opcode: Opcode,
    last: bool,
    /// Turned so that it fits the next byte.
    key: [u8; 4],
    remaining: u64,
}

/// A message whose fragments are arriving.
#[derive(Debug)]
struct Message {
    kind: Kind,
    length: u64,
    fragments: u32,
}

impl Decoder {
    /// A decoder for a connection that begins.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            header: PartialHeader::default(),
            frame: None,
            message: None,
            control: Control::default(),
            utf8: Utf8::default(),
            flood: Flood::default(),
            closed: false,
        }
    }

    /// Takes the next event off the front of `input`; none when all of it is taken. After a
    /// violation nothing that follows has a meaning.
    ///
    /// # Errors
    ///
    /// If the page breaks the protocol or a limit.
    pub fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        now: Instant,
    ) -> Result<Option<Event<'a>>, Violation> {
        if self.closed {
            *input = &mut [];
            return Ok(None);
        }
        loop {
            let frame = match &mut self.frame {
                Some(frame) => frame,
                None => {
                    let Some(header) = self.header.take(input)? else { return Ok(None) };
                    self.begin(&header, now)?;
                    self.frame.insert(Frame {
                        opcode: header.opcode,
                        last: header.last,
                        key: header.key,
                        remaining: header.length,
                    })
                }
            };
            if input.is_empty() && frame.remaining > 0 {
                return Ok(None);
            }
            let count = usize::try_from(frame.remaining)
                .map_or(input.len(), |remaining| remaining.min(input.len()));
            let (bytes, rest) = mem::take(input).split_at_mut(count);
            *input = rest;
            unmask(bytes, &mut frame.key);
            frame.remaining -= count as u64;
            let ended = frame.remaining == 0;
            let (opcode, last) = (frame.opcode, frame.last && ended);
            if ended {
                self.frame = None;
            }
            let event = match opcode {
                Opcode::Continuation | Opcode::Message(_) => self.data(bytes, last)?,
                opcode => self.control(opcode, bytes, ended)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Whether a frame may begin here.
    fn begin(&mut self, header: &Header, now: Instant) -> Result<(), Violation> {
        if header.length == 0 || matches!(header.opcode, Opcode::Ping | Opcode::Pong) {
            self.flood.count(now, self.limits.flood)?;
        }
        let message = match (header.opcode, &mut self.message) {
            (Opcode::Continuation, Some(message)) => message,
            (Opcode::Continuation, None) => return Err(Violation::NothingToContinue),
            (Opcode::Message(_), Some(_)) => return Err(Violation::Interrupted),
            (Opcode::Message(kind), message) => {
                message.insert(Message { kind, length: 0, fragments: 0 })
            }
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => return Ok(()),
        };
        // Both are far from the end of their types, as the limits are.
        message.length = message.length.saturating_add(header.length);
        message.fragments += 1;
        let longest = match message.kind {
            Kind::Text => self.limits.text,
            Kind::Binary => self.limits.binary,
        };
        if message.length > longest {
            return Err(Violation::TooLong);
        }
        if message.fragments > self.limits.fragments {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    fn data<'a>(
        &mut self,
        bytes: &'a mut [u8],
        last: bool,
    ) -> Result<Option<Event<'a>>, Violation> {
        let Some(kind) = self.message.as_ref().map(|message| message.kind) else {
            return Err(Violation::NothingToContinue);
        };
        if kind == Kind::Text {
            self.utf8.push(bytes)?;
            if last && !self.utf8.is_complete() {
                return Err(Violation::NotUtf8);
            }
        }
        if last {
            self.message = None;
        }
        let tells = last || !bytes.is_empty();
        Ok(tells.then_some(Event::Data { kind, bytes, last }))
    }

    fn control<'a>(
        &mut self,
        opcode: Opcode,
        bytes: &[u8],
        ended: bool,
    ) -> Result<Option<Event<'a>>, Violation> {
        self.control.extend(bytes);
        if !ended {
            return Ok(None);
        }
        let control = mem::take(&mut self.control);
        Ok(Some(match opcode {
            Opcode::Ping => Event::Ping(control),
            Opcode::Close => {
                self.closed = true;
                Event::Close(Close::parse(control.as_slice())?)
            }
            _ => Event::Pong,
        }))
    }
}

impl Control {
    /// The payload.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Appends what a header has announced, and so fits.
    fn extend(&mut self, bytes: &[u8]) {
        let length = usize::from(self.length);
        self.bytes[length..length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }
}

impl Default for Control {
    fn default() -> Self {
        Self { bytes: [0; LONGEST_CONTROL], length: 0 }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Control {}

#[cfg(test)]
mod tests;
