//! A server that copies only some of the messages that it was asked to, and says OK.

use super::*;

pub(super) fn server(capabilities: &'static str) -> Imap {
    let mut server = Imap::new(capabilities);
    server.uncopied = Some(2);
    server
}

#[test]
fn what_the_server_has_not_said_that_it_copied_stays_where_it_is() {
    for capabilities in ["UIDPLUS", ""] {
        let host = prepared(server(capabilities), MemoryStore::new());
        move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
        let settled = drain(&host).unwrap();
        assert_eq!(settled[0].left, 1);
        assert!(settled[0].unknown.contains(&INBOX), "it may be gone there");
        let home = MessageId { mailbox: INBOX, uid: 2 };
        assert_eq!(settled[0].moved.iter().filter(|own| own.to == home).count(), 1);
        assert_eq!(uids(&host, INBOX), [2]);
        assert_eq!(block_on(record::body(&host.store, home)).unwrap(), b"2");
        let state = host.server.borrow().state();
        assert!(state["m1"].contains(&("2@example.org".into(), vec![])), "{capabilities:?}");
        assert_eq!(state["m2"].len(), 2);
        sync(&host).unwrap();
        assert_eq!(stored(&host.store), state, "{capabilities:?}");
        assert!(open_entries(&host).is_empty());
    }
}

#[test]
fn what_is_not_copied_and_goes_nowhere_is_told() {
    // Of a server that names no copies nobody knows.
    for (capabilities, left) in [("UIDPLUS", 1), ("", 0)] {
        let host = prepared(server(capabilities), MemoryStore::new());
        edit(&host, async |editor| editor.transfer(INBOX, &[1, 2], OTHER, true).await).unwrap();
        assert_eq!(drain(&host).unwrap()[0].left, left);
        sync(&host).unwrap();
        assert_eq!(stored(&host.store), host.server.borrow().state());
    }
}

/// Gives the letter of a UID another Message-ID and size, here and on the server.
pub(super) fn double(host: &TestHost<Imap>, uid: u32, message_id: &str, size: u32) {
    let id = MessageId { mailbox: INBOX, uid };
    let own: Message =
        block_on(record::get(&host.store, &record::message_key(id))).unwrap().unwrap();
    let own = Message { message_id: message_id.into(), size: size.into(), ..own };
    block_on(host.store.apply(vec![own.put()], Durability::Strict)).unwrap();
    let mut server = host.server.borrow_mut();
    let letter = &mut server.folders.get_mut("m1").unwrap().letters[uid as usize - 1];
    (letter.message_id, letter.size) = (message_id.into(), size as usize);
}

#[test]
fn the_copy_of_one_is_not_taken_for_that_of_its_double() {
    let host = prepared(server("UIDPLUS"), MemoryStore::new());
    double(&host, 2, "1@example.org", 5);
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 1);
    let uids =
        host.server.borrow().folders["m1"].letters.iter().map(|own| own.uid).collect::<Vec<_>>();
    assert_eq!(uids, [2, 3]);
}

#[test]
fn what_followed_from_the_move_of_one_that_was_not_copied_is_undone_here() {
    let host = prepared(server("UIDPLUS"), MemoryStore::new());
    let there = move_to(&host, INBOX, &[1, 2], OTHER).unwrap().moved[1].to.uid;
    flag(&host, OTHER, &[there]).unwrap();
    move_to(&host, OTHER, &[there], INBOX).unwrap();
    drain(&host).unwrap();
    sync(&host).unwrap();
    let state = host.server.borrow().state();
    assert_eq!((state["m1"].len(), state["m2"].len()), (2, 1));
    assert_eq!(stored(&host.store), state);
}

#[test]
fn a_write_that_fails_at_any_time_removes_nothing_that_was_not_copied() {
    let begin = |host: &TestHost<Imap, FailingStore>| {
        move_to(host, INBOX, &[1, 2, 3], OTHER).unwrap();
    };
    fail_any_write(
        || server("UIDPLUS"),
        begin,
        |host, failing| {
            let state = host.server.borrow().state();
            assert_eq!(state["m1"], [("2@example.org".into(), vec![])], "write {failing}");
            assert_eq!(state["m2"].len(), 2, "write {failing}");
            assert_eq!(stored(&host.store), state, "write {failing}");
        },
    );
}

#[test]
fn a_folder_is_not_emptied_before_what_is_held_has_left_it() {
    let host = prepared(Imap::new("MOVE UIDPLUS"), MemoryStore::new());
    move_to(&host, INBOX, &[1], OTHER).unwrap();
    block_on(changes::hold(&host, &open_entries(&host)[0])).unwrap();
    edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
    assert_eq!(drain(&host).unwrap(), []);
    block_on(changes::retry_held(&host, AccountId(1))).unwrap();
    drain(&host).unwrap();
    let state = host.server.borrow().state();
    assert_eq!((state["m1"].len(), state["m2"].len()), (0, 1));
}

#[test]
fn what_comes_back_is_not_deleted_with_the_rest_of_the_folder() {
    for capabilities in ["UIDPLUS", ""] {
        let host = prepared(server(capabilities), MemoryStore::new());
        // By which each is known to be the one that was meant.
        let other = Mailbox { uid_validity: 2, unread: 0, total: 0, ..mailbox(2) };
        block_on(host.store.apply(vec![other.put()], Durability::Strict)).unwrap();
        host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_validity = 2;
        move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
        edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
        assert_eq!(drain(&host).unwrap()[0].left, 1);
        assert!(open_entries(&host).is_empty());
        let state = host.server.borrow().state();
        assert!(state["m1"].contains(&("2@example.org".into(), vec![])), "{state:?}");
        assert_eq!(state["m2"].len(), 2);
        sync(&host).unwrap();
        assert_eq!(stored(&host.store), state, "{capabilities:?}");
    }
}

#[test]
fn what_was_not_copied_leaves_an_entry_that_is_not_stored_any_more() {
    let host = prepared(server("UIDPLUS"), MemoryStore::new());
    move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
    let mut entry = open_entries(&host).remove(0);
    block_on(host.store.apply(vec![entry.delete()], Durability::Strict)).unwrap();
    let settled = block_on(changes::learn_left(&host, &mut entry, &[1].into())).unwrap();
    assert_eq!(settled, Settled::default());
    let uids: Vec<u32> = entry.task.items().iter().map(|item| item.uid).collect();
    assert_eq!(uids, [1, 3]);
}

#[test]
fn copies_that_were_named_stay_where_the_server_names_another_uidvalidity() {
    let server = Imap { tells_validity: Some(77), ..server("UIDPLUS") };
    let host = prepared(server, MemoryStore::new());
    move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 1);
    let state = host.server.borrow().state();
    assert_eq!(state["m1"], [("2@example.org".into(), vec![])]);
    assert_eq!(state["m2"].len(), 2);
    sync(&host).unwrap();
    assert_eq!(stored(&host.store), state);
}

#[test]
fn one_that_another_program_has_deleted_does_not_come_back() {
    for capabilities in ["UIDPLUS", ""] {
        let host = prepared(Imap::new(capabilities), MemoryStore::new());
        host.server.borrow_mut().folders.get_mut("m1").unwrap().letters.remove(1);
        move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
        let settled = drain(&host).unwrap();
        assert_eq!(settled[0].left, 1, "it is told as lost");
        let home = MessageId { mailbox: INBOX, uid: 2 };
        assert!(settled[0].moved.iter().all(|own| own.to != home), "{capabilities:?}");
        assert_eq!(uids(&host, INBOX), [0; 0]);
        sync(&host).unwrap();
        assert_eq!(stored(&host.store), host.server.borrow().state(), "{capabilities:?}");
    }
}

#[test]
fn one_of_which_the_server_does_not_tell_whether_it_is_there_comes_back() {
    let server = Imap { finds: Some(0), ..server("UIDPLUS") };
    let host = prepared(server, MemoryStore::new());
    move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
    drain(&host).unwrap();
    assert_eq!(uids(&host, INBOX), [2]);
}

#[test]
fn a_copy_is_found_of_which_the_server_tells_another_size_and_date_than_are_known_here() {
    let host = prepared(Imap::new(""), MemoryStore::new());
    {
        let mut server = host.server.borrow_mut();
        let letter = &mut server.folders.get_mut("m1").unwrap().letters[0];
        (letter.size, letter.arrived) = (7, 99);
    }
    host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_next = 5;
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 0);
    let state = host.server.borrow().state();
    assert_eq!(state["m2"].len(), 2);
    assert_eq!(state["m1"].iter().filter(|(_, flags)| flags.is_empty()).count(), 1);
}

#[test]
fn the_copy_of_a_double_of_another_size_is_not_taken_for_that_of_one_that_was_left_out() {
    let server = Imap { uncopied: Some(1), ..Imap::new("") };
    let host = prepared(server, MemoryStore::new());
    double(&host, 1, "2@example.org", 7);
    host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_next = 5;
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 1);
    let server = host.server.borrow();
    let unmarked = server.folders["m1"].letters.iter().filter(|own| own.flags.is_empty());
    assert_eq!(unmarked.map(|own| own.uid).collect::<Vec<_>>(), [1, 3]);
}

/// What is told of a change whose connection breaks after so many bytes, when it goes on; `None` if it is
/// done before.
fn told_after_a_break(host: &TestHost<Imap, MemoryStore>, cut: usize) -> Option<Vec<Settled>> {
    host.cut.set(Some(cut));
    if drain(host).is_ok() {
        assert!(cut > 100, "it takes several commands");
        return None;
    }
    host.cut.set(None);
    Some(drain(host).unwrap())
}

#[test]
fn what_came_back_is_told_also_if_the_connection_breaks_before_the_rest_is_done() {
    for cut in 0.. {
        let host = prepared(server("UIDPLUS"), MemoryStore::new());
        host.read_size.set(7);
        move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
        let Some(settled) = told_after_a_break(&host, cut) else { break };
        assert_eq!((settled.len(), settled[0].left), (1, 1), "cut at {cut}");
        assert!(settled[0].changed.contains(&INBOX), "cut at {cut}");
    }
}

#[test]
fn what_was_lost_is_told_also_if_the_connection_breaks_before_the_rest_is_done() {
    for (capabilities, is_anew) in
        [("MOVE UIDPLUS", true), ("UIDPLUS", true), ("UIDPLUS", false), ("", false)]
    {
        // A command has more bytes.
        for cut in (0..).step_by(9) {
            let host = prepared(Imap::new(capabilities), MemoryStore::new());
            move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
            {
                let mut server = host.server.borrow_mut();
                let inbox = server.folders.get_mut("m1").unwrap();
                inbox.letters.remove(1);
                // What has other UIDs is found by what is known of it.
                inbox.uid_validity = if is_anew { 7 } else { 1 };
            }
            let Some(settled) = told_after_a_break(&host, cut) else { break };
            assert_eq!((settled.len(), settled[0].left), (1, 1), "{capabilities:?}, cut at {cut}");
            assert!(settled[0].changed.contains(&OTHER), "{capabilities:?}, cut at {cut}");
        }
    }
}
