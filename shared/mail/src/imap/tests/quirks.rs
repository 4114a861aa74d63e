//! Servers that must be treated differently, which shows while they are talked to.

use super::*;

const ID: &str = concat!(r#"ID ("name" "Postern" "version" ""#, env!("CARGO_PKG_VERSION"), r#"")"#);
const UNSAFE: &str = "{tag} NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n";

/// The same mailbox, opened or refused.
fn select_refused() -> (&'static str, String) {
    (select(0, 9, 1).0, UNSAFE.into())
}

#[test]
fn a_server_that_opens_nothing_for_strangers_is_told_who_asks_and_asked_again() {
    let host = host_with_inbox();
    let told = (ID, ok("* ID NIL\r\n"));
    let script = vec![select_refused(), told, select(0, 9, 1), unread(0)];
    let mut client = ready(&host, script);
    assert_eq!(sync(&mut client, &host).last(), Some(&(0, 0, 0)));
}

#[test]
fn one_that_opens_nothing_all_the_same_is_told_once_alone() {
    let host = host_with_inbox();
    // It may not even know the command.
    let told = (ID, "{tag} BAD what?\r\n".to_owned());
    let script = vec![select_refused(), told, select_refused(), select_refused()];
    let mut client = ready(&host, script);
    for _ in 0..2 {
        let synced = now(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(())));
        let Err(MailError::Refused { text, .. }) = synced else { panic!("{synced:?}") };
        assert!(text.contains("Unsafe Login"), "{text}");
    }
    assert!(host.wire.borrow().script.is_empty());
}

#[test]
fn where_sizes_are_estimates_a_part_ends_where_nothing_more_comes() {
    let structure = "BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)\
                     (\"image\" \"png\" NIL NIL NIL \"base64\" 4) \"mixed\")";
    let first = format!("* 1 FETCH (UID 5 {structure} BODY[2]<0> \"QUJD\")\r\n");
    let rest = [
        ("UID FETCH 5 (UID BODY.PEEK[2]<4.1048576>)", "* 1 FETCH (UID 5 BODY[2]<4> \"REVG\")\r\n"),
        ("UID FETCH 5 (UID BODY.PEEK[2]<8.1048576>)", "* 1 FETCH (UID 5 BODY[2]<8> \"\")\r\n"),
    ];
    let exchange = "The Microsoft Exchange IMAP4 service is ready.";
    for (name, expected) in [("hi", 4), (exchange, 8)] {
        let host = host_with_messages();
        let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] {name}\r\n");
        let mut script = vec![
            select(3, 9, 7),
            ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(&first)),
        ];
        if name == exchange {
            script.extend(rest.map(|(asked, answer)| (asked, ok(answer))));
        }
        let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
        let id = MessageId { mailbox: INBOX, uid: 5 };
        now(client.fetch_part(&host, id, "2")).unwrap();
        let end = now(record::part_end(&host.store, id, "2")).unwrap().unwrap();
        assert_eq!(end.size, expected);
        assert!(host.wire.borrow().script.is_empty());
    }
}
