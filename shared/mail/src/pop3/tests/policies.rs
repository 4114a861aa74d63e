//! What is fetched, and what is deleted, on servers of several kinds.

use std::time::Duration;

use postern_bridge::Retention::{DeleteAfterDays, DeleteAfterDownload, Keep};

use super::*;
use crate::{host::TransportError, store::MemoryStore};

fn mail(subject: &str) -> Vec<u8> {
    format!("From: Ben <b@c>\r\nTo: a@b\r\nSubject: {subject}\r\n\r\nHello\r\n").into_bytes()
}

fn three() -> Vec<Vec<u8>> {
    ["one", "two", "three"].map(mail).into()
}

#[test]
fn a_kept_mailbox_is_fetched_once() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    let report = run(&host, Keep).unwrap();
    assert_eq!((report.on_server, report.downloaded, report.deleted), (3, 3, 0));
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert_eq!(host.server.borrow().retrieved, 3);
    assert_complete(&host, &three());
}

#[test]
fn the_list_shows_what_the_message_says() {
    let host = prepared(Maildrop::new(&[mail("Grüße")]), MemoryStore::new());
    run(&host, Keep).unwrap();
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    assert_eq!(messages[0].subject, "Grüße");
    assert_eq!(messages[0].from[0].label(), "Ben");
    assert_eq!(messages[0].preview, "Hello");
    assert!(!messages[0].flags.seen);
}

#[test]
fn messages_are_deleted_when_their_days_are_over() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    assert_eq!(run(&host, DeleteAfterDays(2)).unwrap().deleted, 0);
    host.advance(Duration::from_secs(47 * 3600));
    assert_eq!(run(&host, DeleteAfterDays(2)).unwrap().deleted, 0);
    host.advance(Duration::from_secs(3600));
    assert_eq!(run(&host, DeleteAfterDays(2)).unwrap().deleted, 3);
    assert!(host.server.borrow().messages.is_empty());
    assert_complete(&host, &three());
}

#[test]
fn without_unique_ids_messages_are_known_by_content_and_never_deleted() {
    let mut server = Maildrop::new(&three());
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.unidentified, report.deleted), (3, 3, 0));
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, 0);
    assert_eq!(host.server.borrow().messages.len(), 3);
    assert_complete(&host, &three());
}

#[test]
fn a_unique_id_that_is_used_again_names_a_new_message() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().messages[1].raw = mail("another, longer one");
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, 1);
    let mut all = three();
    all.push(mail("another, longer one"));
    assert_eq!(stored(&host.store), all);
}

#[test]
fn a_unique_id_used_again_after_the_deletion_names_a_new_message_even_of_the_same_size() {
    let host = prepared(Maildrop::new(&[mail("one")]), MemoryStore::new());
    run(&host, DeleteAfterDownload).unwrap();
    let reused = Maildrop::new(&[mail("two")]);
    host.server.borrow_mut().messages = reused.messages;
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 1));
    assert_eq!(stored(&host.store), [mail("one"), mail("two")]);
}

#[test]
fn a_server_that_counts_sizes_anew_doubles_nothing() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().exaggeration = 7;
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert_eq!(host.server.borrow().retrieved, 6);
    run(&host, Keep).unwrap();
    assert_eq!(host.server.borrow().retrieved, 6, "the new sizes are remembered");
    assert_complete(&host, &three());
}

#[test]
fn a_server_that_does_not_delete_doubles_nothing_and_is_asked_again() {
    let mut server = Maildrop::new(&three());
    server.keeps_everything = true;
    let host = prepared(server, MemoryStore::new());
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    host.server.borrow_mut().keeps_everything = false;
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (0, 3));
    assert_complete(&host, &three());
}

#[test]
fn a_message_that_the_server_withholds_does_not_hold_up_the_others() {
    let mut server = Maildrop::new(&three());
    server.withheld = Some(2);
    let host = prepared(server, MemoryStore::new());
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.withheld, report.deleted), (2, 1, 2));
    assert!(host.server.borrow().has(&mail("two")));
}

#[test]
fn damage_found_before_the_deletion_brings_the_message_again() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    let mut row = ledger(&host.store).remove(0);
    row.verified = None;
    let mut batch = record::put_body(row.message, b"damaged");
    batch.push(record::Record::put(&row));
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, 1);
    assert_complete(&host, &three());
}

#[test]
fn a_required_upgrade_comes_before_the_password() {
    let host = prepared(Maildrop::new(&[]), MemoryStore::new());
    let mut login = account(Keep).incoming;
    login.endpoint.security = Security::StartTls;
    let tested = block_on(super::super::test(&host, &login, &Secret::new("secret"))).unwrap();
    assert_eq!(tested.found, "POP3 log-in works; no messages are on the server.");
    let heard = host.server.borrow().heard.clone();
    assert!(heard.starts_with("STLS\nCAPA\nAUTH PLAIN "), "{heard}");
}

#[test]
fn a_connection_that_breaks_is_an_error_of_the_way() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    host.cut.set(Some(20));
    assert_eq!(run(&host, Keep), Err(MailError::Transport(TransportError::Lost)));
}
