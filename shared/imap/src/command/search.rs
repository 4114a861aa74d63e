//! UID SEARCH (RFC 9051 sections 6.4.4 and 6.4.9).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::SequenceSet;

/// What the messages must be like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SearchKey {
    /// Anything.
    All,
    /// Not read.
    Unseen,
    /// With one of these UIDs.
    Uid(SequenceSet),
    /// With this header field; an empty value matches any.
    Header {
        /// The field's name.
        name: String,
        /// What its value contains.
        value: String,
    },
}

/// What to return.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SearchReturn {
    /// All UIDs, as numbers: every server knows this form.
    #[default]
    Plain,
    /// All UIDs, as a set (RFC 4731).
    All,
    /// How many there are (RFC 4731).
    Count,
}

impl Command {
    /// Searches the selected mailbox for messages that match every key; none matches all.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in a key's text.
    pub fn uid_search(keys: &[SearchKey], result: SearchReturn) -> Result<Self, InvalidArgument> {
        let mut encoder = Encoder::new("UID SEARCH").text(match result {
            SearchReturn::Plain => "",
            SearchReturn::All => " RETURN (ALL)",
            SearchReturn::Count => " RETURN (COUNT)",
        });
        let ascii = keys.iter().all(|key| match key {
            SearchKey::Header { name, value } => name.is_ascii() && value.is_ascii(),
            _ => true,
        });
        if !ascii {
            encoder = encoder.text(" CHARSET UTF-8");
        }
        if keys.is_empty() {
            encoder = encoder.text(" ALL");
        }
        for key in keys {
            encoder = match key {
                SearchKey::All => encoder.text(" ALL"),
                SearchKey::Unseen => encoder.text(" UNSEEN"),
                SearchKey::Uid(uids) => encoder.text(&format!(" UID {uids}")),
                SearchKey::Header { name, value } => {
                    encoder.text(" HEADER").string(name.as_bytes())?.string(value.as_bytes())?
                }
            };
        }
        Ok(Self::new("UID SEARCH", encoder.finish()))
    }
}
