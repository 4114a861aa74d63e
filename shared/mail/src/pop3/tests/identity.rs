//! Servers that give unique ids otherwise than RFC 1939 says: nothing is lost and nothing doubled.

use postern_bridge::Retention::{DeleteAfterDays, DeleteAfterDownload, Keep};

use super::*;
use crate::store::MemoryStore;

fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

fn mails(subjects: &[&str]) -> Vec<Vec<u8>> {
    subjects.iter().map(|subject| mail(subject)).collect()
}

fn name(host: &TestHost<Maildrop>, uidls: &[&str]) {
    let mut server = host.server.borrow_mut();
    for (mail, uidl) in server.messages.iter_mut().zip(uidls) {
        mail.uidl = (*uidl).into();
    }
}

#[test]
fn new_ids_for_all_messages_double_nothing_and_deletion_goes_on_under_them() {
    let all = mails(&["one", "two three", "four"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    name(&host, &["x", "y", "z"]);
    let report = run(&host, Keep).unwrap();
    assert_eq!((report.downloaded, report.vanished), (0, 0));
    assert_complete(&host, &all);
    assert_eq!(ledger(&host.store).len(), 3);
    let retrieved = host.server.borrow().retrieved;
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    assert_eq!(host.server.borrow().retrieved, retrieved, "they are known by now");
    assert_complete(&host, &all);
}

#[test]
fn ids_that_move_on_by_one_when_a_message_goes_double_nothing() {
    let all = mails(&["1", "22", "333", "4444"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    name(&host, &["1", "2", "3", "4"]);
    run(&host, Keep).unwrap();
    host.server.borrow_mut().messages.remove(0);
    host.server
        .borrow_mut()
        .messages
        .push(scripted::Mail { uidl: String::new(), raw: mail("new") });
    name(&host, &["1", "2", "3", "4"]);
    assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
    let mut all = all;
    all.push(mail("new"));
    assert_complete(&host, &all);
    let rows = ledger(&host.store);
    let places: BTreeSet<MessageId> = rows.iter().map(|row| row.message).collect();
    assert_eq!((rows.len(), places.len()), (5, 5), "one row for each message");
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 4);
    assert_complete(&host, &all);
}

#[test]
fn the_same_bytes_twice_on_the_server_are_two_messages() {
    let all = mails(&["twin", "twin"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    assert_eq!(run(&host, Keep).unwrap().downloaded, 2);
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
    assert_eq!(stored(&host.store).len(), 2);
}

#[test]
fn ids_that_two_messages_share_are_of_no_use_but_no_message_is_lost_or_doubled() {
    let all = mails(&["one", "two", "three"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    name(&host, &["same", "uidl-1", "same"]);
    for _ in 0..2 {
        let report = run(&host, DeleteAfterDays(30)).unwrap();
        assert_eq!((report.downloaded, report.unidentified), (0, 2));
        assert_complete(&host, &all);
    }
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 1);
    assert_eq!(host.server.borrow().messages.len(), 2);
}

#[test]
fn an_id_that_comes_to_be_shared_does_not_vanish() {
    let all = mails(&["one", "two"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    name(&host, &["uidl-0", "uidl-0"]);
    assert_eq!(run(&host, Keep).unwrap().vanished, 1, "that of the second message is gone");
    assert_complete(&host, &all);
}

#[test]
fn empty_and_over_long_ids_are_of_no_use() {
    let all = mails(&["one", "two", "three"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    name(&host, &["", &"x".repeat(300), "good"]);
    for downloaded in [3, 0] {
        let report = run(&host, Keep).unwrap();
        assert_eq!((report.downloaded, report.unidentified), (downloaded, 2));
    }
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 1);
    assert_complete(&host, &all);
}

#[test]
fn a_server_that_learns_to_give_ids_doubles_nothing() {
    let all = mails(&["one", "two"]);
    let mut server = Maildrop::new(&all);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().uidl = true;
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
    assert_complete(&host, &all);
}

#[test]
fn a_list_of_ids_that_fails_for_once_settles_nothing() {
    let all = mails(&["one", "two"]);
    let mut server = Maildrop::new(&all);
    server.keeps_everything = true;
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    // Asked, and not answered.
    let mut row = ledger(&host.store).remove(0);
    row.delete_asked = Some(1);
    block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    host.server.borrow_mut().uidl_fails = true;
    let report = run(&host, Keep).unwrap();
    assert_eq!((report.downloaded, report.vanished), (0, 0));
    assert!(ledger(&host.store).iter().all(LedgerRow::is_on_server));
    assert_complete(&host, &all);
}

#[test]
fn what_another_message_with_the_same_id_and_size_looks_like_is_not_deleted_but_downloaded() {
    let host = prepared(Maildrop::new(&mails(&["one"])), MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().messages[0].raw = mail("two");
    // Its size is the same: only its header gives it away, when it is about to be deleted.
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 1));
    assert_complete(&host, &mails(&["one", "two"]));
}

#[test]
fn a_header_that_the_server_has_marked_does_not_keep_the_message() {
    let host = prepared(Maildrop::new(&mails(&["one"])), MemoryStore::new());
    run(&host, Keep).unwrap();
    let marked = [b"Status: RO\r\n".to_vec(), mail("one")].concat();
    host.server.borrow_mut().messages[0].raw = marked;
    // Listed with another size it is fetched to be compared, and known again.
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (0, 1));
    assert_complete(&host, &mails(&["one"]));
}
