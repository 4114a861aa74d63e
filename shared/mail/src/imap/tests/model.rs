//! After any interleaving of changes on the server and syncs that break off, the store equals the
//! server.

use std::ops::ControlFlow;

use postern_bridge::{Endpoint, Security, ServerLogin};

use super::{
    INBOX, inbox,
    simulated::{Extension, Simulated},
};
use crate::{
    MailError, Secret, Store,
    imap::{ImapClient, ListChange, SyncStep},
    record::{self, Message, Place, Record},
    store::{Durability, KeyRange, Table},
    testing::{FailingStore, Pipe, TestHost, block_on},
};

pub(super) type Host = TestHost<Simulated, FailingStore>;

pub(super) fn host(extension: Extension) -> Host {
    let host = TestHost::with_store(Simulated::new(extension), FailingStore::default());
    block_on(host.store.apply(vec![inbox().put()], Durability::Relaxed)).unwrap();
    host
}

pub(super) fn connect(host: &Host) -> Result<ImapClient<Pipe<Simulated>>, MailError> {
    let endpoint = Endpoint {
        host: "mail".into(),
        port: 993,
        security: Security::Tls,
        tls_end: Default::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    block_on(ImapClient::connect(host, &login, &Secret::new("secret")))
}

/// The list as a page would have it.
fn apply(list: &mut Vec<Place>, change: ListChange) {
    if change.cleared {
        list.clear();
    }
    list.retain(|place| !change.removed.contains(place));
    list.extend(change.added);
    list.sort_unstable();
}

fn listed(host: &Host) -> Vec<Place> {
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let mut places: Vec<Place> = messages.iter().map(Message::place).collect();
    places.sort_unstable();
    let keys = block_on(host.store.keys(Table::Arrival, &KeyRange::all())).unwrap();
    let keyed: Vec<u32> =
        keys.iter().map(|key| record::arrived_message(key).unwrap().uid).collect();
    assert_eq!(keyed, places.iter().map(|place| place.uid).collect::<Vec<_>>());
    places
}

/// What the store has and what the server has.
pub(super) fn assert_same(host: &Host, what: &str) {
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let stored: Vec<_> = messages
        .iter()
        .map(|own| (own.id.uid, own.flags.seen, own.flags.flagged, own.subject.clone()))
        .collect();
    let server = host.server.borrow();
    let expected: Vec<_> = server
        .messages
        .iter()
        .map(|own| (own.uid, own.seen, own.flagged, format!("Letter {}", own.uid)))
        .collect();
    assert_eq!(stored, expected, "{what}");
    let mailbox = block_on(record::mailbox(&host.store, INBOX)).unwrap();
    assert_eq!(mailbox.unread as usize, server.unseen(), "{what}");
    assert_eq!(mailbox.total as usize, server.messages.len(), "{what}");
}

/// Syncs and waits for news for a while, as well as it goes.
fn work(host: &Host, list: &mut Vec<Place>, rounds: usize) -> Result<(), MailError> {
    let mut client = connect(host)?;
    let mut changed = |step: SyncStep| {
        apply(list, step.change.unwrap_or_default());
        // Now and then something else goes first.
        match host.server.borrow_mut().interrupts() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    while block_on(client.sync_messages(host, INBOX, &mut changed))?.is_break() {}
    for _ in 0..rounds {
        block_on(client.noop(host))?;
        block_on(client.catch_up(host, INBOX, &mut changed)).map(drop)?;
    }
    Ok(())
}

fn check(extension: Extension, seed: u64) {
    let what = format!("{extension:?}, seed {seed}");
    let host = host(extension);
    let random = |below| host.server.borrow_mut().random(below);
    host.server.borrow_mut().restless = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let first = random(80);
    host.server.borrow_mut().add(first);
    let mut list = Vec::new();
    for _ in 0..6 {
        match random(4) {
            0 => host.cut.set(Some(100 + random(6_000))),
            1 => host.store.left.set(Some(random(6))),
            _ => {}
        }
        let rounds = random(4);
        let _ = work(&host, &mut list, rounds);
        host.cut.set(None);
        host.store.left.set(None);
        assert_eq!(list, listed(&host), "{what}");
        for _ in 0..random(8) {
            host.server.borrow_mut().disturb();
        }
        match random(12) {
            0 => host.server.borrow_mut().renew(),
            1 => host.server.borrow_mut().add(60),
            _ => {}
        }
    }
    host.server.borrow_mut().restless = 0;
    work(&host, &mut list, 1).unwrap();
    assert_same(&host, &what);
    assert_eq!(list, listed(&host), "{what}");
}

#[test]
fn with_qresync_the_store_equals_the_server_after_any_interruption() {
    (1..60).for_each(|seed| check(Extension::Qresync, seed));
}

#[test]
fn with_condstore_the_store_equals_the_server_after_any_interruption() {
    (1..60).chain([114]).for_each(|seed| check(Extension::Condstore, seed));
}

#[test]
fn without_extensions_the_store_equals_the_server_after_any_interruption() {
    (1..60).for_each(|seed| check(Extension::None, seed));
}

#[test]
fn a_watched_mailbox_follows_the_server_without_being_opened_again() {
    for extension in [Extension::Qresync, Extension::Condstore, Extension::None] {
        let host = host(extension);
        host.server.borrow_mut().add(30);
        let mut client = connect(&host).unwrap();
        let mut changed = |_| ControlFlow::Continue(());
        assert!(block_on(client.sync_messages(&host, INBOX, &mut changed)).is_ok());
        for seed in 1..60 {
            host.server.borrow_mut().restless = seed;
            host.server.borrow_mut().disturb();
            host.server.borrow_mut().restless = 0;
            let carried = host.carried.get();
            block_on(client.noop(&host)).unwrap();
            assert!(block_on(client.catch_up(&host, INBOX, &mut changed)).is_ok());
            assert_same(&host, &format!("{extension:?}, seed {seed}"));
            let cost = host.carried.get() - carried;
            assert!(cost < 2_500, "{extension:?}, seed {seed}: {cost} bytes for one change");
        }
    }
}
