//! Messages without a unique id are not downloaded again each time, and none is missed for long.

use std::time::Duration;

use postern_bridge::Retention::{DeleteAfterDownload, Keep};

use super::{super::ServerNotes, *};
use crate::store::MemoryStore;

const HOUR: Duration = Duration::from_secs(3600);

fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

/// A mailbox without unique ids, downloaded once.
fn downloaded() -> TestHost<Maildrop> {
    let server = Maildrop { uidl: false, ..Maildrop::new(&["one", "two", "three"].map(mail)) };
    let host = prepared(server, MemoryStore::new());
    assert_eq!(run(&host, Keep).unwrap().downloaded, 3);
    host
}

/// How many messages the next download asks for.
fn asked(host: &TestHost<Maildrop>) -> usize {
    let before = host.server.borrow().retrieved;
    run(host, DeleteAfterDownload).unwrap();
    host.server.borrow().retrieved - before
}

#[test]
fn while_the_list_stays_as_it_is_nothing_is_downloaded_again_for_a_day() {
    let host = downloaded();
    for _ in 0..23 {
        host.advance(HOUR);
        assert_eq!(asked(&host), 0);
    }
    host.advance(HOUR);
    assert_eq!([asked(&host), asked(&host)], [3, 0]);
    assert_complete(&host, &["one", "two", "three"].map(mail));
    assert_eq!(host.server.borrow().messages.len(), 3);
}

#[test]
fn a_message_more_has_all_looked_at() {
    let host = downloaded();
    let more = Maildrop::new(&[mail("four")]).messages;
    host.server.borrow_mut().messages.extend(more);
    assert_eq!([asked(&host), asked(&host)], [4, 0]);
    host.server.borrow_mut().messages.remove(0);
    assert_eq!([asked(&host), asked(&host)], [3, 0]);
    assert_eq!(stored(&host.store), ["one", "two", "three", "four"].map(mail));
}

#[test]
fn a_message_in_the_place_of_another_of_its_size_comes_within_a_day_or_when_it_is_asked_for() {
    for is_asked_for in [false, true] {
        let host = downloaded();
        host.server.borrow_mut().messages[0].raw = mail("eno");
        assert_eq!(asked(&host), 0);
        if is_asked_for {
            let edit = ServerNotes::edit(&host.store, AccountId(1), ServerNotes::ask_for_all);
            block_on(edit).unwrap();
        } else {
            host.advance(24 * HOUR);
        }
        assert_eq!([asked(&host), asked(&host)], [3, 0]);
        assert_eq!(stored(&host.store), ["one", "two", "three", "eno"].map(mail));
    }
}

#[test]
fn what_is_damaged_or_gone_here_comes_again_at_once() {
    let host = downloaded();
    let row = LedgerRow { verified: None, ..ledger(&host.store).remove(0) };
    let mut batch = record::put_body(row.message, b"damaged");
    batch.push(row.put());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    assert_eq!(asked(&host), 3);
    assert_complete(&host, &["one", "two", "three"].map(mail));
    run(&host, Keep).unwrap();
    let three = mail("three").len() as u64;
    let row = ledger(&host.store).into_iter().find(|row| row.listed_size == three).unwrap();
    block_on(host.store.apply(vec![row.delete()], Durability::Strict)).unwrap();
    assert_eq!(asked(&host), 3);
}

#[test]
fn while_something_does_not_come_all_are_looked_at() {
    let server = Maildrop { uidl: false, ..Maildrop::new(&["one", "two", "three"].map(mail)) };
    let host = prepared(Maildrop { withheld: Some(2), ..server }, MemoryStore::new());
    run(&host, Keep).unwrap();
    assert_eq!([asked(&host), asked(&host)], [2, 2]);
    host.server.borrow_mut().withheld = None;
    assert_eq!([asked(&host), asked(&host)], [3, 0]);
    assert_complete(&host, &["one", "two", "three"].map(mail));
}

#[test]
fn whoever_wants_more_of_each_message_gets_it() {
    let server = Maildrop { uidl: false, ..Maildrop::new(&["one", "two", "three"].map(mail)) };
    let host = prepared(server, MemoryStore::new());
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    for _ in 0..2 {
        run_account(&host, &headers, SAFE).unwrap();
    }
    assert_eq!(host.server.borrow().heard.matches("TOP ").count(), 3);
    assert_eq!([asked(&host), asked(&host)], [3, 0]);
    assert_complete(&host, &["one", "two", "three"].map(mail));
}
