//! Header fields: splitting a block into fields (RFC 5322 section 2.2), decoding their values.

use std::borrow::Cow;

use mail_parser::{
    ContentType, HeaderValue, decoders::charsets::map::charset_decoder, parsers::MessageStream,
};

use crate::{Address, limits, text::clean_line};

/// The fields of one header block, in their order, values still folded.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// Splits an entity into its fields and its body.
    ///
    /// Lines that are neither a field nor a continuation are skipped, such as the `From ` line of
    /// an mbox file. Where there is no field at all, everything is body.
    pub(crate) fn split(entity: &'a [u8]) -> (Self, &'a [u8]) {
        let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
        let mut field: Option<(usize, usize)> = None;
        let mut at = 0;
        let body = loop {
            let end = memchr::memchr(b'\n', &entity[at..]).map_or(entity.len(), |n| at + n + 1);
            let line = &entity[at..end];
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            let blank = matches!(line, b"\n" | b"\r\n");
            if (!folded || blank)
                && let Some((start, colon)) = field.take()
            {
                fields.push((&entity[start..colon], &entity[colon + 1..at]));
            }
            if blank || line.is_empty() {
                break end;
            }
            if !folded
                && at < limits::HEADER_BLOCK
                && fields.len() < limits::HEADER_FIELDS
                && let Some(colon) = memchr::memchr(b':', line)
                && is_field_name(line[..colon].trim_ascii_end())
            {
                field = Some((at, at + colon));
            }
            at = end;
        };
        let is_marked = matches!(entity, [b'\n', ..] | [b'\r', b'\n', ..]);
        let body = if fields.is_empty() && !is_marked { 0 } else { body };
        (Self { fields }, &entity[body..])
    }

    /// The value of the first field with this name, bounded, without its line break.
    fn value(&self, name: &str) -> Option<&'a [u8]> {
        let (_, value) = self
            .fields
            .iter()
            .find(|(field, _)| field.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()))?;
        Some(&value[..value.len().min(limits::HEADER_FIELD)])
    }

    /// An unstructured field for display: one line, no control characters.
    pub(crate) fn text(&self, name: &str) -> String {
        self.value(name).map(decode_header).unwrap_or_default()
    }

    /// All addresses of a field, groups flattened.
    pub(crate) fn addresses(&self, name: &str) -> Vec<Address> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let line = as_line(value);
        let HeaderValue::Address(parsed) = MessageStream::new(&line).parse_address() else {
            return Vec::new();
        };
        parsed
            .iter()
            .take(limits::ADDRESSES)
            .map(|found| Address {
                name: clean_line(found.name.as_deref().unwrap_or_default()),
                address: clean_line(found.address.as_deref().unwrap_or_default()),
            })
            .filter(|found| !found.name.is_empty() || !found.address.is_empty())
            .collect()
    }

    /// All message ids of a field, without their angle brackets.
    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let mut ids = plain_ids(value).unwrap_or_else(|| any_ids(value));
        ids.retain(|id| !id.is_empty() && id.len() <= limits::MESSAGE_ID);
        ids
    }

    /// The ids of the messages that a message follows, oldest first: those of `References`, then the
    /// first of `In-Reply-To`, if it is not among them. Of more than [`limits::REFERENCES`] the
    /// first, which names the conversation, and the latest are kept.
    pub(crate) fn followed(&self) -> Vec<String> {
        let mut ids = self.ids("References");
        let answered = self.ids("In-Reply-To").into_iter().next();
        ids.extend(answered.filter(|id| !ids.contains(id)));
        let surplus = ids.len().saturating_sub(limits::REFERENCES);
        ids.drain(1.min(ids.len())..(1 + surplus).min(ids.len()));
        ids
    }

    /// A date field, in milliseconds since 1970 (UTC).
    pub(crate) fn date(&self, name: &str) -> Option<i64> {
        decode_date(self.value(name)?)
    }

    /// A `Content-Type` or `Content-Disposition` field with its parameters decoded
    /// (RFC 2045 section 5.1, RFC 2183, RFC 2231).
    pub(crate) fn content_type(&self, name: &str) -> Option<ContentType<'static>> {
        let line = as_line(self.value(name)?);
        match MessageStream::new(&line).parse_content_type() {
            HeaderValue::ContentType(parsed) => Some(into_owned(parsed)),
            _ => None,
        }
    }
}

/// Decodes an unstructured header value (RFC 2047 encoded words, raw 8-bit text) as IMAP envelopes
/// carry it.
///
/// The result is one line without control characters and without characters that override the
/// direction of text. At most [`limits::HEADER_FIELD`] bytes are read.
pub fn decode_header(value: &[u8]) -> String {
    let value = &value[..value.len().min(limits::HEADER_FIELD)];
    if is_plain(value)
        && let Ok(text) = str::from_utf8(value)
    {
        return text.to_owned();
    }
    let line = as_line(value);
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => clean_line(&text),
        _ => String::new(),
    }
}

/// Whether a value stands for itself: words of ASCII with one space between them, none of which can
/// be an encoded one.
fn is_plain(value: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_graphic() && *byte != b'=';
    let mut before = b' ';
    let words = value.iter().all(|byte| {
        let fits = is_word(byte) || *byte == b' ' && before != b' ';
        before = *byte;
        fits
    });
    words && before != b' '
}

/// The message ids of a value that has nothing but ids, as nearly all do: visible ASCII in angle brackets.
fn plain_ids(value: &[u8]) -> Option<Vec<String>> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || PLAIN_IN_IDS.contains(byte);
    let mut ids = Vec::new();
    let mut rest = value.trim_ascii();
    while !rest.is_empty() {
        let inner = rest.strip_prefix(b"<")?;
        let (id, behind) = inner.split_at(memchr::memchr(b'>', inner)?);
        if id.is_empty() || !id.iter().all(is_plain) {
            return None;
        }
        ids.push(str::from_utf8(id).ok()?.to_owned());
        rest = behind[1..].trim_ascii_start();
    }
    Some(ids)
}

/// What stands in ids beside letters and digits, and means nothing else anywhere.
const PLAIN_IN_IDS: &[u8] = b"@.-_+=$%!#&*/?^'{}|~";

/// The message ids of any value, without white space.
fn any_ids(value: &[u8]) -> Vec<String> {
    let line = as_line(value);
    let ids = match MessageStream::new(&line).parse_id() {
        HeaderValue::Text(id) => vec![id],
        HeaderValue::TextList(ids) => ids,
        _ => Vec::new(),
    };
    let visible = |c: &char| !c.is_whitespace() && !c.is_control();
    ids.into_iter().map(|id| id.chars().filter(visible).collect()).collect()
}

/// The ids of the messages that a message follows, oldest first, as its header says in `References`
/// and `In-Reply-To`; without their angle brackets. `header` may be any part of the header block.
///
/// At most [`limits::REFERENCES`]: the first and the latest.
pub fn references(header: &[u8]) -> Vec<String> {
    Fields::split(header).0.followed()
}

/// Decodes the value of a date field as IMAP envelopes carry it, as milliseconds since 1970 (UTC).
pub fn decode_date(value: &[u8]) -> Option<i64> {
    let line = as_line(&value[..value.len().min(limits::HEADER_FIELD)]);
    match MessageStream::new(&line).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => date.to_timestamp().checked_mul(1000),
        _ => None,
    }
}

/// One line in UTF-8 that ends with a line break, as the field parsers want it.
///
/// Raw 8-bit text that is not UTF-8 is taken for Windows-1252, its most common form.
fn as_line(value: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = match std::str::from_utf8(value) {
        Ok(text) => text.as_bytes().into(),
        Err(error) if error.error_len().is_none() => value[..error.valid_up_to()].into(),
        Err(_) => charset_decoder(b"windows-1252")
            .map_or_else(|| String::from_utf8_lossy(value).into_owned(), |decode| decode(value))
            .into_bytes(),
    };
    // A folded value keeps its line breaks only before white space: here none may end it early.
    for byte in &mut line {
        if matches!(byte, b'\r' | b'\n' | 0) {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    line
}

fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

fn into_owned(value: ContentType<'_>) -> ContentType<'static> {
    ContentType {
        c_type: Cow::Owned(value.c_type.into_owned()),
        c_subtype: value.c_subtype.map(|subtype| Cow::Owned(subtype.into_owned())),
        attributes: value.attributes.map(|attributes| {
            attributes
                .into_iter()
                .map(|attribute| mail_parser::Attribute {
                    name: Cow::Owned(attribute.name.into_owned()),
                    value: Cow::Owned(attribute.value.into_owned()),
                })
                .collect()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_ids_are_the_same_as_any_are_read_as() {
        const PIECES: [&[u8]; 11] =
            [b"<c@d>", b"<", b">", b"a@b", b"{1}~?'", b"(", b"\"", b"\\", b",", b" ", b"\r\n\t"];
        let mut plain = 0;
        for number in 0..PIECES.len().pow(5) {
            let pieces = (0..5).map(|at| PIECES[number / PIECES.len().pow(at) % PIECES.len()]);
            let value = pieces.collect::<Vec<_>>().concat();
            if let Some(ids) = plain_ids(&value) {
                assert_eq!(ids, any_ids(&value), "{}", value.escape_ascii());
                plain += usize::from(ids.len() > 1);
            }
        }
        assert!(plain > 100);
    }
}
