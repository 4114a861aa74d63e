//! What tells a message from others.

use std::collections::{BTreeSet, HashMap};

use super::limits;
use crate::record::Message;

/// What tells a message from others, here and on the server: its Message-ID. Of one without, all
/// that it says of itself and that servers tell: when it was sent, or else when it arrived, its
/// sender and its subject.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Likeness {
    /// It has a Message-ID.
    Named(String),
    /// It has none.
    Unnamed {
        /// A second since 1970 (UTC).
        second: i64,
        /// The address of its first sender, if one has an address.
        from: String,
        /// The beginning of its subject.
        subject: String,
    },
}

impl Likeness {
    /// That of a message that is stored here, or of one as the server tells it. How it is written
    /// does not count: encoded words, the case of letters and the space between them are servers'
    /// to choose.
    pub(crate) fn of(message: &Message) -> Self {
        if !message.message_id.is_empty() {
            return Self::Named(message.message_id.clone());
        }
        // Some servers list the name of a group before those who are in it.
        let mut senders = message.from.iter().map(|own| &*own.address);
        let first = senders.clone().next().unwrap_or_default();
        let from = senders.find(|own| own.contains('@')).unwrap_or(first);
        let second = message.sent.unwrap_or(message.arrived.max(0)).div_euclid(1000);
        Self::Unnamed { second, from: bare(from), subject: bare(&message.subject) }
    }

    /// Whether a message of the one likeness may be one of the other that the server tells
    /// otherwise than it is, if they arrived in the same second: it is not known of a server to
    /// spoil both.
    fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Unnamed { from, subject, .. },
                Self::Unnamed { from: its_from, subject: its_subject, .. },
            ) => from == its_from || subject == its_subject,
            _ => false,
        }
    }
}

/// The letters of a text, as many as count.
fn bare(text: &str) -> String {
    let letters = text.chars().filter(|own| !own.is_whitespace() && !own.is_control());
    letters.flat_map(char::to_lowercase).take(limits::LETTERS).collect()
}

/// The messages of a mailbox on the server, by what tells them apart.
#[derive(Debug, Default)]
pub(crate) struct Present {
    counts: HashMap<Likeness, u32>,
    /// The likenesses of those without a Message-ID, by the second in which they arrived.
    unnamed: HashMap<i64, BTreeSet<Likeness>>,
}

impl Present {
    /// The server has one more.
    pub(crate) fn add(&mut self, message: &Message) {
        let like = Likeness::of(message);
        if let Likeness::Unnamed { .. } = like {
            self.unnamed.entry(arrival(message)).or_default().insert(like.clone());
        }
        *self.counts.entry(like).or_default() += 1;
    }

    /// How many of a likeness there are.
    pub(crate) fn count(&self, like: &Likeness) -> u32 {
        self.counts.get(like).copied().unwrap_or(0)
    }

    /// The likenesses of which one that is there may be this message, told otherwise than it is.
    pub(crate) fn doubtful(&self, message: &Message) -> impl Iterator<Item = &Likeness> {
        let own = Likeness::of(message);
        let alike = self.unnamed.get(&arrival(message)).into_iter().flatten();
        alike.filter(move |like| own.may_be(like))
    }
}

/// The second since 1970 (UTC) in which a message arrived, as APPEND hands it on.
fn arrival(message: &Message) -> i64 {
    message.arrived.max(0) / 1000
}
