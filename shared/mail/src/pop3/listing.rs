//! What is on the server now.

use std::collections::{BTreeMap, BTreeSet};

use postern_pop3::{Command, Event, Request};

use super::{
    LedgerRow,
    server::{Server, unexpected},
};
use crate::{Host, MailError};

/// A message on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listed {
    /// Its number in this session.
    pub(super) number: u32,
    /// Its size in bytes, as the server says; what comes may differ.
    pub(super) size: u64,
    /// Its unique id; none if the server has none that can be used, or gave the same one twice.
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
}

impl Listing {
    /// Whether the server still lists what a row is about, as far as id and size tell.
    pub(super) fn has(&self, row: &LedgerRow) -> bool {
        let named = self.named.get(&row.uidl);
        let as_listed = |size: &Option<u64>| size.is_none_or(|size| size == row.listed_size);
        row.is_on_server() && named.is_some_and(as_listed)
    }
}

/// Asks for sizes and unique ids.
pub(super) async fn listing<H: Host>(server: &mut Server<'_, H>) -> Result<Listing, MailError> {
    server.start(Command::List)?;
    server.start(Command::Uidl)?;
    let sizes = match server.next("the list of messages").await? {
        Event::Sizes(sizes) => sizes,
        other => return Err(unexpected(&other, "list the messages")),
    };
    let uidls = match server.next("the list of messages").await? {
        Event::UniqueIds(uidls) => Some(uidls),
        Event::Refused { request: Request::Uidl, .. } => None,
        other => return Err(unexpected(&other, "name the messages")),
    };
    Ok(combine(sizes, uidls))
}

fn combine(sizes: Vec<(u32, u64)>, uidls: Option<Vec<(u32, Vec<u8>)>>) -> Listing {
    let sizes: BTreeMap<u32, u64> = sizes.into_iter().collect();
    let mut numbers: BTreeMap<Vec<u8>, BTreeSet<u32>> = BTreeMap::new();
    let mut ids: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut ambiguous = BTreeSet::new();
    for (number, id) in uidls.iter().flatten() {
        numbers.entry(id.clone()).or_default().insert(*number);
        if ids.insert(*number, id.clone()).is_some_and(|earlier| earlier != *id) {
            ambiguous.insert(*number);
        }
    }
    let only = |id: &Vec<u8>, number: u32| {
        numbers.get(id).is_some_and(|own| own.len() == 1) && !ambiguous.contains(&number)
    };
    let messages = sizes.iter().map(|(number, size)| {
        let uidl = ids.get(number).filter(|id| only(id, *number)).cloned();
        Listed { number: *number, size: *size, uidl }
    });
    let named = uidls.iter().flatten().map(|(number, id)| {
        let size = sizes.get(number).filter(|_| only(id, *number)).copied();
        (id.clone(), size)
    });
    Listing {
        messages: messages.collect(),
        named: named.collect(),
        is_complete: uidls.is_some() && sizes.keys().all(|number| ids.contains_key(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_id_that_two_messages_share_names_neither() {
        let uidls = [(1, "a"), (2, "b"), (3, "a"), (5, "d"), (5, "e")];
        let uidls = uidls.map(|(number, id)| (number, id.into()));
        let sizes = vec![(3, 30), (1, 10), (2, 20), (4, 40), (5, 50)];
        let Listing { messages, named, is_complete } = combine(sizes, Some(uidls.into()));
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
            let listing = combine(sizes.clone(), uidls.clone());
            assert_eq!(listing.is_complete, expected, "{sizes:?} {uidls:?}");
        }
    }
}
