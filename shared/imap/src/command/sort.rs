//! UID SORT and UID THREAD (RFC 5256).

use super::{Command, InvalidArgument, encoder::Encoder, search::with_charset};
use crate::command::SearchKey;

/// By what to sort.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SortBy {
    /// When the message arrived.
    Arrival,
    /// The first address in `Cc`.
    Cc,
    /// The message's own date.
    Date,
    /// The first address in `From`.
    From,
    /// The size.
    Size,
    /// The subject without `Re:` and the like.
    Subject,
    /// The first address in `To`.
    To,
    /// The first name in `From` as it is displayed (SORT=DISPLAY).
    DisplayFrom,
    /// The first name in `To` as it is displayed (SORT=DISPLAY).
    DisplayTo,
}

/// A criterion, and its direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SortKey {
    /// By what.
    pub by: SortBy,
    /// Largest, or newest, first.
    pub reverse: bool,
}

/// How to find out which messages belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThreadAlgorithm {
    /// By subject alone.
    OrderedSubject,
    /// By `References` and `In-Reply-To`, then by subject.
    References,
    /// By `References` and `In-Reply-To` alone (Dovecot, Cyrus).
    Refs,
}

impl SortKey {
    fn text(self) -> String {
        let name = match self.by {
            SortBy::Arrival => "ARRIVAL",
            SortBy::Cc => "CC",
            SortBy::Date => "DATE",
            SortBy::From => "FROM",
            SortBy::Size => "SIZE",
            SortBy::Subject => "SUBJECT",
            SortBy::To => "TO",
            SortBy::DisplayFrom => "DISPLAYFROM",
            SortBy::DisplayTo => "DISPLAYTO",
        };
        format!("{}{name}", if self.reverse { "REVERSE " } else { "" })
    }
}

impl Command {
    /// Searches the selected mailbox as [`uid_search`](Self::uid_search) does, and sorts what is
    /// found: by the first key, equal ones by the next; only where the server offers SORT.
    ///
    /// # Errors
    ///
    /// As for [`uid_search`](Self::uid_search), and [`InvalidArgument::Empty`] without a sort key.
    pub fn uid_sort(order: &[SortKey], keys: &[SearchKey]) -> Result<Self, InvalidArgument> {
        if order.is_empty() {
            return Err(InvalidArgument::Empty);
        }
        let order: Vec<_> = order.iter().map(|key| key.text()).collect();
        let encoder = Encoder::new(&format!("UID SORT ({})", order.join(" ")));
        Ok(Self::new("UID SORT", with_charset(encoder, keys)?.finish()))
    }

    /// Searches the selected mailbox as [`uid_search`](Self::uid_search) does, and puts what is
    /// found into threads; only where the server offers that algorithm, as in `THREAD=REFERENCES`.
    ///
    /// # Errors
    ///
    /// As for [`uid_search`](Self::uid_search).
    pub fn uid_thread(
        algorithm: ThreadAlgorithm,
        keys: &[SearchKey],
    ) -> Result<Self, InvalidArgument> {
        let name = match algorithm {
            ThreadAlgorithm::OrderedSubject => "ORDEREDSUBJECT",
            ThreadAlgorithm::References => "REFERENCES",
            ThreadAlgorithm::Refs => "REFS",
        };
        let encoder = Encoder::new(&format!("UID THREAD {name}"));
        Ok(Self::new("UID THREAD", with_charset(encoder, keys)?.finish()))
    }
}
