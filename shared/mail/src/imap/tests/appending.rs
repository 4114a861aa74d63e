//! Messages put into a mailbox.

use super::*;
use crate::{pieces::Pieces, record::put_body};

const HEADER: &str = "Subject: Gr\u{fc}\u{df}e";

/// As a copy is looked for that may be there already.
const SEARCH: &str = r#"UID SEARCH RETURN (ALL) HEADER "Message-ID" "a@b""#;

/// What is said around a message that is sent: what comes before it, and what behind it.
type Around = [(&'static str, &'static str); 2];

/// Files a message, as often as there are lists of `tries`, at a server that offers so much besides: with
/// each the message is sent so often.
fn file(offers: &str, mut script: Script, tries: &[&[Around]]) {
    let host = host_with_inbox();
    let here = MessageId { mailbox: MailboxId(5), uid: 1 };
    let raw = format!("{HEADER}\r\n\r\nHello\r\n");
    now(host.store.apply(put_body(here, raw.as_bytes()), Durability::Relaxed)).unwrap();
    for asked in tries {
        let none = ok("* ESEARCH (TAG \"{tag}\") UID\r\n");
        let search = (SEARCH, none);
        script.extend([select(0, 9, 1), search]);
        for [before, behind] in asked.iter() {
            // Of a line the first word is taken for a tag.
            let lines = ["Gr\u{fc}\u{df}e", "", "Hello"].map(|line| (line, String::new()));
            script.push((before.0, before.1.to_owned()));
            script.extend(lines);
            script.push((behind.0, behind.1.to_owned()));
        }
    }
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH LITERAL+ {offers}] hi\r\n");
    let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
    let content = Pieces::of_message(here, raw.len() as u64);
    for _ in tries {
        now(client.append_once(&host, &inbox(), "a@b", Flags::default(), &content)).unwrap();
    }
    assert!(host.wire.borrow().script.is_empty());
}

fn enabled() -> Script {
    vec![("ENABLE UTF8=ACCEPT", ok("* ENABLED UTF8=ACCEPT\r\n"))]
}

/// As a message is sent whose header has UTF-8, and how that ends.
fn in_utf8(end: &'static str) -> Around {
    [(r#"APPEND "INBOX" () UTF8 (~{27+}"#, ""), (")", end)]
}

/// As any other is.
fn plain(end: &'static str) -> Around {
    [(r#"APPEND "INBOX" {27+}"#, ""), ("", end)]
}

#[test]
fn utf_8_in_a_header_is_sent_as_such_where_the_server_speaks_it() {
    file("ENABLE UTF8=ACCEPT", enabled(), &[&[in_utf8("A4 OK done\r\n")]]);
    // It offers it, and does not enable it.
    let refused = vec![("ENABLE UTF8=ACCEPT", ok(""))];
    file("ENABLE UTF8=ACCEPT", refused, &[&[plain("A4 OK done\r\n")]]);
    file("", vec![], &[&[plain("A3 OK done\r\n")]]);
}

#[test]
fn where_it_is_refused_as_such_it_is_sent_as_any_other_from_then_on() {
    for refusal in ["A4 BAD what?\r\n", "A4 NO not so\r\n"] {
        let first: &[_] = &[in_utf8(refusal), plain("A5 OK done\r\n")];
        file("ENABLE UTF8=ACCEPT", enabled(), &[first, &[plain("A8 OK done\r\n")]]);
    }
}

#[test]
fn a_copy_is_filed_unless_what_a_search_names_is_a_copy_by_its_message_id() {
    let listed = |id: &str| {
        let envelope = format!("(NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<{id}>\")");
        ok(&format!("* 1 FETCH (UID 7 RFC822.SIZE 9 ENVELOPE {envelope})\r\n"))
    };
    // One that is it, another, one that is not there, and one of which nothing is told.
    for (told, is_there) in [
        (listed("a@b"), true),
        (listed("c@d"), false),
        (ok(""), false),
        ("{tag} NO it can't be read\r\n".into(), false),
    ] {
        let host = host_with_inbox();
        let here = MessageId { mailbox: MailboxId(5), uid: 1 };
        now(host.store.apply(put_body(here, b"Hello"), Durability::Relaxed)).unwrap();
        let found = ok("* ESEARCH (TAG \"{tag}\") UID ALL 7\r\n");
        let fetch = "UID FETCH 7 (UID ENVELOPE RFC822.SIZE INTERNALDATE)";
        let mut script = vec![select(1, 9, 8), (SEARCH, found), (fetch, told.clone())];
        if !is_there {
            script.extend([(r#"APPEND "INBOX" (\Seen) {5+}"#, "".into()), ("Hello", "".into())]);
            script.push(("", "A4 OK done\r\n".into()));
        }
        let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH LITERAL+] hi\r\n";
        let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
        let flags = Flags { seen: true, ..Flags::default() };
        let content = Pieces::of_message(here, 5);
        now(client.append_once(&host, &inbox(), "a@b", flags, &content)).unwrap();
        assert!(host.wire.borrow().script.is_empty(), "{told}");
    }
}

/// What becomes of a message of so many bytes at a server that offers so much besides, and is asked so.
fn append(offers: &str, script: Script, size: usize) -> Result<(), MailError> {
    append_raw(offers, script, &vec![b'x'; size])
}

fn append_raw(offers: &str, script: Script, raw: &[u8]) -> Result<(), MailError> {
    let host = host_with_inbox();
    let here = MessageId { mailbox: MailboxId(5), uid: 1 };
    now(host.store.apply(put_body(here, raw), Durability::Relaxed)).unwrap();
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {offers}] hi\r\n");
    let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
    let messages = [(Default::default(), Pieces::of_message(here, raw.len() as u64))];
    let result = now(client.append(&host, b"INBOX", &messages, "take the message")).map(drop);
    assert!(host.wire.borrow().script.is_empty());
    result
}

#[test]
fn what_is_larger_than_a_server_takes_is_not_sent_and_told_with_the_limit() {
    let taken = |tag: &str| {
        let line = [(r#"APPEND "INBOX" {9+}"#, String::new()), ("xxxxxxxxx", String::new())];
        // The line's end is a line of its own.
        line.into_iter().chain([("", format!("{tag} OK done\r\n"))]).collect::<Script>()
    };
    let too_large = Err(MailError::TooLarge { what: "take the message", size: 10, limit: 9 });
    assert_eq!(append("LITERAL+ APPENDLIMIT=9", vec![], 10), too_large);
    assert_eq!(append("LITERAL+ APPENDLIMIT=9", taken("A1"), 9), Ok(()));

    let asks = |told: &str| {
        (r#"STATUS "INBOX" (APPENDLIMIT)"#, ok(&format!("* STATUS INBOX (APPENDLIMIT {told})\r\n")))
    };
    assert_eq!(append("LITERAL+ APPENDLIMIT", vec![asks("9")], 10), too_large);
    for (told, size) in [("9", 9), ("NIL", 9), ("x", 9)] {
        let script = [asks(told)].into_iter().chain(taken("A2")).collect();
        assert_eq!(append("LITERAL+ APPENDLIMIT", script, size), Ok(()), "{told}");
    }
}

#[test]
fn a_message_counts_as_taken_only_after_it_was_sent() {
    let early = || vec![(r#"APPEND "INBOX" {9}"#, ok("* OK [APPENDUID 1 1] x\r\n"))];
    assert!(matches!(append("UIDPLUS", early(), 9), Err(MailError::Protocol(_))));
    let sent = vec![
        (r#"APPEND "INBOX" {9}"#, "+ go on\r\n".into()),
        ("xxxxxxxxx", String::new()),
        ("", "A1 OK done\r\n".into()),
    ];
    assert_eq!(append("UIDPLUS", sent, 9), Ok(()));
}

#[test]
fn a_message_with_a_nul_byte_goes_as_it_is_where_the_server_takes_such_and_not_at_all_elsewhere() {
    let sent = |announced, go_ahead: &str| {
        vec![
            (announced, go_ahead.to_owned()),
            ("xxxx\0xxxx", String::new()),
            // The line's end is a line of its own.
            ("", "A1 OK done\r\n".into()),
        ]
    };
    let unasked = sent(r#"APPEND "INBOX" ~{9+}"#, "");
    assert_eq!(append_raw("BINARY LITERAL+", unasked, b"xxxx\0xxxx"), Ok(()));
    let asked = sent(r#"APPEND "INBOX" ~{9}"#, "+ go on\r\n");
    assert_eq!(append_raw("BINARY", asked, b"xxxx\0xxxx"), Ok(()));

    let refused = append_raw("LITERAL+", vec![], b"xxxx\0xxxx").unwrap_err();
    let sentence = refused.problem("mail.example.org").sentence;
    assert_eq!(sentence, "mail.example.org does not offer messages with a NUL byte.");
}
