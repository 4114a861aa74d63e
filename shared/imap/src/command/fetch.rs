//! UID FETCH (RFC 9051 sections 6.4.5 and 6.4.9).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::SequenceSet;

/// What to fetch of each message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchItem {
    /// The header fields that a list shows.
    Envelope,
    /// The flags.
    Flags,
    /// When it arrived.
    InternalDate,
    /// Its size.
    Size,
    /// The tree of its parts.
    BodyStructure,
    /// The bytes of a section, without marking the message as read.
    Section {
        /// What stands between the brackets: empty for all, `HEADER`, `1.2`, `1.MIME`.
        section: String,
        /// Only a part of it.
        partial: Option<Partial>,
    },
}

/// A part of a section's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partial {
    /// The first byte.
    pub origin: u32,
    /// At most how many; not zero.
    pub count: u32,
}

impl FetchItem {
    /// A whole section.
    pub fn section(section: impl Into<String>) -> Self {
        Self::Section { section: section.into(), partial: None }
    }
}

impl Command {
    /// Fetches items of the messages with these UIDs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Section`] if a section is none.
    pub fn uid_fetch(uids: &SequenceSet, items: &[FetchItem]) -> Result<Self, InvalidArgument> {
        let items: Result<Vec<_>, _> = items.iter().map(item).collect();
        let text = format!("UID FETCH {uids} (UID {})", items?.join(" "));
        Ok(Self::new("UID FETCH", Encoder::new(&text).finish()))
    }
}

fn item(item: &FetchItem) -> Result<String, InvalidArgument> {
    Ok(match item {
        FetchItem::Envelope => "ENVELOPE".into(),
        FetchItem::Flags => "FLAGS".into(),
        FetchItem::InternalDate => "INTERNALDATE".into(),
        FetchItem::Size => "RFC822.SIZE".into(),
        FetchItem::BodyStructure => "BODYSTRUCTURE".into(),
        FetchItem::Section { section, .. } if !is_section(section) => {
            return Err(InvalidArgument::Section);
        }
        FetchItem::Section { section, partial: None } => format!("BODY.PEEK[{section}]"),
        FetchItem::Section { section, partial: Some(Partial { origin, count }) } => {
            format!("BODY.PEEK[{section}]<{origin}.{count}>")
        }
    })
}

/// Numbers and points, then perhaps one of the words that name a part's own bytes.
fn is_section(section: &str) -> bool {
    let numbers = ["HEADER", "TEXT", "MIME"]
        .iter()
        .find_map(|word| section.strip_suffix(word))
        .map(|numbers| numbers.strip_suffix('.').unwrap_or(numbers))
        .unwrap_or(section);
    let is_number = |number: &str| {
        number.parse::<u32>().is_ok_and(|value| value > 0)
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    numbers.is_empty() || numbers.split('.').all(is_number)
}
