//! What a search looks at of many messages, side by side in memory: reading a large mailbox from the
//! store takes far longer than looking at it. Pure.

use std::ops::Range;

use postern_bridge::Flags;

use super::query::{Envelope, Query};
use crate::record::{Body, Brief, Person, Place};

/// What a search looks at of messages.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    /// The texts of all of them, in lower case.
    text: String,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    size: u64,
    flags: Flags,
    has_attachments: bool,
    has_text: bool,
    /// Where in the text of all it begins.
    start: usize,
    /// How long its parts are.
    lengths: [u32; PARTS],
}

/// The parts of an entry's text, in the order in which they are.
const PARTS: usize = 5;

/// What looking at messages has shown.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// Messages that are found.
    pub found: Vec<Place>,
    /// Messages whose text is stored, and decides: see [`looks_inside`](super::looks_inside).
    pub undecided: Vec<Place>,
}

impl Catalogue {
    /// How many messages it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Looks at some of the messages, by their numbers in here.
    pub fn look(&self, numbers: Range<usize>, query: &Query) -> Seen {
        let mut seen = Seen::default();
        for entry in self.entries.get(numbers).unwrap_or_default() {
            match query.verdict(&self.envelope(entry), None) {
                Some(true) => seen.found.push(entry.place),
                None if entry.has_text => seen.undecided.push(entry.place),
                None | Some(false) => {}
            }
        }
        seen
    }

    /// Takes in a message.
    pub(super) fn push(&mut self, uid: u32, stored: &Brief<'_>) {
        let start = self.text.len();
        let mut end = start;
        let mut length = |text: &String| {
            let length = text.len() - std::mem::replace(&mut end, text.len());
            u32::try_from(length).unwrap_or(u32::MAX)
        };
        let text = &mut self.text;
        push_lower(text, stored.subject);
        let subject = length(text);
        push_lower(text, stored.preview);
        let preview = length(text);
        push_people(text, &stored.from);
        let from = length(text);
        push_people(text, &stored.to);
        let to = length(text);
        stored.keywords.iter().for_each(|keyword| push_lower(text, keyword));
        let keywords = length(text);
        self.entries.push(Entry {
            place: Place { arrived: stored.arrived, uid },
            size: stored.size,
            flags: stored.flags,
            has_attachments: stored.has_attachments,
            has_text: matches!(stored.body, Body::Whole { .. } | Body::Partial { .. }),
            start,
            lengths: [subject, preview, from, to, keywords],
        });
    }

    /// The last message that was taken in.
    pub(super) fn last(&self) -> Option<(Place, Envelope<'_>)> {
        self.entries.last().map(|entry| (entry.place, self.envelope(entry)))
    }

    fn envelope(&self, entry: &Entry) -> Envelope<'_> {
        let mut at = entry.start;
        let mut next = |length: u32| {
            let start = at;
            at += length as usize;
            &self.text.as_bytes()[start..at]
        };
        let [subject, preview, from, to, keywords] = entry.lengths.map(&mut next);
        let shown = &self.text.as_bytes()[entry.start..at - keywords.len()];
        Envelope {
            arrived: entry.place.arrived,
            size: entry.size,
            flags: entry.flags,
            has_attachments: entry.has_attachments,
            subject,
            preview,
            from,
            to,
            shown,
            keywords,
        }
    }
}

/// Adds a line in lower case. No query has a line break in it, so that nothing is found across two.
fn push_lower(text: &mut String, own: &str) {
    if own.is_ascii() {
        let start = text.len();
        text.push_str(own);
        text[start..].make_ascii_lowercase();
    } else {
        text.push_str(&own.to_lowercase());
    }
    text.push('\n');
}

fn push_people(text: &mut String, people: &[Person<'_>]) {
    for person in people {
        push_lower(text, person.name);
        push_lower(text, person.address);
    }
}
