//! Replies (RFC 5321 section 4.2) and their enhanced codes (RFC 3463).

use crate::{
    SessionError,
    limits::{MAX_LINE, MAX_REPLY_LINES},
};

/// A server's reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The code, 200 to 599.
    pub code: u16,
    /// The enhanced code, if the server gives one.
    pub enhanced: Option<EnhancedCode>,
    /// The lines, without codes.
    pub lines: Vec<String>,
}

/// `class.subject.detail` (RFC 3463).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EnhancedCode {
    /// 2, 4 or 5, as in the reply's code.
    pub class: u8,
    /// What it is about.
    pub subject: u16,
    /// What exactly.
    pub detail: u16,
}

impl Reply {
    /// Whether the server did what it was asked.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether trying the same again can't help.
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// The server's words in one line.
    pub fn text(&self) -> String {
        let words: Vec<&str> =
            self.lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
        words.join(" ")
    }
}

/// Gathers a reply over several inputs.
#[derive(Debug, Default)]
pub(crate) struct ReplyBuffer {
    line: Vec<u8>,
    code: Option<u16>,
    enhanced: Option<EnhancedCode>,
    lines: Vec<String>,
}

impl ReplyBuffer {
    /// Takes the next reply out of `input`; `None` until it is complete.
    pub(crate) fn take(&mut self, input: &mut &[u8]) -> Result<Option<Reply>, SessionError> {
        while let Some(line) = self.take_line(input)? {
            let (code, last, text) = parse_line(&line).ok_or(SessionError::NoCode)?;
            if *self.code.get_or_insert(code) != code {
                return Err(SessionError::TwoCodes);
            }
            if self.lines.len() == MAX_REPLY_LINES {
                return Err(SessionError::ReplyTooLong);
            }
            let (enhanced, text) = split_enhanced(code, text);
            self.enhanced = self.enhanced.or(enhanced);
            self.lines.push(String::from_utf8_lossy(text).into_owned());
            if last {
                let Self { enhanced, lines, .. } = std::mem::take(self);
                return Ok(Some(Reply { code, enhanced, lines }));
            }
        }
        Ok(None)
    }

    fn take_line(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, SessionError> {
        let end = memchr::memchr(b'\n', input).map(|at| at + 1);
        let (part, rest) = input.split_at(end.unwrap_or(input.len()));
        if self.line.len() + part.len() > MAX_LINE {
            return Err(SessionError::LineTooLong);
        }
        self.line.extend_from_slice(part);
        *input = rest;
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        line.pop_if(|last| *last == b'\r');
        Ok(Some(line))
    }
}

/// The code, whether the line is the last one, and its text.
fn parse_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..600).contains(&code) {
        return None;
    }
    match rest {
        [] => Some((code, true, rest)),
        [b' ', text @ ..] => Some((code, true, text)),
        [b'-', text @ ..] => Some((code, false, text)),
        _ => None,
    }
}

/// Takes an enhanced code off the text, if there is one that agrees with the reply's code.
fn split_enhanced(code: u16, text: &[u8]) -> (Option<EnhancedCode>, &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    match parse_enhanced(&text[..end]) {
        Some(enhanced) if u16::from(enhanced.class) == code / 100 => {
            (Some(enhanced), text[end..].trim_ascii_start())
        }
        _ => (None, text),
    }
}

fn parse_enhanced(word: &[u8]) -> Option<EnhancedCode> {
    let mut parts = str::from_utf8(word).ok()?.split('.');
    let enhanced = EnhancedCode {
        class: parts.next()?.parse().ok()?,
        subject: parts.next()?.parse().ok()?,
        detail: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(enhanced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(input: &str) -> Result<Option<Reply>, SessionError> {
        ReplyBuffer::default().take(&mut input.as_bytes())
    }

    #[test]
    fn replies_have_a_code_an_enhanced_code_and_words() {
        let enhanced = |class, subject, detail| Some(EnhancedCode { class, subject, detail });
        let cases = [
            ("250 2.1.0 Ok\r\n", 250, enhanced(2, 1, 0), "Ok"),
            ("550-5.1.1 no such\r\n550 5.1.1 user\r\n", 550, enhanced(5, 1, 1), "no such user"),
            ("354\r\n", 354, None, ""),
            ("250 4.1.0 classes differ\r\n", 250, None, "4.1.0 classes differ"),
            ("220 1.2.3.4 is my name\r\n", 220, None, "1.2.3.4 is my name"),
            ("535 5.7.8\n", 535, enhanced(5, 7, 8), ""),
            ("250-a\r\n250-\r\n250 b\r\n", 250, None, "a b"),
        ];
        for (input, code, enhanced, text) in cases {
            let reply = take(input).unwrap().unwrap();
            assert_eq!((reply.code, reply.enhanced, &*reply.text()), (code, enhanced, text));
        }
    }

    #[test]
    fn what_is_not_a_reply_is_refused() {
        for input in ["\r\n", "25\r\n", "2x0 a\r\n", "250a\r\n", "199 a\r\n", "600 a\r\n"] {
            assert_eq!(take(input), Err(SessionError::NoCode), "{input:?}");
        }
        assert_eq!(take("250-a\r\n550 b\r\n"), Err(SessionError::TwoCodes));
    }

    #[test]
    fn the_longest_line_is_taken_and_one_byte_more_is_not() {
        let line = |length| format!("250 {}\r\n", "a".repeat(length - 6));
        assert!(take(&line(MAX_LINE)).unwrap().is_some());
        assert_eq!(take(&line(MAX_LINE + 1)), Err(SessionError::LineTooLong));
    }

    #[test]
    fn the_longest_reply_is_taken_and_one_line_more_is_not() {
        let reply = |lines: usize| "250-a\r\n".repeat(lines - 1) + "250 a\r\n";
        assert_eq!(take(&reply(MAX_REPLY_LINES)).unwrap().unwrap().lines.len(), MAX_REPLY_LINES);
        assert_eq!(take(&reply(MAX_REPLY_LINES + 1)), Err(SessionError::ReplyTooLong));
    }
}
