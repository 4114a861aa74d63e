//! How quirks are found, and the tolerances of the module's table.

use super::*;
use crate::{
    Event, Limits, Response, Session,
    response::{BodyStructure, Fetch},
    session::Output,
};

/// What a session tells of these bytes, behind a greeting.
fn events(session: &mut Session, input: &[u8]) -> Vec<Event> {
    session.handle_input(input);
    std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send(_) => None,
        })
        .collect()
}

fn greeted(greeting: &str) -> Session {
    let mut session = Session::new(Limits::default());
    events(&mut session, format!("{greeting}\r\n").as_bytes());
    session
}

/// The one response that a line becomes, without a defect.
fn response(line: &[u8]) -> Response {
    let mut events = events(&mut greeted("* OK"), &[line, b"\r\n"].concat());
    match (events.pop(), events.len()) {
        (Some(Event::Response(response)), 0) => response,
        other => panic!("{other:?} behind {events:?}"),
    }
}

fn fetch(line: &[u8]) -> Fetch {
    match response(line) {
        Response::Fetch(fetch) => *fetch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_is_known_by_its_greeting_or_its_id() {
    let cases = [
        ("* OK Coremail System IMap Server Ready(163com[1])", Some(Quirk::WantsId)),
        ("* OK The Microsoft Exchange IMAP4 service is ready.", Some(Quirk::EstimatesSizes)),
        ("* OK Dovecot ready.", None),
    ];
    for (greeting, quirk) in cases {
        let mut expected = Quirks::default();
        expected.0 |= quirk.map_or(0, Quirks::bit);
        assert_eq!(greeted(greeting).quirks(), expected, "{greeting}");
    }
    let mut session = greeted("* OK ready");
    events(&mut session, b"* ID (\"name\" \"Coremail Imap\" \"vendor\" NIL)\r\n");
    assert!(session.quirks().has(Quirk::WantsId));
}

#[test]
fn a_server_is_known_by_what_it_does() {
    let mut session = greeted("* OK IMAP4 ready");
    session.start(crate::Command::select(b"INBOX").unwrap());
    events(&mut session, b"A1 NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n");
    assert!(session.quirks().has(Quirk::WantsId));

    let mut session = greeted("* OK");
    session.start(crate::Command::idle());
    events(&mut session, b"A1 NO not here\r\n");
    assert!(session.quirks().has(Quirk::RefusesIdle));

    let mut session = greeted("* OK");
    session.start(crate::Command::idle());
    let ended = events(&mut session, b"+ idling\r\nA1 OK enough\r\n");
    assert_eq!(ended[0], Event::Idling { renew_within: IDLE_RENEWAL });
    // It may be asked again.
    assert_eq!(session.quirks(), Quirks::default());
}

#[test]
fn what_was_learned_without_tls_is_forgotten() {
    let mut session = greeted("* OK Coremail");
    session.start(crate::Command::start_tls());
    events(&mut session, b"A1 OK go\r\n");
    assert_eq!(session.quirks(), Quirks::default());
}

#[test]
fn text_of_eight_bits_is_taken_anywhere() {
    let Response::Status(status) = response(b"* OK Gr\xfc\xdfe {5}") else { panic!() };
    assert_eq!(status.text, "Gr\u{fffd}\u{fffd}e {5}");
    let Response::List(entry) = response("* LIST (\\Sent) \"/\" Entwürfe".as_bytes()) else {
        panic!()
    };
    assert_eq!(entry.name, "Entwürfe".as_bytes());
    let fetch = fetch(b"* 1 FETCH (ENVELOPE (NIL \"caf\xe9\" NIL NIL NIL NIL NIL NIL NIL NIL))");
    assert_eq!(fetch.envelope.unwrap().subject, b"caf\xe9");
}

#[test]
fn spaces_and_line_ends_are_not_counted() {
    let fetch = fetch(b"* 1  FETCH  ( UID  5   FLAGS  ( \\Seen  ) ) ");
    assert_eq!((fetch.uid, fetch.flags.map(|flags| flags.len())), (Some(5), Some(1)));
    let events = events(&mut greeted("* OK"), b"* 3 EXISTS\n");
    assert_eq!(events, [Event::Response(Response::Exists(3))]);
}

#[test]
fn a_go_ahead_needs_no_text() {
    let mut session = greeted("* OK");
    session.start(crate::Command::append(b"a", &[], b"x".to_vec()).unwrap());
    while session.poll_output().is_some() {}
    session.handle_input(b"+\r\n");
    assert_eq!(session.poll_output(), Some(Output::Send(b"x".to_vec())));
}

#[test]
fn structures_of_exchange_gmail_and_mail_ru_are_read() {
    let structure = |text: &str| {
        let fetch = fetch(format!("* 4 FETCH (BODYSTRUCTURE {text})").as_bytes());
        fetch.body_structure.unwrap_or_else(|| panic!("{text}"))
    };
    let exchange = structure(
        r#"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 21 0 NIL ("inline" NIL) NIL NIL)("application" "octet-stream" ("name" "private.txt") NIL NIL "base64" 690 NIL ("attachment" ("filename" "private.txt")) NIL NIL) "mixed" ("boundary" "b") "S/MIME Encrypted Message" NIL)"#,
    );
    assert_eq!(exchange.leaves()[1].1.file_name(), Some(&b"private.txt"[..]));
    let other_exchange = structure(
        r#"(("text" "plain" ("charset" "ISO-8859-1") NIL NIL "QUOTED-PRINTABLE" 850 31 NIL "inline" NIL NIL)("text" "html" ("charset" "ISO-8859-1") NIL NIL "QUOTED-PRINTABLE" 14692 502 NIL "inline" NIL NIL) "alternative" ("boundary" "b"))"#,
    );
    assert_eq!(other_exchange.leaves().len(), 2);
    let mail_ru = structure(
        r#"(("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 536 0 NIL NIL NIL NIL) "alternative" ("boundary" NIL))"#,
    );
    let BodyStructure::Multipart(mail_ru) = mail_ru else { panic!() };
    assert_eq!((&*mail_ru.subtype, mail_ru.parameter("boundary")), ("alternative", None));
    // Gmail leaves out the parts of a multipart that it could not read.
    let gmail = structure(
        r#"((("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "BASE64" 10418 133 NIL NIL NIL) "ALTERNATIVE" ("BOUNDARY" "b") NIL NIL)("RELATED" NIL ("ATTACHMENT" NIL) NIL) "MIXED" ("BOUNDARY" "c") NIL NIL)"#,
    );
    assert_eq!(gmail.leaves()[0].0, "1.1");
}

#[test]
fn a_list_of_addresses_may_be_nil() {
    let fetch = fetch(
        br#"* 37 FETCH (UID 67 ENVELOPE ("Tue, 9 Jul 2019 13:53:17 +0200" "x" (("A" NIL "a" "b.c")) NIL NIL NIL NIL NIL NIL "<i@d>"))"#,
    );
    let envelope = fetch.envelope.unwrap();
    let addresses = &envelope.addresses;
    assert_eq!((addresses.from().len(), addresses.to().len()), (1, 0));
    assert_eq!(envelope.message_id, b"<i@d>");
}
