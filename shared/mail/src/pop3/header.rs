//! What tells a message by its header alone.

use sha2::{Digest, Sha256};

use super::limits::HEADER;

/// Fields that servers add or change by themselves from one session to the next.
const VOLATILE: [&str; 9] = [
    "status",
    "x-status",
    "x-uid",
    "x-keywords",
    "x-uidl",
    "x-imap",
    "x-imapbase",
    "content-length",
    "lines",
];

/// SHA-256 of a message's header, of which `head` are the message's first bytes; the same whether
/// they came by RETR or by TOP. `None` if there is no header. Of a header beyond [`HEADER`] bytes
/// only these count.
pub(super) fn digest(head: &[u8]) -> Option<[u8; 32]> {
    let head = &head[..head.len().min(HEADER)];
    let mut hasher = Sha256::new();
    let (mut any, mut skipping) = (false, false);
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if !matches!(line[0], b' ' | b'\t') {
            skipping = is_volatile(line);
        }
        if !skipping {
            hasher.update(line);
            hasher.update(b"\n");
            any = true;
        }
    }
    any.then(|| hasher.finalize().into())
}

/// Whether a message of which `head` are the first bytes has a Message-ID, so that another one with
/// the same header is a copy of it.
pub(super) fn is_unique(head: &[u8]) -> bool {
    let head = &head[..head.len().min(HEADER)];
    let lines = head.split(|byte| *byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.by_ref().take_while(|line| !line.is_empty()).any(|line| {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(0));
        name.trim_ascii().eq_ignore_ascii_case(b"message-id") && value.contains(&b'@')
    })
}

/// Where the text begins in a message of which `head` are the first bytes; `None` if its header does
/// not end within [`HEADER`] bytes.
pub(super) fn text_start(head: &[u8]) -> Option<usize> {
    let head = &head[..head.len().min(HEADER)];
    let mut start = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(start);
        }
    }
    None
}

fn is_volatile(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    VOLATILE.iter().any(|volatile| name.eq_ignore_ascii_case(volatile.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[u8] = b"From: a@b\r\nSubject: one\r\n two\r\n\r\n";

    #[test]
    fn the_body_does_not_count() {
        let whole = [OWN, b"text\r\n"].concat();
        assert!(digest(OWN).is_some());
        assert_eq!(digest(&whole), digest(OWN));
        assert_eq!(digest(OWN.strip_suffix(b"\r\n").unwrap()), digest(OWN));
    }

    #[test]
    fn what_servers_change_does_not_count() {
        let marked =
            b"X-UIDL: 7\r\n (old)\r\nFrom: a@b\r\nStatus: RO\r\nX-UID: 7\r\nSubject: one\r\n two\r\n\r\n";
        assert_eq!(digest(marked), digest(OWN));
    }

    #[test]
    fn every_other_field_counts() {
        for other in [
            &b"From: a@b\r\nSubject: one\r\n three\r\n\r\n"[..],
            b"From: a@b\r\n\r\nSubject: one\r\n two\r\n\r\n",
            b"From: a@b\r\nSubject: one\r\n two\r\nStatus-Of: x\r\n\r\n",
        ] {
            assert_ne!(digest(other), digest(OWN));
        }
    }

    #[test]
    fn the_text_begins_after_the_first_empty_line() {
        for (head, start) in [
            (&b"A: b\r\n\r\ntext\r\n\r\n"[..], Some(8)),
            (b"A: b\n\ntext", Some(6)),
            (b"\r\ntext", Some(2)),
            (b"A: b\r\n \r\n", None),
            (b"", None),
        ] {
            assert_eq!(text_start(head), start);
        }
        let with_end_at = |end| [vec![b'x'; end - 3], b"\n\r\n".to_vec()].concat();
        assert_eq!(text_start(&with_end_at(HEADER)), Some(HEADER));
        assert_eq!(text_start(&with_end_at(HEADER + 1)), None);
    }

    #[test]
    fn a_message_id_makes_a_header_unique() {
        for (head, expected) in [
            (&b"From: a@b\r\nMessage-ID: <1@b>\r\n\r\n"[..], true),
            (b"message-id : <1@b>\n\n", true),
            (b"Message-ID: \r\n\r\n", false),
            (b"From: a@b\r\n\r\nMessage-ID: <1@b>\r\n", false),
            (b"", false),
        ] {
            assert_eq!(is_unique(head), expected);
        }
    }

    #[test]
    fn a_message_without_header_has_no_digest() {
        for head in [&b""[..], b"\r\ntext\r\n", b"\ntext", b"Status: R\r\n\r\n"] {
            assert_eq!(digest(head), None);
        }
    }
}
