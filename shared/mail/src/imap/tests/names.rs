//! The list of mailboxes, and how they are named.

use super::*;

#[test]
fn mailboxes_are_listed_with_counts_asked_for_one_by_one_where_need_be() {
    let host = ScriptedHost::default();
    let list = "* LIST (\\HasChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" a\r\n\
                * LIST (\\Sent) \"/\" \"Gesendet &APw-\"\r\n";
    let counts = "* STATUS \"Gesendet &APw-\" (MESSAGES 7 UNSEEN 0)\r\n";
    let script = vec![
        (r#"LIST "" "*""#, ok(list)),
        (r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, "{tag} NO x\r\n".into()),
        (r#"STATUS "Gesendet &APw-" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, ok(counts)),
    ];
    let mut client = ready(&host, script);
    let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    let told: Vec<_> = mailboxes
        .iter()
        .map(|own| (own.names.join("/"), own.role, own.selectable, own.total))
        .collect();
    let expected = [
        ("INBOX".into(), Some(Role::Inbox), true, 0),
        ("Gesendet ü".into(), Some(Role::Sent), true, 7),
        ("a".into(), None, false, 0),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_server_that_speaks_utf_8_at_one_log_in_and_not_at_the_next_has_the_same_mailboxes() {
    let host = ScriptedHost::default();
    let list = |name: &str| ok(&format!("* LIST () \"/\" INBOX\r\n* LIST () \"/\" \"{name}\"\r\n"));
    let count = |name: &str| ok(&format!("* STATUS \"{name}\" (MESSAGES 7 UNSEEN 2)\r\n"));
    let inbox = (r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, count("INBOX"));
    let plain = || {
        vec![
            (r#"LIST "" "*""#, list("R&-D/Entw&APw-rfe")),
            inbox.clone(),
            (
                r#"STATUS "R&-D/Entw&APw-rfe" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#,
                count("R&-D/Entw&APw-rfe"),
            ),
        ]
    };
    let utf8 = vec![
        ("ENABLE UTF8=ACCEPT", ok("* ENABLED UTF8=ACCEPT\r\n")),
        (r#"LIST "" "*""#, list("R&D/Entwürfe")),
        inbox.clone(),
        ("STATUS {13+}", count("R&D/Entwürfe")),
        // The rest of the command.
        ("(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)", String::new()),
    ];
    let offers = "* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+] hi\r\n";
    let mut told = Vec::new();
    for (greeting, script) in [(LOGGED_IN, plain()), (offers, utf8), (LOGGED_IN, plain())] {
        let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
        told.push(now(client.sync_mailboxes(&host, AccountId(1))).unwrap());
        assert!(host.wire.borrow().script.is_empty());
    }
    let [first, second, third] = &told[..] else { panic!() };
    assert_eq!((first, second), (second, third));
    assert_eq!(first[1].names, ["R&D", "Entwürfe"]);
    assert_eq!((&*first[1].path, first[1].total), (&b"R&-D/Entw&APw-rfe"[..], 7));
}

#[test]
fn a_mailbox_is_opened_by_the_name_that_was_agreed_on() {
    let host = host_with_inbox();
    let mailbox = Mailbox { path: b"R&-D".into(), ..inbox() };
    now(host.store.apply(vec![mailbox.put()], Durability::Relaxed)).unwrap();
    let opened = select(0, 9, 1).1;
    let none = ("UID SEARCH UNSEEN", ok("* SEARCH\r\n"));
    let script = vec![
        ("ENABLE UTF8=ACCEPT", ok("* ENABLED UTF8=ACCEPT\r\n")),
        (r#"SELECT "R&D""#, opened),
        none,
    ];
    let offers = "* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT] hi\r\n";
    let mut client = connect(&host, Security::Tls, offers, script).unwrap();
    assert_eq!(sync(&mut client, &host).last(), Some(&(0, 0, 0)));
}

#[test]
fn identifiers_that_can_not_be_had_are_asked_for_once_a_connection_and_hold_up_no_others() {
    let host = ScriptedHost::default();
    let count = limits::COUNTED_MAILBOXES + 1;
    let names: Vec<String> = (0..count).map(|number| format!("m{number:03}")).collect();
    let list: String = names.iter().map(|name| format!("* LIST () \"/\" {name}\r\n")).collect();
    let counts = |name: &String| format!("* STATUS {name} (MESSAGES 1 UIDVALIDITY 7)\r\n");
    let list = list + &names.iter().map(counts).collect::<String>();
    let identity = |(at, name): (usize, &String)| {
        let said: &'static str = format!("STATUS \"{name}\" (UIDVALIDITY MAILBOXID)").leak();
        // Every other one can't be had.
        let told = format!("* STATUS {name} (UIDVALIDITY 7 MAILBOXID (F{at}))\r\n");
        (said, if at % 2 == 0 { ok(&told) } else { "{tag} NO [CANNOT] x\r\n".into() })
    };
    let asked: Vec<_> = names.iter().enumerate().map(identity).collect();
    let listing = (
        "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))",
        ok(&list),
    );
    let (first, last) = asked.split_at(limits::COUNTED_MAILBOXES);
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 LIST-EXTENDED LIST-STATUS OBJECTID] hi\r\n";
    let mut script = vec![listing.clone()];
    script.extend_from_slice(first);
    script.push(listing.clone());
    script.extend_from_slice(last);
    script.push(listing);
    let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
    for _ in 0..3 {
        now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    }
    assert!(host.wire.borrow().script.is_empty());
    let mailboxes = now(record::mailboxes(&host.store, AccountId(1))).unwrap();
    let identified = mailboxes.iter().filter(|own| own.server_id.is_some()).count();
    assert_eq!(identified, count.div_ceil(2));
}

#[test]
fn what_this_account_may_not_do_with_a_mailbox_is_known_where_the_server_tells() {
    let host = ScriptedHost::default();
    let list = "* LIST () \"/\" INBOX\r\n* MYRIGHTS INBOX lrswipkxte\r\n\
                * LIST () \"/\" \"f&APw-r\"\r\n* MYRIGHTS \"f&APw-r\" lrs\r\n\
                * LIST () \"/\" old\r\n* MYRIGHTS old lric\r\n\
                * LIST () \"/\" other\r\n* LIST () \"/\" odd\r\n* MYRIGHTS odd \"\"\r\n";
    let listing = "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN MYRIGHTS STATUS (MESSAGES UNSEEN UIDNEXT \
                   UIDVALIDITY))";
    let greeting =
        "* PREAUTH [CAPABILITY IMAP4rev1 LIST-EXTENDED LIST-STATUS LIST-MYRIGHTS] hi\r\n";
    let mut client = connect(&host, Security::Tls, greeting, vec![(listing, ok(list))]).unwrap();
    let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    let may = mailboxes.iter().map(|own| (own.names.join("/"), own.can_take, own.can_nest));
    let expected = [
        ("INBOX".into(), true, true),
        ("f\u{fc}r".into(), false, false),
        ("odd".into(), true, true),
        ("old".into(), true, true),
        ("other".into(), true, true),
    ];
    assert_eq!(may.collect::<Vec<_>>(), expected);
}

#[test]
fn a_list_without_new_mailboxes_needs_no_number() {
    let host = ScriptedHost::default();
    let sync = |list: &str| {
        let told: String =
            list.split(' ').map(|name| format!("* LIST () \"/\" {name}\r\n")).collect();
        let mut script = vec![(r#"LIST "" "*""#, ok(&told))];
        for command in [
            r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#,
            r#"STATUS "a" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#,
        ] {
            if list.contains(command.split('"').nth(1).unwrap()) {
                script.push((command, "{tag} NO x\r\n".into()));
            }
        }
        now(ready(&host, script).sync_mailboxes(&host, AccountId(1))).map(|all| all.len())
    };
    assert_eq!(sync("INBOX"), Ok(1));
    let none_left = record::Series::Mailbox.put(u32::MAX);
    now(host.store.apply(vec![none_left], Durability::Strict)).unwrap();
    assert_eq!(sync("INBOX"), Ok(1));
    assert!(sync("INBOX a").is_err());
    assert_eq!(now(record::mailboxes(&host.store, AccountId(1))).unwrap().len(), 1);
}
