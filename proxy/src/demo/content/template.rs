//! How the messages in `mail/` are written: readable text with a few directives, which become
//! dates, encoded words, transfer encodings and attachments. `mail/README.md` lists them.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use encoding_rs::Encoding;

use super::Mail;
use crate::demo::{correspondent::folded_base64, date, store::canonical_flag};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A message that is not yet for anyone.
pub(super) struct Template {
    pub(super) mailbox: String,
    /// When it arrived, in seconds since 1970.
    pub(super) arrived: i64,
    pub(super) flags: BTreeSet<String>,
    text: String,
}

/// A file in `mail/` is not written as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("the first line should be `@ mailbox | age | flags`")]
    Head,
    #[error("`{0}` is no time")]
    Time(String),
    #[error("`{0}` is no directive")]
    Directive(String),
    #[error("the charset `{0}` is unknown, or can't express the text")]
    Charset(String),
    #[error("there is no file `{0}`")]
    File(String),
}

impl Template {
    /// Reads the first line: `@ INBOX | 3d 14:05 | seen answered`.
    pub(super) fn parse(text: &str, now: i64) -> Result<Self, TemplateError> {
        let (head, text) = text.split_once('\n').ok_or(TemplateError::Head)?;
        let head = head.trim_end().strip_prefix("@ ").ok_or(TemplateError::Head)?;
        let mut fields = head.split('|').map(str::trim);
        let (Some(mailbox), Some(age), Some(flags)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(TemplateError::Head);
        };
        let flag = |word: &str| match word.starts_with('$') {
            true => word.to_owned(),
            false => canonical_flag(&format!("\\{word}")),
        };
        Ok(Self {
            mailbox: mailbox.to_owned(),
            arrived: moment(now, &format!("-{age}"))?,
            flags: flags.split_ascii_whitespace().map(flag).collect(),
            text: text.to_owned(),
        })
    }

    /// The message as it lies in the mailbox of this address.
    pub(super) fn render(&self, address: &str) -> Result<Vec<u8>, TemplateError> {
        let mut message = Vec::with_capacity(self.text.len() + self.text.len() / 8);
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            let directive = line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            let (name, arguments) =
                directive.map_or(("", ""), |text| text.split_once(' ').unwrap_or((text, "")));
            match name {
                "encode" => {
                    let mut block = String::new();
                    for line in lines.by_ref().take_while(|line| *line != "{{end}}") {
                        block.push_str(&self.inline(line, address)?);
                        block.push_str("\r\n");
                    }
                    encode(&block, arguments, &mut message)?;
                }
                "file" => {
                    let file = Mail::get(&format!("files/{arguments}"))
                        .ok_or_else(|| TemplateError::File(arguments.to_owned()))?;
                    message.extend(folded_base64(&file.data).into_bytes());
                }
                _ => {
                    message.extend(self.inline(line, address)?.into_bytes());
                    message.extend_from_slice(b"\r\n");
                }
            }
        }
        Ok(message)
    }

    /// Fills in the directives within a line.
    fn inline(&self, line: &str, address: &str) -> Result<String, TemplateError> {
        let mut filled = String::with_capacity(line.len());
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("{{") {
            let (directive, after) =
                after.split_once("}}").ok_or_else(|| TemplateError::Directive(line.to_owned()))?;
            let (name, argument) = directive.split_once(' ').unwrap_or((directive, ""));
            filled.push_str(before);
            filled.push_str(&match name {
                "me" => address.to_owned(),
                "date" => date::message_date(moment(self.arrived, argument)?),
                "day" => date::spoken_day(moment(self.arrived, argument)?),
                "compact" => date::compact_day(moment(self.arrived, argument)?),
                "word" => {
                    let (charset, text) = argument
                        .split_once(' ')
                        .ok_or_else(|| TemplateError::Directive(directive.to_owned()))?;
                    encoded_words(charset, text)?
                }
                _ => return Err(TemplateError::Directive(directive.to_owned())),
            });
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// A time relative to another: nothing, `-25m`, `+3h`, `-3d`, or `-3d 14:05` (that day, then, in
/// UTC). What would lie ahead because the day is still young is a day earlier.
fn moment(base: i64, text: &str) -> Result<i64, TemplateError> {
    let wrong = || TemplateError::Time(text.to_owned());
    if text.is_empty() {
        return Ok(base);
    }
    let (shift, clock) = text.split_once(' ').unwrap_or((text, ""));
    let unit = match shift.chars().last() {
        Some('m') => MINUTE,
        Some('h') => HOUR,
        Some('d') => DAY,
        _ => return Err(wrong()),
    };
    let count: i64 = shift[..shift.len() - 1].parse().map_err(|_| wrong())?;
    let shifted = base + count * unit;
    let Some((hour, minute)) = clock.split_once(':') else { return Ok(shifted) };
    let hour: i64 = hour.parse().map_err(|_| wrong())?;
    let minute: i64 = minute.parse().map_err(|_| wrong())?;
    let at = shifted.div_euclid(DAY) * DAY + hour * HOUR + minute * MINUTE;
    Ok(if count <= 0 && at > base { at - DAY } else { at })
}

fn in_charset(charset: &str, text: &str) -> Result<Vec<u8>, TemplateError> {
    let wrong = || TemplateError::Charset(charset.to_owned());
    let encoding = Encoding::for_label(charset.as_bytes()).ok_or_else(wrong)?;
    let (bytes, _, replaced) = encoding.encode(text);
    if replaced { Err(wrong()) } else { Ok(bytes.into_owned()) }
}

/// Encoded words in base64 (RFC 2047), as many as the length needs.
fn encoded_words(charset: &str, text: &str) -> Result<String, TemplateError> {
    let characters: Vec<char> = text.chars().collect();
    let words = characters.chunks(12).map(|chunk| {
        let bytes = in_charset(charset, &chunk.iter().collect::<String>())?;
        Ok(format!("=?{charset}?B?{}?=", BASE64_STANDARD.encode(bytes)))
    });
    Ok(words.collect::<Result<Vec<_>, TemplateError>>()?.join("\r\n "))
}

/// Writes a body in a charset and a transfer encoding, such as `koi8-r base64`.
fn encode(text: &str, how: &str, message: &mut Vec<u8>) -> Result<(), TemplateError> {
    let (charset, transfer) = how.split_once(' ').unwrap_or((how, ""));
    let bytes = in_charset(charset, text)?;
    match transfer {
        "base64" => message.extend(folded_base64(&bytes).into_bytes()),
        "quoted-printable" => quoted_printable(&bytes, message),
        "7bit" | "8bit" => message.extend_from_slice(&bytes),
        _ => return Err(TemplateError::Directive(format!("encode {how}"))),
    }
    Ok(())
}

/// Writes lines as quoted-printable (RFC 2045 section 6.7).
fn quoted_printable(text: &[u8], out: &mut Vec<u8>) {
    const WIDTH: usize = 75;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let mut width = 0;
        for (index, byte) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let plain = (b'!'..=b'~').contains(byte) && *byte != b'='
                || matches!(byte, b' ' | b'\t') && !last;
            let needed = if plain { 1 } else { 3 };
            if width + needed > WIDTH {
                out.extend_from_slice(b"=\r\n");
                width = 0;
            }
            if plain {
                out.push(*byte);
            } else {
                out.extend(format!("={byte:02X}").into_bytes());
            }
            width += needed;
        }
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_770_465_600;

    #[test]
    fn moments_are_relative() {
        assert_eq!(moment(NOON, "").unwrap(), NOON);
        assert_eq!(moment(NOON, "-25m").unwrap(), NOON - 25 * MINUTE);
        assert_eq!(moment(NOON, "+3h").unwrap(), NOON + 3 * HOUR);
        assert_eq!(moment(NOON, "-2d 10:30").unwrap(), NOON - 2 * DAY - 90 * MINUTE);
        assert_eq!(moment(NOON, "+2d 13:00").unwrap(), NOON + 2 * DAY + HOUR);
        assert!(moment(NOON, "soon").is_err());
    }

    #[test]
    fn no_message_comes_from_later_today() {
        assert_eq!(moment(NOON, "-0d 13:00").unwrap(), NOON - DAY + HOUR);
    }

    #[test]
    fn quoted_printable_is_read_back_as_it_was() {
        for text in ["", "a = b\r\n", "space at the end \r\n", &format!("{}\r\n", "ü".repeat(90))]
        {
            let mut encoded = Vec::new();
            quoted_printable(text.as_bytes(), &mut encoded);
            assert!(encoded.split(|byte| *byte == b'\n').all(|line| line.len() <= 77));
            let decoded =
                mail_parser::decoders::quoted_printable::quoted_printable_decode(&encoded);
            assert_eq!(decoded.unwrap_or_default(), text.as_bytes());
        }
    }

    #[test]
    fn a_charset_that_cannot_express_a_text_is_refused() {
        assert!(in_charset("koi8-r", "Привет").is_ok());
        assert!(in_charset("koi8-r", "你好").is_err());
        assert!(in_charset("no-such-charset", "x").is_err());
    }
}
