//! Cuts the byte stream into responses (RFC 9051 section 2.2), whatever the split of the input.
//!
//! A response is a line, or several lines with literals between them. Small literals are held as a
//! part of their response; large ones are passed on in the pieces in which they arrive. A response
//! that lies in the input as a whole is not copied.

use memchr::memchr;

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

/// A whole response: its bytes without the last line's end, and where the literals are in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RawResponse<'a> {
    bytes: &'a [u8],
    literals: &'a [Literal],
}

/// A piece of a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Segment<'a> {
    /// Text without the line's end and without the announcement of a literal.
    Text(&'a [u8]),
    /// A literal.
    Literal(&'a [u8]),
    /// A literal that was streamed: its number and size.
    Streamed(u64, u64),
}

/// Where a literal is in its response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Literal {
    /// Where its announcement begins.
    pub(crate) announced: usize,
    /// Where its bytes begin: behind the announcement's line end.
    pub(crate) start: usize,
    /// Where the text goes on; the same as `start` if it was streamed.
    pub(crate) end: usize,
    /// The number and size of a streamed one.
    pub(crate) streamed: Option<(u64, u64)>,
}

impl<'a> RawResponse<'a> {
    /// The text up to the first literal.
    pub(crate) fn line(self) -> &'a [u8] {
        match self.literals.first() {
            Some(literal) => &self.bytes[..literal.announced],
            None => self.bytes,
        }
    }

    /// What comes behind [`line`](Self::line): literals, each with the text behind it.
    pub(crate) fn rest(self) -> impl Iterator<Item = Segment<'a>> {
        self.literals.iter().enumerate().flat_map(move |(index, literal)| {
            let next = self.literals.get(index + 1);
            let text_end = next.map_or(self.bytes.len(), |next| next.announced);
            let content = match literal.streamed {
                Some((stream, size)) => Segment::Streamed(stream, size),
                None => Segment::Literal(&self.bytes[literal.start..literal.end]),
            };
            [content, Segment::Text(&self.bytes[literal.end..text_end])]
        })
    }

    /// Its bytes, and where the literals are in them.
    pub(crate) fn parts(self) -> (&'a [u8], &'a [Literal]) {
        (self.bytes, self.literals)
    }

    /// Whether it has literals.
    pub(crate) fn has_literals(self) -> bool {
        !self.literals.is_empty()
    }
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

fn may_follow_a_literal(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b' ' | b')' | b'(' | b'\r'))
}

/// The length of the text before `{…}` at the line's end, and the size of the literal that follows.
fn announced_literal(is_first: bool, line: &[u8]) -> Result<Option<(usize, u64)>, FramingError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // The text of a status response or of a continuation is for people and may end in anything.
    if line.last() != Some(&b'}') || (is_first && ends_in_text(line)) {
        return Ok(None);
    }
    let Some(open) = line.iter().rposition(|byte| *byte == b'{') else { return Ok(None) };
    let number = &line[open + 1..line.len() - 1];
    let number = number.strip_suffix(b"+").unwrap_or(number);
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if number.strip_prefix(b"-").is_some_and(is_number) {
        return Err(FramingError::NegativeLiteral);
    }
    if !is_number(number) {
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

    /// What came out; the chunks of a streamed literal are joined, since their cut is the input's.
    #[derive(Debug, PartialEq)]
    enum Got {
        Response(Vec<String>),
        Stream(u64, u64, String),
    }

    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Got>, FramingError> {
        let mut framer = Framer::new(small());
        let mut got: Vec<Got> = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for mut piece in pieces {
            while let Some(frame) = framer.next(&mut piece)? {
                match (frame, got.last_mut()) {
                    (Frame::Response(raw), _) => {
                        let rest = raw.rest().map(|segment| match segment {
                            Segment::Text(bytes) => text(bytes),
                            Segment::Literal(bytes) => format!("<{}>", text(bytes)),
                            Segment::Streamed(stream, size) => format!("<#{stream}: {size}>"),
                        });
                        got.push(Got::Response(
                            [text(raw.line())].into_iter().chain(rest).collect(),
                        ));
                    }
                    (Frame::StreamStart(stream, size), _) => {
                        got.push(Got::Stream(stream, size, String::new()));
                    }
                    (Frame::StreamChunk(own, chunk), Some(Got::Stream(stream, _, all))) => {
                        assert_eq!(own, *stream);
                        all.push_str(&text(chunk));
                    }
                    (Frame::StreamEnd(own), Some(Got::Stream(stream, size, all))) => {
                        assert_eq!((own, all.len() as u64), (*stream, *size));
                    }
                    (frame, _) => panic!("{frame:?}"),
                }
            }
            assert!(piece.is_empty());
        }
        Ok(got)
    }

    fn response(segments: &[&str]) -> Got {
        Got::Response(segments.iter().map(|segment| (*segment).to_owned()).collect())
    }

    #[test]
    fn a_literal_is_a_part_of_its_response_and_a_large_one_streams_past() {
        let input = b"* 1 FETCH (A {3}\r\na)b B ~{9+}\r\n123456789)\r\n* OK\r\n";
        let expected = vec![
            Got::Stream(1, 9, "123456789".into()),
            response(&["* 1 FETCH (A ", "<a)b>", " B ", "<#1: 9>", ")"]),
            response(&["* OK"]),
        ];
        assert_eq!(frames([&input[..]]).unwrap(), expected);
        for cut in 0..=input.len() {
            for next in cut..=input.len() {
                let pieces = [&input[..cut], &input[cut..next], &input[next..]];
                assert_eq!(frames(pieces).unwrap(), expected, "cut at {cut} and {next}");
            }
        }
        assert_eq!(frames(input.chunks(1)).unwrap(), expected);
    }

    #[test]
    fn text_for_people_never_announces_a_literal() {
        for line in
            ["* OK {5}", "* bye {5}", "A1 NO {5}", "+ {5}", "* 1 FETCH {x}", "* X {}", "* X }"]
        {
            let input = format!("{line}\r\n");
            assert_eq!(frames([input.as_bytes()]).unwrap(), [response(&[line])], "{line}");
        }
    }

    #[test]
    fn a_line_may_end_in_a_bare_line_feed() {
        assert_eq!(frames([&b"* X\n"[..]]).unwrap(), [response(&["* X"])]);
        let expected = [response(&["* X ", "<ab>", ""])];
        assert_eq!(frames([&b"* X {2}\nab\n"[..]]).unwrap(), expected);
    }

    #[test]
    fn an_empty_literal_is_a_literal() {
        let expected = [response(&["* X ", "<>", ""])];
        assert_eq!(frames([&b"* X {0}\r\n\r\n"[..]]).unwrap(), expected);
    }

    #[test]
    fn a_response_of_the_limit_passes_and_one_byte_more_ends_the_session() {
        let line = |length: usize| [vec![b'x'; length], b"\n".to_vec()].concat();
        assert_eq!(frames([&line(64)[..]]).unwrap().len(), 1);
        assert_eq!(frames([&line(65)[..]]), Err(FramingError::ResponseTooLong));
        assert_eq!(frames([&[b'x'; 64][..]]), Ok(vec![]));
        assert_eq!(frames([&[b'x'; 65][..]]), Err(FramingError::ResponseTooLong));
        assert_eq!(frames([b'x'; 65].chunks(1)), Err(FramingError::ResponseTooLong));
    }

    #[test]
    fn held_literals_count_towards_the_response() {
        let input = |text: usize| format!("* {} {{8}}\n12345678\n", "x".repeat(text - 7));
        assert_eq!(frames([input(56).as_bytes()]).unwrap().len(), 1);
        assert_eq!(frames([input(57).as_bytes()]), Err(FramingError::ResponseTooLong));
    }

    #[test]
    fn a_literal_of_the_limit_is_held_and_a_larger_one_streams() {
        let input = |size: usize| format!("* X {{{size}}}\r\n{}\r\n", "x".repeat(size));
        assert_eq!(frames([input(8).as_bytes()]).unwrap().len(), 1);
        assert_eq!(frames([input(9).as_bytes()]).unwrap().len(), 2);
    }

    #[test]
    fn a_streamed_literal_of_the_limit_passes_and_a_larger_one_ends_the_session() {
        let input = |size: usize| format!("* X {{{size}}}\r\n{}\r\n", "x".repeat(size));
        assert_eq!(frames([input(40).as_bytes()]).unwrap().len(), 2);
        assert_eq!(frames([input(41).as_bytes()]), Err(FramingError::LiteralTooLarge));
    }

    #[test]
    fn a_size_that_is_no_size_ends_the_session() {
        let cases = [
            ("* X {99999999999999999999999}\r\n", FramingError::LiteralTooLarge),
            ("* X {18446744073709551615}\r\n", FramingError::LiteralTooLarge),
            ("* X {-1}\r\n", FramingError::NegativeLiteral),
            ("* X ~{-5+}\r\n", FramingError::NegativeLiteral),
        ];
        for (input, error) in cases {
            assert_eq!(frames([input.as_bytes()]), Err(error), "{input}");
        }
    }

    #[test]
    fn a_literal_that_is_longer_than_announced_ends_the_session() {
        // What was said to be 3 bytes goes on: what looks like responses in it must not be believed.
        let input = "* X ({3}\r\nabcd\r\n* 1 EXPUNGE\r\n)\r\n";
        assert_eq!(frames([input.as_bytes()]), Err(FramingError::WrongLiteralSize));
        assert_eq!(frames(input.as_bytes().chunks(1)), Err(FramingError::WrongLiteralSize));
    }

    #[test]
    fn literals_of_the_limit_pass_and_one_more_ends_the_session() {
        let input = |count: usize| format!("* X{}\r\n", " {1}\r\nx".repeat(count));
        assert_eq!(frames([input(3).as_bytes()]).unwrap().len(), 1);
        assert_eq!(frames([input(4).as_bytes()]), Err(FramingError::TooManyLiterals));
    }
}
