//! Answers of more than one line.

use std::mem;

use crate::{
    Capabilities, Event, Numbered, SessionError,
    limits::{MAX_CAPABILITIES, MAX_MESSAGES, MAX_UNIQUE_ID, MAX_UNIQUE_IDS},
    unstuff::Unstuff,
};

/// An answer of which the `+OK` has been seen.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Lines until a lone dot.
    List(List),
    /// A message's content.
    Content { message: u32, unstuff: Unstuff },
}

/// A list that is being read.
#[derive(Debug)]
pub(crate) enum List {
    Capabilities {
        lines: usize,
        capabilities: Capabilities,
    },
    Sizes(Numbered<u64>),
    UniqueIds {
        ids: Numbered<Vec<u8>>,
        /// How many bytes they have together.
        bytes: usize,
        /// How many lines have an id that can't be used.
        unusable: usize,
    },
}

impl List {
    /// The list of sizes, before its first line.
    pub(crate) fn sizes() -> Self {
        Self::Sizes(Numbered::default())
    }

    /// The list of unique ids, before its first line.
    pub(crate) fn unique_ids() -> Self {
        Self::UniqueIds { ids: Numbered::default(), bytes: 0, unusable: 0 }
    }

    /// Takes a line; the event, if it was the last one. Of messages, one that can't be read is counted
    /// and left out: it says nothing of the others.
    pub(crate) fn add(&mut self, line: &[u8]) -> Result<Option<Event>, SessionError> {
        if line == b"." {
            return Ok(Some(self.end()));
        }
        match self {
            Self::Capabilities { lines, capabilities } => {
                *lines += 1;
                if *lines > MAX_CAPABILITIES {
                    return Err(SessionError::TooManyCapabilities);
                }
                capabilities.add(line);
            }
            Self::Sizes(sizes) => {
                check_room(sizes.lines())?;
                let size =
                    numbered(line).and_then(|(number, size)| Some((number, leading_number(size)?)));
                push(sizes, size);
            }
            Self::UniqueIds { ids, bytes, unusable } => {
                check_room(ids.lines() + *unusable)?;
                match named(line) {
                    None => push(ids, None),
                    Some((_, id)) if !is_usable(id) => *unusable += 1,
                    Some((number, id)) => {
                        *bytes += id.len();
                        if *bytes > MAX_UNIQUE_IDS {
                            return Err(SessionError::UniqueIdsTooLong);
                        }
                        push(ids, Some((number, id.to_vec())));
                    }
                }
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> Event {
        match self {
            Self::Capabilities { capabilities, .. } => Event::Capabilities(mem::take(capabilities)),
            Self::Sizes(sizes) => Event::Sizes(mem::take(sizes)),
            Self::UniqueIds { ids, .. } => Event::UniqueIds(mem::take(ids)),
        }
    }
}

/// Refuses one more line of a list of messages that has so many.
fn check_room(lines: usize) -> Result<(), SessionError> {
    if lines < MAX_MESSAGES { Ok(()) } else { Err(SessionError::TooManyMessages) }
}

/// Adds what a line says, if it can be read.
fn push<T>(list: &mut Numbered<T>, line: Option<(u32, T)>) {
    match line {
        Some(message) => list.messages.push(message),
        None => list.defects += 1,
    }
}

/// The answer to STAT, after `+OK`.
pub(crate) fn status(rest: &[u8]) -> Result<Event, SessionError> {
    let malformed = SessionError::Malformed("STAT");
    let (count, size) = numbered(rest.trim_ascii_start()).ok_or(malformed)?;
    Ok(Event::Status { count, size: leading_number(size).ok_or(malformed)? })
}

/// A number, a space and the rest.
fn numbered(line: &[u8]) -> Option<(u32, &[u8])> {
    let space = memchr::memchr(b' ', line)?;
    let number = str::from_utf8(&line[..space]).ok()?.parse().ok()?;
    Some((number, line[space..].trim_ascii_start()))
}

/// A number, and the name behind it, which may be missing.
fn named(line: &[u8]) -> Option<(u32, &[u8])> {
    let (number, name) = match memchr::memchr(b' ', line) {
        Some(space) => (&line[..space], line[space..].trim_ascii()),
        None => (line, &[][..]),
    };
    Some((str::from_utf8(number).ok()?.parse().ok()?, name))
}

/// Whether a unique id can be told from others and be kept.
fn is_usable(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_UNIQUE_ID && !id.iter().any(u8::is_ascii_control)
}

/// The number that a text begins with; servers may add more (RFC 1939 section 5).
fn leading_number(text: &[u8]) -> Option<u64> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_lines_may_carry_more_than_the_size() {
        let mut list = List::sizes();
        assert_eq!(list.add(b"1 120"), Ok(None));
        assert_eq!(list.add(b"2  200 read"), Ok(None));
        let sizes = Numbered { messages: vec![(1, 120), (2, 200)], defects: 0 };
        assert_eq!(list.add(b"."), Ok(Some(Event::Sizes(sizes))));
    }

    #[test]
    fn lines_without_their_form_are_left_out_and_the_others_stay() {
        let sizes = [&b"one 1"[..], b"1", b"", b"1 x", b"-1 5", b"99999999999 1"];
        let ids = [&b"one a"[..], b"", b"a", b"-1 a"];
        for (mut list, lines) in [(List::sizes(), &sizes[..]), (List::unique_ids(), &ids[..])] {
            for line in [&b"7 8"[..]].iter().chain(lines).chain(&[&b"9 10"[..]]) {
                assert_eq!(list.add(line), Ok(None));
            }
            let Ok(Some(event)) = list.add(b".") else { panic!("the list does not end") };
            let (numbers, defects): (Vec<u32>, _) = match event {
                Event::Sizes(list) => {
                    (list.messages.iter().map(|own| own.0).collect(), list.defects)
                }
                Event::UniqueIds(list) => {
                    (list.messages.iter().map(|own| own.0).collect(), list.defects)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!((numbers, defects), (vec![7, 9], lines.len()));
        }
    }

    #[test]
    fn unique_ids_that_can_not_be_used_are_left_out() {
        let longest = "x".repeat(MAX_UNIQUE_ID);
        let mut list = List::unique_ids();
        for (number, id) in
            [&longest, &format!("{longest}x"), "", "a\0b", "a\tb", "a b", " c "].iter().enumerate()
        {
            assert_eq!(list.add(format!("{} {id}", number + 1).as_bytes()), Ok(None));
        }
        assert_eq!(list.add(b"8"), Ok(None));
        let usable = [(1, longest.as_str()), (6, "a b"), (7, "c")];
        let usable = usable.map(|(number, id)| (number, id.as_bytes().to_vec()));
        let ids = Numbered { messages: usable.to_vec(), defects: 0 };
        assert_eq!(list.add(b"."), Ok(Some(Event::UniqueIds(ids))));
    }

    #[test]
    fn the_most_capabilities_are_taken_and_one_more_is_not() {
        let mut list = List::Capabilities { lines: 0, capabilities: Capabilities::default() };
        for _ in 0..MAX_CAPABILITIES {
            assert_eq!(list.add(b"X-SOMETHING"), Ok(None));
        }
        assert_eq!(list.add(b"X-SOMETHING"), Err(SessionError::TooManyCapabilities));
    }

    #[test]
    fn the_most_messages_are_taken_and_one_more_is_not() {
        let full = || Numbered { messages: vec![(1, 1); MAX_MESSAGES - 1], defects: 0 };
        for last in [&b"2 1"[..], b"nothing"] {
            let mut list = List::Sizes(full());
            assert_eq!(list.add(last), Ok(None));
            assert_eq!(list.add(b"3 1"), Err(SessionError::TooManyMessages));
        }
    }

    #[test]
    fn unique_ids_that_can_not_be_used_count_as_messages_as_well() {
        for last in [&b"7 "[..], b"7 a\tb", b"7 a", b"nothing"] {
            let mut list = List::unique_ids();
            for _ in 0..MAX_MESSAGES - 1 {
                assert_eq!(list.add(b"1"), Ok(None));
            }
            assert_eq!(list.add(last), Ok(None));
            for past in [&b"8"[..], b"8 b", b"nothing"] {
                assert_eq!(list.add(past), Err(SessionError::TooManyMessages));
            }
        }
    }

    #[test]
    fn the_most_bytes_of_unique_ids_are_taken_and_one_more_is_not() {
        let ids = Numbered::default();
        let mut list = List::UniqueIds { ids, bytes: MAX_UNIQUE_IDS - 2, unusable: 0 };
        assert_eq!(list.add(b"1 ab"), Ok(None));
        assert_eq!(list.add(b"2 c"), Err(SessionError::UniqueIdsTooLong));
    }
}
