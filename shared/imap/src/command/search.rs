//! UID SEARCH (RFC 9051 sections 6.4.4 and 6.4.9; RFC 4731, RFC 5182, RFC 9394).

mod key;

pub use key::SearchKey;

use super::{Command, InvalidArgument, encoder::Encoder, uids::Window};
use crate::mailbox_name::Spelling;

/// What to return.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum SearchReturn {
    /// All UIDs, as numbers: every server knows this form.
    #[default]
    Plain,
    /// All UIDs, as a set (ESEARCH).
    All,
    /// How many there are (ESEARCH).
    Count,
    /// Any of these (ESEARCH).
    Options(SearchOptions),
}

/// What to return of a search; nothing of it returns all UIDs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchOptions {
    /// The lowest UID.
    pub min: bool,
    /// The highest UID.
    pub max: bool,
    /// All UIDs.
    pub all: bool,
    /// How many there are.
    pub count: bool,
    /// Some UIDs, by their place (PARTIAL).
    pub window: Option<Window>,
    /// The server is to keep the result, for [`Uids::Saved`](super::Uids::Saved) and
    /// [`SearchKey::Saved`] (SEARCHRES). Alone it returns nothing.
    pub save: bool,
}

impl SearchReturn {
    fn text(&self) -> String {
        match self {
            Self::Plain => String::new(),
            Self::All => " RETURN (ALL)".into(),
            Self::Count => " RETURN (COUNT)".into(),
            Self::Options(options) => format!(" RETURN ({})", options.text()),
        }
    }
}

impl SearchOptions {
    fn text(&self) -> String {
        let named = [
            (self.min, "MIN"),
            (self.max, "MAX"),
            (self.all, "ALL"),
            (self.count, "COUNT"),
            (self.save, "SAVE"),
        ];
        let named = named.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| name.into());
        let window = self.window.iter().map(|window| format!("PARTIAL {window}"));
        named.chain(window).collect::<Vec<String>>().join(" ")
    }
}

impl Command {
    /// Searches the selected mailbox for messages that match every key; none matches all.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`] if a key's text holds a NUL byte or a line break, a keyword is none, or
    /// keys are nested too deeply.
    pub fn uid_search(keys: &[SearchKey], result: SearchReturn) -> Result<Self, InvalidArgument> {
        Self::uid_search_in(keys, &result, Spelling::ModifiedUtf7)
    }

    /// The same where it matters which spelling was agreed on: with UTF-8, no charset may be named
    /// (RFC 6855 section 3), and text can stand in quotes.
    ///
    /// # Errors
    ///
    /// As for [`uid_search`](Self::uid_search).
    pub fn uid_search_in(
        keys: &[SearchKey],
        result: &SearchReturn,
        spelling: Spelling,
    ) -> Result<Self, InvalidArgument> {
        let mut encoder = Encoder::new("UID SEARCH").spelled(spelling).text(&result.text());
        if spelling == Spelling::ModifiedUtf7 && !keys.iter().all(SearchKey::is_ascii) {
            encoder = encoder.text(" CHARSET UTF-8");
        }
        Ok(Self::new("UID SEARCH", key::encode_all(keys, encoder)?.finish()))
    }
}

/// A charset and the keys, as SORT and THREAD have them. Every server that offers these knows UTF-8
/// (RFC 5256 section 3), and some take no other once UTF8=ACCEPT is enabled (RFC 6855 section 3).
pub(super) fn with_charset(
    encoder: Encoder,
    keys: &[SearchKey],
) -> Result<Encoder, InvalidArgument> {
    key::encode_all(keys, encoder.text(" UTF-8"))
}
