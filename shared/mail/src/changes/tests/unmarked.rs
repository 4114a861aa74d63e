//! Marks that are taken back, or come to nothing, while others wait.

use super::{
    permanent::{tag, tell},
    server::Letter,
    *,
};

fn host(server: Imap) -> TestHost<Imap> {
    prepared(server, MemoryStore::new())
}

fn undo(host: &TestHost<Imap>, made: &Made) {
    block_on(changes::undo(host, &account(Protocol::Imap), made.change.unwrap())).unwrap();
}

/// What the server has in a mailbox, in which these messages have these flags.
fn letters(flags: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let letter = |(id, flags): &(&str, &[&str])| {
        (format!("{id}@example.org"), flags.iter().map(|flag| (*flag).into()).collect())
    };
    flags.iter().map(letter).collect()
}

#[test]
fn a_mark_that_is_taken_back_leaves_that_of_another_message_whose_uid_is_not_known_either() {
    let host = host(Imap { refuses: vec!["UID SEARCH"], ..Imap::new("MOVE") });
    let moved = move_to(&host, INBOX, &[1, 2], OTHER).unwrap().moved;
    let marked = [0, 1].map(|at: usize| flag(&host, OTHER, &[moved[at].to.uid]).unwrap());
    tell(&host).unwrap();
    assert!(open_entries(&host).iter().all(|own| own.task.items()[0].uid == 0));
    undo(&host, &marked[0]);
    host.server.borrow_mut().refuses.clear();
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m2"], letters(&[("1", &[]), ("2", &[r"\Flagged"])]));
}

#[test]
fn a_mark_that_is_taken_back_leaves_what_has_the_uid_of_its_message_by_now() {
    for is_marked_here in [true, false] {
        let host = host(Imap::new("MOVE UIDPLUS"));
        let marked = flag(&host, INBOX, &[1]).unwrap();
        {
            let mut server = host.server.borrow_mut();
            let folder = server.folders.get_mut("m1").unwrap();
            *folder = server::Folder { uid_validity: 7, uid_next: 1, letters: Vec::new() };
            let flags = (!is_marked_here).then(|| r"\Flagged".to_owned()).into_iter().collect();
            let message_id = "4@example.org".into();
            folder.add(Letter { message_id, size: 5, flags, ..Letter::default() });
        }
        sync(&host).unwrap();
        if is_marked_here {
            flag(&host, INBOX, &[1]).unwrap();
        }
        let expected = letters(&[("4", &[r"\Flagged"])]);
        undo(&host, &marked);
        assert_eq!(stored(&host.store)["m1"], expected, "{is_marked_here}");
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m1"], expected, "{is_marked_here}");
    }
}

#[test]
fn a_tag_that_is_taken_back_leaves_that_it_was_given_again_since_it_was_taken_off() {
    let host = host(Imap::new("MOVE UIDPLUS"));
    let [first, _, _] = [("Work", true), ("work", false), ("Work", true)].map(|(name, set)| {
        edit(&host, async |editor| editor.mark(INBOX, &[1], &tag(name), set).await).unwrap()
    });
    undo(&host, &first);
    drain(&host).unwrap();
    let expected = letters(&[("1", &["Work"]), ("2", &[]), ("3", &[])]);
    assert_eq!(host.server.borrow().state()["m1"], expected);
}

#[test]
fn a_mark_that_comes_to_nothing_is_taken_off_the_copies_of_the_message_as_well() {
    for is_undone in [true, false] {
        let host = host(Imap { permanent: Some(r"\Seen"), ..Imap::new("MOVE UIDPLUS") });
        let copy = async |editor: &mut Editor<'_, _>, from, uid, to| {
            editor.transfer(from, &[uid], to, true).await
        };
        let marked = flag(&host, INBOX, &[1]).unwrap();
        edit(&host, async |editor| copy(editor, INBOX, 1, OTHER).await).unwrap();
        let of_copy = uids(&host, OTHER)[0];
        edit(&host, async |editor| copy(editor, OTHER, of_copy, INBOX).await).unwrap();
        let of_that = uids(&host, INBOX)[3];
        let unmark = async |editor: &mut Editor<'_, _>| {
            editor.mark(OTHER, &[of_copy], &Mark::Flagged, false).await
        };
        edit(&host, unmark).unwrap();
        move_to(&host, INBOX, &[1, of_that], OTHER).unwrap();
        match is_undone {
            true => undo(&host, &marked),
            false => assert!(tell(&host).is_err()),
        }
        let all = stored(&host.store).into_values().flatten();
        assert!(all.into_iter().all(|(_, flags)| flags.is_empty()), "{is_undone}");
        let is_mark = |own: &Entry| matches!(own.task, Task::Mark { .. });
        assert!(!open_entries(&host).iter().any(is_mark), "nothing is to be taken off");
        drain(&host).unwrap();
        assert_eq!(
            host.server.borrow().state()["m2"],
            letters(&[("1", &[] as &[&str]); 3]),
            "{is_undone}"
        );
    }
}

/// A host on which letter 1 is flagged and no longer flagged, while the server is told of neither.
fn flagged_and_not(server: Imap) -> TestHost<Imap> {
    let host = host(server);
    flag(&host, INBOX, &[1]).unwrap();
    edit(&host, async |editor| editor.mark(INBOX, &[1], &Mark::Flagged, false).await).unwrap();
    host
}

#[test]
fn a_mark_that_the_server_may_have_given_all_the_same_is_taken_off_as_was_asked() {
    for is_given in [true, false] {
        let host = flagged_and_not(Imap::new("MOVE UIDPLUS"));
        let entry = open_entries(&host).remove(0);
        block_on(changes::begin(&host, &entry)).unwrap();
        if is_given {
            let mut server = host.server.borrow_mut();
            let letter = &mut server.folders.get_mut("m1").unwrap().letters[0];
            letter.flags.insert(r"\Flagged".into());
        }
        let error = MailError::Protocol("nonsense".into());
        let settled = block_on(changes::refused(&host, &entry, &error)).unwrap();
        assert!(settled.unknown.contains(&INBOX), "what it is there is looked at");
        let inbox = block_on(record::mailbox(&host.store, INBOX)).unwrap();
        assert_eq!(inbox.doubts.among(&[1, 2, 3]), [1], "a sync may have been told already");
        drain(&host).unwrap();
        let expected = letters(&[("1", &[]), ("2", &[]), ("3", &[])]);
        assert_eq!(host.server.borrow().state()["m1"], expected, "{is_given}");
        assert_eq!(stored(&host.store)["m1"], expected, "{is_given}");
    }
}

#[test]
fn what_was_to_take_a_mark_off_again_brings_none_back_that_was_refused_as_well() {
    let host = flagged_and_not(Imap { refuses: vec!["UID STORE"], ..Imap::new("MOVE UIDPLUS") });
    drain(&host).unwrap();
    assert!(open_entries(&host).is_empty());
    assert_eq!(stored(&host.store)["m1"], letters(&[("1", &[]), ("2", &[]), ("3", &[])]));
}

#[test]
fn what_was_to_take_a_mark_off_again_brings_none_back_where_the_move_before_it_is_refused() {
    let host = host(Imap::new("MOVE UIDPLUS"));
    flag(&host, INBOX, &[1]).unwrap();
    let there = move_to(&host, INBOX, &[1], OTHER).unwrap().moved[0].to;
    let unmark = async |editor: &mut Editor<'_, _>| {
        editor.mark(OTHER, &[there.uid], &Mark::Flagged, false).await
    };
    edit(&host, unmark).unwrap();
    let error = MailError::Protocol("nonsense".into());
    for entry in open_entries(&host).into_iter().take(2) {
        block_on(changes::begin(&host, &entry)).unwrap();
        block_on(changes::refused(&host, &entry, &error)).unwrap();
    }
    assert_eq!(stored(&host.store)["m1"], letters(&[("1", &[]), ("2", &[]), ("3", &[])]));
}

#[test]
fn a_mark_that_is_taken_back_is_taken_off_where_the_message_is_when_its_mailbox_was_made_anew() {
    let host = host(Imap::new("MOVE UIDPLUS"));
    let marked = flag(&host, INBOX, &[1]).unwrap();
    move_to(&host, INBOX, &[1], OTHER).unwrap();
    {
        let mut server = host.server.borrow_mut();
        let folder = server.folders.get_mut("m1").unwrap();
        *folder = server::Folder { uid_validity: 7, uid_next: 1, letters: Vec::new() };
    }
    sync(&host).unwrap();
    undo(&host, &marked);
    assert_eq!(stored(&host.store)["m2"], letters(&[("1", &[])]));
}

#[test]
fn a_tag_that_was_taken_counts_as_kept_where_the_server_refuses_to_tell_it() {
    let host = host(Imap { refuses: vec!["UID FETCH"], ..Imap::new("MOVE UIDPLUS") });
    // It can't be taken for the inbox, of which nothing would be told either.
    let other = block_on(record::mailbox(&host.store, OTHER)).unwrap();
    let other = Mailbox { uid_validity: 2, ..other };
    block_on(host.store.apply(vec![other.put()], Durability::Strict)).unwrap();
    for set in [true, false] {
        edit(&host, async |editor| editor.mark(INBOX, &[1], &tag("Work"), set).await).unwrap();
    }
    for flags in [&["Work"][..], &[]] {
        tell(&host).unwrap();
        let expected = letters(&[("1", flags), ("2", &[]), ("3", &[])]);
        assert_eq!(host.server.borrow().state()["m1"], expected);
    }
}
