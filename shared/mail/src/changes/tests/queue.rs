//! What is queued: shown at once, told in order, refused, found again, taken back.

use super::*;
use crate::{
    changes::{State, Task, Tense, is_provisional, undo},
    store::{Table, Write},
};

fn host(capabilities: &'static str) -> TestHost<Imap, MemoryStore> {
    prepared(Imap::new(capabilities), MemoryStore::new())
}

fn body(host: &TestHost<Imap, MemoryStore>, mailbox: MailboxId, uid: u32) -> Vec<u8> {
    block_on(record::body(&host.store, MessageId { mailbox, uid })).unwrap()
}

#[test]
fn a_moved_message_is_in_its_new_mailbox_at_once_and_can_be_read_there() {
    let host = host("MOVE UIDPLUS");
    let made = move_to(&host, INBOX, &[2], OTHER).unwrap();
    let place = made.moved[0].to;
    assert!(is_provisional(place.uid));
    assert_eq!(uids(&host, INBOX), [1, 3]);
    assert_eq!(body(&host, OTHER, place.uid), b"2");
    assert_eq!(counts(&host), [(2, 2), (1, 1)]);

    let settled = drain(&host).unwrap();
    assert_eq!(settled[0].moved[0].from, place);
    assert_eq!(uids(&host, OTHER), [1]);
    assert_eq!(body(&host, OTHER, 1), b"2");
    assert_eq!(host.server.borrow().log.last().unwrap(), "UID MOVE 2 \"m2\"");
}

#[test]
fn what_is_queued_counts_more_than_what_a_sync_is_told() {
    let host = host("MOVE UIDPLUS");
    move_to(&host, INBOX, &[2], OTHER).unwrap();
    flag(&host, INBOX, &[3]).unwrap();
    edit(&host, async |editor| editor.mark(INBOX, &[1], &Mark::Seen, true).await).unwrap();
    let before = stored(&host.store);
    sync(&host).unwrap();
    assert_eq!(stored(&host.store), before);
    assert_eq!(counts(&host), [(1, 2), (1, 1)]);
}

#[test]
fn a_message_can_be_moved_on_and_marked_before_the_server_has_heard_of_it() {
    for capabilities in ["MOVE UIDPLUS", "MOVE", "UIDPLUS"] {
        let host = host(capabilities);
        let there = move_to(&host, INBOX, &[2], OTHER).unwrap().moved[0].to.uid;
        flag(&host, OTHER, &[there]).unwrap();
        move_to(&host, OTHER, &[there], INBOX).unwrap();
        drain(&host).unwrap();
        let server = host.server.borrow();
        let expected = ("2@example.org".to_owned(), vec![r"\Flagged".to_owned()]);
        assert!(server.state()["m1"].contains(&expected), "{capabilities:?}");
        assert!(server.state()["m2"].is_empty());
    }
}

#[test]
fn what_the_server_refuses_is_as_it_was_before() {
    for refused in ["UID MOVE", "UID COPY"] {
        let host = host(if refused == "UID MOVE" { "MOVE UIDPLUS" } else { "UIDPLUS" });
        host.server.borrow_mut().refuses.push(refused);
        let before = stored(&host.store);
        let there = move_to(&host, INBOX, &[1, 2], OTHER).unwrap().moved[0].to.uid;
        move_to(&host, OTHER, &[there], INBOX).unwrap();
        assert_eq!(drain(&host).unwrap().len(), 1, "nothing is left of the other");
        assert_eq!(stored(&host.store), before);
        assert_eq!(body(&host, INBOX, 1), b"1");
        assert_eq!(counts(&host), [(3, 3), (0, 0)]);
        assert!(open_entries(&host).is_empty());
    }
}

#[test]
fn a_refused_mark_goes_unless_it_was_set_again_since() {
    let host = host("");
    host.server.borrow_mut().refuses.push("UID STORE");
    flag(&host, INBOX, &[1, 2]).unwrap();
    drain(&host).unwrap();
    assert!(stored(&host.store)["m1"].iter().all(|(_, flags)| flags.is_empty()));
}

#[test]
fn without_a_way_to_remove_single_messages_nothing_of_others_is_removed() {
    let host = host("");
    host.server.borrow_mut().folders.get_mut("m1").unwrap().letters[2]
        .flags
        .insert(r"\Deleted".into());
    move_to(&host, INBOX, &[1], OTHER).unwrap();
    drain(&host).unwrap();
    sync(&host).unwrap();
    let server = host.server.borrow();
    assert!(server.log.iter().all(|line| !line.contains("EXPUNGE")));
    assert_eq!(server.state()["m1"].len(), 3);
    assert_eq!(server.state()["m2"].len(), 1);
    assert_eq!(stored(&host.store), server.state(), "and the page shows it as it is");
}

#[test]
fn a_mailbox_that_was_made_anew_keeps_what_was_queued() {
    let host = host("MOVE UIDPLUS");
    flag(&host, INBOX, &[3]).unwrap();
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    {
        let mut server = host.server.borrow_mut();
        let inbox = server.folders.get_mut("m1").unwrap();
        inbox.uid_validity = 7;
        inbox.letters.iter_mut().for_each(|letter| letter.uid += 10);
        // One of them is twice there by now: nobody knows which one was meant.
        let double = inbox.letters[1].clone();
        inbox.letters.push(server::Letter { uid: 20, ..double });
        inbox.uid_next = 21;
    }
    sync(&host).unwrap();
    let settled = drain(&host).unwrap();
    assert_eq!(settled.iter().map(|settled| settled.left).sum::<u32>(), 1);
    sync(&host).unwrap();
    let state = host.server.borrow().state();
    assert_eq!(state["m2"], [("1@example.org".into(), vec![])]);
    assert!(state["m1"].contains(&("3@example.org".into(), vec![r"\Flagged".into()])));
    assert_eq!(stored(&host.store), state);
}

#[test]
fn one_that_can_not_be_looked_at_in_a_mailbox_that_was_made_anew_keeps_no_other_from_its_mark() {
    let host = host("");
    flag(&host, INBOX, &[1, 2, 3]).unwrap();
    {
        let mut server = host.server.borrow_mut();
        server.damaged = vec![("m1", 12)];
        let inbox = server.folders.get_mut("m1").unwrap();
        inbox.uid_validity = 7;
        inbox.letters.iter_mut().for_each(|letter| letter.uid += 10);
    }
    assert_eq!(drain(&host).unwrap()[0].left, 1);
    let server = host.server.borrow();
    let marked = server.folders["m1"].letters.iter().filter(|own| !own.flags.is_empty());
    assert_eq!(marked.map(|own| own.uid).collect::<Vec<_>>(), [11, 13]);
}

#[test]
fn what_was_queued_for_a_folder_does_not_meet_another_one_that_has_taken_its_name() {
    for capabilities in ["MOVE UIDPLUS", "UIDPLUS"] {
        let host = host(capabilities);
        move_to(&host, INBOX, &[1], OTHER).unwrap();
        edit(&host, async |editor| editor.expunge(INBOX, &[2]).await).unwrap();
        flag(&host, INBOX, &[3]).unwrap();
        let expected = {
            let mut server = host.server.borrow_mut();
            let inbox = server.folders.remove("m1").unwrap();
            // Made within the same second, with as many messages.
            let mut other = inbox.clone();
            for letter in &mut other.letters {
                letter.message_id = format!("other{}@example.org", letter.uid);
            }
            server.folders.insert("m1".into(), other);
            server.folders.insert("m2".into(), inbox);
            server.state()
        };
        let settled = drain(&host).unwrap();
        assert_eq!(settled.iter().map(|own| own.left).collect::<Vec<_>>(), [1, 0, 1]);
        assert_eq!(host.server.borrow().state(), expected, "{capabilities}");
    }
}

#[test]
fn a_message_is_not_found_again_under_a_uid_that_looks_like_one_on_its_way() {
    let host = host("MOVE UIDPLUS");
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    {
        let mut server = host.server.borrow_mut();
        let inbox = server.folders.get_mut("m1").unwrap();
        inbox.uid_validity = 7;
        inbox.letters[0].uid = changes::limits::PROVISIONAL;
        inbox.letters[1].uid = 20;
    }
    assert_eq!(drain(&host).unwrap().iter().map(|settled| settled.left).sum::<u32>(), 1);
    assert_eq!(host.server.borrow().state()["m2"], [("2@example.org".into(), vec![])]);
}

#[test]
fn a_change_is_taken_back_before_the_server_has_heard_of_it() {
    let host = host("MOVE UIDPLUS");
    let before = stored(&host.store);
    let made = move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    let undone = block_on(undo(&host, &account(Protocol::Imap), made.change.unwrap())).unwrap();
    let (sentence, _) =
        block_on(changes::sentence(&host.store, &undone.parts, Tense::Undone)).unwrap();
    assert_eq!(sentence, "2 messages moved back to Inbox");
    assert_eq!(stored(&host.store), before);
    assert!(open_entries(&host).is_empty());
    drain(&host).unwrap();
    assert!(host.server.borrow().log.iter().all(|line| !line.contains("MOVE")));
}

#[test]
fn a_change_that_was_made_is_reversed() {
    for capabilities in ["MOVE UIDPLUS", "UIDPLUS", "MOVE"] {
        let host = host(capabilities);
        let before = host.server.borrow().state();
        let made = edit(&host, async |editor| {
            let junk = Mark::Keyword("$Junk".into());
            editor.mark(INBOX, &[1, 2], &junk, true).await?;
            editor.transfer(INBOX, &[1, 2], OTHER, false).await
        });
        let made = made.unwrap();
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m2"].len(), 2);
        let change = made.change.unwrap();
        block_on(undo(&host, &account(Protocol::Imap), change)).unwrap();
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state(), before, "{capabilities:?}");
        let again = block_on(undo(&host, &account(Protocol::Imap), change));
        assert_eq!(again.unwrap_err(), MailError::Gone("change"));
    }
}

#[test]
fn the_same_request_again_copies_nothing_twice() {
    let host = host("UIDPLUS");
    let account = account(Protocol::Imap);
    for _ in 0..2 {
        block_on(async {
            let origin = Some((postern_bridge::ClientId(7), 3));
            let mut editor = Editor::begin(&host, &account, origin).await.unwrap();
            editor.transfer(INBOX, &[1, 2], OTHER, true).await.unwrap();
            assert_eq!(editor.finish().parts.len(), 1);
        });
    }
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m2"].len(), 2);
}

#[test]
fn the_same_request_again_means_no_more_than_it_did() {
    let host = host("UIDPLUS");
    let account = account(Protocol::Imap);
    let empty = || {
        block_on(async {
            let origin = Some((postern_bridge::ClientId(7), 3));
            let mut editor = Editor::begin(&host, &account, origin).await.unwrap();
            let mut uids = changes::folders::stored_uids(&host.store, INBOX).await.unwrap();
            editor.keep_meant(&mut uids);
            // The first try did not come far.
            uids.truncate(2);
            editor.expunge(INBOX, &uids).await.unwrap();
        });
    };
    empty();
    let late = super::message(MessageId { mailbox: INBOX, uid: 4 });
    block_on(host.store.apply(late.put_listed().into(), Durability::Strict)).unwrap();
    empty();
    assert_eq!(uids(&host, INBOX), [4]);
}

#[test]
fn what_is_learnt_of_a_change_that_was_taken_back_meanwhile_leaves_it_so() {
    for capabilities in ["UIDPLUS", "MOVE UIDPLUS"] {
        let host = host(capabilities);
        let before = host.server.borrow().state();
        let change = move_to(&host, INBOX, &[1, 2], OTHER).unwrap().change.unwrap();
        let account = account(Protocol::Imap);
        block_on(async {
            let entry = changes::next(&host.store, account.id).await.unwrap().unwrap();
            let begun = changes::begin(&host, &entry).await.unwrap().unwrap();
            undo(&host, &account, change).await.unwrap();
            changes::learn(&host, &begun).await.unwrap();
            let again = undo(&host, &account, change).await.unwrap_err();
            assert_eq!(again, MailError::Gone("change"));
        });
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state(), before);
        assert_eq!(stored(&host.store), before);
    }
}

#[test]
fn what_the_server_never_listens_to_is_kept_while_the_rest_goes_on() {
    let host = host("MOVE UIDPLUS");
    let there = move_to(&host, INBOX, &[1], OTHER).unwrap().moved[0].to.uid;
    flag(&host, OTHER, &[there]).unwrap();
    flag(&host, INBOX, &[3]).unwrap();
    let entry = block_on(changes::next(&host.store, AccountId(1))).unwrap().unwrap();
    block_on(changes::hold(&host, &entry)).unwrap();
    drain(&host).unwrap();
    assert_eq!(open_entries(&host).len(), 2, "what follows from it waits with it");
    assert_eq!(host.server.borrow().state()["m2"], []);
    block_on(changes::retry_held(&host, AccountId(1))).unwrap();
    drain(&host).unwrap();
    assert!(open_entries(&host).is_empty());
    let moved = ("1@example.org".into(), vec![r"\Flagged".to_owned()]);
    assert_eq!(host.server.borrow().state()["m2"], [moved]);
}

#[test]
fn the_original_of_a_copy_that_is_held_is_not_deleted_before_it() {
    let host = host("MOVE UIDPLUS");
    edit(&host, async |editor| editor.transfer(INBOX, &[1], OTHER, true).await).unwrap();
    edit(&host, async |editor| editor.expunge(INBOX, &[1]).await).unwrap();
    let copy = open_entries(&host).remove(0);
    block_on(changes::hold(&host, &copy)).unwrap();
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m1"].len(), 3);
    block_on(changes::retry_held(&host, AccountId(1))).unwrap();
    drain(&host).unwrap();
    let server = host.server.borrow();
    assert_eq!((server.state()["m1"].len(), server.state()["m2"].len()), (2, 1));
}

#[test]
fn nothing_is_told_behind_an_entry_that_can_not_be_read_and_nothing_is_lost() {
    let host = host("MOVE UIDPLUS");
    move_to(&host, INBOX, &[1], OTHER).unwrap();
    edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
    let rescue = open_entries(&host).remove(0);
    let spoilt = Write::Put { table: Entry::TABLE, key: rescue.key(), value: vec![0xc1] };
    block_on(host.store.apply(vec![spoilt], Durability::Strict)).unwrap();
    assert!(matches!(drain(&host), Err(MailError::Store(_))));
    assert_eq!(host.server.borrow().state()["m1"].len(), 3);
    assert_eq!(uids(&host, OTHER).len(), 1);
}

#[test]
fn what_can_not_be_told_from_others_is_not_deleted_and_is_looked_for_again() {
    for (copies, left) in [(0, 0), (2, 1)] {
        let host = host("UIDPLUS");
        edit(&host, async |editor| editor.expunge(INBOX, &[2]).await).unwrap();
        {
            let mut server = host.server.borrow_mut();
            let inbox = server.folders.get_mut("m1").unwrap();
            inbox.uid_validity = 7;
            let letter = inbox.letters.remove(1);
            for uid in (20..).take(copies) {
                inbox.letters.push(server::Letter { uid, ..letter.clone() });
            }
            inbox.uid_next = 30;
        }
        let settled = drain(&host).unwrap();
        assert_eq!(settled[0].left, left);
        assert_eq!(settled[0].unknown.contains(&INBOX), left > 0);
        assert_eq!(host.server.borrow().state()["m1"].len(), 2 + copies);
        sync(&host).unwrap();
        assert_eq!(stored(&host.store), host.server.borrow().state());
    }
}

#[test]
fn where_sizes_are_estimates_a_message_is_found_again_by_its_id() {
    for (greeting, left) in [("hello", 3), ("The Microsoft Exchange IMAP4 service is ready.", 2)] {
        let host = host("UIDPLUS");
        host.server.borrow_mut().greeting = greeting;
        edit(&host, async |editor| editor.expunge(INBOX, &[2]).await).unwrap();
        {
            let mut server = host.server.borrow_mut();
            let inbox = server.folders.get_mut("m1").unwrap();
            inbox.uid_validity = 7;
            // Each was counted meanwhile.
            inbox.letters.iter_mut().for_each(|letter| letter.size += 3);
        }
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m1"].len(), left, "{greeting}");
    }
}

#[test]
fn a_keyword_that_is_none_is_refused_before_anything_is_changed() {
    let host = host("");
    for name in ["", "two words", "a(b", "größe", r"\Seen", &"x".repeat(201)] {
        let mark = Mark::Keyword(name.into());
        let marked = edit(&host, async |editor| editor.mark(INBOX, &[1], &mark, true).await);
        assert!(matches!(marked, Err(MailError::Input(_))), "{name:?}");
    }
    let mark = Mark::Keyword("x".repeat(200));
    edit(&host, async |editor| editor.mark(INBOX, &[1], &mark, true).await).unwrap();
}

#[test]
fn read_marks_of_an_earlier_version_are_told() {
    let host = host("");
    let key = crate::store::Key::new().bytes(b"seen-").u32(INBOX.0).u32(2);
    let mark = crate::store::Write::Put {
        table: Table::Meta,
        key: key.clone(),
        value: record::encode(&true),
    };
    block_on(host.store.apply(vec![mark], Durability::Relaxed)).unwrap();
    block_on(changes::adopt_marks(&host)).unwrap();
    assert_eq!(block_on(host.store.get(Table::Meta, &key)).unwrap(), None);
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().log.last().unwrap(), r"UID STORE 2 +FLAGS.SILENT (\Seen)");
}

#[test]
fn what_was_done_is_kept_for_a_while() {
    let host = host("");
    for round in 0..changes::limits::DONE + 5 {
        let set = round % 2 == 0;
        edit(&host, async |editor| editor.mark(INBOX, &[1], &Mark::Flagged, set).await).unwrap();
        drain(&host).unwrap();
    }
    let entries = block_on(changes::entries(&host.store, AccountId(1))).unwrap();
    assert_eq!(entries.len(), changes::limits::DONE + 1);
    assert!(entries.iter().all(|entry| matches!(entry.state, State::Done(_))));
    assert!(entries.iter().all(|entry| matches!(entry.task, Task::Mark { .. })));
}

#[test]
fn messages_beyond_those_that_one_entry_holds_have_another() {
    let most = changes::limits::ITEMS;
    for (count, held) in [(most, vec![most]), (most + 1, vec![most, 1])] {
        let uids: Vec<u32> = (1..).take(count).collect();
        for what in ["mark", "expunge", "move"] {
            let host = host("");
            let more = uids[3..].iter().map(|uid| MessageId { mailbox: INBOX, uid: *uid });
            let more = more.flat_map(|id| message(id).put_listed()).collect();
            block_on(host.store.apply(more, Durability::Strict)).unwrap();
            let changed = edit(&host, async |editor| match what {
                "mark" => editor.mark(INBOX, &uids, &Mark::Flagged, true).await,
                "expunge" => editor.expunge(INBOX, &uids).await,
                _ => editor.transfer(INBOX, &uids, OTHER, false).await,
            });
            changed.unwrap();
            let entries = open_entries(&host);
            let items: Vec<_> = entries.iter().map(|entry| entry.task.items().len()).collect();
            assert_eq!(items, held, "{what}");
        }
    }
}
