//! Conversations, fed whole and split at every byte.

#![allow(clippy::unwrap_used, reason = "a test may")]

use postern_pop3::{
    Capabilities, Command, Event, Numbered, Output, Request, Response, ResponseCode, Session,
    SessionError,
    limits::{MAX_CHALLENGES, MAX_IN_FLIGHT},
};
use postern_sasl::{Credentials, Mechanism, Nonce};

/// A session after its greeting.
fn greeted() -> Session {
    let mut session = Session::new();
    session.handle_input(b"+OK ready\r\n");
    assert_eq!(events(&mut session), [Event::Greeting("ready".into())]);
    session
}

/// Drains the session; the bytes it sends are left out.
fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send(_) => None,
        })
        .collect()
}

/// Drains the session; the events are left out.
fn sent(session: &mut Session) -> String {
    let bytes: Vec<u8> = std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| match output {
            Output::Send(bytes) => Some(bytes),
            Output::Event(_) => None,
        })
        .flatten()
        .collect();
    String::from_utf8(bytes).unwrap()
}

/// Joins content that came in pieces.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (
                Some(Event::Content { message, bytes }),
                Event::Content { message: next, bytes: more },
            ) if *message == next => bytes.extend(more),
            (_, event) => joined.push(event),
        }
    }
    joined
}

#[test]
fn a_whole_conversation_has_the_same_events_whatever_the_split() {
    let server: &[u8] = b"+OK POP3 <1.2@x>\r\n\
        +OK\r\nUSER\r\nSASL PLAIN LOGIN\r\nUIDL\r\nPIPELINING\r\n.\r\n\
        +OK maildrop locked\r\n\
        +OK 2 320\r\n\
        +OK\r\n1 120\r\n2 200\r\n.\r\n\
        +OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n\
        +OK 120 octets\r\nSubject: one\r\n\r\n..dotted\r\n.\r\n\
        -ERR no such message\r\n\
        +OK\r\nSubject: top\r\n\r\n.\r\n\
        +OK deleted\r\n+OK\r\n+OK\r\n+OK bye\r\n";
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut session = Session::new();
        session.set_pipelining(true);
        for command in [
            Command::Capa,
            Command::Auth(Mechanism::plain(Credentials::new("ann", "secret"))),
            Command::Stat,
            Command::List,
            Command::Uidl,
            Command::Retr(1),
            Command::Retr(3),
            Command::Top { message: 2, lines: 0 },
            Command::Dele(1),
            Command::Noop,
            Command::Rset,
            Command::Quit,
        ] {
            session.start(command).unwrap();
        }
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(events(&mut session));
            // Answers may only follow commands: lines are fed one at a time.
            for line in piece.split_inclusive(|byte| *byte == b'\n') {
                session.handle_input(line);
                all.extend(events(&mut session));
            }
        }
        joined(all)
    };
    let whole = run(&mut std::iter::once(server));
    assert_eq!(
        whole,
        [
            Event::Greeting("POP3 <1.2@x>".into()),
            Event::Capabilities(Capabilities {
                user: true,
                uidl: true,
                pipelining: true,
                sasl: vec!["PLAIN".into(), "LOGIN".into()],
                ..Capabilities::default()
            }),
            Event::LoggedIn,
            Event::Status { count: 2, size: 320 },
            Event::Sizes(Numbered { messages: vec![(1, 120), (2, 200)], defects: 0 }),
            Event::UniqueIds(Numbered {
                messages: vec![
                    (1, b"whqtswO00WBw418f9t5JxYwZ".to_vec()),
                    (2, b"QhdPYR:00WBw1Ph7x7".to_vec()),
                ],
                defects: 0,
            }),
            Event::Content { message: 1, bytes: b"Subject: one\r\n\r\n.dotted\r\n".to_vec() },
            Event::ContentEnd { message: 1 },
            Event::Refused {
                request: Request::Retr(3),
                response: Response { code: None, text: "no such message".into() },
            },
            Event::Content { message: 2, bytes: b"Subject: top\r\n\r\n".to_vec() },
            Event::ContentEnd { message: 2 },
            Event::MarkedDeleted { message: 1 },
            Event::Done,
            Event::Done,
            Event::Bye,
        ]
    );
    for at in 1..server.len() {
        let (first, second) = server.split_at(at);
        assert_eq!(run(&mut [first, second].into_iter()), whole, "split at {at}");
    }
    assert_eq!(run(&mut server.chunks(1)), whole);
}

#[test]
fn without_pipelining_each_command_waits_for_the_answer_before() {
    let mut session = greeted();
    session.start(Command::Retr(1)).unwrap();
    session.start(Command::Retr(2)).unwrap();
    assert_eq!(sent(&mut session), "RETR 1\r\n");
    session.handle_input(b"+OK\r\na\r\n");
    assert_eq!(sent(&mut session), "");
    session.handle_input(b".\r\n");
    assert_eq!(sent(&mut session), "RETR 2\r\n");
}

#[test]
fn with_pipelining_a_bounded_number_of_commands_is_on_the_way() {
    let mut session = greeted();
    session.set_pipelining(true);
    for message in 1..=2 * MAX_IN_FLIGHT {
        session.start(Command::Dele(u32::try_from(message).unwrap())).unwrap();
    }
    assert_eq!(sent(&mut session).lines().count(), MAX_IN_FLIGHT);
    session.handle_input(b"+OK\r\n");
    assert_eq!(sent(&mut session), "", "the window is refilled when it is half empty");
    session.handle_input("+OK\r\n".repeat(MAX_IN_FLIGHT / 2 - 1).as_bytes());
    let events = std::iter::from_fn(|| session.poll_output()).collect::<Vec<_>>();
    let Some(Output::Send(refill)) = events.last() else { panic!("no refill") };
    assert_eq!(refill.iter().filter(|byte| **byte == b'\n').count(), MAX_IN_FLIGHT / 2);
}

#[test]
fn nothing_is_sent_behind_a_log_in_or_an_upgrade() {
    for turning in [
        Command::Stls,
        Command::UserPass(Credentials::new("ann", "secret")),
        Command::Auth(Mechanism::login(Credentials::new("ann", "secret"))),
    ] {
        let mut session = greeted();
        session.set_pipelining(true);
        session.start(Command::Noop).unwrap();
        session.start(turning).unwrap();
        session.start(Command::Stat).unwrap();
        assert_eq!(sent(&mut session).lines().count(), 2);
    }
}

#[test]
fn user_and_password_go_one_after_the_other() {
    let mut session = greeted();
    session.start(Command::UserPass(Credentials::new("ann", "se cret"))).unwrap();
    assert_eq!(sent(&mut session), "USER ann\r\n");
    session.handle_input(b"+OK\r\n");
    assert_eq!(sent(&mut session), "PASS se cret\r\n");
    session.handle_input(b"-ERR [AUTH] wrong\r\n");
    let response = Response { code: Some(ResponseCode::Auth), text: "wrong".into() };
    assert_eq!(events(&mut session), [Event::Refused { request: Request::LogIn, response }]);
}

#[test]
fn apop_proves_the_password_without_showing_it() {
    let mut session = Session::new();
    session.handle_input(b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n");
    assert_eq!(events(&mut session).len(), 1);
    let apop = session.apop(&Credentials::new("mrose", "tanstaaf")).unwrap();
    assert!(!format!("{apop:?}").contains("c4c9334"));
    session.set_pipelining(true);
    session.start(apop).unwrap();
    session.start(Command::Stat).unwrap();
    assert_eq!(sent(&mut session), "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
    session.handle_input(b"+OK maildrop has 1 message\r\n");
    assert_eq!(events(&mut session), [Event::LoggedIn]);
}

#[test]
fn a_timestamp_from_before_tls_is_not_used_after_it() {
    let mut session = Session::new();
    session.handle_input(b"+OK <1@x>\r\n");
    assert_eq!(events(&mut session).len(), 1);
    let ann = Credentials::new("ann", "secret");
    assert!(session.apop(&ann).is_some());
    session.start(Command::Stls).unwrap();
    assert_eq!(sent(&mut session), "STLS\r\n");
    session.handle_input(b"+OK\r\n");
    assert_eq!(events(&mut session), [Event::StartTls]);
    session.tls_established();
    assert!(session.apop(&ann).is_none());
    assert!(greeted().apop(&ann).is_none(), "a greeting without timestamp");
}

#[test]
fn utf_8_and_top_are_refused_by_their_own_names() {
    for (command, line, request) in [
        (Command::Utf8, "UTF8\r\n", Request::Utf8),
        (Command::Top { message: 7, lines: 0 }, "TOP 7 0\r\n", Request::Top(7)),
    ] {
        let mut session = greeted();
        session.start(command).unwrap();
        assert_eq!(sent(&mut session), line);
        session.handle_input(b"-ERR no\r\n");
        let response = Response { code: None, text: "no".into() };
        assert_eq!(events(&mut session), [Event::Refused { request, response }]);
    }
}

#[test]
fn a_server_that_asks_gets_the_answer_to_its_challenges() {
    let mut session = greeted();
    session.start(Command::Auth(Mechanism::login(Credentials::new("ann", "secret")))).unwrap();
    assert_eq!(sent(&mut session), "AUTH LOGIN\r\n");
    session.handle_input(b"+ VXNlcm5hbWU6\r\n");
    assert_eq!(sent(&mut session), "YW5u\r\n");
    session.handle_input(b"+\r\n");
    assert_eq!(sent(&mut session), "c2VjcmV0\r\n");
    session.handle_input(b"+ bW9yZQ==\r\n");
    assert_eq!(sent(&mut session), "*\r\n", "a challenge without an answer cancels");
    session.handle_input(b"+OK\r\n");
    assert_eq!(events(&mut session), [Event::LoggedIn]);
}

#[test]
fn challenges_are_taken_up_to_the_limit_and_no_further() {
    let mut session = greeted();
    session.start(Command::Auth(Mechanism::login(Credentials::new("ann", "secret")))).unwrap();
    assert!(!sent(&mut session).is_empty());
    session.handle_input("+ \r\n".repeat(MAX_CHALLENGES).as_bytes());
    assert_eq!(sent(&mut session).lines().count(), MAX_CHALLENGES);
    session.handle_input(b"+ \r\n");
    assert_eq!(events(&mut session), [Event::Failed(SessionError::TooManyChallenges)]);
}

#[test]
fn bytes_behind_the_go_ahead_for_tls_are_fatal() {
    for glued in ["+OK begin\r\n+OK\r\n", "+OK begin\r\n\x16"] {
        let mut session = greeted();
        session.start(Command::Stls).unwrap();
        assert_eq!(sent(&mut session), "STLS\r\n");
        session.handle_input(glued.as_bytes());
        let failed = Event::Failed(SessionError::BytesBeforeTls);
        assert_eq!(events(&mut session).last(), Some(&failed));
        session.handle_input(b"+OK\r\n");
        assert_eq!(events(&mut session), [], "nothing is read after a failure");
    }
}

#[test]
fn bytes_between_go_ahead_and_handshake_are_fatal() {
    let mut session = greeted();
    session.start(Command::Stls).unwrap();
    session.start(Command::Capa).unwrap();
    assert_eq!(sent(&mut session), "STLS\r\n");
    session.handle_input(b"+OK begin\r\n");
    assert_eq!(events(&mut session), [Event::StartTls]);
    assert_eq!(sent(&mut session), "", "nothing is said before TLS is up");
    let mut injected = session;
    injected.handle_input(b"x");
    assert_eq!(events(&mut injected), [Event::Failed(SessionError::BytesBeforeTls)]);
}

#[test]
fn after_the_handshake_the_session_goes_on() {
    let mut session = greeted();
    session.start(Command::Stls).unwrap();
    session.start(Command::Capa).unwrap();
    assert_eq!(sent(&mut session), "STLS\r\n");
    session.handle_input(b"+OK\r\n");
    assert_eq!(events(&mut session), [Event::StartTls]);
    session.tls_established();
    assert_eq!(sent(&mut session), "CAPA\r\n");
}

#[test]
fn a_server_may_refuse_to_talk_at_all() {
    let mut session = Session::new();
    session.handle_input(b"-ERR [SYS/TEMP] come back later\r\n");
    let response =
        Response { code: Some(ResponseCode::SystemTemporary), text: "come back later".into() };
    assert_eq!(events(&mut session), [Event::Refused { request: Request::Connect, response }]);
}

#[test]
fn what_is_not_pop3_ends_the_session() {
    for (input, error) in [
        ("SSH-2.0-OpenSSH\r\n", SessionError::NoStatus),
        ("+OKAY\r\n", SessionError::NoStatus),
        ("+OK\r\n+OK unasked\r\n", SessionError::Unasked),
    ] {
        let mut session = Session::new();
        session.handle_input(input.as_bytes());
        assert_eq!(events(&mut session).last(), Some(&Event::Failed(error)), "{input}");
    }
}

#[test]
fn quit_that_is_refused_is_told_apart_from_one_that_succeeded() {
    let mut session = greeted();
    session.start(Command::Quit).unwrap();
    assert_eq!(sent(&mut session), "QUIT\r\n");
    session.handle_input(b"-ERR some deleted messages not removed\r\n");
    assert!(matches!(events(&mut session)[..], [Event::Refused { request: Request::Quit, .. }]));
}

#[test]
fn debug_of_a_session_shows_no_password() {
    let mut session = greeted();
    session.start(Command::UserPass(Credentials::new("ann", "tr0ub4dor"))).unwrap();
    session.start(Command::Auth(Mechanism::plain(Credentials::new("ann", "tr0ub4dor")))).unwrap();
    assert!(!format!("{session:?}").contains("tr0ub4dor"));
}

/// The exchange of "ann" and "secret" over the nonce of [`scram`], as the server of a standard has
/// it: first message, answer, proof, signature.
const SCRAM: [&str; 4] = [
    "biwsbj1hbm4scj1Cd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0g=",
    "cj1Cd2NIQndjSEJ3Y0hCd2NIQndjSEJ3Y0hzcnYscz1jMkZzZEhOaGJIUT0saT00MDk2",
    "Yz1iaXdzLHI9QndjSEJ3Y0hCd2NIQndjSEJ3Y0hCd2NIc3J2LHA9K3RPdzZjU0xqTHV3VUd6TEpzMjBDNGxMOFBuVHBJdDgyeWhtWXRTcXBiUT0=",
    "dj16ais5d3NxSFdpcHlEdnpsdlQwR0VhdWhVN2xlbUhTYnljMlFIWExOL2ZRPQ==",
];

/// No such signature: "v=" and the one of another exchange, "v=!!!", nothing, and what is not base64.
const UNPROVEN: [&str; 4] =
    ["dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==", "dj0hISE=", "", "!!!"];

fn scram() -> Command {
    let credentials = Credentials::new("ann", "secret");
    Command::Auth(Mechanism::scram_sha_256(credentials, Nonce::new([7; Nonce::BYTES])))
}

#[test]
fn a_server_that_proves_itself_lets_us_in() {
    let mut session = greeted();
    session.start(scram()).unwrap();
    assert_eq!(sent(&mut session), format!("AUTH SCRAM-SHA-256 {}\r\n", SCRAM[0]));
    session.handle_input(format!("+ {}\r\n", SCRAM[1]).as_bytes());
    assert_eq!(sent(&mut session), format!("{}\r\n", SCRAM[2]));
    session.handle_input(format!("+ {}\r\n", SCRAM[3]).as_bytes());
    assert_eq!(sent(&mut session), "\r\n");
    session.handle_input(b"+OK welcome\r\n");
    assert_eq!(events(&mut session), [Event::LoggedIn]);
}

#[test]
fn a_server_that_lets_us_in_without_its_proof_is_not_believed() {
    let mut session = greeted();
    session.start(scram()).unwrap();
    assert!(!sent(&mut session).is_empty());
    session.handle_input(b"+OK welcome\r\n");
    assert_eq!(events(&mut session), [Event::Failed(SessionError::Unverified)]);
}

#[test]
fn a_server_that_can_not_prove_itself_is_told_no_more() {
    for unproven in UNPROVEN {
        let mut session = greeted();
        session.start(scram()).unwrap();
        sent(&mut session);
        session.handle_input(format!("+ {}\r\n", SCRAM[1]).as_bytes());
        assert_eq!(sent(&mut session), format!("{}\r\n", SCRAM[2]));
        session.handle_input(format!("+ {unproven}\r\n").as_bytes());
        let outputs: Vec<_> = std::iter::from_fn(|| session.poll_output()).collect();
        let failed = Output::Event(Event::Failed(SessionError::Unverified));
        assert_eq!(outputs, [failed], "{unproven}");
    }
}
