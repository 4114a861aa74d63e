//! The items of a FETCH response that carry content.

use std::{borrow::Cow, fmt::Write as _};

use crate::token::Token;

/// The content of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BodySection {
    /// What stands between the brackets, in upper case: empty is the whole message, `1.MIME`.
    pub section: String,
    /// The first byte's place in the section, if a part of it was asked for.
    pub origin: Option<u64>,
    /// The bytes.
    pub content: Content,
}

/// The decoded content of a part (RFC 3516).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BinarySection {
    /// The part's number: `1.2`.
    pub section: String,
    /// The first byte's place in the decoded content, if a part of it was asked for.
    pub origin: Option<u64>,
    /// The bytes.
    pub content: Content,
}

/// How large a part is when it is decoded (RFC 3516).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BinarySize {
    /// The part's number: `1.2`.
    pub section: String,
    /// Bytes.
    pub size: u64,
}

/// The bytes of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// They are here.
    Held(Vec<u8>),
    /// They were streamed before, under this number.
    Streamed {
        /// The literal's number.
        stream: u64,
        /// How many bytes.
        size: u64,
    },
    /// The server does not have them.
    Missing,
}

impl BodySection {
    /// A section that is named without brackets.
    pub(super) fn whole(section: &str, value: &Token<'_>) -> Self {
        Self { section: section.into(), origin: None, content: content(value) }
    }

    pub(super) fn parse(name: &str, value: &Token<'_>) -> Option<Self> {
        let (section, origin) = bracketed(name.strip_prefix("BODY")?)?;
        Some(Self { section, origin, content: content(value) })
    }
}

impl BinarySection {
    pub(super) fn parse(name: &str, value: &Token<'_>) -> Option<Self> {
        let (section, origin) = bracketed(name.strip_prefix("BINARY")?)?;
        Some(Self { section, origin, content: content(value) })
    }
}

impl BinarySize {
    pub(super) fn parse(name: &str, value: &Token<'_>) -> Option<Self> {
        let (section, _) = bracketed(name.strip_prefix("BINARY.SIZE")?)?;
        Some(Self { section, size: value.number()? })
    }
}

/// Takes an item's name, in upper case, off the front. Where a literal stands between its brackets,
/// it is spread over several tokens.
pub(super) fn take_name<'t, 'a>(items: &'t [Token<'a>]) -> Option<(Cow<'a, str>, &'t [Token<'a>])> {
    let (first, mut rest) = items.split_first()?;
    let name = first.upper();
    if !name.starts_with("BODY[") || name.contains(']') {
        return Some((name, rest));
    }
    let mut name = name.into_owned();
    while let Some((token, behind)) = rest.split_first() {
        rest = behind;
        match token {
            Token::List(fields) => {
                name.push_str(" (");
                for (index, field) in fields.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    let text = field.text().unwrap_or_default().to_ascii_uppercase();
                    // Writing to a string can't fail.
                    let _ = match field {
                        Token::Atom(_) => write!(name, "{space}{text}"),
                        _ => write!(name, "{space}\"{text}\""),
                    };
                }
                name.push(')');
            }
            end => {
                name.push_str(&end.text().unwrap_or_default());
                break;
            }
        }
    }
    Some((name.into(), rest))
}

/// What stands between the brackets, and the origin behind them.
fn bracketed(name: &str) -> Option<(String, Option<u64>)> {
    let (section, origin) = name.strip_prefix('[')?.rsplit_once(']')?;
    let origin = origin.strip_prefix('<').and_then(|origin| origin.strip_suffix('>'));
    Some((section.into(), origin.and_then(|origin| origin.parse().ok())))
}

fn content(value: &Token<'_>) -> Content {
    match value {
        Token::Streamed(stream, size) => Content::Streamed { stream: *stream, size: *size },
        value => value.string().map_or(Content::Missing, |bytes| Content::Held(bytes.to_vec())),
    }
}
