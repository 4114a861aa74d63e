//! Cuts the byte stream into responses (RFC 9051 section 2.2), whatever the split of the input.
//!
//! A response is a line, or several lines with literals between them. Small literals are held as a
//! part of their response; large ones are passed on in the pieces in which they arrive.

use memchr::memchr;

use crate::limits::Limits;

/// A piece of a response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Segment {
    /// Text without the line's end and without the announcement of a literal.
    Text(Vec<u8>),
    /// A literal.
    Literal(Vec<u8>),
    /// A literal that was streamed: its number and size.
    Streamed(u64, u64),
}

/// What the framer cuts out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Frame {
    /// A whole response.
    Response(Vec<Segment>),
    /// A large literal begins: its number and size.
    StreamStart(u64, u64),
    /// More of it.
    StreamChunk(u64, Vec<u8>),
    /// It is complete.
    StreamEnd(u64),
}

/// The stream is damaged: where the next response begins can't be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FramingError {
    /// One response holds more bytes than allowed.
    #[error("a response is too long")]
    ResponseTooLong,
    /// One response has more literals than allowed.
    #[error("a response has too many literals")]
    TooManyLiterals,
    /// A literal is larger than allowed.
    #[error("a literal is too large")]
    LiteralTooLarge,
}

#[derive(Debug)]
enum State {
    Line,
    Held { rest: usize },
    Streaming { rest: u64 },
}

/// The framer. See the module's text.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: Limits,
    state: State,
    segments: Vec<Segment>,
    /// The text or the literal that is being read.
    current: Vec<u8>,
    /// Bytes in `segments`.
    held: usize,
    /// The number of the last streamed literal.
    stream: u64,
}

impl Framer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Line,
            segments: Vec::new(),
            current: Vec::new(),
            held: 0,
            stream: 0,
        }
    }

    /// Takes bytes from the front of `input` up to the end of the next frame; `None` when the input
    /// is used up.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, FramingError> {
        loop {
            match self.state {
                State::Line => {
                    if !self.take_line(input)? {
                        return Ok(None);
                    }
                    match announced_literal(&self.segments, &self.current)? {
                        None => {
                            let text = std::mem::take(&mut self.current);
                            self.segments.push(Segment::Text(text));
                            self.held = 0;
                            return Ok(Some(Frame::Response(std::mem::take(&mut self.segments))));
                        }
                        Some((text_length, size)) => {
                            self.current.truncate(text_length);
                            if let Some(start) = self.begin_literal(size)? {
                                return Ok(Some(start));
                            }
                        }
                    }
                }
                State::Held { rest } => {
                    let taken = rest.min(input.len());
                    let (bytes, behind) = input.split_at(taken);
                    self.current.extend_from_slice(bytes);
                    *input = behind;
                    if taken < rest {
                        self.state = State::Held { rest: rest - taken };
                        return Ok(None);
                    }
                    self.keep(Segment::Literal)?;
                    self.state = State::Line;
                }
                State::Streaming { rest: 0 } => {
                    self.state = State::Line;
                    return Ok(Some(Frame::StreamEnd(self.stream)));
                }
                State::Streaming { rest } => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let taken = usize::try_from(rest).unwrap_or(usize::MAX).min(input.len());
                    let (bytes, behind) = input.split_at(taken);
                    *input = behind;
                    self.state = State::Streaming { rest: rest - taken as u64 };
                    return Ok(Some(Frame::StreamChunk(self.stream, bytes.to_vec())));
                }
            }
        }
    }

    /// Appends to the current text up to the line's end; false if the line is not complete.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<bool, FramingError> {
        let end = memchr(b'\n', input);
        let (bytes, behind) = match end {
            Some(at) => (&input[..at], &input[at + 1..]),
            None => (*input, &[][..]),
        };
        if self.held + self.current.len() + bytes.len() > self.limits.response {
            return Err(FramingError::ResponseTooLong);
        }
        self.current.extend_from_slice(bytes);
        *input = behind;
        if end.is_some() && self.current.last() == Some(&b'\r') {
            self.current.pop();
        }
        Ok(end.is_some())
    }

    fn begin_literal(&mut self, size: u64) -> Result<Option<Frame>, FramingError> {
        self.keep(Segment::Text)?;
        match usize::try_from(size) {
            Ok(size) if size <= self.limits.held_literal => {
                if self.held + size > self.limits.response {
                    return Err(FramingError::ResponseTooLong);
                }
                self.state = State::Held { rest: size };
                Ok(None)
            }
            _ if size > self.limits.streamed_literal => Err(FramingError::LiteralTooLarge),
            _ => {
                self.stream += 1;
                self.segments.push(Segment::Streamed(self.stream, size));
                self.state = State::Streaming { rest: size };
                Ok(Some(Frame::StreamStart(self.stream, size)))
            }
        }
    }

    /// Moves what was read into the response.
    fn keep(&mut self, segment: fn(Vec<u8>) -> Segment) -> Result<(), FramingError> {
        // Each literal has a text before it.
        if self.segments.len() >= 2 * self.limits.literals {
            return Err(FramingError::TooManyLiterals);
        }
        self.held += self.current.len();
        self.segments.push(segment(std::mem::take(&mut self.current)));
        Ok(())
    }
}

/// The length of the text before `{…}` at the line's end, and the size of the literal that follows.
fn announced_literal(
    before: &[Segment],
    line: &[u8],
) -> Result<Option<(usize, u64)>, FramingError> {
    // The text of a status response or of a continuation is for people and may end in anything.
    if line.last() != Some(&b'}') || (before.is_empty() && ends_in_text(line)) {
        return Ok(None);
    }
    let Some(open) = line.iter().rposition(|byte| *byte == b'{') else { return Ok(None) };
    let number = &line[open + 1..line.len() - 1];
    let number = number.strip_suffix(b"+").unwrap_or(number);
    if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let size = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    let size = size.ok_or(FramingError::LiteralTooLarge)?;
    // `~{…}` announces a literal that may hold NUL (RFC 3516); there is no other difference.
    let text = if line[..open].ends_with(b"~") { open - 1 } else { open };
    Ok(Some((text, size)))
}

fn ends_in_text(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let tag = words.next().unwrap_or_default();
    let name = words.next().unwrap_or_default();
    tag != b"*"
        || [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"]
            .iter()
            .any(|status| name.eq_ignore_ascii_case(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Limits {
        Limits {
            response: 64,
            held_literal: 8,
            literals: 3,
            streamed_literal: 40,
            ..Limits::default()
        }
    }

    /// Feeds pieces; the chunks of a streamed literal are joined, since their cut is the input's.
    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Frame>, FramingError> {
        let mut framer = Framer::new(small());
        let mut frames: Vec<Frame> = Vec::new();
        for mut piece in pieces {
            while let Some(frame) = framer.next(&mut piece)? {
                match (frames.last_mut(), frame) {
                    (Some(Frame::StreamChunk(_, all)), Frame::StreamChunk(_, more)) => {
                        all.extend(more);
                    }
                    (_, frame) => frames.push(frame),
                }
            }
            assert!(piece.is_empty());
        }
        Ok(frames)
    }

    fn text(text: &str) -> Segment {
        Segment::Text(text.into())
    }

    #[test]
    fn a_literal_is_a_part_of_its_response_and_a_large_one_streams_past() {
        let input = b"* 1 FETCH (A {3}\r\na)b B ~{9+}\r\n123456789)\r\n* OK\r\n";
        let expected = vec![
            Frame::StreamStart(1, 9),
            Frame::StreamChunk(1, b"123456789".to_vec()),
            Frame::StreamEnd(1),
            Frame::Response(vec![
                text("* 1 FETCH (A "),
                Segment::Literal(b"a)b".to_vec()),
                text(" B "),
                Segment::Streamed(1, 9),
                text(")"),
            ]),
            Frame::Response(vec![text("* OK")]),
        ];
        assert_eq!(frames([&input[..]]).unwrap(), expected);
        for cut in 0..=input.len() {
            let (one, two) = input.split_at(cut);
            assert_eq!(frames([one, two]).unwrap(), expected, "cut at {cut}");
        }
        assert_eq!(frames(input.chunks(1)).unwrap(), expected);
    }

    #[test]
    fn text_for_people_never_announces_a_literal() {
        for line in
            ["* OK {5}", "* bye {5}", "A1 NO {5}", "+ {5}", "* 1 FETCH {x}", "* X {}", "* X }"]
        {
            let input = format!("{line}\r\n");
            assert_eq!(
                frames([input.as_bytes()]).unwrap(),
                [Frame::Response(vec![text(line)])],
                "{line}"
            );
        }
    }

    #[test]
    fn a_line_may_end_in_a_bare_line_feed() {
        assert_eq!(frames([&b"* X\n"[..]]).unwrap(), [Frame::Response(vec![text("* X")])]);
    }

    #[test]
    fn an_empty_literal_is_a_literal() {
        let expected = [Frame::Response(vec![text("* X "), Segment::Literal(vec![]), text("")])];
        assert_eq!(frames([&b"* X {0}\r\n\r\n"[..]]).unwrap(), expected);
    }

    #[test]
    fn a_response_of_the_limit_passes_and_one_byte_more_ends_the_session() {
        let line = |length: usize| [vec![b'x'; length], b"\n".to_vec()].concat();
        assert_eq!(frames([&line(64)[..]]).unwrap().len(), 1);
        assert_eq!(frames([&line(65)[..]]), Err(FramingError::ResponseTooLong));
        assert_eq!(frames([&[b'x'; 65][..]]), Err(FramingError::ResponseTooLong));
    }

    #[test]
    fn held_literals_count_towards_the_response() {
        let input = |text: usize| format!("* {} {{8}}\r\n12345678\n", "x".repeat(text - 3));
        assert_eq!(frames([input(56).as_bytes()]).unwrap().len(), 1);
        assert_eq!(frames([input(57).as_bytes()]), Err(FramingError::ResponseTooLong));
    }

    #[test]
    fn a_streamed_literal_of_the_limit_passes_and_a_larger_one_ends_the_session() {
        let input = |size: usize| format!("* X {{{size}}}\r\n{}\r\n", "x".repeat(size));
        assert_eq!(frames([input(40).as_bytes()]).unwrap().len(), 4);
        assert_eq!(frames([input(41).as_bytes()]), Err(FramingError::LiteralTooLarge));
        let overflow = b"* X {99999999999999999999999}\r\n";
        assert_eq!(frames([&overflow[..]]), Err(FramingError::LiteralTooLarge));
    }

    #[test]
    fn literals_of_the_limit_pass_and_one_more_ends_the_session() {
        let input = |count: usize| format!("* X{}\r\n", " {0}\r\n".repeat(count));
        assert_eq!(frames([input(3).as_bytes()]).unwrap().len(), 1);
        assert_eq!(frames([input(4).as_bytes()]), Err(FramingError::TooManyLiterals));
    }
}
