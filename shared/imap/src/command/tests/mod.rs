//! What each command looks like on the wire.

mod examples;

use examples::examples;
use postern_sasl::{Credentials, Mechanism};

use super::*;
use crate::{
    SequenceSet,
    mailbox_name::Spelling,
    response::{Capabilities, Day, Flag},
};

/// The command with its literals written as `{n}` and their bytes.
fn wire(command: &Command) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => String::from_utf8(text.clone()).unwrap(),
        Part::Literal(bytes) => format!("{{{}}}{}", bytes.len(), String::from_utf8_lossy(bytes)),
        Part::Content { size, .. } => format!("{{{size}}}..."),
    };
    command.parts.iter().map(text).collect()
}

#[test]
fn commands_are_spelled_as_the_standard_says() {
    for (command, expected) in examples() {
        assert_eq!(wire(&command), expected);
    }
}

/// What imap-codec does not know: LIST-EXTENDED, ESEARCH and SEARCHRES, special use, MULTIAPPEND,
/// BINARY, UTF8=ACCEPT, PARTIAL, NOTIFY, and what is named X-GM or came after 2017.
#[rustfmt::skip]
const UNKNOWN_ELSEWHERE: &[&str] = &[
    " RETURN (", "LIST (", "(USE", "one (", "UTF8 (", "\"<\u{e4}", "PARTIAL", " $", "X-GM-",
    "PREVIEW", "SAVED", "MAILBOXID", "~{4}...", "NOTIFY",
];

#[test]
fn another_implementation_understands_every_command() {
    use imap_codec::{CommandCodec, decode::Decoder};

    let mut refused = Vec::new();
    for (command, example) in examples() {
        if UNKNOWN_ELSEWHERE.iter().any(|unknown| example.contains(unknown)) {
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
                Part::Content { size, .. } => {
                    bytes.extend(format!("{{{size}}}\r\n").bytes());
                    bytes.extend(std::iter::repeat_n(b'x', *size as usize));
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
    for section in [
        "MIME",
        "1MIME",
        ".TEXT",
        "1]",
        "1..2",
        "0",
        "1.",
        "x",
        "1 2",
        "+1",
        "HEADER.FIELDS (A)",
        "1.\r\n",
    ] {
        let fetch = Command::uid_fetch(&1.into(), &[FetchItem::section(section)]);
        assert_eq!(fetch.unwrap_err(), InvalidArgument::Section, "{section}");
    }
    for section in ["", "HEADER", "TEXT", "1", "12.3", "1.MIME", "1.2.HEADER"] {
        assert!(Command::uid_fetch(&1.into(), &[FetchItem::section(section)]).is_ok(), "{section}");
    }
}

#[test]
fn words_that_stand_without_quotes_can_not_break_out() {
    let search = |key| Command::uid_search(&[key], SearchReturn::Plain).unwrap_err();
    let words = ["", "a b", "a)", "a\r\nb", "\"", "\u{e4}"];
    for word in words {
        let keyword = Flag::Other(word.into());
        assert_eq!(search(SearchKey::Flag(keyword.clone())), InvalidArgument::Flag, "{word}");
        assert_eq!(search(SearchKey::NoFlag(keyword)), InvalidArgument::Flag, "{word}");
        assert_eq!(search(SearchKey::EmailId(word.into())), InvalidArgument::Atom, "{word}");
        assert_eq!(search(SearchKey::ThreadId(word.into())), InvalidArgument::Atom, "{word}");
        let fields = FetchItem::HeaderFields {
            section: String::new(),
            names: vec![word.into()],
            except: false,
            partial: None,
        };
        let fetch = Command::uid_fetch(&1.into(), &[fields]);
        assert_eq!(fetch.unwrap_err(), InvalidArgument::Section, "{word}");
        assert_eq!(Command::create_for(b"a", word).unwrap_err(), InvalidArgument::Flag, "{word}");
    }
}

#[test]
fn names_of_several_lines_are_refused() {
    for name in [&b"a\r\nA1 LOGOUT"[..], b"\n", b"a\rb"] {
        for refused in [
            Command::select(name),
            Command::create(name),
            Command::rename(b"a", name),
            Command::delete(name),
            Command::subscribe(name),
            Command::status(name),
            Command::uid_copy(Uids::Saved, name),
            Command::uid_move(Uids::Saved, name),
            Command::append(name, &[], vec![]),
            Command::uid_store_labels(Uids::Saved, StoreMode::Add, &[name.to_vec()]),
        ] {
            assert_eq!(refused.unwrap_err(), InvalidArgument::LineBreak);
        }
    }
}

#[test]
fn searches_of_the_limit_are_sent_and_deeper_ones_refused() {
    let nested = |depth| (0..depth).fold(SearchKey::All, |key, _| SearchKey::negate(key));
    let search = |depth| Command::uid_search(&[nested(depth)], SearchReturn::Plain);
    assert!(search(100).is_ok());
    assert_eq!(search(101).unwrap_err(), InvalidArgument::TooDeep);
}

#[test]
fn nothing_is_not_asked_for() {
    let nothing = [
        Command::status_of(b"a", &[]),
        Command::list_selected(&[], ListSelection::default(), &ListReturn::default()),
        Command::append_all(b"a", []),
        Command::uid_sort(&[], &[]),
    ];
    for refused in nothing {
        assert_eq!(refused.unwrap_err(), InvalidArgument::Empty);
    }
}

#[test]
fn a_token_is_never_sent_as_a_password() {
    let login = Command::login(&Credentials::with_token("ann", "ya29"));
    assert_eq!(login.unwrap_err(), InvalidArgument::Token);
}

#[test]
fn a_date_beyond_the_calendar_is_refused() {
    let message = AppendMessage { internal_date: Some(i64::MAX), ..Default::default() };
    assert_eq!(Command::append_all(b"a", [message]).unwrap_err(), InvalidArgument::Date);
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
        let arena = crate::token::Arena::default();
        let limits = crate::Limits::default();
        let tokens = crate::token::text_tokens(names.as_bytes(), &arena, &limits);
        let capabilities = Capabilities::from_tokens(tokens.items, &limits);
        let offered = ListReturn::offered(&capabilities);
        (offered.special_use, !offered.status.is_empty())
    };
    assert_eq!(offered("IMAP4rev1 SPECIAL-USE LIST-STATUS"), (false, false));
    assert_eq!(offered("IMAP4rev1 LIST-EXTENDED SPECIAL-USE"), (true, false));
    assert_eq!(offered("IMAP4rev1 LIST-EXTENDED SPECIAL-USE LIST-STATUS"), (true, true));
    assert_eq!(offered("IMAP4rev2"), (true, true));
}
