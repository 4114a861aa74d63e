//! Drafts, saved again and again.

use super::*;
use crate::changes::is_provisional;

fn raw(version: &str) -> Vec<u8> {
    format!("Message-ID: <{version}@example.org>\r\nSubject: {version}\r\n\r\nText\r\n").into()
}

fn save<D: Store + 'static>(
    host: &TestHost<Imap, D>,
    version: &str,
    earlier: Option<MessageId>,
) -> Result<MessageId, MailError> {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await?;
        editor.save_draft(OTHER, &raw(version), earlier).await
    })
}

/// The place of the only draft.
fn place<D: Store>(store: &D) -> MessageId {
    let uids = block_on(changes::folders::stored_uids(store, OTHER)).unwrap();
    assert_eq!(uids.len(), 1);
    MessageId { mailbox: OTHER, uid: uids[0] }
}

fn draft(version: &str) -> Vec<(String, Vec<String>)> {
    let flags = vec![r"\Draft".to_owned(), r"\Seen".to_owned()];
    vec![(format!("{version}@example.org"), flags)]
}

#[test]
fn a_draft_that_was_never_told_is_simply_replaced() {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    let first = save(&host, "first", None).unwrap();
    assert!(is_provisional(first.uid));
    save(&host, "second", Some(first)).unwrap();
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m2"], draft("second"));
    assert!(host.server.borrow().log.iter().all(|line| !line.contains("EXPUNGE")));
}

#[test]
fn a_drop_after_any_byte_leaves_the_newest_version_once() {
    for capabilities in ["UIDPLUS", "MOVE UIDPLUS"] {
        let begin = || {
            let host = prepared(Imap::new(capabilities), MemoryStore::new());
            save(&host, "first", None).unwrap();
            drain(&host).unwrap();
            save(&host, "second", Some(place(&host.store))).unwrap();
            host
        };
        let whole = begin();
        drain(&whole).unwrap();
        assert_eq!(whole.server.borrow().state()["m2"], draft("second"));
        cut_anywhere(begin, |host, cut| {
            let versions = host.server.borrow().state()["m2"].len();
            assert!((1..=2).contains(&versions), "cut at {cut}: {versions} on the server");
            assert_eq!(stored(&host.store)["m2"], draft("second"), "cut at {cut}");
            drain(host).unwrap();
            sync(host).unwrap();
            assert_eq!(host.server.borrow().state()["m2"], draft("second"), "cut at {cut}");
            assert_eq!(stored(&host.store)["m2"], draft("second"), "cut at {cut}");
        });
    }
}

#[test]
fn a_draft_that_can_not_be_stored_leaves_the_earlier_one() {
    let store = FailingStore::default();
    let host = prepared(Imap::new("UIDPLUS"), store.clone());
    save(&host, "first", None).unwrap();
    let before = place(&store.inner);
    store.left.set(Some(0));
    assert!(save(&host, "second", Some(before)).is_err());
    assert_eq!(stored(&store.inner)["m2"], draft("first"));
}

#[test]
fn a_draft_that_the_server_refuses_stays_here_and_is_tried_again() {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    host.server.borrow_mut().refuses.push("APPEND");
    save(&host, "first", None).unwrap();
    drain(&host).unwrap();
    sync(&host).unwrap();
    assert_eq!(stored(&host.store)["m2"], draft("first"));
    let there = move_to(&host, OTHER, &[place(&host.store).uid], INBOX).unwrap().moved[0].to;
    drain(&host).unwrap();
    assert_eq!(block_on(record::body(&host.store, there)).unwrap(), raw("first"));

    host.server.borrow_mut().refuses.clear();
    block_on(changes::retry_held(&host, AccountId(1))).unwrap();
    drain(&host).unwrap();
    assert!(open_entries(&host).is_empty());
    let inbox = &host.server.borrow().state()["m1"];
    assert!(inbox.iter().any(|(id, _)| id == "first@example.org"));
}

#[test]
fn a_draft_that_is_on_the_server_twice_is_not_put_there_once_more() {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    save(&host, "first", None).unwrap();
    {
        // An earlier try has come through, and another program has made a copy.
        let mut server = host.server.borrow_mut();
        let folder = server.folders.get_mut("m2").unwrap();
        for _ in 0..2 {
            let message_id = "first@example.org".into();
            folder.add(server::Letter { message_id, size: 5, ..server::Letter::default() });
        }
    }
    drain(&host).unwrap();
    assert_eq!(place(&host.store).uid, 2, "the newest");
    sync(&host).unwrap();
    assert_eq!(stored(&host.store)["m2"].len(), 2);
    assert!(host.server.borrow().log.iter().all(|line| !line.starts_with("APPEND")));
}

/// A server whose mailbox for drafts has one of somebody else's.
fn host_with_other() -> TestHost<Imap, MemoryStore> {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    let message_id = "theirs@example.org".into();
    let letter = server::Letter { message_id, size: 5, ..server::Letter::default() };
    host.server.borrow_mut().folders.get_mut("m2").unwrap().add(letter);
    host
}

/// The mailbox for drafts with that one and ours.
fn beside_other(version: &str) -> Vec<(String, Vec<String>)> {
    [draft(version), vec![("theirs@example.org".into(), vec![])]].concat()
}

#[test]
fn a_draft_is_not_taken_for_another_message_that_a_search_names() {
    // One that is there, one that can't be looked at, and one that is not there at all.
    for (found, damaged) in [(1, None), (1, Some(("m2", 1))), (9, None)] {
        let host = host_with_other();
        host.server.borrow_mut().also_finds.push(found);
        host.server.borrow_mut().damaged.extend(damaged);
        save(&host, "first", None).unwrap();
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m2"], beside_other("first"), "{found}");
        save(&host, "second", Some(place(&host.store))).unwrap();
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m2"], beside_other("second"), "{found}");
    }
}

#[test]
fn a_draft_is_put_there_once_whatever_a_search_names_and_wherever_that_breaks_off() {
    // Of the draft itself the server tells nothing; or one is named as well that is not there.
    for (named, damaged) in [(vec![1], vec![1, 2]), (vec![1, 9], vec![1])] {
        let begin = || {
            let host = host_with_other();
            {
                let mut server = host.server.borrow_mut();
                server.also_finds.clone_from(&named);
                server.damaged.extend(damaged.iter().map(|uid| ("m2", *uid)));
            }
            save(&host, "first", None).unwrap();
            host
        };
        cut_anywhere(begin, |host, cut| {
            assert_eq!(stored(&host.store)["m2"], draft("first"), "{named:?}, cut at {cut}");
            drain(host).unwrap();
            let there = &host.server.borrow().state()["m2"];
            assert_eq!(*there, beside_other("first"), "{named:?}, cut at {cut}");
            let here = place(&host.store);
            assert_eq!(block_on(record::body(&host.store, here)).unwrap(), raw("first"));
        });
    }
}

#[test]
fn a_draft_that_is_here_alone_comes_back_to_a_mailbox_made_anew_since_it_was_moved() {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    host.server.borrow_mut().refuses.push("APPEND");
    save(&host, "first", None).unwrap();
    drain(&host).unwrap();
    let moved = move_to(&host, OTHER, &[place(&host.store).uid], INBOX).unwrap();
    host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_validity = 7;
    sync(&host).unwrap();
    block_on(changes::undo(&host, &account(Protocol::Imap), moved.change.unwrap())).unwrap();
    assert_eq!(block_on(record::body(&host.store, place(&host.store))).unwrap(), raw("first"));
}

#[test]
fn a_draft_is_put_once_into_a_mailbox_made_anew_since_wherever_that_breaks_off() {
    // Of the draft itself the server tells nothing.
    let begin = || {
        let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
        save(&host, "first", None).unwrap();
        host.server.borrow_mut().refuses.push("APPEND");
        drain(&host).unwrap();
        {
            let mut server = host.server.borrow_mut();
            server.refuses.clear();
            let anew = server::Folder { uid_validity: 7, uid_next: 3, letters: Vec::new() };
            server.folders.insert("m2".into(), anew);
            server.damaged.push(("m2", 3));
        }
        block_on(changes::retry_held(&host, AccountId(1))).unwrap();
        host
    };
    cut_anywhere(begin, |host, cut| {
        drain(host).unwrap();
        assert_eq!(host.server.borrow().state()["m2"], draft("first"), "cut at {cut}");
    });
}

#[test]
fn a_draft_is_there_once_whichever_write_fails_while_it_is_put_there() {
    let begin = |host: &TestHost<Imap, FailingStore>| {
        save(host, "first", None).unwrap();
    };
    fail_any_write(
        || Imap::new("UIDPLUS"),
        begin,
        |host, failing| {
            assert_eq!(host.server.borrow().state()["m2"], draft("first"), "write {failing}");
            assert_eq!(stored(&host.store)["m2"], draft("first"), "write {failing}");
        },
    );
}

#[test]
fn a_uid_that_looks_like_that_of_a_message_on_its_way_takes_the_place_of_none() {
    let host = prepared(Imap::new("UIDPLUS"), MemoryStore::new());
    save(&host, "first", None).unwrap();
    let second = save(&host, "second", None).unwrap();
    host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_next = second.uid;
    drain(&host).unwrap();
    let expected = [draft("first"), draft("second")].concat();
    assert_eq!(host.server.borrow().state()["m2"], expected);
}
