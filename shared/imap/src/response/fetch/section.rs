//! The items of a FETCH response that carry content.

use memchr::{memchr, memrchr};

use crate::{
    cursor::{Cursor, Item},
    response::Text,
};

/// The content of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BodySection {
    /// What stands between the brackets, in upper case: empty is the whole message, `1.MIME`.
    pub section: Text,
    /// The first byte's place in the section, if a part of it was asked for.
    pub origin: Option<u64>,
    /// The bytes.
    pub content: Content,
}

/// The decoded content of a part (RFC 3516).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BinarySection {
    /// The part's number: `1.2`.
    pub section: Text,
    /// The first byte's place in the decoded content, if a part of it was asked for.
    pub origin: Option<u64>,
    /// The bytes.
    pub content: Content,
}

/// How large a part is when it is decoded (RFC 3516).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BinarySize {
    /// The part's number: `1.2`.
    pub section: Text,
    /// Bytes.
    pub size: u64,
}

/// The bytes of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// They are here.
    Held(Text),
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
    pub(super) fn whole(section: &str, cursor: &mut Cursor<'_>) -> Self {
        Self { section: section.into(), origin: None, content: Content::read(cursor) }
    }
}

impl Content {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Self {
        match cursor.value() {
            Some(Item::Streamed(stream, size)) => Self::Streamed { stream, size },
            Some(item) => match item.string() {
                Some(bytes) => Self::Held(cursor.cut(&bytes)),
                None => Self::Missing,
            },
            None => Self::Missing,
        }
    }
}

/// A name with brackets, such as `BODY[1.MIME]<0>`.
pub(super) struct Bracketed<'n> {
    /// What stands before them.
    pub(super) item: &'n [u8],
    /// What stands between them.
    pub(super) section: Text,
    /// The origin behind them.
    pub(super) origin: Option<u64>,
}

impl<'n> Bracketed<'n> {
    /// Reads a name in upper case. Where a literal stands between its brackets, the name is spread
    /// over the items that follow.
    pub(super) fn read(name: &'n [u8], cursor: &mut Cursor<'_>) -> Option<Self> {
        let open = memchr(b'[', name)?;
        let (item, inner) = (&name[..open], &name[open + 1..]);
        let spread = match memrchr(b']', inner) {
            Some(_) => None,
            None if item == b"BODY" => Some(gather(inner, cursor)),
            None => return None,
        };
        let inner = spread.as_deref().unwrap_or(inner);
        let close = memrchr(b']', inner)?;
        let section = cursor.cut(&inner[..close]);
        let origin = inner[close + 1..].strip_prefix(b"<").and_then(|own| own.strip_suffix(b">"));
        let origin = origin.and_then(|own| std::str::from_utf8(own).ok()?.parse().ok());
        Some(Self { item, section, origin })
    }
}

/// What stands between brackets, of which the beginning has been read, up to their end and with what
/// follows it.
fn gather(beginning: &[u8], cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut inner = beginning.to_vec();
    while let Some(item) = cursor.next() {
        if item != Item::List {
            inner.extend(item.string().as_deref().unwrap_or_default());
            break;
        }
        let fields = std::iter::from_fn(|| cursor.value()).map(|field| {
            let text = field.spelled().unwrap_or_default().to_ascii_uppercase();
            match field {
                Item::Atom(_) => text,
                _ => [b"\"", &*text, b"\""].concat(),
            }
        });
        let fields: Vec<Vec<u8>> = fields.collect();
        inner.extend([b" (", &*fields.join(&b' '), b")"].concat());
        cursor.leave();
    }
    inner
}
