//! How a file of mail begins.

use super::from_line::Form;

/// What some programs write before a text in UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// What files begin with that are often taken for messages: PDF, JPEG, PNG, Outlook's (OLE), zip.
const OTHERS: [&[u8]; 6] =
    [b"%PDF", b"\xff\xd8\xff", b"\x89PNG", b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"PK\x05\x06"];

/// Whether a file that begins with these bytes may be mail: the first line that is not blank is a
/// separator, or it is a header field (RFC 5322 section 2.2), or it is quoted as one in a message is
/// (`>From `). Where all lines are blank, nothing speaks against it.
pub fn may_be_mail(start: &[u8]) -> bool {
    let text = start.strip_prefix(MARK).unwrap_or(start);
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').skip_while(|line| is_blank(line));
    let Some(first) = lines.next() else { return true };
    match Form::of(first) {
        Form::Full | Form::Dated => true,
        Form::Bare => lines.next().is_some_and(is_in_header),
        Form::Not => is_in_header(first),
    }
}

/// Whether a file that is said to be a single message, and begins with these bytes, may be one: it
/// is text. Some have no header, or something else before it.
pub fn may_be_message(start: &[u8]) -> bool {
    !start.contains(&0) && !OTHERS.iter().any(|other| start.starts_with(other))
}

/// A message's first bytes without a separator before its header.
pub fn without_separator(start: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', start).map_or(start.len(), |at| at + 1);
    let (first, rest) = start.split_at(end);
    if Form::of(first) > Form::Not && is_field(rest) { rest } else { start }
}

fn is_in_header(line: &[u8]) -> bool {
    is_field(line) || line.starts_with(b">From ")
}

/// Fields that each header has (RFC 5322 section 3.6), or most.
const OF_HEADERS: [&str; 5] = ["date", "from", "message-id", "received", "return-path"];

/// Whether a line is of a header for certain: a text may begin with a word and a colon as well.
pub(super) fn is_of_header(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
    is_field(line) && OF_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
}

/// Whether a line begins like a header field (RFC 5322 section 3.6.8); spaces may follow its name
/// (section 4.5).
pub(super) fn is_field(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    let after = line[name..].iter().copied().find(|byte| !matches!(byte, b' ' | b'\t'));
    name > 0 && after == Some(b':')
}

/// Whether nothing is on a line.
pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are(starts: &[&[u8]], what: fn(&[u8]) -> bool, expected: bool) {
        for start in starts {
            assert_eq!(what(start), expected, "{}", String::from_utf8_lossy(start));
        }
    }

    #[test]
    fn mail_begins_with_a_separator_or_a_field() {
        let mail: [&[u8]; 13] = [
            b"From ada@example.org Thu Jan  1 00:00:00 1970\nSubject: x\n",
            b"From 1999 on, at 5:00\n",
            b"From MAILER-DAEMON\r\nReceived: from x\r\n",
            b"From ada\n>From bob Thu Jan  1 00:00:00 1970\nSubject: x\n",
            b">From ada Thu Jan  1 00:00:00 1970\nSubject: x\n",
            b"Return-Path: <>\r\n",
            b"Subject : x\r\n",
            b"From MAILER-DAEMON\nSubject \t: x\n",
            b"X-Long: and no end of it",
            b"\xef\xbb\xbfSubject: x\n",
            b"\n\r\n\nSubject: x\n",
            b"\r\n\r\n",
            b"",
        ];
        all_are(&mail, may_be_mail, true);
    }

    #[test]
    fn a_separator_is_one_only_before_a_header() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"From ada Thu Jan  1 00:00:00 1970\nSubject: x\n", b"Subject: x\n"),
            (b"From ada\r\nSubject: x\r\n\r\nFrom\r\n", b"Subject: x\r\n\r\nFrom\r\n"),
            (b"From me to you,\nall the best.\n", b"From me to you,\nall the best.\n"),
            (b"From me", b"From me"),
            (b"From: ada\nSubject: x\n", b"From: ada\nSubject: x\n"),
            (b"", b""),
        ];
        for (start, expected) in cases {
            assert_eq!(without_separator(start), expected);
        }
    }

    #[test]
    fn what_other_programs_write_is_no_mail() {
        let other: [&[u8]; 15] = [
            b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            b"!BDN\x84\x0b\xd0\xd9SM\x17\0",
            b"\x89PNG\r\n\x1a\n",
            b"PK\x05\x06\0\0",
            b"\0\0\0\0\0\0\0\0",
            b"\0Subject: x\n",
            b"\xff\xfeF\0r\0o\0m\0:\0",
            b"Dear Ann,\nNote: the beans are up.\n",
            b"From me to you,\nall the best.\n",
            b"From me",
            b"<html>\n",
            b" : x\n",
            b"Microsoft Mail Internet Headers Version 2.0\r\n",
        ];
        all_are(&other, may_be_mail, false);
    }

    #[test]
    fn a_single_message_may_begin_with_any_text() {
        let messages: [&[u8]; 6] = [
            b"",
            b"\r\nno header\r\n",
            b"Microsoft Mail Internet Headers Version 2.0\r\nReceived: from x\r\n",
            b" folded\r\nSubject: x\r\n",
            b"Dear Ann,\n",
            b"caf\xe9\n",
        ];
        all_are(&messages, may_be_message, true);
        let other: [&[u8]; 7] = [
            b"%PDF-1.7\n",
            b"\xff\xd8\xff\xe1",
            b"\x89PNG\r\n\x1a\n",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"Dear Ann,\n\0",
        ];
        all_are(&other, may_be_message, false);
    }
}
