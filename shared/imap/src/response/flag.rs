//! Message flags (RFC 9051 section 2.3.2).

use std::fmt;

use smol_str::SmolStr;

use crate::{
    cursor::{Cursor, Item},
    token::Token,
};

/// A flag or keyword.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// A keyword, `\Recent`, `\*`, or another that begins with a backslash; as the server spells
    /// it.
    Other(SmolStr),
}

impl Flag {
    /// Reads a flag.
    pub fn parse(name: &str) -> Self {
        if !name.starts_with('\\') {
            return Self::Other(name.into());
        }
        let system = [Self::Seen, Self::Answered, Self::Flagged, Self::Deleted, Self::Draft];
        system
            .into_iter()
            .find(|flag| flag.as_str().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(name.into()))
    }

    /// Its name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Seen => r"\Seen",
            Self::Answered => r"\Answered",
            Self::Flagged => r"\Flagged",
            Self::Deleted => r"\Deleted",
            Self::Draft => r"\Draft",
            Self::Other(name) => name,
        }
    }

    pub(crate) fn all(tokens: &[Token<'_>]) -> Vec<Self> {
        let names = tokens.iter().filter_map(Token::string).map(String::from_utf8_lossy);
        names.map(|name| Self::parse(&name)).collect()
    }

    /// Reads a list of flags.
    pub(super) fn read_all(cursor: &mut Cursor<'_>) -> Option<Vec<Self>> {
        let flag = |item: Item<'_>| {
            Some(match item {
                Item::Atom(br"\Seen") => Self::Seen,
                Item::Atom(br"\Answered") => Self::Answered,
                Item::Atom(br"\Flagged") => Self::Flagged,
                Item::Atom(br"\Recent") => Self::Other(SmolStr::new_static(r"\Recent")),
                item => Self::parse(&String::from_utf8_lossy(&item.string()?)),
            })
        };
        cursor.list(|flags| std::iter::from_fn(|| flags.value()).filter_map(flag).collect())
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
