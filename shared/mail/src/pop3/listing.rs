//! What is on the server now.

use std::collections::{BTreeMap, BTreeSet};

use postern_pop3::{Command, Event, Numbered, Request};

use super::{
    LedgerRow,
    limits::LIST_PATIENCE,
    server::{Server, unexpected},
};
use crate::{Host, MailError};

/// A message on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listed {
    /// Its number in this session.
    pub(super) number: u32,
    /// Its size in bytes, as the server says; what comes may differ. 0 if what it says can't be read.
    pub(super) size: u64,
    /// Its unique id; none if the server has none that can be used, or gave the same one twice, or what
    /// it says of the message's size can't be read.
    pub(super) uidl: Option<Vec<u8>>,
}

/// All messages on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listing {
    pub(super) messages: Vec<Listed>,
    /// All unique ids that the server gave, with the message's size; without it those that it gave
    /// twice.
    pub(super) named: BTreeMap<Vec<u8>, Option<u64>>,
    /// Whether every message has one of them. Else nothing can be concluded from an id that is not
    /// among them: it may be that of a message that has none for once.
    pub(super) is_complete: bool,
    /// Lines of it that could not be read.
    pub(super) defects: usize,
}

impl Listing {
    /// Whether the server still lists what a row is about, as far as id and size tell.
    pub(super) fn has(&self, row: &LedgerRow) -> bool {
        let named = self.named.get(&row.uidl);
        let as_listed = |size: &Option<u64>| size.is_none_or(|size| size == row.listed_size);
        row.is_on_server() && named.is_some_and(as_listed)
    }

    /// Whether the unique ids are nothing but the messages' numbers: when one is deleted, others
    /// have its id.
    pub(super) fn is_numbered(&self) -> bool {
        let is_number =
            |id: &[u8], number| str::from_utf8(id).is_ok_and(|id| id.parse() == Ok(number));
        let mut messages = self.messages.iter();
        messages.all(|own| own.uidl.as_ref().is_some_and(|id| is_number(id, own.number)))
    }

    /// Whether a unique id is that of one message.
    pub(super) fn tells(&self, uidl: &[u8]) -> bool {
        self.named.get(uidl).is_some_and(Option::is_some)
    }
}

/// Asks for sizes and unique ids.
pub(super) async fn listing<H: Host>(server: &mut Server<'_, H>) -> Result<Listing, MailError> {
    server.start(Command::List)?;
    server.start(Command::Uidl)?;
    let sizes = match server.next_within(LIST_PATIENCE, "the list of messages").await? {
        Event::Sizes(sizes) => sizes,
        other => return Err(unexpected(&other, "list the messages")),
    };
    let uidls = match server.next_within(LIST_PATIENCE, "the list of messages").await? {
        Event::UniqueIds(uidls) => Some(uidls),
        Event::Refused { request: Request::Uidl, .. } => None,
        other => return Err(unexpected(&other, "name the messages")),
    };
    Ok(combine(sizes, uidls))
}

fn combine(sizes: Numbered<u64>, uidls: Option<Numbered<Vec<u8>>>) -> Listing {
    let defects = sizes.defects + uidls.as_ref().map_or(0, |uidls| uidls.defects);
    let all_read = uidls.as_ref().is_some_and(|uidls| uidls.defects == 0);
    let (unread, sizes) = (sizes.defects, sizes.messages);
    let sizes: BTreeMap<u32, u64> = sizes.into_iter().collect();
    let uidls = uidls.map_or_else(Vec::new, |uidls| uidls.messages);
    let mut numbers: BTreeMap<&[u8], BTreeSet<u32>> = BTreeMap::new();
    let mut ids: BTreeMap<u32, &[u8]> = BTreeMap::new();
    let mut ambiguous = BTreeSet::new();
    for (number, id) in &uidls {
        numbers.entry(id).or_default().insert(*number);
        if ids.insert(*number, id).is_some_and(|earlier| earlier != id.as_slice()) {
            ambiguous.insert(*number);
        }
    }
    let only = |id: &[u8], number: u32| {
        numbers.get(id).is_some_and(|own| own.len() == 1) && !ambiguous.contains(&number)
    };
    let sized = sizes.iter().map(|(number, size)| {
        let uidl = ids.get(number).filter(|id| only(id, *number)).map(|id| id.to_vec());
        Listed { number: *number, size: *size, uidl }
    });
    // Of a message of which the size can't be read, only its content tells which one it is.
    let rest = ids.keys().filter(|number| unread > 0 && !sizes.contains_key(number));
    let rest: Vec<Listed> =
        rest.map(|number| Listed { number: *number, size: 0, uidl: None }).collect();
    let unlisted = unread.saturating_sub(rest.len());
    let messages = sized.chain(rest).collect();
    let named = uidls.iter().map(|(number, id)| {
        let size = sizes.get(number).filter(|_| only(id, *number)).copied();
        (id.clone(), size)
    });
    Listing {
        messages,
        named: named.collect(),
        is_complete: all_read
            && unlisted == 0
            && sizes.keys().all(|number| ids.contains_key(number)),
        defects,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::pop3) fn listed(number: u32, size: u64, uidl: &str) -> Listed {
        Listed { number, size, uidl: (!uidl.is_empty()).then(|| uidl.into()) }
    }

    pub(in crate::pop3) fn listing(messages: &[Listed]) -> Listing {
        let named = messages
            .iter()
            .filter_map(|listed| Some((listed.uidl.clone()?, Some(listed.size))))
            .collect();
        Listing { messages: messages.into(), named, is_complete: true, defects: 0 }
    }

    fn readable<T>(messages: Vec<(u32, T)>) -> Numbered<T> {
        Numbered { messages, defects: 0 }
    }

    #[test]
    fn what_can_not_be_read_of_one_message_says_nothing_of_the_others() {
        let uidls = || readable(vec![(1, b"a".to_vec()), (2, b"b".to_vec())]);
        let told = |sizes, uidls| {
            let listing = combine(sizes, Some(uidls));
            let messages = listing.messages.into_iter();
            let messages: Vec<_> =
                messages.map(|own| (own.number, own.size, own.uidl.is_some())).collect();
            (messages, listing.named.len(), listing.is_complete, listing.defects)
        };
        // A size.
        let sizes = Numbered { messages: vec![(1, 10)], defects: 1 };
        let known = vec![(1, 10, true), (2, 0, false)];
        assert_eq!(told(sizes, uidls()), (known, 2, true, 1));
        // An id.
        let ids = Numbered { messages: vec![(1, b"a".to_vec())], defects: 1 };
        let known = vec![(1, 10, true), (2, 20, false)];
        assert_eq!(told(readable(vec![(1, 10), (2, 20)]), ids), (known, 1, false, 1));
        // Both of one message.
        let sizes = Numbered { messages: vec![(1, 10)], defects: 1 };
        let ids = Numbered { messages: vec![(1, b"a".to_vec())], defects: 1 };
        assert_eq!(told(sizes, ids), (vec![(1, 10, true)], 1, false, 2));
        // A size, of a message whose id can't be used.
        let sizes = Numbered { messages: vec![(1, 10), (2, 20)], defects: 1 };
        assert!(!told(sizes, uidls()).2);
    }

    #[test]
    fn a_unique_id_that_two_messages_share_names_neither() {
        let uidls = [(1, "a"), (2, "b"), (3, "a"), (5, "d"), (5, "e")];
        let uidls = uidls.map(|(number, id)| (number, id.into()));
        let sizes = vec![(3, 30), (1, 10), (2, 20), (4, 40), (5, 50)];
        let listing = combine(readable(sizes), Some(readable(uidls.into())));
        let Listing { messages, named, is_complete, .. } = listing;
        let listed: Vec<_> =
            messages.into_iter().map(|listed| (listed.number, listed.size, listed.uidl)).collect();
        let expected = [
            (1, 10, None),
            (2, 20, Some(b"b".to_vec())),
            (3, 30, None),
            (4, 40, None),
            (5, 50, None),
        ];
        assert_eq!(listed, expected);
        let named: Vec<_> = named.into_iter().collect();
        let expected = [("a", None), ("b", Some(20)), ("d", None), ("e", None)];
        let expected = expected.map(|(id, size)| (id.as_bytes().to_vec(), size));
        assert_eq!(named, expected, "what is listed twice is still listed");
        assert!(!is_complete, "the fourth has none");
    }

    #[test]
    fn a_list_tells_what_is_gone_only_if_every_message_has_an_id() {
        let ids = |ids: &[(u32, &str)]| {
            Some(ids.iter().map(|(number, id)| (*number, (*id).into())).collect())
        };
        let cases = [
            (vec![(1, 10)], None, false),
            (vec![(1, 10)], ids(&[]), false),
            (vec![(1, 10), (2, 20)], ids(&[(1, "a")]), false),
            (vec![(1, 10), (2, 20)], ids(&[(1, "a"), (2, "a")]), true),
            (vec![], ids(&[]), true),
        ];
        for (sizes, uidls, expected) in cases {
            let listing = combine(readable(sizes.clone()), uidls.clone().map(readable));
            assert_eq!(listing.is_complete, expected, "{sizes:?} {uidls:?}");
        }
    }
}
