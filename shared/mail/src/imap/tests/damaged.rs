//! Answers that are damaged, or can't be true: nothing that is stored goes because of them.

use super::*;

/// A host whose inbox holds 2, 5 and 6, of which the server has two, after a sync in which it
/// answers so when it is asked which; and what was asked for next, and can't be answered.
fn compared(search: &str, flags: &'static str) -> ScriptedHost {
    let host = host_with_messages();
    let script = vec![
        select(2, 9, 7),
        unread(0),
        ("UID SEARCH RETURN (ALL) ALL", ok(search)),
        (flags, ok("* 1 FETCH (UID 2 FLAGS (\\Seen))\r\n")),
    ];
    sync(&mut ready(&host, script), &host);
    host
}

fn own(host: &ScriptedHost) -> Mailbox {
    now(record::mailbox(&host.store, INBOX)).unwrap()
}

#[test]
fn a_search_that_does_not_tell_all_removes_nothing_and_the_mailbox_is_compared_again() {
    let partial = [
        "* ESEARCH (TAG \"{tag}\") UID\r\n",
        "* ESEARCH (TAG \"{tag}\") UID ALL 2,x\r\n",
        "* ESEARCH (TAG \"{tag}\") UID ALL 2\r\n",
        "* SEARCH 2 x\r\n",
        "* SEARCH\r\n",
        // One line of several answers something else.
        "* ESEARCH (TAG \"A9\") UID ALL 5\r\n* ESEARCH (TAG \"{tag}\") UID ALL 2\r\n",
        // One line of several is damaged.
        "* SEARCH 2 6\r\n* SEARCH (7\r\n",
    ];
    for answer in partial {
        let host = compared(answer, "UID FETCH 2,5:6 (UID FLAGS)");
        assert_eq!(uids(&host), [2, 5, 6], "{answer}");
        assert!(own(&host).synced.stale, "{answer}");
        let flags = ("UID FETCH 2,6 (UID FLAGS)", ok(""));
        sync(&mut ready(&host, vec![select(2, 9, 7), unread(0), all("2,6"), flags]), &host);
        assert_eq!((uids(&host), own(&host).synced.stale), (vec![2, 6], false), "{answer}");
    }
}

#[test]
fn what_goes_while_the_server_searches_need_not_be_found() {
    let answer = "* 1 EXPUNGE\r\n* ESEARCH (TAG \"{tag}\") UID ALL 6\r\n";
    let host = compared(answer, "UID FETCH 6 (UID FLAGS)");
    assert_eq!((uids(&host), own(&host).synced.stale), (vec![6], false));
}

#[test]
fn a_result_in_several_lines_is_one_result() {
    for answer in [
        "* SEARCH 2\r\n* SEARCH 6\r\n",
        "* ESEARCH (TAG \"{tag}\") UID ALL 6\r\n* ESEARCH (TAG \"{tag}\") UID ALL 2\r\n",
    ] {
        let host = compared(answer, "UID FETCH 2,6 (UID FLAGS)");
        assert_eq!(uids(&host), [2, 6], "{answer}");
    }
}

#[test]
fn a_mailbox_that_is_opened_without_a_count_is_not_an_empty_one() {
    let host = host_with_messages();
    let opened = "* x EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 7] x\r\n";
    let mut client = ready(&host, vec![(r#"SELECT "INBOX""#, ok(opened))]);
    assert!(now(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(()))).is_err());
    assert_eq!(uids(&host), [2, 5, 6]);
}

#[test]
fn messages_whose_flags_come_damaged_stay() {
    let host = host_with_messages();
    let answer = "* 1 FETCH (UID 2 FLAGS (\\Seen)\r\n* 2 FETCH (UID FLAGS\r\n";
    let flags = ("UID FETCH 2,5:6 (UID FLAGS)", ok(answer));
    sync(&mut ready(&host, vec![select(3, 9, 7), unread(3), flags]), &host);
    assert_eq!(uids(&host), [2, 5, 6]);
}

#[test]
fn mailboxes_that_are_not_in_a_damaged_list_stay_with_their_messages() {
    let host = host_with_messages();
    let gone = Mailbox { id: MailboxId(5), path: b"Lists".to_vec(), role: None, ..inbox() };
    let letter = MessageId { mailbox: gone.id, uid: 2 };
    let letter = Message { id: letter, ..stored(&host)[0].clone() };
    let mut writes = vec![gone.put()];
    writes.extend(letter.put_listed());
    now(host.store.apply(writes, Durability::Relaxed)).unwrap();

    let listed = "* LIST () \"/\" INBOX\r\n* LIST () \"/\" New\r\n";
    let list = |damage: &str| {
        let script = vec![
            (r#"LIST "" "*""#, ok(&format!("{listed}{damage}"))),
            (r#"LSUB "" "*""#, "{tag} BAD what?\r\n".into()),
            (r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, ok("")),
            (r#"STATUS "New" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, ok("")),
        ];
        let mut client = ready(&host, script);
        let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
        let paths = mailboxes.into_iter().map(|own| String::from_utf8(own.path).unwrap());
        (paths.collect::<Vec<_>>(), stored(&host).len())
    };
    for damage in ["* LIST (\\HasNoChildren \"/\" Lists\r\n", "* LIST () Lists\r\n", "LIST x\r\n"] {
        assert_eq!(
            list(damage),
            (vec!["INBOX".into(), "Lists".into(), "New".into()], 4),
            "{damage}"
        );
    }
    assert_eq!(list(""), (vec!["INBOX".into(), "New".into()], 3));
}
