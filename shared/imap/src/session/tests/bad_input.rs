//! What a hostile or broken server may say, and what becomes of it.

use super::*;

fn fatal(session: &mut Session, input: &[u8]) -> Option<FatalError> {
    session.handle_input(input);
    match drain(session).1.pop() {
        Some(Event::Fatal(error)) => Some(error),
        _ => None,
    }
}

fn contradictions(input: &str) -> Vec<Contradiction> {
    let mut session = ready();
    session.handle_input(input.as_bytes());
    let defects = drain(&mut session).1.into_iter().filter_map(|event| match event {
        Event::Defect(Defect::Contradiction(found)) => Some(found),
        _ => None,
    });
    defects.collect()
}

#[test]
fn sizes_that_are_huge_negative_or_lies_end_the_session() {
    let cases = [
        ("* X {99999999999999999999}\r\n", FramingError::LiteralTooLarge),
        ("* X {-5}\r\n", FramingError::NegativeLiteral),
        // Too short: the rest of the literal would be taken for responses.
        ("* 1 FETCH (BODY[] {2}\r\nabc)\r\n", FramingError::WrongLiteralSize),
        ("* 1 FETCH (BODY[] {2}\r\nab\r\n* 1 EXPUNGE\r\n)\r\n", FramingError::WrongLiteralSize),
        // Too long: the response's own end is taken for the literal's.
        ("* 1 FETCH (BODY[] {5}\r\nab)\r\n* 2 EXISTS\r\n", FramingError::WrongLiteralSize),
    ];
    for (input, error) in cases {
        assert_eq!(fatal(&mut ready(), input.as_bytes()), Some(error.into()), "{input}");
    }
}

#[test]
fn nesting_a_hundred_thousand_deep_is_a_defect_and_the_session_goes_on() {
    let mut session = ready();
    let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
    session.handle_input(format!("* 1 FETCH (BODYSTRUCTURE {open}{close})\r\n").as_bytes());
    session.handle_input(b"* 3 EXISTS\r\n");
    let events = drain(&mut session).1;
    assert_eq!(events[0], Event::Defect(Defect::Tokens(TokenDefect::TooDeep)));
    assert_eq!(events.last(), Some(&Event::Response(Response::Exists(3))));
}

#[test]
fn ten_million_lines_that_nobody_asked_for_end_the_session() {
    for line in ["* 5 RECENT\r\n", "A4711 OK done\r\n", "+ go on\r\n"] {
        let mut session = ready();
        let lines = line.repeat(1000);
        let mut passed = 0;
        for _ in 0..10_000 {
            session.handle_input(lines.as_bytes());
            for event in drain(&mut session).1 {
                match event {
                    Event::Response(_) | Event::Defect(_) => passed += 1,
                    other => assert_eq!(other, Event::Fatal(FatalError::Flood)),
                }
            }
        }
        assert_eq!(passed, Limits::default().unasked, "{line}");
    }
}

#[test]
fn a_log_in_that_is_asked_for_more_and_more_ends_the_session() {
    let mut session = Session::new(Limits { untagged: 3, ..Limits::default() });
    session.handle_input(b"* OK\r\n");
    session.start(plain());
    assert_eq!(fatal(&mut session, "+ \r\n".repeat(3).as_bytes()), None);
    assert_eq!(fatal(&mut session, b"+ \r\n"), Some(FatalError::Flood));
}

#[test]
fn responses_of_the_limit_pass_and_one_more_ends_the_session() {
    let limits = Limits { untagged: 3, unasked: 2, ..Limits::default() };
    let run = |asked: bool, count: usize| {
        let mut session = Session::new(limits);
        session.handle_input(b"* OK\r\n");
        if asked {
            session.start(Command::noop());
        }
        fatal(&mut session, "* 5 RECENT\r\n".repeat(count).as_bytes())
    };
    assert_eq!((run(false, 2), run(false, 3)), (None, Some(FatalError::Flood)));
    assert_eq!((run(true, 3), run(true, 4)), (None, Some(FatalError::Flood)));
    // Each command has its own.
    let mut session = Session::new(limits);
    session.handle_input(b"* OK\r\n");
    for number in 1..10 {
        session.start(Command::noop());
        let answer = format!("{}A{number} OK\r\n", "* 5 RECENT\r\n".repeat(3));
        assert_eq!(fatal(&mut session, answer.as_bytes()), None);
    }
}

#[test]
fn what_can_not_be_true_of_a_mailbox_is_told() {
    let shrunk = Contradiction::Shrunk { before: 5, now: 3 };
    let cases = [
        ("* 5 EXISTS\r\n* 3 EXISTS\r\n", vec![shrunk]),
        ("* 5 EXISTS\r\n* 1 EXPUNGE\r\n* 4 EXISTS\r\n", vec![]),
        ("* 5 EXISTS\r\n* VANISHED 7,9\r\n* 3 EXISTS\r\n", vec![]),
        ("* 5 EXISTS\r\n* 5 EXISTS\r\n* 9 EXISTS\r\n", vec![]),
        (
            "* 2 EXISTS\r\n* 3 EXPUNGE\r\n* 0 EXPUNGE\r\n",
            vec![
                Contradiction::ExpungedNothing { number: 3, exists: 2 },
                Contradiction::ExpungedNothing { number: 0, exists: 2 },
            ],
        ),
        (
            "* 2 EXISTS\r\n* 3 FETCH (UID 9)\r\n",
            vec![Contradiction::NoSuchMessage { number: 3, exists: 2 }],
        ),
        ("* 2 EXISTS\r\n* 1 FETCH (UID 0)\r\n", vec![Contradiction::ZeroUid]),
        (
            "* 2 EXISTS\r\n* 1 FETCH (UID 7)\r\n* 2 FETCH (UID 7)\r\n",
            vec![Contradiction::MisplacedUid { uid: 7 }],
        ),
        (
            "* 2 EXISTS\r\n* 2 FETCH (UID 7)\r\n* 1 FETCH (UID 9)\r\n",
            vec![Contradiction::MisplacedUid { uid: 9 }],
        ),
        (
            "* 2 EXISTS\r\n* 1 FETCH (UID 7)\r\n* 1 FETCH (UID 7)\r\n* 1 EXPUNGE\r\n\
             * 1 FETCH (UID 8)\r\n",
            vec![],
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(contradictions(input), expected, "{input}");
    }
}

#[test]
fn a_result_that_names_another_command_than_a_search_under_way_is_left_out() {
    let mut session = ready();
    let search = Command::uid_search(&[SearchKey::All], SearchReturn::All).unwrap();
    session.start(Command::noop());
    session.start(search);
    let tags = ["A1", "A3", "a2", "A02", "", "A2"];
    for tag in tags {
        session.handle_input(format!("* ESEARCH (TAG \"{tag}\") UID ALL 7\r\n").as_bytes());
    }
    session.handle_input(b"* ESEARCH UID ALL 8\r\n* SEARCH 9\r\n");
    let mut events = drain(&mut session).1;
    let results = events.split_off(tags.len() - 1);
    assert!(events.iter().all(|event| *event == Event::Defect(Defect::UnknownTag)), "{events:?}");
    let found: Vec<_> = results
        .into_iter()
        .map(|event| match event {
            Event::Response(Response::Search(result)) => result.all.unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, [7, 8, 9].map(SequenceSet::from));
    session.handle_input(b"A2 OK\r\n* ESEARCH (TAG \"A2\") UID ALL 7\r\n");
    assert_eq!(drain(&mut session).1.pop(), Some(Event::Defect(Defect::UnknownTag)));
}

#[test]
fn a_message_that_is_not_there_can_not_go_and_a_uid_of_zero_is_left_out() {
    let mut session = ready();
    session.handle_input(b"* 1 EXISTS\r\n* 2 EXPUNGE\r\n* 1 FETCH (UID 0 FLAGS ())\r\n");
    for event in drain(&mut session).1 {
        match event {
            Event::Response(Response::Fetch(fetch)) => assert_eq!(fetch.uid, None),
            Event::Response(Response::Expunge(_)) => panic!("it was passed on"),
            _ => {}
        }
    }
}

#[test]
fn another_mailbox_may_have_fewer_messages() {
    let mut session = ready();
    session.handle_input(b"* 5 EXISTS\r\n");
    session.start(Command::select(b"other").unwrap());
    session.handle_input(b"* 1 EXISTS\r\n* 1 FETCH (UID 1)\r\nA1 OK\r\n");
    assert!(drain(&mut session).1.iter().all(|event| !matches!(event, Event::Defect(_))));
}

#[test]
fn being_logged_in_before_tls_ends_a_session_that_requires_tls() {
    let mut session = Session::requiring_tls(Limits::default());
    session.start(Command::noop());
    let error = fatal(&mut session, b"* PREAUTH welcome\r\nA1 OK\r\n");
    assert_eq!(error, Some(FatalError::PreAuthBeforeTls));
    assert_eq!(super::session("* PREAUTH welcome\r\n").phase, Phase::Open);
}

#[test]
fn an_answer_to_a_command_that_still_waits_is_a_defect() {
    let mut session = ready();
    session.start(Command::login(&Credentials::new("a", "b")).unwrap());
    session.start(Command::noop());
    session.handle_input(b"A2 OK done\r\n");
    assert_eq!(drain(&mut session).1, [Event::Defect(Defect::UnknownTag)]);
}

#[test]
fn a_server_may_stop_in_the_middle_of_anything() {
    let whole = "* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\nA1 OK\r\n* 2 EXISTS\r\n* 1 FETCH (UID 1 \
                 BODY[] {5}\r\nhello FLAGS (\\Seen))\r\nA2 OK\r\n+ idling\r\n* BYE [UNAVAILABLE] x\r\n";
    let run = |length: usize| {
        let mut session = Session::new(Limits::default());
        session.start(Command::login(&Credentials::new("a", "b")).unwrap());
        session.start(Command::select(b"INBOX").unwrap());
        session.start(Command::idle());
        session.handle_input(&whole.as_bytes()[..length]);
        drain(&mut session).1
    };
    let all = run(whole.len());
    for length in 0..whole.len() {
        let events = run(length);
        assert_eq!(events, all[..events.len()], "after {length} bytes");
    }
}

#[test]
fn a_goodbye_is_told_with_its_reason_and_nothing_is_sent_behind_it() {
    let mut session = ready();
    session.start(Command::noop());
    drain(&mut session);
    session.handle_input(b"* BYE [UNAVAILABLE] going down\r\nA1 NO sorry\r\n");
    session.start(Command::noop());
    let (sent, events) = drain(&mut session);
    assert_eq!(sent, "");
    let [Event::Goodbye(status), Event::Completed { .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((&status.code, &*status.text), (&Some(Code::Unavailable), "going down"));
}

#[test]
fn a_goodbye_that_was_asked_for_is_a_response_like_others() {
    let mut session = ready();
    session.start(Command::logout());
    session.handle_input(b"* BYE see you\r\nA1 OK\r\n");
    let events = drain(&mut session).1;
    assert!(matches!(&events[..], [Event::Response(_), Event::Completed { .. }]), "{events:?}");
}

#[test]
fn extensions_that_are_enabled_again_and_again_are_not_all_remembered() {
    let mut session = ready();
    for number in 0..1_000 {
        session.handle_input(format!("* ENABLED X-{number} {}\r\n", "X".repeat(101)).as_bytes());
        drain(&mut session);
    }
    assert_eq!(session.enabled.len(), Limits::default().capabilities);
    assert!(session.is_enabled("X-0") && !session.is_enabled("X-999"));
}

#[test]
fn an_extension_s_name_may_be_as_long_as_the_limit_and_no_longer() {
    let longest = Limits::default().extension_name;
    let is_enabled = |length| {
        let (mut session, name) = (ready(), "X".repeat(length));
        session.handle_input(format!("* ENABLED {name}\r\n").as_bytes());
        drain(&mut session);
        session.is_enabled(&name)
    };
    assert_eq!([longest, longest + 1].map(is_enabled), [true, false]);
}

#[test]
fn what_an_event_was_made_from_is_counted() {
    let mut session = ready();
    let body = "x".repeat(70_000);
    let before = session.taken();
    session.handle_input(
        format!("* 3 EXISTS\r\n* 1 FETCH (BODY[] {{70000}}\r\n{body})\r\n").as_bytes(),
    );
    let mut sizes = Vec::new();
    let mut last = before;
    while session.poll_output().is_some() {
        sizes.push(session.taken() - last);
        last = session.taken();
    }
    // The number of messages; the literal's begin, its bytes, and its end; the message.
    assert_eq!(sizes, [10, 0, 70_000, 0, 28]);
}
