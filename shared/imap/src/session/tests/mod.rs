//! Sessions against scripted bytes.

mod append;
mod bad_input;
mod compression;
mod log_in;
mod tls;

use std::time::Duration;

use postern_sasl::{Credentials, Mechanism};

use super::*;
use crate::{
    Response, SequenceSet,
    command::{FetchItem, SearchKey, SearchReturn},
    response::{Code, Content, Flag, StatusKind, TokenDefect},
};

fn session(greeting: &str) -> Session {
    let mut session = Session::new(Limits::default());
    session.handle_input(greeting.as_bytes());
    assert!(matches!(session.poll_output(), Some(Output::Event(Event::Greeting(_)))));
    session
}

fn ready() -> Session {
    session("* OK ready\r\n")
}

/// What is to be sent, as text, and the events, in order.
fn drain(session: &mut Session) -> (String, Vec<Event>) {
    let mut sent = String::new();
    let mut events = Vec::new();
    while let Some(output) = session.poll_output() {
        match output {
            Output::Send(bytes) => sent.push_str(&String::from_utf8(bytes).unwrap()),
            Output::Event(event) => events.push(event),
        }
    }
    (sent, events)
}

fn sent(session: &mut Session) -> String {
    drain(session).0
}

fn plain() -> Command {
    Command::authenticate(Mechanism::plain(Credentials::new("ann", "secret")))
}

fn append() -> Command {
    Command::append(b"Sent", &[], b"hello".to_vec()).unwrap()
}

#[test]
fn commands_are_pipelined_and_told_apart_by_their_tags() {
    let mut session = ready();
    let first = session.start(Command::noop());
    let second = session.start(Command::capability());
    assert_eq!(sent(&mut session), "A1 NOOP\r\nA2 CAPABILITY\r\n");
    session.handle_input(b"A2 NO later\r\nA1 OK done\r\n");
    let ended: Vec<_> = drain(&mut session)
        .1
        .into_iter()
        .map(|event| match event {
            Event::Completed { tag, status } => (tag, status.kind),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ended, [(second, StatusKind::No), (first, StatusKind::Ok)]);
}

#[test]
fn what_the_server_works_on_is_what_was_sent_and_has_not_ended() {
    let mut session = ready();
    let under_way = |session: &Session| session.under_way().collect::<Vec<_>>();
    session.start(Command::noop());
    session.start(append());
    session.start(Command::select(b"INBOX").unwrap());
    assert_eq!(under_way(&session), ["NOOP", "APPEND"]);
    session.handle_input(b"A1 OK\r\n+ go on\r\n");
    drain(&mut session);
    assert_eq!(under_way(&session), ["APPEND"]);
    session.handle_input(b"A2 OK\r\n");
    drain(&mut session);
    assert_eq!(under_way(&session), ["SELECT"]);
    session.handle_input(b"A3 OK\r\n");
    drain(&mut session);
    assert_eq!(under_way(&session), [""; 0]);
}

#[test]
fn a_tag_of_no_command_is_a_defect_and_completes_nothing() {
    let mut session = ready();
    session.start(Command::noop());
    session.handle_input(b"A2 OK\r\na1 OK\r\nA01 OK\r\n");
    let defect = || Event::Defect(Defect::UnknownTag);
    assert_eq!(drain(&mut session).1, [defect(), defect(), defect()]);
}

#[test]
fn the_same_events_come_out_whatever_the_split_of_the_input() {
    let body = "x".repeat(70_000);
    let input = format!(
        "* OK [CAPABILITY IMAP4rev1] hi\r\n* 2 EXISTS\r\n* 1 FETCH (UID 5 BODY[] {{70000}}\r\n{body} \
         FLAGS (\\Seen))\r\n* X-ODD ((\r\n* LIST () \"/\" {{2}}\r\nab\r\nA1 OK [READ-ONLY] done\r\n"
    );
    let run = |pieces: Vec<&[u8]>| {
        let mut session = Session::new(Limits::default());
        session.start(Command::noop());
        let mut events: Vec<Event> = Vec::new();
        for piece in pieces {
            session.handle_input(piece);
            for event in drain(&mut session).1 {
                match (events.last_mut(), event) {
                    // Where a large literal is cut depends on the input, on purpose.
                    (
                        Some(Event::LiteralChunk { bytes: all, .. }),
                        Event::LiteralChunk { bytes, .. },
                    ) => all.extend(bytes),
                    (_, event) => events.push(event),
                }
            }
        }
        events
    };
    let whole = run(vec![input.as_bytes()]);
    assert_eq!(whole.len(), 10, "{:?}", whole.iter().map(std::mem::discriminant));
    let body_start = input.find(&body).unwrap();
    let cuts = (0..body_start + 3).chain(body_start + body.len() - 3..input.len());
    for cut in cuts {
        let (one, two) = input.as_bytes().split_at(cut);
        assert!(run(vec![one, two]) == whole, "cut at {cut}");
    }
    assert!(run(input.as_bytes().chunks(1).collect()) == whole);
}

#[test]
fn a_large_literal_streams_and_its_response_names_it() {
    let mut session = ready();
    let fetch = Command::uid_fetch(&SequenceSet::from(5), &[FetchItem::section("")]).unwrap();
    session.start(fetch);
    let body = vec![b'x'; 70_000];
    session.handle_input(b"* 1 FETCH (UID 5 BODY[] {70000}\r\n");
    session.handle_input(&body);
    session.handle_input(b")\r\n");
    let events = drain(&mut session).1;
    assert_eq!(events[0], Event::LiteralStart { stream: 1, size: 70_000 });
    assert_eq!(events[1], Event::LiteralChunk { stream: 1, bytes: body });
    assert_eq!(events[2], Event::LiteralEnd { stream: 1 });
    let Event::Response(Response::Fetch(fetch)) = &events[3] else { panic!("{:?}", events[3]) };
    assert_eq!(fetch.sections[0].content, Content::Streamed { stream: 1, size: 70_000 });
}

#[test]
fn the_first_line_must_be_a_greeting() {
    let inputs =
        ["HTTP/1.1 400 Bad Request\r\n", "+OK POP3\r\n", "220 smtp\r\n", "A1 OK\r\n", "* NO\r\n"];
    for input in inputs {
        let mut session = Session::new(Limits::default());
        session.handle_input(input.as_bytes());
        session.handle_input(b"* OK too late\r\n");
        assert_eq!(drain(&mut session).1, [Event::Fatal(FatalError::NoGreeting)], "{input}");
    }
}

#[test]
fn nothing_is_sent_before_the_greeting() {
    let mut session = Session::new(Limits::default());
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "");
    session.handle_input(b"* OK\r\n");
    assert_eq!(sent(&mut session), "A1 NOOP\r\n");
}

#[test]
fn a_literal_waits_for_the_go_ahead_and_so_do_the_commands_behind_it() {
    let mut session = ready();
    session.start(append());
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "A1 APPEND \"Sent\" {5}\r\n");
    session.handle_input(b"+ go on\r\n");
    assert_eq!(sent(&mut session), "hello\r\nA2 NOOP\r\n");
}

#[test]
fn a_refused_literal_is_not_sent_and_the_next_command_is() {
    let mut session = ready();
    let tag = session.start(append());
    session.start(Command::noop());
    session.handle_input(b"A1 NO [OVERQUOTA] full\r\n");
    let (sent, events) = drain(&mut session);
    assert_eq!(sent, "A1 APPEND \"Sent\" {5}\r\nA2 NOOP\r\n");
    assert!(matches!(&events[..], [Event::Completed { tag: ended, .. }] if *ended == tag));
    session.handle_input(b"+ too late\r\n");
    assert_eq!(drain(&mut session).1, [Event::Defect(Defect::UnexpectedContinuation)]);
}

#[test]
fn literals_go_unasked_where_the_server_takes_them_and_they_are_small() {
    let cases = [
        ("LITERAL+", 65_536, true),
        ("LITERAL+", 65_537, false),
        ("LITERAL-", 4096, true),
        ("LITERAL-", 4097, false),
        ("IDLE", 1, false),
    ];
    for (capability, size, unasked) in cases {
        let mut session = session(&format!("* OK [CAPABILITY IMAP4rev1 {capability}] hi\r\n"));
        session.start(Command::append(b"x", &[], vec![b'x'; size]).unwrap());
        let sent = sent(&mut session);
        assert_eq!(sent.contains(&format!("{{{size}+}}\r\nx")), unasked, "{capability} {size}");
        assert_eq!(sent.ends_with(&format!("{{{size}}}\r\n")), !unasked, "{capability} {size}");
    }
}

#[test]
fn damaged_responses_are_recorded_and_the_session_goes_on() {
    let mut session = ready();
    session.handle_input(b"* 1 FETCH (UID 5\r\n* EXISTS\r\n* 3 EXISTS\r\n");
    let events = drain(&mut session).1;
    let defects = events.iter().filter(|event| matches!(event, Event::Defect(_))).count();
    assert_eq!(defects, 2);
    assert_eq!(events.last(), Some(&Event::Response(Response::Exists(3))));
}

#[test]
fn a_damaged_greeting_is_recorded_and_the_session_goes_on() {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK [CAPABILITY IMAP4rev1 (] hi\r\n* X-NEWS 5\r\n");
    let events = drain(&mut session).1;
    assert!(matches!(events[0], Event::Defect(Defect::Tokens(_))), "{events:?}");
    assert!(matches!(events[1], Event::Greeting(_)), "{events:?}");
    assert_eq!(events[2], Event::Defect(Defect::Unknown("X-NEWS".into())));
    assert_eq!(events[3..], [Event::Response(Response::Unknown("X-NEWS".into()))]);
}

#[test]
fn a_damaged_stream_ends_the_session() {
    let mut session = ready();
    session.handle_input(b"* X {99999999999}\r\n* 3 EXISTS\r\n");
    let error = FatalError::Framing(FramingError::LiteralTooLarge);
    assert_eq!(drain(&mut session).1, [Event::Fatal(error)]);
}

#[test]
fn idle_ends_with_done_whether_it_is_asked_before_or_after_the_go_ahead() {
    for early in [true, false] {
        let mut session = ready();
        let tag = session.start(Command::idle());
        assert_eq!(sent(&mut session), "A1 IDLE\r\n");
        if early {
            session.done();
            assert_eq!(sent(&mut session), "");
        }
        session.handle_input(b"+ idling\r\n* 4 EXISTS\r\n");
        if !early {
            assert_eq!(
                drain(&mut session),
                (
                    String::new(),
                    vec![
                        Event::Idling { renew_within: Duration::from_secs(28 * 60) },
                        Event::Response(Response::Exists(4))
                    ]
                )
            );
            session.done();
        }
        session.done();
        assert_eq!(sent(&mut session), "DONE\r\n");
        let next = session.start(Command::noop());
        session.handle_input(b"A1 OK done\r\n");
        let (text, events) = drain(&mut session);
        assert_eq!(text, "A2 NOOP\r\n");
        assert!(matches!(&events[..], [Event::Completed { tag: ended, .. }] if *ended == tag));
        assert!(next > tag);
    }
}

#[test]
fn a_refused_idle_leaves_the_session_usable() {
    let mut session = ready();
    session.start(Command::idle());
    drain(&mut session);
    session.handle_input(b"A1 BAD what?\r\n");
    session.done();
    drain(&mut session);
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "A2 NOOP\r\n");
}

#[test]
fn what_would_be_ambiguous_waits() {
    let mut session = ready();
    session.start(Command::uid_search(&[], crate::command::SearchReturn::Plain).unwrap());
    session.start(Command::uid_search(&[], crate::command::SearchReturn::Plain).unwrap());
    session.start(Command::select(b"x").unwrap());
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "A1 UID SEARCH ALL\r\n");
    session.handle_input(b"A1 OK\r\n");
    assert_eq!(sent(&mut session), "A2 UID SEARCH ALL\r\n");
    session.handle_input(b"A2 OK\r\n");
    assert_eq!(sent(&mut session), "A3 SELECT \"x\"\r\n");
    session.handle_input(b"A3 OK\r\n");
    assert_eq!(sent(&mut session), "A4 NOOP\r\n");
}

#[test]
fn extensions_are_enabled_when_the_server_says_so_and_not_before() {
    let mut session = ready();
    session.start(Command::enable(&["UTF8=ACCEPT", "QRESYNC"]));
    assert!(!session.is_enabled("UTF8=ACCEPT"));
    session.handle_input(b"* ENABLED utf8=accept\r\nA1 OK\r\n");
    drain(&mut session);
    assert!(session.is_enabled("UTF8=ACCEPT") && !session.is_enabled("QRESYNC"));
}

#[test]
fn capabilities_are_what_was_told_last() {
    // As Cyrus does, which offers SASL-IR only before the log-in.
    let mut session = session("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n");
    session.start(plain());
    session.handle_input(b"A1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n");
    drain(&mut session);
    let offers = |session: &Session, name| session.capabilities().unwrap().has(name);
    assert!(!offers(&session, "SASL-IR") && offers(&session, "IDLE"));
    session.handle_input(b"* CAPABILITY IMAP4rev1\r\n");
    drain(&mut session);
    assert!(!offers(&session, "IDLE"));
}
