//! Servers that give unique ids otherwise than RFC 1939 says: nothing is lost and nothing doubled.

use postern_bridge::Retention::{DeleteAfterDays, DeleteAfterDownload, Keep};

use super::*;
use crate::{
    pop3::{
        ServerNotes,
        fetch::Known,
        header::digest,
        limits::NAMESAKES,
        listing::tests::{listed, listing},
        namesakes::retire_namesakes,
        row::tests::row,
        server::Server,
    },
    store::MemoryStore,
};

pub(super) fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

pub(super) fn mails(subjects: &[&str]) -> Vec<Vec<u8>> {
    subjects.iter().map(|subject| mail(subject)).collect()
}

pub(super) fn name(host: &TestHost<Maildrop>, uidls: &[&str]) {
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
fn another_message_with_the_same_id_and_header_is_downloaded() {
    let all = ["short", "longer text"]
        .map(|text| format!("From: b@c\r\nSubject: same\r\n\r\n{text}\r\n").into_bytes());
    let host = prepared(Maildrop::new(&all[..1]), MemoryStore::new());
    run(&host, Keep).unwrap();
    host.server.borrow_mut().messages[0].raw = all[1].clone();
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 1));
    assert_complete(&host, &all);
}

#[test]
fn an_id_that_was_given_again_has_others_of_the_same_size_compared() {
    let before = mails(&["one", "two", "three"]);
    let host = prepared(Maildrop::new(&before), MemoryStore::new());
    run(&host, Keep).unwrap();
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert!(!host.server.borrow().heard.contains("TOP"), "nothing is in doubt");
    // The first gives it away, the second is listed as it was.
    let after = mails(&["a longer one", "six", "three"]);
    for (mail, raw) in host.server.borrow_mut().messages.iter_mut().zip(&after) {
        mail.raw.clone_from(raw);
    }
    for downloaded in [1, 1, 0] {
        assert_eq!(run(&host, Keep).unwrap().downloaded, downloaded);
    }
    assert_complete(&host, &[&before[..], &after[..2]].concat());
    let compared = |host: &TestHost<Maildrop>| host.server.borrow().heard.matches("TOP").count();
    let asked = compared(&host);
    run(&host, Keep).unwrap();
    assert_eq!(compared(&host), asked);
}

#[test]
fn of_ids_that_are_in_doubt_so_many_are_compared_in_one_session_and_no_more() {
    let raw = mail("one of many");
    let count = NAMESAKES as u32 + 1;
    let name = |number: u32| format!("{number}");
    let messages = (1..=count).map(|number| listed(number, 1, &name(number)));
    let listing = listing(&messages.collect::<Vec<_>>());
    let header = digest(&raw);
    let mut ledger = (1..=count).map(|number| LedgerRow { header, ..row(&name(number)) }).collect();
    let host = prepared(Maildrop::new(&vec![raw; NAMESAKES + 1]), MemoryStore::new());
    block_on(async {
        let login = account(Keep).incoming;
        let mut server = Server::open(&host, &login, &Secret::new("secret")).await.unwrap();
        let known = Known::default();
        retire_namesakes(&host, &mut server, &mut ledger, &listing, &known).await.unwrap();
    });
    let heard = host.server.borrow().heard.clone();
    assert_eq!(heard.matches("TOP").count(), NAMESAKES);
    assert!(heard.contains("TOP 2 0\n") && !heard.contains("TOP 1 0\n"), "the last ones first");
}

#[test]
fn ids_that_begin_anew_once_the_mailbox_is_empty_have_nothing_compared() {
    let before = mails(&["one", "two", "three"]);
    let host = prepared(Maildrop::new(&before), MemoryStore::new());
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    let after = mails(&["the fourth", "the fifth", "the sixth"]);
    for (at, raw) in after.iter().enumerate() {
        let new = scripted::Mail { uidl: format!("uidl-{at}"), raw: raw.clone() };
        host.server.borrow_mut().messages.push(new);
        assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
    }
    // One that is here gets the id of one that is not there any more.
    host.server.borrow_mut().messages.pop();
    run(&host, Keep).unwrap();
    name(&host, &["uidl-0", "uidl-2"]);
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert!(!host.server.borrow().heard.contains("TOP"));
    assert_complete(&host, &[before, after].concat());
}

/// Makes the ledger what an earlier version has left.
fn forget_headers(host: &TestHost<Maildrop>) {
    for row in ledger(&host.store) {
        let row = LedgerRow { header: None, ..row };
        block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    }
    let forget = ServerNotes::forget(AccountId(1));
    block_on(host.store.apply(vec![forget], Durability::Strict)).unwrap();
}

#[test]
fn headers_alone_are_known_again_of_what_an_earlier_version_has_stored() {
    let all = mails(&["one", "two"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    forget_headers(&host);
    name(&host, &["x", "y"]);
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    assert_eq!(run_account(&host, &headers, SAFE).unwrap().downloaded, 0);
    assert_complete(&host, &all);
}

#[test]
fn a_list_without_any_id_that_can_be_used_settles_nothing() {
    let all = mails(&["one", "two"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    let mut row = ledger(&host.store).remove(0);
    row.delete_asked = Some(1);
    block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    let bad = "x".repeat(300);
    for ids in [["", ""], [bad.as_str(), ""], ["other", ""]] {
        name(&host, &ids);
        assert_eq!(run(&host, Keep).unwrap().vanished, 0);
        assert!(ledger(&host.store).iter().all(|row| row.delete_confirmed.is_none()), "{ids:?}");
    }
    assert_complete(&host, &all);
}

#[test]
fn two_messages_that_one_header_may_stand_for_are_both_stored() {
    let all = ["text one", "text two"]
        .map(|text| format!("From: b@c\r\nSubject: same\r\n\r\n{text}\r\n").into_bytes());
    let mut server = Maildrop::new(&all[..1]);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    run_account(&host, &headers, SAFE).unwrap();
    let second = scripted::Mail { uidl: String::new(), raw: all[1].clone() };
    host.server.borrow_mut().messages.push(second);
    for downloaded in [1, 0] {
        assert_eq!(run(&host, Keep).unwrap().downloaded, downloaded);
        assert_complete(&host, &all);
    }
}

#[test]
fn another_server_s_ids_say_nothing_of_what_came_from_the_first() {
    let all = mails(&["one", "two", "xyz"]);
    let host = prepared(Maildrop::new(&all[..2]), MemoryStore::new());
    run(&host, Keep).unwrap();
    // The same mail, and an id of the first server on a message of the same size.
    *host.server.borrow_mut() = Maildrop::new(&[all[2].clone(), all[1].clone()]);
    let mut moved = account(DeleteAfterDownload);
    moved.incoming.endpoint.host = "pop.example.net".into();
    let report = run_account(&host, &moved, SAFE).unwrap();
    assert_eq!((report.downloaded, report.vanished, report.deleted), (1, 0, 2));
    assert_complete(&host, &all);
    // Another person's mailbox at the same server.
    *host.server.borrow_mut() = Maildrop::new(&[]);
    let mut other = moved.clone();
    other.incoming.username = "ben".into();
    assert_eq!(run_account(&host, &other, SAFE).unwrap().vanished, 0);
}

#[test]
fn messages_of_the_same_bytes_stay_apart_when_they_lose_their_ids() {
    let all = mails(&["twin", "twin", "other"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    block_on(delete_message(&host.store, ledger(&host.store)[0].message));
    // Another server, which has the same mail under ids of its own.
    let mut moved = account(Keep);
    moved.incoming.endpoint.host = "pop.example.net".into();
    name(&host, &["x", "y", "z"]);
    for _ in 0..2 {
        assert_eq!(run_account(&host, &moved, SAFE).unwrap().downloaded, 0);
        assert_eq!((ledger(&host.store).len(), stored(&host.store).len()), (3, 2));
    }
    moved.retention = DeleteAfterDownload;
    assert_eq!(run_account(&host, &moved, SAFE).unwrap().deleted, 3);
}

#[test]
fn the_same_bytes_twice_without_ids_are_stable_and_both_come_once_they_have_ids() {
    let all = mails(&["twin", "twin", "other"]);
    let mut server = Maildrop::new(&all);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    for downloaded in [2, 0, 0] {
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, downloaded);
        assert_eq!(host.server.borrow().messages.len(), 3);
    }
    host.server.borrow_mut().uidl = true;
    assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    assert_eq!(stored(&host.store).len(), 3);
}

#[test]
fn headers_whose_ids_come_to_be_shared_are_completed() {
    let all = mails(&["one", "two", "three"]);
    for wanted in [false, true] {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        let headers = Account { extent: Extent::Headers, ..account(Keep) };
        run_account(&host, &headers, SAFE).unwrap();
        name(&host, &["same", "uidl-1", "same"]);
        if wanted {
            for row in ledger(&host.store) {
                block_on(crate::pop3::want_whole(&host.store, AccountId(1), row.message)).unwrap();
            }
            run_account(&host, &headers, SAFE).unwrap();
        }
        run(&host, Keep).unwrap();
        assert_complete(&host, &all);
        name(&host, &["uidl-0", "uidl-1", "uidl-2"]);
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().downloaded, 0);
        assert_complete(&host, &all);
        assert!(host.server.borrow().messages.is_empty());
    }
}

#[test]
fn twins_of_which_only_headers_are_here_are_both_completed_without_ids() {
    let all = mails(&["twin", "twin"]);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    run_account(&host, &headers, SAFE).unwrap();
    name(&host, &["same", "same"]);
    for ids in [["same", "same"], ["same", "same"], ["x", "y"]] {
        name(&host, &ids);
        run(&host, Keep).unwrap();
        assert_eq!((stored(&host.store).len(), ledger(&host.store).len()), (2, 2), "{ids:?}");
    }
}

#[test]
fn messages_without_a_header_are_messages() {
    let all = [&b"\r\njust a text\r\n"[..], b"\r\nand another\r\n", b"no header at all\r\n"];
    let all = all.map(<[u8]>::to_vec);
    for (uidl, first) in [(true, Extent::Whole), (true, Extent::Headers), (false, Extent::Whole)] {
        let mut server = Maildrop::new(&all);
        server.uidl = uidl;
        let host = prepared(server, MemoryStore::new());
        run_account(&host, &Account { extent: first, ..account(Keep) }, SAFE).unwrap();
        run(&host, Keep).unwrap();
        assert_complete(&host, &all);
        let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        let mut previews: Vec<_> = messages.iter().map(|own| own.preview.as_str()).collect();
        previews.sort_unstable();
        assert_eq!(previews, ["and another", "just a text", "no header at all"]);
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted), (0, if uidl { 3 } else { 0 }));
        assert_complete(&host, &all);
    }
}
