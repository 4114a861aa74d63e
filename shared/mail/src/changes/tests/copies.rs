//! Copies that are looked for, because the server has not said which they are, among others that
//! look like them.

use super::{server::Letter, uncopied::double, *};
use crate::changes::Step;

/// A server that estimates sizes.
const ESTIMATES: &str = "The Microsoft Exchange IMAP4 service is ready.";

/// A host whose server names no copies, and has had messages in the other mailbox.
fn host(server: Imap) -> TestHost<Imap> {
    let host = prepared(server, MemoryStore::new());
    host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_next = 5;
    host
}

#[test]
fn what_came_by_a_list_meanwhile_is_not_taken_for_the_copy_of_what_came_directly() {
    let others = [
        ("hello", 9, 1),
        ("hello", 9, 77),
        ("hello", 5, 77),
        (ESTIMATES, 9, 77),
        (ESTIMATES, 5, 77),
    ];
    for (capabilities, (greeting, size, arrived)) in
        ["UIDPLUS", ""].into_iter().flat_map(|own| others.map(|other| (own, other)))
    {
        // A command has more bytes.
        for cut in (0..).step_by(9) {
            let host = host(Imap { greeting, ..Imap::new(capabilities) });
            move_to(&host, INBOX, &[1], OTHER).unwrap();
            host.cut.set(Some(cut));
            if drain(&host).is_ok() {
                assert!(cut > 100, "it takes several commands");
                break;
            }
            host.cut.set(None);
            let message_id = "1@example.org".into();
            let other = Letter { message_id, size, arrived, ..Letter::default() };
            host.server.borrow_mut().folders.get_mut("m2").unwrap().add(other);
            drain(&host).unwrap();
            let server = host.server.borrow();
            let there = server.folders["m2"].letters.iter().map(|own| (own.size, own.arrived));
            let mut there: Vec<_> = there.collect();
            there.sort_unstable();
            let mut expected = [(5, 1), (size, arrived)];
            expected.sort_unstable();
            assert_eq!(there, expected, "{capabilities:?}, {greeting}, cut at {cut}");
        }
    }
}

#[test]
fn the_copies_of_two_that_nothing_tells_apart_are_in_the_order_of_those() {
    let host = host(Imap { greeting: ESTIMATES, ..Imap::new("") });
    double(&host, 2, "1@example.org", 7);
    host.server.borrow_mut().folders.get_mut("m1").unwrap().letters[1].arrived = 1;
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    drain(&host).unwrap();
    for (uid, bytes) in [(5, b"1"), (6, b"2")] {
        let own = block_on(record::body(&host.store, MessageId { mailbox: OTHER, uid })).unwrap();
        assert_eq!(own, bytes, "{uid}");
    }
}

#[test]
fn a_copy_is_found_that_was_given_another_date() {
    let host = host(Imap { redates: true, ..Imap::new("") });
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 0);
    assert_eq!(uids(&host, OTHER), [5, 6]);
}

/// How many of letters 1 and 2 count as not copied, where the server copies only the first, and
/// tells no more than this of copies.
fn left_of(told: &[String]) -> u32 {
    let server = Imap { tells_copies: told.into(), uncopied: Some(2), ..Imap::new("") };
    let host = host(server);
    edit(&host, async |editor| editor.transfer(INBOX, &[1, 2], OTHER, true).await).unwrap();
    drain(&host).unwrap()[0].left
}

#[test]
fn a_copy_that_nobody_asked_for_does_not_count_as_told() {
    assert_eq!(left_of(&["1 1 5".into()]), 1);
    assert_eq!(left_of(&["1 3,77 5,6".into()]), 0);
}

#[test]
fn copies_are_told_up_to_a_million_in_all() {
    for (others, left) in [(vec![999_999], 1), (vec![1_000_000], 0), (vec![500_000, 500_000], 0)] {
        let told = others.iter().map(|count| format!("1 11:{0} 11:{0}", count + 10));
        assert_eq!(left_of(&told.chain(["1 1 5".into()]).collect::<Vec<_>>()), left, "{others:?}");
    }
}

#[test]
fn one_copy_that_can_not_be_looked_at_keeps_no_other_from_being_found() {
    let host = host(Imap { damaged: vec![("m2", 6)], ..Imap::new("") });
    move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 1);
    assert_eq!((uids(&host, INBOX), uids(&host, OTHER)), (vec![2], vec![5, 7]));
    let server = host.server.borrow();
    let unmarked = server.folders["m1"].letters.iter().filter(|own| own.flags.is_empty());
    assert_eq!(unmarked.map(|own| own.uid).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_was_moved_or_copied_stays_so_where_the_server_refuses_to_tell_more_of_it() {
    for refuses in [vec![], vec!["UID SEARCH"]] {
        for is_copy in [false, true] {
            let damaged = if refuses.is_empty() { vec![("m2", 6)] } else { vec![] };
            let refuses = refuses.clone();
            let host = host(Imap { damaged, refuses, ..Imap::new("MOVE") });
            edit(&host, async |editor| editor.transfer(INBOX, &[1, 2, 3], OTHER, is_copy).await)
                .unwrap();
            let settled = drain(&host).unwrap();
            assert_eq!(settled[0].left, 0);
            assert!(settled[0].unknown.contains(&OTHER));
            assert_eq!(uids(&host, INBOX).is_empty(), !is_copy);
            assert_eq!(host.server.borrow().state()["m2"].len(), 3);
        }
    }
}

#[test]
fn copies_are_found_in_a_mailbox_that_was_made_anew_since_its_next_uid_was_noted() {
    let host = host(Imap::new(""));
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    let mut entry = open_entries(&host).remove(0);
    let Task::Transfer { step, .. } = &mut entry.task else { panic!("{entry:?}") };
    *step = Step::Copying { uid_validity: 1, uid_next: 5 };
    block_on(changes::learn(&host, &entry)).unwrap();
    {
        let mut server = host.server.borrow_mut();
        let folder = server.folders.get_mut("m2").unwrap();
        (folder.uid_validity, folder.uid_next) = (7, 1);
    }
    assert_eq!(drain(&host).unwrap()[0].left, 0);
    assert_eq!(host.server.borrow().state()["m2"].len(), 2);
}

#[test]
fn a_copy_is_found_of_what_the_server_refuses_to_tell_more_of_where_it_was() {
    let host = host(Imap { damaged: vec![("m1", 1)], ..Imap::new("") });
    move_to(&host, INBOX, &[1, 2], OTHER).unwrap();
    assert_eq!(drain(&host).unwrap()[0].left, 0);
    assert_eq!(uids(&host, OTHER), [5, 6]);
}
