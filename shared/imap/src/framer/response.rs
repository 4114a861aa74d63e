//! A whole response, as the framer cuts it out.

/// A whole response: its bytes without the last line's end, and where the literals are in them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RawResponse<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) literals: &'a [Literal],
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
