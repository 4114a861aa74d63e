//! Writing mboxrd.

use super::{Status, from_line::from_line};
use crate::limits;

/// Writes messages one after the other; what is written is in the returned bytes.
///
/// A message is begun, given in pieces of any size, and ended.
#[derive(Debug, Default)]
pub struct Writer {
    /// The beginning of a line that may have to be quoted.
    held: Vec<u8>,
    /// Whether the line is known to need no quoting.
    passing: bool,
    /// A CR whose LF has not come yet.
    cr: bool,
    /// Whether anything of the message has been written that no line end follows.
    open_line: bool,
}

impl Writer {
    /// A writer of a new file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a message of this sender, which arrived at this time in seconds since 1970 (UTC).
    pub fn start(&mut self, sender: &str, seconds: i64, status: &Status) -> Vec<u8> {
        *self = Self::default();
        let mut out = from_line(sender, seconds).into_bytes();
        out.extend(status.to_header().iter().filter(|byte| **byte != b'\r'));
        out
    }

    /// The message's next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut piece = piece;
            if std::mem::take(&mut self.cr) && piece != b"\n" {
                self.put(b"\r", &mut out);
            }
            match piece {
                [text @ .., b'\r', b'\n'] => {
                    self.put(text, &mut out);
                    piece = b"\n";
                }
                [text @ .., b'\r'] => {
                    self.cr = true;
                    piece = text;
                }
                _ => {}
            }
            self.put(piece, &mut out);
        }
        out
    }

    /// Ends the message.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if std::mem::take(&mut self.cr) {
            self.put(b"\r", &mut out);
        }
        self.release(&mut out);
        if self.open_line {
            out.push(b'\n');
        }
        out.push(b'\n');
        *self = Self::default();
        out
    }

    /// Part of a line, with its LF if it is the last.
    fn put(&mut self, part: &[u8], out: &mut Vec<u8>) {
        if part.is_empty() {
            return;
        }
        self.open_line = !part.ends_with(b"\n");
        if self.passing {
            out.extend(part);
        } else {
            self.held.extend(part);
            if may_be_separator(&self.held) {
                return;
            }
            self.release(out);
        }
        self.passing = self.open_line;
    }

    /// Writes what was held, quoted if it has to be.
    fn release(&mut self, out: &mut Vec<u8>) {
        let quotes = self.held.iter().take_while(|byte| **byte == b'>').count();
        if self.held[quotes..].starts_with(b"From ") {
            out.push(b'>');
        }
        out.append(&mut self.held);
    }
}

/// Whether the beginning of a line is too short to tell if it has to be quoted. One of very many `>`
/// is too long for a separator.
fn may_be_separator(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    let rest = &line[quotes..];
    quotes < limits::LINE && rest.len() < 5 && b"From ".starts_with(rest)
}
