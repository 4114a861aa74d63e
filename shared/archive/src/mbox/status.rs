//! The flags that a message carries in its header.
//!
//! There are several customs, all read here: `Status` and `X-Status` (mutt, Dovecot, Pine),
//! `X-Keywords`, Thunderbird's `X-Mozilla-Status` and `X-Mozilla-Keys`, Gmail's `X-Gmail-Labels`.
//! Written are the first three, at the top and counted, so that they can be taken out again and the
//! message is the same to the byte.

use crate::limits;

/// What a message's flags are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Status {
    /// Read.
    pub seen: bool,
    /// Answered.
    pub answered: bool,
    /// Starred.
    pub flagged: bool,
    /// Marked as deleted.
    pub deleted: bool,
    /// Unfinished.
    pub draft: bool,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Its program has removed it, and has not written the file anew since (Thunderbird).
    pub expunged: bool,
}

/// The field that counts those that were added.
const ADDED: &str = "X-Postern-Added";

impl Status {
    /// The fields that carry it, each ended by CRLF.
    pub fn to_header(&self) -> Vec<u8> {
        let letters: String =
            [(self.answered, 'A'), (self.flagged, 'F'), (self.draft, 'T'), (self.deleted, 'D')]
                .into_iter()
                .filter_map(|(set, letter)| set.then_some(letter))
                .collect();
        let mut fields = vec![format!("Status: {}O", if self.seen { "R" } else { "" })];
        if !letters.is_empty() {
            fields.push(format!("X-Status: {letters}"));
        }
        if !self.keywords.is_empty() {
            fields.push(format!("X-Keywords: {}", self.keywords.join(" ")));
        }
        let count = fields.len();
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        format!("{ADDED}: {count}\r\n{fields}").into_bytes()
    }

    /// Reads a message's header; returns also how many bytes at its start were added by
    /// [`to_header`](Self::to_header) and belong to no message.
    ///
    /// `None` if no program has left flags there.
    pub fn of_header(header: &[u8]) -> (Option<Self>, usize) {
        let header = &header[..header.len().min(limits::HEADER)];
        let mut status = Self::default();
        let mut found = false;
        let mut added = 0;
        let mut left = 0_usize;
        let mut at = 0;
        for line in header.split_inclusive(|byte| *byte == b'\n') {
            let first = at == 0;
            at += line.len();
            if line.trim_ascii().is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let name = line[..colon].to_ascii_lowercase();
            let value = String::from_utf8_lossy(&line[colon + 1..]);
            let value = value.trim();
            if first && name == ADDED.to_ascii_lowercase().as_bytes() {
                left = value.parse().unwrap_or(0);
                added = if left > 0 && left <= 3 { at } else { 0 };
                continue;
            }
            if added > 0 && left > 0 {
                left -= 1;
                added = at;
            }
            found |= status.read(&name, value);
            if added > 0 && left == 0 {
                // What follows is the message's own.
                break;
            }
        }
        status.keywords.truncate(limits::KEYWORDS);
        (found.then_some(status), if left == 0 { added } else { 0 })
    }

    /// Reads a field; whether it is one that has flags.
    fn read(&mut self, name: &[u8], value: &str) -> bool {
        match name {
            b"status" => self.seen |= value.contains('R'),
            b"x-status" => {
                self.answered |= value.contains('A');
                self.flagged |= value.contains('F');
                self.draft |= value.contains('T');
                self.deleted |= value.contains('D');
            }
            b"x-keywords" | b"x-mozilla-keys" => {
                for keyword in value.split([' ', ',']).filter(|keyword| !keyword.is_empty()) {
                    if !self.keywords.iter().any(|own| own == keyword) {
                        self.keywords.push(keyword.to_owned());
                    }
                }
            }
            b"x-mozilla-status" => {
                let bits = u16::from_str_radix(value, 16).unwrap_or(0);
                self.seen |= bits & 0x1 != 0;
                self.answered |= bits & 0x2 != 0;
                self.flagged |= bits & 0x4 != 0;
                self.expunged |= bits & 0x8 != 0;
            }
            b"x-gmail-labels" => {
                let has = |label: &str| value.split(',').any(|own| own.trim() == label);
                self.seen |= !has("Unread");
                self.flagged |= has("Starred");
                self.draft |= has("Drafts");
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_taken_out_again() {
        let status = Status {
            seen: true,
            flagged: true,
            draft: true,
            keywords: vec!["$work".into(), "later".into()],
            ..Status::default()
        };
        for status in [status, Status::default()] {
            let mut header = status.to_header();
            let added = header.len();
            header.extend(b"Subject: x\r\nStatus: RO of its own\r\nX-Keywords: own\r\n\r\n");
            let (read, skipped) = Status::of_header(&header);
            assert_eq!((read, skipped), (Some(status), added));
        }
    }

    #[test]
    fn other_programs_flags_are_read_and_left_in_place() {
        let flags = |header: &str| {
            let (status, skipped) = Status::of_header(header.as_bytes());
            assert_eq!(skipped, 0);
            let status = status.unwrap_or_default();
            (
                status.seen,
                status.answered,
                status.flagged,
                status.deleted,
                status.keywords.join("+"),
            )
        };
        let none = String::new;
        assert_eq!(flags("Status: RO\nX-Status: AFD\n\n"), (true, true, true, true, none()));
        assert_eq!(flags("X-Mozilla-Status: 0005\n\n"), (true, false, true, false, none()));
        assert_eq!(
            flags("X-Mozilla-Keys: $label1 work   \n\n"),
            (false, false, false, false, "$label1+work".into())
        );
        assert_eq!(
            flags("X-Gmail-Labels: Inbox,Unread,Starred\n\n"),
            (false, false, true, false, none())
        );
        assert_eq!(flags("A: b\n\nStatus: R\n"), (false, false, false, false, none()));
        let expunged = |header: &[u8]| Status::of_header(header).0.unwrap_or_default().expunged;
        assert!(expunged(b"X-Mozilla-Status: 0009\n\n"));
        assert!(!expunged(b"X-Mozilla-Status: 0001\n\n"));
    }

    #[test]
    fn a_count_that_does_not_fit_takes_nothing_out() {
        for header in [&b"X-Postern-Added: 3\r\nStatus: R\r\n\r\n"[..], b"X-Postern-Added: 900\r\n"]
        {
            assert_eq!(Status::of_header(header).1, 0);
        }
    }
}
