//! A message's parts: where they are, and BODYSTRUCTURE.

use std::ops::Range;

use mail_parser::{ContentType, Header, HeaderName, Message, MessagePart, PartType};

use super::{envelope, write};
use crate::demo::limits;

/// A part of a message, or a whole message.
pub(super) struct Part {
    /// Its MIME header (or a message's whole header), with the empty line after it.
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
    pub(super) kind: Kind,
    media: Media,
}

/// What a part holds.
pub(super) enum Kind {
    Single,
    /// At least one part.
    Multipart(Vec<Part>),
    /// A message/rfc822 part, with its message and that message's envelope.
    Message {
        message: Box<Part>,
        envelope: Vec<u8>,
    },
}

/// What the headers say about a part.
struct Media {
    main: String,
    sub: String,
    parameters: Vec<(String, String)>,
    id: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    encoding: String,
    disposition: Option<(String, Vec<(String, String)>)>,
    language: Option<Vec<u8>>,
    location: Option<Vec<u8>>,
}

impl Part {
    /// The structure of a message, whose bytes are `raw`.
    pub(super) fn of(message: &Message<'_>, raw: &[u8]) -> Self {
        Self::build(message, 0, 0..raw.len(), raw, "plain", 0)
    }

    fn build(
        message: &Message<'_>,
        index: u32,
        within: Range<usize>,
        raw: &[u8],
        default: &str,
        depth: usize,
    ) -> Self {
        let Some(part) = message.part(index) else { return Self::unparsed(within) };
        // Offsets that make no sense, as hostile mail may cause, become an empty range.
        let start = (part.offset_header as usize).clamp(within.start, within.end);
        let middle = (part.offset_body as usize).clamp(start, within.end);
        let end = if index == 0 { within.end } else { part.offset_end as usize };
        let end = end.clamp(middle, within.end);
        let mut media = Media::of(part, raw, default);
        let nested = || middle..end;
        let kind = match &part.body {
            _ if depth == limits::PART_DEPTH => Kind::Single,
            PartType::Multipart(children) if media.main == "multipart" && !children.is_empty() => {
                let default = if media.sub == "digest" { "rfc822" } else { "plain" };
                let build =
                    |child: &u32| Self::build(message, *child, nested(), raw, default, depth + 1);
                // Only the root has no parent; a child that claims to be it would be endless.
                Kind::Multipart(
                    children.iter().filter(|child| **child > index).map(build).collect(),
                )
            }
            PartType::Message(inner) if !media.is_encoded() => Kind::Message {
                envelope: envelope::write(inner, raw),
                message: Box::new(Self::build(inner, 0, nested(), raw, "plain", depth + 1)),
            },
            _ => Kind::Single,
        };
        let kind = match kind {
            Kind::Multipart(children) if children.is_empty() => Kind::Single,
            kind => kind,
        };
        if matches!(kind, Kind::Single) {
            media.make_single();
        }
        Self { header: start..middle, body: middle..end, kind, media }
    }

    /// What could not be parsed: all of it is text.
    fn unparsed(within: Range<usize>) -> Self {
        Self {
            header: within.start..within.start,
            body: within,
            kind: Kind::Single,
            media: Media::plain(),
        }
    }

    /// The part of this number, such as 1.2.3 (RFC 9051 section 6.4.5).
    pub(super) fn find(&self, path: &[u32]) -> Option<&Part> {
        let mut around = Some(self);
        let mut found = None;
        for number in path {
            let index = (*number as usize).checked_sub(1)?;
            let part = match &around?.kind {
                Kind::Multipart(children) => children.get(index)?,
                _ if index == 0 => around?,
                _ => return None,
            };
            around = match &part.kind {
                Kind::Multipart(_) => Some(part),
                Kind::Message { message, .. } => Some(message),
                Kind::Single => None,
            };
            found = Some(part);
        }
        found
    }

    /// The name of the transfer encoding in lower case.
    pub(super) fn encoding(&self) -> &str {
        &self.media.encoding
    }

    /// BODYSTRUCTURE, or BODY without the extension data.
    pub(super) fn write(&self, raw: &[u8], extended: bool, out: &mut Vec<u8>) {
        out.push(b'(');
        let media = &self.media;
        if let Kind::Multipart(children) = &self.kind {
            for child in children {
                child.write(raw, extended, out);
            }
            out.push(b' ');
            out.extend(write::string(media.sub.as_bytes()));
            if extended {
                out.push(b' ');
                write_parameters(&media.parameters, out);
                media.write_extension(out);
            }
            out.push(b')');
            return;
        }
        out.extend(write::string(media.main.as_bytes()));
        out.push(b' ');
        out.extend(write::string(media.sub.as_bytes()));
        out.push(b' ');
        write_parameters(&media.parameters, out);
        for text in [&media.id, &media.description] {
            out.push(b' ');
            out.extend(write::nstring(text.as_deref()));
        }
        out.push(b' ');
        out.extend(write::string(media.encoding.as_bytes()));
        out.extend(format!(" {}", self.body.len()).into_bytes());
        let lines = || line_count(raw.get(self.body.clone()).unwrap_or_default());
        if let Kind::Message { message, envelope } = &self.kind {
            out.push(b' ');
            out.extend_from_slice(envelope);
            out.push(b' ');
            message.write(raw, extended, out);
            out.extend(format!(" {}", lines()).into_bytes());
        } else if media.main == "text" {
            out.extend(format!(" {}", lines()).into_bytes());
        }
        if extended {
            // MD5, which no one computes.
            out.extend_from_slice(b" NIL");
            media.write_extension(out);
        }
        out.push(b')');
    }
}

impl Media {
    fn of(part: &MessagePart<'_>, raw: &[u8], default: &str) -> Self {
        let text = |name: HeaderName<'static>| {
            let header = part.headers.iter().rev().find(|header| header.name == name)?;
            Some(unfolded(header, raw))
        };
        let typed = |name: HeaderName<'static>| {
            let header = part.headers.iter().rev().find(|header| header.name == name)?;
            header.value.as_content_type()
        };
        let mut media = Self::plain();
        if default == "rfc822" {
            media.main = "message".to_owned();
            media.sub = "rfc822".to_owned();
            media.parameters.clear();
        }
        if let Some(content) = typed(HeaderName::ContentType) {
            media.main = content.ctype().to_ascii_lowercase();
            let fallback = if media.main == "text" { "plain" } else { "octet-stream" };
            media.sub = content.subtype().unwrap_or(fallback).to_ascii_lowercase();
            media.parameters = parameters(content);
            if media.main == "text" && !content.has_attribute("charset") {
                media.parameters.push(("charset".to_owned(), "us-ascii".to_owned()));
            }
        }
        if let Some(encoding) = text(HeaderName::ContentTransferEncoding) {
            media.encoding = String::from_utf8_lossy(&encoding).to_ascii_lowercase();
        }
        media.id = text(HeaderName::ContentId);
        media.description = text(HeaderName::ContentDescription);
        media.language = text(HeaderName::ContentLanguage);
        media.location = text(HeaderName::ContentLocation);
        media.disposition = typed(HeaderName::ContentDisposition)
            .map(|content| (content.ctype().to_ascii_lowercase(), parameters(content)));
        media
    }

    /// What a part is that does not say it (RFC 2045 section 5.2).
    fn plain() -> Self {
        Self {
            main: "text".to_owned(),
            sub: "plain".to_owned(),
            parameters: vec![("charset".to_owned(), "us-ascii".to_owned())],
            id: None,
            description: None,
            encoding: "7bit".to_owned(),
            disposition: None,
            language: None,
            location: None,
        }
    }

    fn is_encoded(&self) -> bool {
        matches!(self.encoding.as_str(), "base64" | "quoted-printable")
    }

    /// Makes a type that promises parts into one that does not, if there are none.
    fn make_single(&mut self) {
        match (self.main.as_str(), self.sub.as_str()) {
            ("multipart", _) => {
                self.main = "text".to_owned();
                self.sub = "plain".to_owned();
            }
            ("message", "rfc822" | "global") => {
                self.main = "application".to_owned();
                self.sub = "octet-stream".to_owned();
            }
            _ => {}
        }
    }

    fn write_extension(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        match &self.disposition {
            Some((kind, parameters)) => {
                out.push(b'(');
                out.extend(write::string(kind.as_bytes()));
                out.push(b' ');
                write_parameters(parameters, out);
                out.push(b')');
            }
            None => out.extend_from_slice(b"NIL"),
        }
        for text in [&self.language, &self.location] {
            out.push(b' ');
            out.extend(write::nstring(text.as_deref()));
        }
    }
}

fn parameters(content: &ContentType<'_>) -> Vec<(String, String)> {
    let attributes = content.attributes().unwrap_or_default().iter();
    attributes.map(|a| (a.name.to_ascii_lowercase(), a.value.to_string())).collect()
}

/// Values outside ASCII are written as RFC 2231 has them in a header.
fn write_parameters(parameters: &[(String, String)], out: &mut Vec<u8>) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if value.is_ascii() {
            out.extend(write::string(name.as_bytes()));
            out.push(b' ');
            out.extend(write::string(value.as_bytes()));
        } else {
            out.extend(write::string(format!("{name}*").as_bytes()));
            out.push(b' ');
            out.extend(write::string(percent_encoded(value).as_bytes()));
        }
    }
    out.push(b')');
}

fn percent_encoded(value: &str) -> String {
    let mut encoded = "utf-8''".to_owned();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A header's value as it stands in the message, on one line.
pub(super) fn unfolded(header: &Header<'_>, raw: &[u8]) -> Vec<u8> {
    let range = header.offset_start as usize..header.offset_end as usize;
    let value = raw.get(range).unwrap_or_default().trim_ascii();
    value.iter().copied().filter(|byte| !b"\r\n\0".contains(byte)).collect()
}

fn line_count(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
}
