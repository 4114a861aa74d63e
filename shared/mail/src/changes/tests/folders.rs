//! Mailboxes, made, renamed, deleted.

use std::collections::BTreeSet;

use super::*;
use crate::changes::undo;

fn host() -> TestHost<Imap, MemoryStore> {
    prepared(Imap::new("MOVE UIDPLUS"), MemoryStore::new())
}

fn create(
    host: &TestHost<Imap, MemoryStore>,
    parent: Option<MailboxId>,
    name: &str,
) -> Result<MailboxId, MailError> {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await?;
        editor.create_mailbox(parent, name, None).await
    })
}

fn rename(
    host: &TestHost<Imap, MemoryStore>,
    mailbox: MailboxId,
    parent: Option<MailboxId>,
    name: &str,
) -> Result<Made, MailError> {
    edit(host, async |editor| editor.move_mailbox(mailbox, parent, name).await)
}

fn names(host: &TestHost<Imap, MemoryStore>) -> Vec<String> {
    let mailboxes = block_on(record::mailboxes(&host.store, AccountId(1))).unwrap();
    let mut names: Vec<_> = mailboxes.iter().map(|own| own.names.join("/")).collect();
    names.sort();
    names
}

fn on_server(host: &TestHost<Imap, MemoryStore>) -> Vec<String> {
    host.server.borrow().folders.keys().cloned().collect()
}

#[test]
fn a_folder_is_made_filled_and_moved_before_the_server_has_heard_of_it() {
    let host = host();
    let trips = create(&host, None, "Trips").unwrap();
    let japan = create(&host, Some(trips), "Japan").unwrap();
    move_to(&host, INBOX, &[1], japan).unwrap();
    rename(&host, japan, None, "Japan 2024").unwrap();
    assert_eq!(names(&host), ["Japan 2024", "Trips", "m1", "m2"]);
    drain(&host).unwrap();
    assert_eq!(on_server(&host), ["Japan 2024", "Trips", "m1", "m2"]);
    assert_eq!(host.server.borrow().state()["Japan 2024"].len(), 1);
}

#[test]
fn a_list_that_was_asked_for_before_does_not_undo_what_the_person_did() {
    let host = host();
    create(&host, None, "Trips").unwrap();
    let account = account(Protocol::Imap);
    block_on(async {
        let secret = Secret::new("secret");
        let mut client = ImapClient::connect(&host, &account.incoming, &secret).await.unwrap();
        client.sync_mailboxes(&host, account.id).await.unwrap();
    });
    assert!(names(&host).contains(&"Trips".into()));
}

#[test]
fn a_folder_that_was_renamed_takes_along_what_is_in_it() {
    let host = host();
    let outer = create(&host, None, "a").unwrap();
    create(&host, Some(outer), "b").unwrap();
    drain(&host).unwrap();
    rename(&host, outer, None, "c").unwrap();
    assert_eq!(names(&host), ["c", "c/b", "m1", "m2"]);
    assert!(matches!(rename(&host, outer, Some(outer), "d"), Err(MailError::Input(_))));
}

#[test]
fn a_folder_that_was_renamed_takes_along_no_subscription_but_those_in_it() {
    let host = host();
    let home = create(&host, None, "Home").unwrap();
    for (parent, name) in [(Some(home), "Garden"), (None, "Homework"), (None, "Housework")] {
        create(&host, parent, name).unwrap();
    }
    drain(&host).unwrap();
    rename(&host, home, None, "House").unwrap();
    host.server.borrow_mut().log.clear();
    drain(&host).unwrap();
    let server = host.server.borrow();
    let subscriptions: Vec<_> =
        server.log.iter().filter(|line| line.contains("SUBSCRIBE")).collect();
    let expected = [
        "SUBSCRIBE \"House\"",
        "UNSUBSCRIBE \"Home\"",
        "SUBSCRIBE \"House/Garden\"",
        "UNSUBSCRIBE \"Home/Garden\"",
    ];
    assert_eq!(subscriptions, expected);
}

#[test]
fn a_folder_that_was_renamed_twice_leaves_no_subscription_behind() {
    let host = host();
    let home = create(&host, None, "Home").unwrap();
    create(&host, Some(home), "Garden").unwrap();
    drain(&host).unwrap();
    rename(&host, home, None, "House").unwrap();
    rename(&host, home, None, "Hut").unwrap();
    host.server.borrow_mut().log.clear();
    drain(&host).unwrap();
    let server = host.server.borrow();
    let mut subscribed = BTreeSet::from(["Home", "Home/Garden"]);
    for line in &server.log {
        let name = line.split('"').nth(1).unwrap_or_default();
        if line.starts_with("SUBSCRIBE") {
            subscribed.insert(name);
        } else if line.starts_with("UNSUBSCRIBE") {
            subscribed.remove(name);
        }
    }
    assert_eq!(subscribed, BTreeSet::from(["Hut", "Hut/Garden"]));
}

#[test]
fn what_the_server_refuses_is_not_shown_any_more() {
    let host = host();
    host.server.borrow_mut().refuses.extend(["CREATE", "RENAME", "DELETE"]);
    let made = create(&host, None, "Trips").unwrap();
    move_to(&host, INBOX, &[1], made).unwrap();
    rename(&host, OTHER, None, "m3").unwrap();
    drain(&host).unwrap();
    edit(&host, async |editor| editor.remove_mailbox(OTHER).await).unwrap();
    drain(&host).unwrap();
    assert_eq!(names(&host), ["m1", "m2"]);
    sync(&host).unwrap();
    assert_eq!(stored(&host.store), host.server.borrow().state());
}

#[test]
fn where_all_folders_are_in_the_inbox_new_ones_are_made_there() {
    let host = host();
    host.server.borrow_mut().only_in_inbox = true;
    create(&host, None, "Trips").unwrap();
    drain(&host).unwrap();
    assert!(on_server(&host).contains(&"INBOX/Trips".into()));
    let mailboxes = block_on(record::mailboxes(&host.store, AccountId(1))).unwrap();
    assert!(mailboxes.iter().any(|own| own.path == b"INBOX/Trips"));
}

#[test]
fn a_server_that_says_where_a_persons_folders_are_is_not_asked_for_others() {
    let host = prepared(Imap::new("NAMESPACE"), MemoryStore::new());
    host.server.borrow_mut().only_in_inbox = true;
    let trips = create(&host, None, "Trips").unwrap();
    let japan = create(&host, Some(trips), "Japan").unwrap();
    rename(&host, japan, None, "Japan 2024").unwrap();
    drain(&host).unwrap();
    let server = host.server.borrow();
    let made: Vec<_> = server.log.iter().filter(|line| line.starts_with("CREATE")).collect();
    assert_eq!(made, ["CREATE \"INBOX/Trips\"", "CREATE \"INBOX/Japan 2024\""]);
    assert_eq!(names(&host), ["Japan 2024", "Trips", "m1", "m2"]);
}

/// How a folder of this name is asked for at a server that offers so much, and refuses its use with
/// these words.
fn asked_for(
    offers: &'static str,
    refuses: Option<&'static str>,
    name: &str,
    role: Option<Role>,
) -> Vec<String> {
    let host = prepared(Imap::new(offers), MemoryStore::new());
    host.server.borrow_mut().refuses_use = refuses;
    let made = edit(&host, async |editor| editor.create_mailbox(None, name, role).await.map(drop));
    made.unwrap();
    drain(&host).unwrap();
    assert!(open_entries(&host).is_empty());
    assert_eq!(on_server(&host), [name, "m1", "m2"]);
    let server = host.server.borrow();
    server.log.iter().filter(|line| line.starts_with("CREATE")).cloned().collect()
}

#[test]
fn a_folder_is_made_for_its_use_where_the_server_offers_that_and_without_where_it_refuses() {
    const OFFERED: &str = "SPECIAL-USE CREATE-SPECIAL-USE";
    let uses = [
        ("Archive", Role::Archive, r#"CREATE "Archive" (USE (\Archive))"#),
        ("Drafts", Role::Drafts, r#"CREATE "Drafts" (USE (\Drafts))"#),
        ("Junk", Role::Junk, r#"CREATE "Junk" (USE (\Junk))"#),
        ("Sent", Role::Sent, r#"CREATE "Sent" (USE (\Sent))"#),
        ("Trash", Role::Trash, r#"CREATE "Trash" (USE (\Trash))"#),
    ];
    for (name, role, for_use) in uses {
        let plain = format!("CREATE \"{name}\"");
        let asked = |offers, refuses| asked_for(offers, refuses, name, Some(role));
        assert_eq!(asked("SPECIAL-USE", None), [&*plain]);
        assert_eq!(asked(OFFERED, None), [for_use]);
        for refusal in ["[USEATTR] there is one already", "not so"] {
            assert_eq!(asked(OFFERED, Some(refusal)), [for_use, &plain], "{refusal}");
        }
    }
    assert_eq!(asked_for(OFFERED, None, "Trips", None), [r#"CREATE "Trips""#]);
}

#[test]
fn an_answer_that_was_lost_does_not_make_a_conflict() {
    let host = host();
    for capable in [true, false] {
        host.server.borrow_mut().folders.entry("Trips".into()).or_default();
        if capable {
            create(&host, None, "Trips").unwrap();
        } else {
            host.server.borrow_mut().folders.remove("Trips");
            let trips = block_on(record::mailboxes(&host.store, AccountId(1))).unwrap();
            let trips = trips.iter().find(|own| own.names == ["Trips"]).unwrap().id;
            edit(&host, async |editor| editor.remove_mailbox(trips).await).unwrap();
        }
        drain(&host).unwrap();
        assert!(open_entries(&host).is_empty());
        assert_eq!(names(&host).contains(&"Trips".into()), capable);
    }
}

#[test]
fn of_a_folder_that_is_deleted_before_the_server_has_heard_of_it_it_never_hears() {
    let host = host();
    let trips = create(&host, None, "Trips").unwrap();
    rename(&host, trips, None, "Travels").unwrap();
    edit(&host, async |editor| editor.subscribe(OTHER, false).await).unwrap();
    for mailbox in [trips, OTHER] {
        edit(&host, async |editor| editor.remove_mailbox(mailbox).await).unwrap();
    }
    // Others call theirs the same.
    for name in ["Trips", "Travels"] {
        host.server.borrow_mut().folders.entry(name.into()).or_default();
    }
    let told = drain(&host).unwrap();
    assert_eq!(told.len(), 1, "the server is told of the one that it knows: {told:?}");
    assert_eq!(on_server(&host), ["Travels", "Trips", "m1"]);
    let server = host.server.borrow();
    assert!(!server.log.iter().any(|line| line.contains("Tr")), "{:?}", server.log);
    assert_eq!(names(&host), ["m1"]);
}

#[test]
fn names_that_can_not_be_are_refused() {
    let host = host();
    for name in ["", " ", "a/b", "50%", "*", "m2", "a\u{7}", &"x".repeat(201)] {
        assert!(matches!(create(&host, None, name), Err(MailError::Input(_))), "{name:?}");
    }
    create(&host, None, &"x".repeat(200)).unwrap();
}

#[test]
fn a_new_folder_is_taken_back_with_undo() {
    let host = host();
    let account = account(Protocol::Imap);
    let made =
        edit(&host, async |editor| editor.create_mailbox(None, "Trips", None).await.map(drop));
    drain(&host).unwrap();
    block_on(undo(&host, &account, made.unwrap().change.unwrap())).unwrap();
    drain(&host).unwrap();
    assert_eq!(on_server(&host), ["m1", "m2"]);
}

#[test]
fn a_folder_that_was_made_for_a_move_stays_when_the_move_is_taken_back() {
    for told in [false, true] {
        let host = host();
        let before = host.server.borrow().state()["m1"].clone();
        let made = edit(&host, async |editor| {
            let archive = editor.create_mailbox(None, "Archive", Some(Role::Archive)).await?;
            editor.transfer(INBOX, &[1], archive, false).await
        });
        if told {
            drain(&host).unwrap();
        }
        let change = made.unwrap().change.unwrap();
        block_on(undo(&host, &account(Protocol::Imap), change)).unwrap();
        drain(&host).unwrap();
        assert!(on_server(&host).contains(&"Archive".into()));
        assert_eq!(host.server.borrow().state()["m1"], before);
    }
}

#[test]
fn a_new_folder_that_has_been_put_to_use_is_not_taken_back() {
    let host = host();
    let mut trips = INBOX;
    let made = edit(&host, async |editor| {
        trips = editor.create_mailbox(None, "Trips", None).await?;
        Ok(())
    });
    move_to(&host, INBOX, &[1], trips).unwrap();
    let change = made.unwrap().change.unwrap();
    let undone = block_on(undo(&host, &account(Protocol::Imap), change));
    assert!(matches!(undone, Err(MailError::Input(_))));
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["Trips"].len(), 1);
}

#[test]
fn a_folder_whose_messages_are_on_their_way_out_is_neither_deleted_nor_renamed() {
    let host = host();
    let trips = create(&host, None, "Trips").unwrap();
    drain(&host).unwrap();
    move_to(&host, INBOX, &[1], trips).unwrap();
    drain(&host).unwrap();
    let uid = uids(&host, trips)[0];
    move_to(&host, trips, &[uid], OTHER).unwrap();
    let removed = edit(&host, async |editor| editor.remove_mailbox(trips).await);
    assert!(matches!(removed, Err(MailError::Input(_))));
    assert!(matches!(rename(&host, trips, None, "Travels"), Err(MailError::Input(_))));
    drain(&host).unwrap();
    edit(&host, async |editor| editor.remove_mailbox(trips).await).unwrap();
    drain(&host).unwrap();
    assert!(!on_server(&host).contains(&"Trips".into()));
    assert_eq!(host.server.borrow().state()["m2"].len(), 1);
}

#[test]
fn a_folder_that_is_renamed_or_deleted_is_not_open_meanwhile_nor_is_one_in_it() {
    let examine = r#"EXAMINE "INBOX""#;
    for (offers, refuses, leaves) in [
        ("MOVE UIDPLUS UNSELECT", None, &["UNSELECT"][..]),
        ("MOVE UIDPLUS UNSELECT", Some("UNSELECT"), &["UNSELECT", examine]),
        ("MOVE UIDPLUS", None, &[examine]),
        ("MOVE UIDPLUS", Some("EXAMINE"), &[examine]),
    ] {
        let host = &prepared(Imap::new(offers), MemoryStore::new());
        host.server.borrow_mut().refuses.extend(refuses);
        let nested = create(host, Some(OTHER), "x").unwrap();
        for (uid, to) in [(1, OTHER), (2, nested)] {
            move_to(host, INBOX, &[uid], to).unwrap();
        }
        drain(host).unwrap();
        sync(host).unwrap();
        let own = account(Protocol::Imap);
        let secret = Secret::new("secret");
        let mut client = block_on(ImapClient::connect(host, &own.incoming, &secret)).unwrap();
        let mut tell = || {
            block_on(async {
                while let Some(entry) = changes::next(host.store(), own.id).await.unwrap() {
                    client.make_change(host, &entry).await.unwrap();
                }
            });
            std::mem::take(&mut host.server.borrow_mut().log)
        };
        // While one is open, it or another is changed: first the server is told to leave it.
        let mut check = |open: (MailboxId, Mark, &str), change: &dyn Fn(), changed: &str| {
            let (mailbox, mark, path) = open;
            let uid = uids(host, mailbox)[0];
            edit(host, async |editor| editor.mark(mailbox, &[uid], &mark, true).await).unwrap();
            assert!(tell().contains(&format!("SELECT \"{path}\"")), "{path}");
            change();
            let expected = [leaves, &[changed]].concat();
            assert_eq!(tell()[..expected.len()], expected);
        };
        let rename = |name| move || drop(rename(host, OTHER, None, name).unwrap());
        let remove = |mailbox| {
            move || drop(edit(host, async |own| own.remove_mailbox(mailbox).await).unwrap())
        };
        let (star, answered) = (Mark::Flagged, Mark::Answered);
        check((nested, star.clone(), "m2/x"), &rename("m3"), r#"RENAME "m2" "m3""#);
        check((OTHER, star, "m3"), &rename("m4"), r#"RENAME "m3" "m4""#);
        check((nested, answered.clone(), "m4/x"), &remove(nested), r#"DELETE "m4/x""#);
        check((OTHER, answered, "m4"), &remove(OTHER), r#"DELETE "m4""#);
        assert_eq!(on_server(host), ["m1"]);
    }
}
