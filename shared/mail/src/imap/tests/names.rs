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
        (r#"LSUB "" "*""#, ok("")),
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
    let subscribed = (r#"LSUB "" "*""#, "{tag} NO x\r\n".to_owned());
    let plain = || {
        vec![
            (r#"LIST "" "*""#, list("R&-D/Entw&APw-rfe")),
            subscribed.clone(),
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
        subscribed.clone(),
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
    let may = mailboxes.iter().map(|own| {
        let marks = [&Mark::Seen, &Mark::Flagged].map(|mark| own.may_mark(mark));
        let of_messages = [own.can_take, marks[0], marks[1], own.may_remove()];
        (own.names.join("/"), own.can_nest, of_messages)
    });
    let expected = [
        ("INBOX".into(), true, [true; 4]),
        ("f\u{fc}r".into(), false, [false, true, false, false]),
        ("odd".into(), true, [true; 4]),
        ("old".into(), true, [true, false, false, false]),
        ("other".into(), true, [true; 4]),
    ];
    assert_eq!(may.collect::<Vec<_>>(), expected);
}

#[test]
fn a_list_without_new_mailboxes_needs_no_number() {
    let host = ScriptedHost::default();
    let sync = |list: &str| {
        let told: String =
            list.split(' ').map(|name| format!("* LIST () \"/\" {name}\r\n")).collect();
        let mut script = vec![(r#"LIST "" "*""#, ok(&told)), (r#"LSUB "" "*""#, ok(""))];
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

#[test]
fn subscriptions_are_asked_for_apart_where_the_list_does_not_tell_them() {
    let host = ScriptedHost::default();
    let list: String =
        ["INBOX", "a", "Entw&APw-rfe"].map(|name| format!("* LIST () \".\" {name}\r\n")).concat();
    let subscribed = |paths: &[&str], refusal: Option<&str>| {
        let told = paths.iter().map(|path| format!("* LSUB () \".\" {path}\r\n"));
        let told: String = told.collect();
        let refusal = refusal.map(|end| format!("{told}{{tag}} {end}\r\n"));
        let count = |name| {
            let asked = format!("STATUS \"{name}\" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)");
            (&*asked.leak(), ok(""))
        };
        let script = vec![
            (r#"LIST "" "*""#, ok(&list)),
            (r#"LSUB "" "*""#, refusal.unwrap_or_else(|| ok(&told))),
            count("INBOX"),
            count("a"),
            count("Entw&APw-rfe"),
        ];
        let mut client = ready(&host, script);
        let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
        let is = mailboxes.into_iter().map(|own| (own.names.concat(), own.subscribed));
        is.filter_map(|(name, is)| is.then_some(name)).collect::<Vec<_>>()
    };
    // As before it was asked.
    assert_eq!(subscribed(&[], Some("BAD what?")).len(), 3);
    assert_eq!(subscribed(&["Inbox", "Entw&APw-rfe", "gone"], None), ["INBOX", "Entwürfe"]);
    for (paths, refusal) in [(&["a"][..], Some("NO not now")), (&["a", "("], None)] {
        assert_eq!(subscribed(paths, refusal), ["INBOX", "Entwürfe"], "{paths:?}");
    }
    // Who is subscribed to nothing has never thought of it.
    assert_eq!(subscribed(&[], None), ["INBOX", "Entwürfe"]);
    assert_eq!(subscribed(&["a"], None), ["a"]);
}

#[test]
fn a_server_of_imap4rev2_alone_is_spoken_to_in_utf_8_and_with_all_that_belongs_to_it() {
    let host = host_with_inbox();
    let mailbox = Mailbox { path: b"R&-D".into(), names: vec!["R&D".into()], ..inbox() };
    now(host.store.apply(vec![mailbox.put()], Durability::Relaxed)).unwrap();
    let listing = "LIST \"\" \"*\" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES UNSEEN UIDNEXT \
                   UIDVALIDITY))";
    let list = "* LIST (\\Subscribed) \"/\" INBOX\r\n* LIST (\\Drafts) \"/\" \"Entwürfe\"\r\n\
                * LIST () \"/\" \"R&D\"\r\n* STATUS \"R&D\" (MESSAGES 1 UNSEEN 1)\r\n";
    let script = vec![
        ("AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=", "{tag} OK in\r\n".into()),
        ("CAPABILITY", ok("* CAPABILITY IMAP4rev2 AUTH=PLAIN\r\n")),
        (listing, ok(list)),
        (r#"SELECT "R&D""#, select(1, 9, 3).1),
        ("UID SEARCH RETURN (COUNT) UNSEEN", unread(1).1),
        all("2"),
        (items!("2"), ok(&listed([2]))),
    ];
    let greeting = "* OK [CAPABILITY IMAP4rev2 AUTH=PLAIN] hi\r\n";
    let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
    let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    let told: Vec<_> =
        mailboxes.iter().map(|own| (own.names.concat(), own.role, own.total)).collect();
    let expected = [
        ("INBOX".into(), Some(Role::Inbox), 0),
        ("Entwürfe".into(), Some(Role::Drafts), 0),
        ("R&D".into(), None, 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(mailboxes[2].id, INBOX, "it is the one that was stored under this name before");
    assert_eq!(&*mailboxes[1].path, b"Entw&APw-rfe");
    let mut changed = |_: SyncStep| ControlFlow::Continue(());
    assert!(now(client.sync_messages(&host, INBOX, &mut changed)).unwrap().is_continue());
    assert_eq!(uids(&host), [2]);
}
