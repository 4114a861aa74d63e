//! What each command looks like on the wire.

use postern_sasl::{Credentials, Mechanism};

use super::*;
use crate::{
    SequenceSet,
    response::{Capabilities, Flag},
};

/// The command with its literals written as `{n}` and their bytes.
fn wire(command: &Command) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => String::from_utf8(text.clone()).unwrap(),
        Part::Literal(bytes) => format!("{{{}}}{}", bytes.len(), String::from_utf8_lossy(bytes)),
    };
    command.parts.iter().map(text).collect()
}

fn uids() -> SequenceSet {
    SequenceSet::parse(b"1:3,9").unwrap()
}

/// Commands and what they look like, with literals as [`wire`] writes them.
fn examples() -> Vec<(Command, &'static str)> {
    let credentials = Credentials::new("ann", r#"p"w"#);
    let section = |section: &str, partial| FetchItem::Section { section: section.into(), partial };
    let everything = ListReturn { special_use: true, status: true };
    let header = SearchKey::Header { name: "Message-ID".into(), value: "<ä@b>".into() };
    vec![
        (Command::capability(), "CAPABILITY"),
        (Command::noop(), "NOOP"),
        (Command::logout(), "LOGOUT"),
        (Command::start_tls(), "STARTTLS"),
        (Command::authenticate(Mechanism::plain(credentials.clone())), "AUTHENTICATE PLAIN"),
        (Command::login(&credentials).unwrap(), r#"LOGIN "ann" "p\"w""#),
        (Command::enable(&["CONDSTORE", "UTF8=ACCEPT"]), "ENABLE CONDSTORE UTF8=ACCEPT"),
        (Command::id(&[]).unwrap(), "ID NIL"),
        (
            Command::id(&[("name", "Postern"), ("version", "1")]).unwrap(),
            r#"ID ("name" "Postern" "version" "1")"#,
        ),
        (Command::select(b"INBOX").unwrap(), r#"SELECT "INBOX""#),
        (Command::examine(b"a b").unwrap(), r#"EXAMINE "a b""#),
        (Command::list(b"*", ListReturn::default()).unwrap(), r#"LIST "" "*""#),
        (
            Command::list(b"*", everything).unwrap(),
            r#"LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))"#,
        ),
        (
            Command::status(b"x\r\ny").unwrap(),
            "STATUS {4}x\r\ny (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)",
        ),
        (
            Command::uid_fetch(&uids(), &[FetchItem::Envelope, FetchItem::Flags]).unwrap(),
            "UID FETCH 1:3,9 (UID ENVELOPE FLAGS)",
        ),
        (
            Command::uid_fetch(
                &5.into(),
                &[
                    FetchItem::InternalDate,
                    FetchItem::Size,
                    FetchItem::BodyStructure,
                    section("", None),
                    section("1.2.MIME", None),
                    section("2", Some(Partial { origin: 0, count: 512 })),
                ],
            )
            .unwrap(),
            "UID FETCH 5 (UID INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[] \
             BODY.PEEK[1.2.MIME] BODY.PEEK[2]<0.512>)",
        ),
        (
            Command::uid_store(&uids(), StoreMode::Add, &[Flag::Seen]).unwrap(),
            r"UID STORE 1:3,9 +FLAGS.SILENT (\Seen)",
        ),
        (
            Command::uid_store(&uids(), StoreMode::Replace, &[]).unwrap(),
            "UID STORE 1:3,9 FLAGS.SILENT ()",
        ),
        (Command::uid_search(&[], SearchReturn::Plain).unwrap(), "UID SEARCH ALL"),
        (
            Command::uid_search(&[SearchKey::Unseen], SearchReturn::Count).unwrap(),
            "UID SEARCH RETURN (COUNT) UNSEEN",
        ),
        (
            Command::uid_search(&[SearchKey::Uid(uids()), header], SearchReturn::All).unwrap(),
            r#"UID SEARCH RETURN (ALL) CHARSET UTF-8 UID 1:3,9 HEADER "Message-ID" {6}<ä@b>"#,
        ),
        (
            Command::append(b"Sent", &[Flag::Seen], b"Subject: x\r\n\r\n".to_vec()).unwrap(),
            "APPEND \"Sent\" (\\Seen) {14}Subject: x\r\n\r\n",
        ),
        (Command::append(b"Sent", &[], b"x".to_vec()).unwrap(), "APPEND \"Sent\" {1}x"),
    ]
}

#[test]
fn commands_are_spelled_as_the_standard_says() {
    for (command, expected) in examples() {
        assert_eq!(wire(&command), expected);
    }
}

#[test]
fn another_implementation_understands_every_command() {
    use imap_codec::{CommandCodec, decode::Decoder};

    let mut refused = Vec::new();
    for (command, example) in examples() {
        // It knows neither RFC 5258 nor RFC 4731.
        if example.contains(" RETURN (") {
            continue;
        }
        let mut bytes = b"A1 ".to_vec();
        for part in &command.parts {
            match part {
                Part::Text(text) => bytes.extend(text),
                Part::Literal(literal) => {
                    bytes.extend(format!("{{{}}}\r\n", literal.len()).bytes());
                    bytes.extend(literal);
                }
            }
        }
        bytes.extend(b"\r\n");
        let decoded = CommandCodec::default().decode(&bytes);
        if !decoded.is_ok_and(|(rest, _)| rest.is_empty()) {
            refused.push(example);
        }
    }
    assert_eq!(refused, [""; 0]);
}

#[test]
fn sections_can_not_break_out() {
    for section in ["1]", "1..2", "0", "1.", "x", "1 2", "+1", "HEADER.FIELDS (A)", "1.\r\n"] {
        let fetch = Command::uid_fetch(&1.into(), &[FetchItem::section(section)]);
        assert_eq!(fetch.unwrap_err(), InvalidArgument::Section, "{section}");
    }
    for section in ["", "HEADER", "TEXT", "1", "12.3", "1.MIME", "1.2.HEADER"] {
        assert!(Command::uid_fetch(&1.into(), &[FetchItem::section(section)]).is_ok(), "{section}");
    }
}

#[test]
fn a_message_with_a_nul_byte_is_refused() {
    assert_eq!(Command::append(b"a", &[], vec![0]).unwrap_err(), InvalidArgument::Nul);
}

#[test]
fn debug_does_not_show_a_password() {
    let credentials = Credentials::new("ann", "tr0ub4dor");
    let login = Command::login(&credentials).unwrap();
    let authenticate = Command::authenticate(Mechanism::plain(credentials));
    assert!(!format!("{login:?} {authenticate:?}").contains("tr0ub4dor"));
}

#[test]
fn a_list_returns_what_the_server_offers() {
    let offered = |names: &str| {
        let tokens = crate::token::text_tokens(names.as_bytes(), &crate::Limits::default());
        let capabilities = Capabilities::from_tokens(&tokens.items, &crate::Limits::default());
        let offered = ListReturn::offered(&capabilities);
        (offered.special_use, offered.status)
    };
    assert_eq!(offered("IMAP4rev1 SPECIAL-USE LIST-STATUS"), (false, false));
    assert_eq!(offered("IMAP4rev1 LIST-EXTENDED SPECIAL-USE"), (true, false));
    assert_eq!(offered("IMAP4rev1 LIST-EXTENDED SPECIAL-USE LIST-STATUS"), (true, true));
    assert_eq!(offered("IMAP4rev2"), (true, true));
}
