//! What is on the server now.

use std::collections::{BTreeMap, BTreeSet};

use postern_pop3::{Command, Event, Request};

use super::server::{Server, unexpected};
use crate::{Host, MailError};

/// A message on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Listed {
    /// Its number in this session.
    pub(super) number: u32,
    /// Its size in bytes, as the server says; what comes may differ.
    pub(super) size: u64,
    /// Its unique id; none if the server has none, or gave the same one twice.
    pub(super) uidl: Option<Vec<u8>>,
}

/// Asks for sizes and unique ids.
pub(super) async fn listing<H: Host>(server: &mut Server<'_, H>) -> Result<Vec<Listed>, MailError> {
    server.start(Command::List)?;
    server.start(Command::Uidl)?;
    let sizes = match server.next("the list of messages").await? {
        Event::Sizes(sizes) => sizes,
        other => return Err(unexpected(&other, "list the messages")),
    };
    let uidls = match server.next("the list of messages").await? {
        Event::UniqueIds(uidls) => uidls,
        Event::Refused { request: Request::Uidl, .. } => Vec::new(),
        other => return Err(unexpected(&other, "name the messages")),
    };
    Ok(combine(sizes, uidls))
}

fn combine(sizes: Vec<(u32, u64)>, uidls: Vec<(u32, Vec<u8>)>) -> Vec<Listed> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<Vec<u8>> =
        uidls.iter().filter(|(_, uidl)| !seen.insert(uidl)).map(|(_, uidl)| uidl.clone()).collect();
    let mut uidls: BTreeMap<u32, Vec<u8>> =
        uidls.into_iter().filter(|(_, uidl)| !twice.contains(uidl)).collect();
    let sizes: BTreeMap<u32, u64> = sizes.into_iter().collect();
    sizes
        .into_iter()
        .map(|(number, size)| Listed { number, size, uidl: uidls.remove(&number) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unique_id_that_two_messages_share_names_neither() {
        let uidls = [(1, "a"), (2, "b"), (3, "a")].map(|(number, id)| (number, id.into()));
        let listed = combine(vec![(3, 30), (1, 10), (2, 20), (4, 40)], uidls.into());
        let listed: Vec<_> =
            listed.into_iter().map(|listed| (listed.number, listed.size, listed.uidl)).collect();
        let expected = [(1, 10, None), (2, 20, Some(b"b".to_vec())), (3, 30, None), (4, 40, None)];
        assert_eq!(listed, expected);
    }
}
