//! Messages that don't come, and servers that say what makes no sense: the others are not held up.

use std::time::Duration;

use postern_bridge::Retention::{DeleteAfterDownload, DeleteWhenDeletedHere, Keep};

use super::*;
use crate::{
    pop3::{limits, want_whole},
    record::Body,
    store::{MemoryStore, Table},
    testing::FailingStore,
};

fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

fn three() -> Vec<Vec<u8>> {
    ["one", "two", "three"].map(mail).into()
}

fn messages(host: &TestHost<Maildrop>) -> Vec<Message> {
    block_on(record::all(&host.store, &KeyRange::all())).unwrap()
}

/// What stands for messages of which nothing is here.
fn placeholders(host: &TestHost<Maildrop>) -> Vec<Message> {
    let mut messages = messages(host);
    messages.retain(|own| own.body == Body::Header { size: 0 });
    messages
}

#[test]
fn a_message_at_which_the_server_hangs_holds_up_no_other() {
    for uidl in [true, false] {
        let mut server = Maildrop::new(&three());
        (server.hangs_at, server.uidl) = (Some(mail("one")), uidl);
        let host = prepared(server, MemoryStore::new());
        for try_ in 0..limits::TRIES {
            let ended = run(&host, DeleteAfterDownload);
            assert!(matches!(ended, Err(MailError::TimedOut(_))), "{ended:?}");
            let expected = if try_ == 0 { 0 } else { 2 };
            assert_eq!(stored(&host.store).len(), expected, "the others come first");
        }
        let report = run(&host, DeleteAfterDownload).unwrap();
        let deleted = if uidl { 2 } else { 0 };
        assert_eq!((report.downloaded, report.deleted, report.left_out), (0, deleted, 1));
        assert_eq!(placeholders(&host).len(), 1, "it is shown that it is there");
        assert!(host.server.borrow().has(&mail("one")));
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().left_out, 1);
        assert_eq!(placeholders(&host).len(), 1);
        // The fault is mended, and after some hours it is tried again.
        host.server.borrow_mut().hangs_at = None;
        host.advance(Duration::from_secs(6 * 3600));
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.left_out), (1, 0));
        assert_complete(&host, &three());
        assert_eq!(host.server.borrow().messages.is_empty(), uidl);
    }
}

#[test]
fn a_message_that_is_left_is_tried_again_when_the_person_asks() {
    let mut server = Maildrop::new(&three());
    server.hangs_at = Some(mail("two"));
    let host = prepared(server, MemoryStore::new());
    for _ in 0..limits::TRIES {
        run(&host, Keep).unwrap_err();
    }
    run(&host, Keep).unwrap();
    let id = placeholders(&host)[0].id;
    block_on(want_whole(&host.store, AccountId(1), id)).unwrap();
    for _ in 0..limits::TRIES {
        assert!(ledger(&host.store).iter().any(|row| row.wanted));
        run(&host, Keep).unwrap_err();
    }
    assert!(ledger(&host.store).iter().all(|row| !row.wanted), "it does not seem to come");
    run(&host, Keep).unwrap();
    block_on(want_whole(&host.store, AccountId(1), id)).unwrap();
    host.server.borrow_mut().hangs_at = None;
    assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
    assert_complete(&host, &three());
    assert!(messages(&host).iter().any(|own| own.subject == "two"), "it has its own subject");
}

#[test]
fn a_message_that_can_not_be_stored_is_not_fetched() {
    for (capabilities, headers) in [("UIDL\r\nTOP\r\n", 3), ("UIDL\r\n", 0)] {
        let mut server = Maildrop::new(&three());
        (server.capabilities, server.claims) = (capabilities, Some(limits::MAX_MESSAGE + 1));
        let host = prepared(server, MemoryStore::new());
        for downloaded in [headers, 0] {
            let report = run(&host, DeleteAfterDownload).unwrap();
            assert_eq!((report.downloaded, report.deleted), (downloaded, 0));
            assert_eq!(report.left_out, 3 - headers);
            assert_eq!(messages(&host).len(), 3);
        }
        assert_eq!(host.server.borrow().retrieved, 0);
        let wanted = block_on(want_whole(&host.store, AccountId(1), messages(&host)[0].id));
        assert!(matches!(wanted, Err(MailError::Input(_))));
    }
}

#[test]
fn what_the_server_withholds_is_shown_and_comes_when_it_hands_it_out() {
    for uidl in [true, false] {
        let mut server = Maildrop::new(&three());
        (server.withheld, server.uidl) = (Some(2), uidl);
        let host = prepared(server, MemoryStore::new());
        for _ in 0..2 {
            assert_eq!(run(&host, Keep).unwrap().left_out, 1);
            let shown = placeholders(&host);
            assert_eq!((shown.len(), shown[0].size), (1, mail("two").len() as u64));
            assert!(!shown[0].flags.seen && !shown[0].subject.is_empty());
        }
        host.server.borrow_mut().withheld = None;
        assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
        assert_complete(&host, &three());
    }
}

#[test]
fn where_headers_can_not_be_had_alone_each_message_can_be_asked_for() {
    for uidl in [true, false] {
        let mut server = Maildrop::new(&three());
        (server.capabilities, server.uidl) = ("PIPELINING\r\n", uidl);
        let host = prepared(server, MemoryStore::new());
        let headers = Account { extent: Extent::Headers, ..account(Keep) };
        for _ in 0..2 {
            assert_eq!(run_account(&host, &headers, SAFE).unwrap().left_out, 3);
            assert_eq!(placeholders(&host).len(), 3);
        }
        let size = mail("three").len() as u64;
        let third = placeholders(&host).into_iter().find(|own| own.size == size).unwrap();
        block_on(want_whole(&host.store, AccountId(1), third.id)).unwrap();
        let report = run_account(&host, &headers, SAFE).unwrap();
        assert_eq!((report.downloaded, report.left_out), (1, 2));
        run(&host, Keep).unwrap();
        assert_complete(&host, &three());
    }
}

#[test]
fn what_nobody_has_seen_is_not_deleted_on_the_server() {
    let mut server = Maildrop::new(&three());
    server.withheld = Some(2);
    let host = prepared(server, MemoryStore::new());
    run(&host, DeleteWhenDeletedHere).unwrap();
    block_on(delete_message(&host.store, placeholders(&host)[0].id));
    let report = run(&host, DeleteWhenDeletedHere).unwrap();
    assert_eq!((report.deleted, report.left_out), (0, 0));
    assert!(placeholders(&host).is_empty(), "it is not shown again");
    assert!(host.server.borrow().has(&mail("two")));
}

#[test]
fn a_line_that_makes_no_sense_is_about_one_message_alone() {
    for list in ["LIST", "UIDL"] {
        let mut server = Maildrop::new(&three());
        server.garbled = Some((list, 2));
        let host = prepared(server, MemoryStore::new());
        for downloaded in [3, 0] {
            let report = run(&host, Keep).unwrap();
            assert_eq!((report.downloaded, report.defects, report.vanished), (downloaded, 1, 0));
            assert_complete(&host, &three());
        }
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
        assert!(host.server.borrow().has(&mail("two")), "{list}");
        host.server.borrow_mut().garbled = None;
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted, report.defects), (0, 1, 0));
        assert_complete(&host, &three());
    }
}

#[test]
fn a_header_that_is_offered_and_not_given_does_not_keep_the_message() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().top_fails = true;
    host.server.borrow_mut().messages[1].raw = mail("owt");
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 1));
    assert_complete(&host, &["one", "two", "three", "owt"].map(mail));
}

#[test]
fn a_server_that_deletes_what_it_hands_out_deletes_what_an_earlier_session_has_stored() {
    let by_itself = || Maildrop { capabilities: "UIDL\r\nEXPIRE 0\r\n", ..Maildrop::new(&three()) };
    let prepare = || {
        let host = prepared(by_itself(), MemoryStore::new());
        let unsafe_ = Safety { persistent: false, ..SAFE };
        run_account(&host, &account(Keep), unsafe_).unwrap();
        assert_eq!(host.server.borrow().messages.len(), 3);
        host
    };
    let host = prepare();
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    assert_complete(&host, &three());
    // One of them is another message by now: it must not be deleted along.
    let host = prepare();
    host.server.borrow_mut().messages[1].raw = mail("owt");
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    assert_eq!(host.server.borrow().messages.len(), 3);
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 3));
    assert_complete(&host, &["one", "two", "three", "owt"].map(mail));
}

#[test]
fn a_message_for_which_there_is_no_room_takes_none_and_holds_up_no_other() {
    let large = [mail("large"), b"0123456789abcd\r\n".repeat(200_000)].concat();
    // Its size is told, or comes as a surprise.
    for claims in [None, Some(1)] {
        let store = FailingStore::default();
        store.room.set(Some(2 << 20));
        let server = Maildrop::new(&[large.clone(), mail("one"), mail("two")]);
        let host = prepared(Maildrop { claims, ..server }, store);
        for try_ in 0..limits::TRIES {
            // The person is told which one it is.
            let told = run(&host, DeleteAfterDownload).unwrap_err();
            let MailError::NoRoom { subject, size, can_be_less: true } = told else {
                panic!("{told:?}")
            };
            assert_eq!((subject.as_str(), size), ("large", large.len() as u64));
            let bodies = block_on(host.store.keys(Table::Bodies, &KeyRange::all())).unwrap();
            assert_eq!(bodies.len(), if try_ == 0 { 0 } else { 2 }, "nothing of it stays");
        }
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.deleted, report.left_out), (2, 1));
        assert!(host.server.borrow().has(&large));
        // There is room now.
        host.store.room.set(None);
        host.advance(Duration::from_secs(6 * 3600));
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, 1);
        assert!(host.server.borrow().messages.is_empty());
    }
}
