//! Servers that change a message's header once it was handed out: nothing is lost and nothing doubled.

use std::time::Duration;

use postern_bridge::Retention::{DeleteAfterDownload, Keep};

use super::{
    identity::{mail, mails, name},
    *,
};
use crate::{
    pop3::limits::{LOOK_ALIKES, MAX_ALIKE},
    record::CHUNK,
    store::MemoryStore,
};

/// The same message as a server that keeps marks in its header gives it later.
fn marked(raw: &[u8]) -> Vec<u8> {
    [b"Status: RO\r\nX-UID: 7\r\n", raw].concat()
}

/// With a field that no other message has.
fn unique(subject: &str) -> Vec<u8> {
    [format!("Message-ID: <{subject}@c>\r\n").into_bytes(), mail(subject)].concat()
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

#[test]
fn what_servers_change_in_a_header_doubles_nothing() {
    let large = [mail("large"), vec![b'x'; (1 << 20) + CHUNK], b"\r\n".to_vec()].concat();
    let all = vec![mail("one"), large, mail("three")];
    for (uidl, new_ids) in [(true, false), (true, true), (false, false)] {
        let mut server = Maildrop::new(&all);
        server.uidl = uidl;
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        for mail in &mut host.server.borrow_mut().messages {
            mail.raw = marked(&mail.raw);
        }
        if new_ids {
            name(&host, &["x", "y", "z"]);
        }
        let report = run(&host, Keep).unwrap();
        assert_eq!((report.downloaded, report.vanished), (0, 0), "{uidl} {new_ids}");
        assert_complete(&host, &all);
        if uidl {
            assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
        }
    }
}

#[test]
fn without_ids_what_the_server_has_marked_is_not_downloaded_at_each_poll() {
    let all = mails(&["one", "two", "three"]);
    let host = prepared(Maildrop { uidl: false, ..Maildrop::new(&all) }, MemoryStore::new());
    run(&host, Keep).unwrap();
    for mail in &mut host.server.borrow_mut().messages {
        mail.raw = marked(&mail.raw);
    }
    // Listed with other sizes they come once more.
    for retrieved in [6, 6, 6] {
        assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
        assert_eq!(host.server.borrow().retrieved, retrieved);
    }
    assert_complete(&host, &all);
}

#[test]
fn what_is_moved_or_deleted_while_its_changed_header_comes_neither_doubles_nor_comes_back() {
    let all = mails(&["one", "two", "three"]);
    for deletes in [false, true] {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        run(&host, Keep).unwrap();
        let (store, mut message) = (host.store.clone(), Some(ledger(&host.store)[1].message));
        let mut server = host.server.borrow_mut();
        server.messages.iter_mut().for_each(|mail| mail.raw = marked(&mail.raw));
        server.watcher = Some(Box::new(move |line| {
            if line.starts_with("RETR")
                && let Some(message) = message.take()
            {
                match deletes {
                    true => block_on(delete_message(&store, message)),
                    false => drop(block_on(move_message(&store, message, TRASH))),
                }
            }
        }));
        drop(server);
        assert_eq!(run(&host, Keep).unwrap().downloaded, 0, "{deletes}");
        assert_eq!(stored(&host.store).len(), if deletes { 2 } else { 3 });
    }
}

#[test]
fn another_text_under_a_changed_header_is_another_message() {
    let all = ["text one", "text two"]
        .map(|text| format!("From: b@c\r\nSubject: same\r\n\r\n{text}\r\n").into_bytes());
    let mut server = Maildrop::new(&all[..1]);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    let other = marked(&all[1]);
    host.server.borrow_mut().messages[0].raw = other.clone();
    assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
    assert_complete(&host, &[all[0].clone(), other]);
}

#[test]
fn a_changed_header_brings_back_nothing_that_was_deleted_here() {
    let host = prepared(Maildrop::new(&mails(&["one"])), MemoryStore::new());
    run(&host, Keep).unwrap();
    block_on(delete_message(&host.store, ledger(&host.store)[0].message));
    host.server.borrow_mut().messages[0].raw = marked(&mail("one"));
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert!(stored(&host.store).is_empty());
}

#[test]
fn what_was_deleted_here_does_not_return_when_the_server_marks_its_header() {
    // Without unique ids.
    let all = vec![unique("one"), unique("two")];
    let mut server = Maildrop::new(&all);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    block_on(delete_message(&host.store, ledger(&host.store)[0].message));
    for mail in &mut host.server.borrow_mut().messages {
        mail.raw = marked(&mail.raw);
    }
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    // With another mark of the same size, at a server that can't give headers alone.
    let first = [&b"Status: O\r\n"[..], &mail("one")].concat();
    for deletes in [true, false] {
        let mut server = Maildrop::new(std::slice::from_ref(&first));
        server.capabilities = "UIDL\r\n";
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        if deletes {
            block_on(delete_message(&host.store, ledger(&host.store)[0].message));
        }
        let read = [&b"Status: R\r\n"[..], &mail("one")].concat();
        host.server.borrow_mut().messages[0].raw = read;
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted), (0, 1));
        assert_eq!(stored(&host.store).len(), usize::from(!deletes));
    }
}

#[test]
fn without_ids_what_has_the_header_and_size_of_a_deleted_message_is_known_by_its_text() {
    let with_text = |text: &str| [unique("one"), text.into()].concat();
    let mut server = Maildrop::new(&[with_text("at noon\r\n")]);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    block_on(delete_message(&host.store, ledger(&host.store)[0].message));
    host.server.borrow_mut().messages[0].raw = marked(&with_text("at noon\r\n"));
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0, "it does not come back");
    let other = marked(&with_text("at nine\r\n"));
    host.server.borrow_mut().messages[0].raw.clone_from(&other);
    // The same list is believed for a day.
    host.advance(Duration::from_secs(86_400));
    assert_eq!(run(&host, Keep).unwrap().downloaded, 1, "another one is not ignored");
    assert_eq!(stored(&host.store), [other]);
}

/// How many messages come anew when of these, which have the same header, only the one at this place is
/// left on the server, marked and under another id.
fn come_anew(all: &[Vec<u8>], left: usize) -> u32 {
    let host = prepared(Maildrop::new(all), MemoryStore::new());
    for (at, mail) in host.server.borrow_mut().messages.iter_mut().enumerate() {
        // They are looked at in the order of their ids.
        mail.uidl = format!("{at:06}");
    }
    run(&host, Keep).unwrap();
    let mut server = host.server.borrow_mut();
    let raw = marked(&server.messages[left].raw);
    server.messages = vec![scripted::Mail { uidl: "other".into(), raw }];
    drop(server);
    let report = run(&host, Keep).unwrap();
    // One too many does no harm, one too few would.
    assert_eq!(stored(&host.store).len(), all.len() + report.downloaded as usize);
    report.downloaded
}

#[test]
fn so_many_messages_that_look_alike_are_compared_and_no_more() {
    let letter = |text: String| format!("From: b@c\r\nSubject: same\r\n\r\n{text}\r\n").into();
    let all: Vec<Vec<u8>> = (0..=LOOK_ALIKES).map(|at| letter(format!("{at:03}"))).collect();
    assert_eq!(come_anew(&all, LOOK_ALIKES - 1), 0);
    assert_eq!(come_anew(&all, LOOK_ALIKES), 1);
    // With texts of other lengths they do not look alike, but each has to be looked up.
    for (left, anew) in [(MAX_ALIKE - 1, 0), (MAX_ALIKE, 1)] {
        let text = |at| if at == left { "a text".into() } else { format!("{at:03}") };
        let all: Vec<Vec<u8>> = (0..=MAX_ALIKE).map(|at| letter(text(at))).collect();
        assert_eq!(come_anew(&all, left), anew, "{left}");
    }
}
