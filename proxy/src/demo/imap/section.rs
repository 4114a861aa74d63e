//! Sections of a message: `BODY[1.2.HEADER.FIELDS (SUBJECT)]<0.100>`.

use std::borrow::Cow;

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};

use super::{
    parse::{Cursor, Malformed},
    structure::{Kind, Part},
    write,
};

use crate::demo::mime;

/// Which bytes of a message are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    path: Vec<u32>,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// The whole message, or the body of a part.
    All,
    Header,
    /// Header lines of these names, or (`not`) of all others.
    Fields {
        names: Vec<String>,
        not: bool,
    },
    Text,
    Mime,
}

impl Section {
    pub(super) const ALL: Self = Self { path: Vec::new(), what: What::All };
    pub(super) const HEADER: Self = Self { path: Vec::new(), what: What::Header };
    pub(super) const TEXT: Self = Self { path: Vec::new(), what: What::Text };

    /// Reads what stands between the brackets, and the closing one.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let mut section = Self::ALL;
        while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            section.path.push(cursor.number()?);
            if !cursor.eat(b'.') {
                cursor.expect(b']')?;
                return Ok(section);
            }
        }
        if cursor.eat(b']') {
            return if section.path.is_empty() { Ok(section) } else { Err(Malformed) };
        }
        let word = cursor.take(|byte| byte.is_ascii_alphabetic() || byte == b'.')?;
        section.what = match word.to_ascii_uppercase().as_str() {
            "HEADER" => What::Header,
            "TEXT" => What::Text,
            "MIME" if !section.path.is_empty() => What::Mime,
            "HEADER.FIELDS" => What::Fields { names: names(cursor)?, not: false },
            "HEADER.FIELDS.NOT" => What::Fields { names: names(cursor)?, not: true },
            _ => return Err(Malformed),
        };
        cursor.expect(b']')?;
        Ok(section)
    }

    /// The section as it is written between brackets.
    pub(super) fn label(&self) -> String {
        let mut label = self.path.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        if !label.is_empty() && self.what != What::All {
            label.push('.');
        }
        match &self.what {
            What::All => {}
            What::Header => label.push_str("HEADER"),
            What::Text => label.push_str("TEXT"),
            What::Mime => label.push_str("MIME"),
            What::Fields { names, not } => {
                label.push_str(if *not { "HEADER.FIELDS.NOT (" } else { "HEADER.FIELDS (" });
                let names: Vec<_> = names.iter().map(|name| name_label(name)).collect();
                label.push_str(&names.join(" "));
                label.push(')');
            }
        }
        label
    }

    /// The bytes of the section, or nothing if the message has no such part.
    pub(super) fn of<'a>(&self, raw: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if self.path.is_empty() && self.what == What::All {
            return Some(raw.into());
        }
        if self.path.is_empty() {
            let body = header_end(raw);
            return match &self.what {
                What::Text => Some(raw[body..].into()),
                what => header(&raw[..body], what),
            };
        }
        let message = mime::parse(raw);
        let root = Part::of(&message, raw);
        let part = root.find(&self.path)?;
        match (&self.what, &part.kind) {
            (What::All, _) => raw.get(part.body.clone()).map(Cow::from),
            (What::Mime, _) => raw.get(part.header.clone()).map(Cow::from),
            (What::Text, Kind::Message { message, .. }) => {
                raw.get(message.body.clone()).map(Cow::from)
            }
            (what, Kind::Message { message, .. }) => header(raw.get(message.header.clone())?, what),
            _ => None,
        }
    }

    /// The bytes of a part without their transfer encoding (RFC 3516), `Err` if that is unknown.
    pub(super) fn decoded<'a>(&self, raw: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Malformed> {
        if self.path.is_empty() {
            return Ok(self.of(raw));
        }
        let message = mime::parse(raw);
        let root = Part::of(&message, raw);
        let Some(part) = root.find(&self.path) else { return Ok(None) };
        let body = raw.get(part.body.clone()).unwrap_or_default();
        let decoded = match part.encoding() {
            "base64" => base64_decode(body).map(Cow::from),
            "quoted-printable" => quoted_printable_decode(body).map(Cow::from),
            _ => Some(Cow::from(body)),
        };
        decoded.map(Some).ok_or(Malformed)
    }

    /// Whether BINARY may be asked for it: only whole parts.
    pub(super) fn is_part(&self) -> bool {
        self.what == What::All
    }
}

fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Malformed> {
    cursor.space()?;
    let names = cursor.list(Cursor::astring_text)?;
    if names.is_empty() { Err(Malformed) } else { Ok(names) }
}

fn name_label(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(plain) {
        name.to_owned()
    } else {
        String::from_utf8_lossy(&write::string(name.as_bytes())).into_owned()
    }
}

/// Where a message's body starts: after the first empty line.
fn header_end(raw: &[u8]) -> usize {
    if raw.starts_with(b"\r\n") {
        return 2;
    }
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    end.or_else(|| raw.windows(2).position(|window| window == b"\n\n").map(|at| at + 2))
        .unwrap_or(raw.len())
}

/// The header, or the lines of it that are wanted, with the empty line after them.
fn header<'a>(header: &'a [u8], what: &What) -> Option<Cow<'a, [u8]>> {
    let What::Fields { names, not } = what else { return Some(header.into()) };
    let mut lines = Vec::new();
    let mut wanted = false;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
            let named = names.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
            wanted = named != *not;
        }
        if wanted {
            lines.extend_from_slice(line);
        }
    }
    lines.extend_from_slice(b"\r\n");
    Some(lines.into())
}
