//! Servers that say what no server may say, to a client that has something queued: it ends in a sentence
//! or is passed over, and what is stored and queued stays as it is.

use postern_bridge::MailboxId;

use super::*;
use crate::store::Order;

const OTHER: MailboxId = MailboxId(5);

/// A host whose inbox holds the messages 2, 5 and 6, with a mark, a move and a draft that the server was
/// not told yet.
fn host_with_changes() -> ScriptedHost {
    let host = host_with_messages();
    let letters = stored(&host);
    let other = Mailbox { id: OTHER, path: b"Other".to_vec(), role: None, ..inbox() };
    let moved = MessageId { mailbox: OTHER, uid: u32::MAX - 1 };
    let item = |uid, to| Item { uid, to, uid_validity: 9, ..Item::default() };
    let tasks = [
        Task::Mark { mailbox: INBOX, items: vec![item(2, 0)], mark: Mark::Flagged, set: true },
        Task::Transfer {
            from: INBOX,
            to: OTHER,
            items: vec![item(5, moved.uid)],
            copy: false,
            step: Default::default(),
        },
        Task::Append { mailbox: OTHER, item: item(0, u32::MAX - 2), since: None },
    ];
    let mut writes = vec![other.put()];
    writes.extend((1..).zip(tasks).map(|(number, task)| queued(number, task).put()));
    writes.extend(letters[1].delete_whole());
    for (uid, text) in [(moved.uid, &b"moved"[..]), (u32::MAX - 2, b"a draft")] {
        let id = MessageId { mailbox: OTHER, uid };
        let body = Body::Whole { size: text.len() as u64 };
        writes.extend(Message { id, body, ..letters[1].clone() }.put_listed());
        writes.extend(record::put_body(id, text));
    }
    now(host.store.apply(writes, Durability::Strict)).unwrap();
    host
}

/// All that is stored.
fn everything(host: &ScriptedHost) -> Vec<(crate::store::Key, Vec<u8>)> {
    let rows = Table::ALL.into_iter().flat_map(|table| {
        now(host.store.scan(table, &KeyRange::all(), Order::Ascending, usize::MAX)).unwrap()
    });
    rows.collect()
}

/// What becomes of a client that has opened the inbox and asks how the server is, if that says this
/// before its answer.
fn said(host: &ScriptedHost, bad: &str) -> Result<(), MailError> {
    let mut client = ready(host, vec![select(3, 9, 7), ("NOOP", ok(bad))]);
    let mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    now(client.select_watched(host, &mailbox, None)).unwrap();
    now(client.noop(host))
}

/// The end of a connection, in a sentence that names the server.
fn ends(result: Result<(), MailError>, name: &str) {
    let Err(error) = result else { panic!("{name} is taken") };
    assert!(matches!(error, MailError::Protocol(_)), "{name}: {error:?}");
    assert!(error.breaks_connection(), "{name}");
    let sentence = error.problem("mail.example.org").sentence;
    assert!(sentence.contains("mail.example.org") && sentence.len() < 500, "{name}: {sentence}");
}

#[test]
fn what_breaks_the_protocol_ends_the_connection_and_changes_nothing() {
    let host = host_with_changes();
    let before = everything(&host);
    let endless = "x".repeat(17 << 20);
    let flood = "* OK still here\r\n".repeat(limits::RESPONSES + 1);
    for (name, bad) in [
        ("more lines than anybody reads", &*flood),
        ("a negative literal", "* 1 FETCH (BODY[] {-5}\r\n"),
        ("a literal of more than there is room for", "* 1 FETCH (BODY[] {9999999999999}\r\n"),
        (
            "a literal of more bytes than a number holds",
            "* 1 FETCH (BODY[] {99999999999999999999}\r\n",
        ),
        ("a literal that is longer than it says", "* 1 FETCH (UID 2 BODY[] {3}\r\nabc\"def)\r\n"),
        ("a line without an end", &*endless),
    ] {
        ends(said(&host, bad), name);
        assert_eq!(everything(&host), before, "{name}");
    }
}

#[test]
fn what_makes_no_sense_is_passed_over_and_changes_nothing() {
    let host = host_with_changes();
    let before = everything(&host);
    let deep = format!("* 1 FETCH {}\r\n", "(".repeat(100_000));
    let closed = format!("* 1 FETCH {}{}\r\n", "(".repeat(100_000), ")".repeat(100_000));
    for (name, bad) in [
        ("lists that go deeper than anybody reads", &*deep),
        ("such lists with their ends", &*closed),
        ("an answer to a command that was not given", "A4711 OK [APPENDUID 9 7] done\r\n"),
        ("a go-ahead that nobody waits for", "+ go on\r\n"),
        ("fewer messages than before", "* 1 EXISTS\r\n"),
        ("no message that is gone", "* 0 EXPUNGE\r\n"),
        ("a message that is gone and was not there", "* 4000000000 EXPUNGE\r\n"),
        ("the UID 0", "* 1 FETCH (UID 0 FLAGS (\\Deleted))\r\n"),
        ("one UID twice", "* 1 FETCH (UID 5 FLAGS ())\r\n* 2 FETCH (UID 5 FLAGS (\\Seen))\r\n"),
        ("a UID larger than any", "* 1 FETCH (UID 4294967296 FLAGS (\\Seen))\r\n"),
        ("bytes that mean nothing", "* \u{0}\u{1} ]]] }{ \"\r\n"),
    ] {
        assert_eq!(said(&host, bad), Ok(()), "{name}");
        assert_eq!(everything(&host), before, "{name}");
    }
}

#[test]
fn what_is_said_before_a_connection_is_safe_ends_it() {
    let host = host_with_changes();
    let before = everything(&host);
    let start_tls = |answer: &str| vec![("STARTTLS", answer.to_owned())];
    for (name, greeting, script) in [
        ("a log-in before TLS", "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", vec![]),
        (
            "words behind the go-ahead for TLS",
            "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
            start_tls("{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"),
        ),
        (
            "an answer behind the go-ahead for TLS",
            "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
            start_tls("{tag} OK go\r\nA2 OK in\r\n"),
        ),
        ("no greeting", "A1 OK hi\r\n", vec![]),
        ("a page", "HTTP/1.1 400 Bad Request\r\n", vec![]),
    ] {
        let connected = connect(&host, Security::StartTls, greeting, script);
        ends(connected.map(drop), name);
        let wire = host.wire.borrow();
        assert!(!wire.tls && !wire.said.contains("AUTHENTICATE"), "{name}: {}", wire.said);
        drop(wire);
        assert_eq!(everything(&host), before, "{name}");
    }
}
