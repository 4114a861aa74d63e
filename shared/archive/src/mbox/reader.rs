//! Reading: pieces of a file in, messages out.

use std::collections::VecDeque;

use super::{
    from_line::Form,
    start::{MARK, is_blank, is_field, is_of_header},
};
use crate::limits;

/// What comes out of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A message begins.
    Start,
    /// Its next bytes, with CRLF at line ends.
    Bytes(Vec<u8>),
    /// It ends.
    End,
    /// Answer with [`Reader::looked`] before more is read: what stands at this place of the file?
    Look {
        /// Bytes from the file's start.
        at: u64,
    },
}

/// Reads an mbox file of any dialect, or one whose first separator is missing, such as a single
/// message.
#[derive(Debug, Default)]
pub struct Reader {
    events: VecDeque<Event>,
    /// How many bytes of the file have been taken.
    taken: u64,
    /// Whether the first line has come: in an mbox file it is one that is not blank.
    begun: bool,
    /// The beginning of a line whose end has not come yet.
    held: Vec<u8>,
    /// Whether the rest of the line is part of the message, whatever it is.
    passing: bool,
    in_message: bool,
    in_header: bool,
    header: Vec<u8>,
    /// A blank line: the last of a message's is the separator's.
    blank: Option<Vec<u8>>,
    /// A line that is a separator if a header field follows.
    candidate: Option<Vec<u8>>,
    /// The length that the header tells, until it is known whether it can be believed.
    looking: Option<u64>,
    /// What stands before the first line of a single message that may be its header's.
    before: Option<Before>,
    /// How many bytes of the message are still to come, if that is known.
    exact: Option<u64>,
    /// Whether a line that looks like a separator stood within a message: then nothing is quoted.
    unquoted: bool,
}

/// What may stand before a single message's header, until it is known whether it does.
#[derive(Debug, Default)]
struct Before {
    /// Blank lines and a separator.
    lines: Vec<u8>,
    has_separator: bool,
    /// Lines after them that a text may begin with as well.
    fields: Vec<u8>,
}

impl Before {
    /// Holds a line, if it does not tell yet.
    fn holds(&mut self, line: &[u8]) -> bool {
        let held = self.lines.len() + self.fields.len() + line.len();
        if self.has_separator || held > limits::LINE {
            return false;
        }
        let is_separator = Form::of(line) > Form::Not;
        if self.fields.is_empty() && (is_separator || is_blank(line)) {
            self.has_separator = is_separator;
            self.lines.extend(line);
            return true;
        }
        let goes_on =
            !self.fields.is_empty() && (line.starts_with(b" ") || line.starts_with(b"\t"));
        let is_open = goes_on || (is_field(line) && !is_of_header(line));
        if self.lines.is_empty() || !is_open {
            return false;
        }
        self.fields.extend(line);
        true
    }

    /// Whether a header begins after the lines, as the first line that is not held tells.
    fn is_apart(&self, line: &[u8]) -> bool {
        if self.has_separator { is_field(line) } else { is_of_header(line) }
    }
}

impl Reader {
    /// A reader at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A reader of a file that is a single message, whatever stands in it and however it begins.
    /// Blank lines and a separator that some programs write before its header are left out. If no
    /// header follows, they are the message's own: a blank line at its start ends a header without
    /// a field.
    pub fn of_message() -> Self {
        let mut reader = Self {
            exact: Some(u64::MAX),
            unquoted: true,
            before: Some(Before::default()),
            ..Self::default()
        };
        reader.begin();
        reader.in_header = false;
        reader
    }

    /// Takes bytes of the file; returns how many. Less than all while [`Event::Look`] waits for its
    /// answer.
    pub fn handle_input(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() && self.looking.is_none() {
            let room = match self.exact {
                Some(left) => usize::try_from(left).unwrap_or(usize::MAX).min(rest.len()),
                None => rest.len(),
            };
            let end = memchr::memchr(b'\n', &rest[..room]).map_or(room, |at| at + 1);
            let (piece, after) = rest.split_at(end);
            rest = after;
            self.taken += piece.len() as u64;
            self.piece(piece);
        }
        bytes.len() - rest.len()
    }

    /// What stands at the place that was asked for: some bytes, none at the file's end; `None` if
    /// nobody can tell.
    pub fn looked(&mut self, found: Option<&[u8]>) {
        let Some(length) = self.looking.take() else { return };
        let is_end = found.is_some_and(|found| {
            let after = found.strip_prefix(b"\r\n").or(found.strip_prefix(b"\n")).unwrap_or(found);
            after.is_empty() || after.starts_with(b"From ")
        });
        self.exact = is_end.then_some(length).filter(|length| *length > 0);
    }

    /// The file's end.
    pub fn finish(&mut self) {
        self.looked(None);
        let held = std::mem::take(&mut self.held);
        if self.passing {
            self.pass(held, true);
        } else if !held.is_empty() {
            self.line(&held);
        }
        self.settle_before(b"");
        self.exact = None;
        if let Some(candidate) = self.candidate.take() {
            self.content(&candidate);
        }
        self.end();
    }

    /// What has come out, in order.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A line or the part of one that has come.
    fn piece(&mut self, piece: &[u8]) {
        let whole = piece.ends_with(b"\n");
        let last = self.exact.is_some_and(|left| left == piece.len() as u64);
        if self.passing {
            let mut rest = std::mem::take(&mut self.held);
            rest.extend(piece);
            self.pass(rest, whole || last);
        } else if self.held.len() + piece.len() > limits::LINE {
            // No separator is that long.
            let mut held = std::mem::take(&mut self.held);
            held.extend(piece);
            let line = self.unmarked(&held);
            // What has come of it in any case, in whichever pieces the file comes.
            let start = &line[..line.len().min(limits::LINE - MARK.len())];
            self.settle_candidate(start);
            self.settle_before(start);
            self.flush_blank();
            let text = self.text(line).to_vec();
            self.begun = true;
            self.pass(text, whole || last);
        } else if whole || last {
            let mut line = std::mem::take(&mut self.held);
            line.extend(piece);
            self.line(&line);
        } else {
            self.held.extend(piece);
        }
        if let Some(left) = &mut self.exact {
            *left -= piece.len() as u64;
            if *left == 0 {
                self.exact = None;
                self.passing = false;
            }
        }
    }

    /// Bytes of a line that is part of the message, whatever it is; `ends` if they are its last. A CR
    /// may be the first half of the line's end, and waits for the second.
    fn pass(&mut self, mut bytes: Vec<u8>, ends: bool) {
        if !ends && bytes.ends_with(b"\r") {
            bytes.pop();
            self.held.push(b'\r');
        }
        if !bytes.is_empty() {
            self.emit(&bytes);
        }
        self.passing = !ends;
    }

    /// A whole line.
    fn line(&mut self, line: &[u8]) {
        let line = self.unmarked(line);
        // Before the first line, only a single message has a length.
        let counts = !line.is_empty() && (self.exact.is_some() || !is_blank(line));
        if !self.begun && !counts {
            return;
        }
        self.begun = true;
        if self.exact.is_some() {
            return self.exact_line(line);
        }
        self.settle_candidate(line);
        let alone = !self.in_message || self.blank.is_some();
        match Form::of(line) {
            Form::Full => self.separator(),
            Form::Dated if alone => self.separator(),
            Form::Bare if alone => self.candidate = Some(line.to_vec()),
            _ => self.content(line),
        }
    }

    /// A line without the mark that may stand before the first.
    fn unmarked<'line>(&self, line: &'line [u8]) -> &'line [u8] {
        if self.begun { line } else { line.strip_prefix(MARK).unwrap_or(line) }
    }

    /// A line of a message whose length is known.
    fn exact_line(&mut self, line: &[u8]) {
        self.unquoted |= Form::of(line) > Form::Bare;
        if self.before.as_mut().is_some_and(|before| before.holds(line)) {
            return;
        }
        self.settle_before(line);
        self.flush_blank();
        let line = self.text(line);
        self.emit(line);
    }

    /// A line of a message without the sign that quotes it.
    fn text<'line>(&self, line: &'line [u8]) -> &'line [u8] {
        if self.exact.is_some() && self.unquoted { line } else { unquote(line) }
    }

    /// The line after one that may have been a separator tells whether it was.
    fn settle_candidate(&mut self, line: &[u8]) {
        let Some(candidate) = self.candidate.take() else { return };
        if is_field(line) {
            self.separator();
        } else {
            self.content(&candidate);
        }
    }

    /// This line tells whether what stands before it is part of the message.
    fn settle_before(&mut self, line: &[u8]) {
        let Some(mut before) = self.before.take() else { return };
        if before.is_apart(line) {
            before.lines.clear();
        }
        for line in [before.lines, before.fields].concat().split_inclusive(|byte| *byte == b'\n') {
            self.emit(line);
        }
    }

    fn separator(&mut self) {
        self.end();
        self.begin();
    }

    fn begin(&mut self) {
        self.in_message = true;
        self.in_header = true;
        self.header.clear();
        self.events.push_back(Event::Start);
    }

    fn end(&mut self) {
        self.blank = None;
        if std::mem::take(&mut self.in_message) {
            self.events.push_back(Event::End);
        }
    }

    fn content(&mut self, line: &[u8]) {
        let is_blank = is_blank(line);
        if !self.in_message {
            if is_blank {
                return;
            }
            self.begin();
        }
        if self.in_header {
            self.emit(line);
            if is_blank {
                self.in_header = false;
                self.looking = content_length(&self.header);
                if let Some(length) = self.looking {
                    self.events.push_back(Event::Look { at: self.taken.saturating_add(length) });
                }
            } else if self.header.len() < limits::HEADER {
                self.header.extend(line);
            }
            return;
        }
        self.flush_blank();
        if is_blank {
            self.blank = Some(line.to_vec());
        } else {
            self.emit(unquote(line));
        }
    }

    fn flush_blank(&mut self) {
        if let Some(blank) = self.blank.take() {
            self.emit(&blank);
        }
    }

    /// Gives out bytes of a message, with CRLF for LF.
    fn emit(&mut self, line: &[u8]) {
        if !self.in_message {
            self.begin();
        }
        if !matches!(self.events.back(), Some(Event::Bytes(bytes)) if bytes.len() < limits::LINE * 8)
        {
            self.events.push_back(Event::Bytes(Vec::new()));
        }
        let Some(Event::Bytes(bytes)) = self.events.back_mut() else { return };
        match line.strip_suffix(b"\n") {
            Some(text) => {
                bytes.extend(text.strip_suffix(b"\r").unwrap_or(text));
                bytes.extend(b"\r\n");
            }
            None => bytes.extend(line),
        }
    }
}

/// Takes one `>` from `>From `, `>>From `…
fn unquote(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { line }
}

/// What a header says about the length of the body.
fn content_length(header: &[u8]) -> Option<u64> {
    header.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
        if !name.eq_ignore_ascii_case(b"content-length") {
            return None;
        }
        std::str::from_utf8(&value[1..]).ok()?.trim().parse().ok()
    })
}
