//! Conversations, fed whole and split at every byte.

#![allow(clippy::unwrap_used, reason = "a test may")]

use postern_sasl::{Credentials, Mechanism, Nonce};
use postern_smtp::{
    Address, Command, CommandError, Envelope, Event, Extensions, Output, Reply, Request, Session,
    SessionError, limits::MAX_RECIPIENTS_IN_FLIGHT,
};

/// Drains the session: what it sent, and what happened.
fn drain(session: &mut Session) -> (String, Vec<Event>) {
    let mut sent = Vec::new();
    let mut events = Vec::new();
    while let Some(output) = session.poll_output() {
        match output {
            Output::Send(bytes) => sent.extend(bytes),
            Output::Event(event) => events.push(event),
        }
    }
    (String::from_utf8(sent).unwrap(), events)
}

fn answer(session: &mut Session, input: &str) -> (String, Vec<Event>) {
    session.handle_input(input.as_bytes());
    drain(session)
}

fn hello() -> Command {
    Command::hello("[127.0.0.1]").unwrap()
}

/// A session that has heard what the server offers.
fn introduced(offers: &str) -> Session {
    let mut session = Session::new();
    answer(&mut session, "220 ready\r\n");
    session.start(hello()).unwrap();
    assert_eq!(drain(&mut session).0, "EHLO [127.0.0.1]\r\n");
    let (_, events) = answer(&mut session, offers);
    assert!(matches!(events[..], [Event::Hello(_)]));
    session
}

fn envelope(recipients: &[&str]) -> Envelope {
    Envelope {
        sender: Address::parse("ann@example.org").unwrap(),
        recipients: recipients.iter().map(|text| Address::parse(text).unwrap()).collect(),
        size: 5,
        eight_bit: false,
    }
}

/// Plays a client that sends one message, against these bytes of a server.
fn submit<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (String, Vec<Event>) {
    let mut session = Session::new();
    let mut all = (String::new(), Vec::new());
    let mut inputs = pieces
        // A reply may only follow its command: lines are fed one at a time.
        .flat_map(|piece| piece.split_inclusive(|byte| *byte == b'\n'));
    loop {
        let (sent, events) = drain(&mut session);
        all.0 += &sent;
        for event in events {
            match &event {
                Event::Greeting(_) => session.start(hello()).unwrap(),
                Event::Hello(_) => session
                    .start(Command::Auth(Mechanism::plain(Credentials::new("ann", "secret"))))
                    .unwrap(),
                Event::LoggedIn => {
                    let envelope = envelope(&["ben@example.org", "cy@example.org"]);
                    session.start(Command::Envelope(envelope)).unwrap();
                }
                Event::EnvelopeAccepted => session.start(Command::Data).unwrap(),
                Event::ContentWanted => {
                    session.content(b".a\r").unwrap();
                    session.content(b"\nb").unwrap();
                    session.finish().unwrap();
                }
                Event::Accepted(_) => session.start(Command::Quit).unwrap(),
                _ => {}
            }
            all.1.push(event);
        }
        let (sent, _) = drain(&mut session);
        all.0 += &sent;
        let Some(input) = inputs.next() else { return all };
        session.handle_input(input);
    }
}

#[test]
fn a_whole_submission_is_the_same_whatever_the_split() {
    let server: &[u8] = b"220 mail.example.org ESMTP\r\n\
        250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n\
        235 2.7.0 in\r\n\
        250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.1.5 ok\r\n\
        354 go on\r\n\
        250 2.0.0 queued as 1\r\n\
        221 bye\r\n";
    let (sent, events) = submit(std::iter::once(server));
    assert_eq!(
        sent,
        "EHLO [127.0.0.1]\r\n\
         AUTH PLAIN AGFubgBzZWNyZXQ=\r\n\
         MAIL FROM:<ann@example.org> SIZE=5\r\n\
         RCPT TO:<ben@example.org>\r\n\
         RCPT TO:<cy@example.org>\r\n\
         DATA\r\n\
         ..a\r\nb\r\n.\r\n\
         QUIT\r\n"
    );
    assert!(matches!(events[0], Event::Greeting(_)));
    assert!(matches!(&events[1], Event::Hello(offers) if offers.pipelining));
    assert_eq!(events[2..5], [Event::LoggedIn, Event::EnvelopeAccepted, Event::ContentWanted]);
    assert!(matches!(&events[5], Event::Accepted(reply) if reply.text() == "queued as 1"));
    assert_eq!(events[6..], [Event::Bye]);
    for at in 1..server.len() {
        let (first, second) = server.split_at(at);
        assert_eq!(submit([first, second].into_iter()), (sent.clone(), events.clone()), "at {at}");
    }
    assert_eq!(submit(server.chunks(1)), (sent, events));
}

#[test]
fn a_server_that_does_not_know_ehlo_is_greeted_with_helo() {
    let mut session = Session::new();
    answer(&mut session, "220 ready\r\n");
    session.start(hello()).unwrap();
    drain(&mut session);
    assert_eq!(answer(&mut session, "502 what?\r\n").0, "HELO [127.0.0.1]\r\n");
    // What looks like an extension in the answer to HELO is not one.
    let (_, events) = answer(&mut session, "250-mail\r\n250 STARTTLS\r\n");
    assert_eq!(events, [Event::Hello(Extensions::default())]);
}

#[test]
fn without_pipelining_each_recipient_waits_for_the_answer_before() {
    let mut session = introduced("250 mail\r\n");
    session.start(Command::Envelope(envelope(&["b@c", "d@e"]))).unwrap();
    assert_eq!(drain(&mut session).0, "MAIL FROM:<ann@example.org>\r\n");
    assert_eq!(answer(&mut session, "250 ok\r\n").0, "RCPT TO:<b@c>\r\n");
    assert_eq!(answer(&mut session, "250 ok\r\n").0, "RCPT TO:<d@e>\r\n");
    assert_eq!(answer(&mut session, "250 ok\r\n").1, [Event::EnvelopeAccepted]);
}

#[test]
fn a_refused_sender_ends_the_envelope_with_and_without_pipelining() {
    let refused = |events: &[Event]| matches!(events, [Event::Refused { request: Request::Sender, reply }] if reply.code == 550);
    let mut session = introduced("250 mail\r\n");
    session.start(Command::Envelope(envelope(&["b@c", "d@e"]))).unwrap();
    drain(&mut session);
    let (sent, events) = answer(&mut session, "550 not you\r\n");
    assert!(sent.is_empty() && refused(&events));

    let mut session = introduced("250-mail\r\n250 PIPELINING\r\n");
    session.start(Command::Envelope(envelope(&["b@c", "d@e"]))).unwrap();
    assert_eq!(drain(&mut session).0.lines().count(), 3);
    assert_eq!(answer(&mut session, "550 not you\r\n503 no\r\n").1, []);
    assert!(refused(&answer(&mut session, "503 no\r\n").1));
}

#[test]
fn refused_recipients_are_named_all_at_once() {
    let mut session = introduced("250-mail\r\n250 PIPELINING\r\n");
    session.start(Command::Envelope(envelope(&["b@c", "d@e", "f@g"]))).unwrap();
    drain(&mut session);
    let (_, events) = answer(&mut session, "250 ok\r\n550 5.1.1 who?\r\n250 ok\r\n450 busy\r\n");
    let [Event::RecipientsRefused(refused)] = &events[..] else { panic!("{events:?}") };
    let named: Vec<_> =
        refused.iter().map(|(address, reply)| (address.as_str(), reply.code)).collect();
    assert_eq!(named, [("b@c", 550), ("f@g", 450)]);
}

#[test]
fn a_bounded_number_of_recipients_is_on_the_way() {
    let recipients: Vec<String> = (0..120).map(|number| format!("r{number}@c")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let mut session = introduced("250-mail\r\n250 PIPELINING\r\n");
    session.start(Command::Envelope(envelope(&recipients))).unwrap();
    assert_eq!(drain(&mut session).0.lines().count(), 1 + MAX_RECIPIENTS_IN_FLIGHT);
    let (sent, _) = answer(&mut session, &"250 ok\r\n".repeat(1 + MAX_RECIPIENTS_IN_FLIGHT));
    assert_eq!(sent.lines().count(), MAX_RECIPIENTS_IN_FLIGHT);
    let (sent, _) = answer(&mut session, &"250 ok\r\n".repeat(MAX_RECIPIENTS_IN_FLIGHT));
    assert_eq!(sent.lines().count(), 20);
    assert_eq!(answer(&mut session, &"250 ok\r\n".repeat(20)).1, [Event::EnvelopeAccepted]);
}

#[test]
fn a_server_that_asks_gets_the_answer_to_its_challenges() {
    let mut session = introduced("250-mail\r\n250 AUTH LOGIN\r\n");
    let login = Mechanism::login(Credentials::new("ann", "secret"));
    session.start(Command::Auth(login)).unwrap();
    assert_eq!(drain(&mut session).0, "AUTH LOGIN\r\n");
    assert_eq!(answer(&mut session, "334 VXNlcm5hbWU6\r\n").0, "YW5u\r\n");
    assert_eq!(answer(&mut session, "334 UGFzc3dvcmQ6\r\n").0, "c2VjcmV0\r\n");
    let (_, events) = answer(&mut session, "535 5.7.8 wrong\r\n");
    assert!(matches!(&events[..], [Event::Refused { request: Request::LogIn, .. }]));
}

#[test]
fn bytes_behind_the_go_ahead_for_tls_are_fatal() {
    for glued in ["220 go\r\n250 mail\r\n", "220 go\r\n\u{16}"] {
        let mut session = introduced("250-mail\r\n250 STARTTLS\r\n");
        session.start(Command::StartTls).unwrap();
        drain(&mut session);
        let (_, events) = answer(&mut session, glued);
        assert_eq!(events.last(), Some(&Event::Failed(SessionError::BytesBeforeTls)));
        assert_eq!(answer(&mut session, "250 mail\r\n").1, [], "nothing is read any more");
    }
}

#[test]
fn what_was_offered_before_tls_is_forgotten() {
    let mut session = introduced("250-mail\r\n250-SIZE 1\r\n250 STARTTLS\r\n");
    let too_large = Err(CommandError::TooLarge { limit: 1 });
    assert_eq!(session.start(Command::Envelope(envelope(&["b@c"]))), too_large);
    session.start(Command::StartTls).unwrap();
    session.start(hello()).unwrap();
    assert_eq!(drain(&mut session).0, "STARTTLS\r\n");
    assert_eq!(answer(&mut session, "220 go\r\n"), (String::new(), vec![Event::StartTls]));
    session.tls_established();
    assert_eq!(drain(&mut session).0, "EHLO [127.0.0.1]\r\n");
    assert_eq!(session.start(Command::Envelope(envelope(&["b@c"]))), Ok(()));
}

#[test]
fn content_can_not_be_sent_before_the_server_waits_for_it_nor_after_the_dot() {
    let refused = Err(CommandError::NoContentWanted);
    let mut session = introduced("250 mail\r\n");
    assert_eq!(session.content(b"a"), refused);
    assert_eq!(session.finish(), refused);
    session.start(Command::Data).unwrap();
    drain(&mut session);
    assert_eq!(session.content(b"a"), refused);
    answer(&mut session, "354 go\r\n");
    assert_eq!(session.content(b"a"), Ok(()));
    assert_eq!(drain(&mut session).0, "a", "the dot waits for finish");
    assert_eq!(session.finish(), Ok(()));
    assert_eq!(drain(&mut session).0, "\r\n.\r\n");
    assert_eq!(session.content(b"b"), refused);
    assert_eq!(session.finish(), refused);
}

#[test]
fn a_server_that_gives_up_within_the_message_ends_the_session() {
    let mut session = introduced("250 mail\r\n");
    session.start(Command::Data).unwrap();
    drain(&mut session);
    answer(&mut session, "354 go\r\n");
    session.content(b"a").unwrap();
    drain(&mut session);
    let (_, events) = answer(&mut session, "552 5.3.4 too much\r\n");
    assert!(matches!(&events[..], [Event::Refused { request: Request::Content, .. }]));
    assert_eq!(session.finish(), Err(CommandError::NoContentWanted));
}

#[test]
fn a_message_is_never_accepted_before_its_dot() {
    let mut session = introduced("250 mail\r\n");
    session.start(Command::Data).unwrap();
    drain(&mut session);
    answer(&mut session, "354 go\r\n");
    session.content(b"a").unwrap();
    drain(&mut session);
    let failed = Event::Failed(SessionError::Unfitting(250));
    assert_eq!(answer(&mut session, "250 queued\r\n").1, [failed]);
}

#[test]
fn a_server_may_close_whenever_it_must() {
    let reply = Reply { code: 421, enhanced: None, lines: vec!["shutting down".into()] };
    let closed = [Event::Refused { request: Request::Connect, reply }];
    let mut session = introduced("250 mail\r\n");
    assert_eq!(answer(&mut session, "421 shutting down\r\n").1, closed);
    let mut session = Session::new();
    assert_eq!(answer(&mut session, "421 shutting down\r\n").1, closed);
}

#[test]
fn debug_of_a_session_shows_no_password() {
    let mut session = introduced("250 mail\r\n");
    session.start(Command::Auth(Mechanism::plain(Credentials::new("ann", "tr0ub4dor")))).unwrap();
    assert!(!format!("{session:?}").contains("tr0ub4dor"));
    drain(&mut session);
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
    let mut session = introduced("250-mail\r\n250 AUTH SCRAM-SHA-256\r\n");
    session.start(scram()).unwrap();
    assert_eq!(drain(&mut session).0, format!("AUTH SCRAM-SHA-256 {}\r\n", SCRAM[0]));
    let (proof, _) = answer(&mut session, &format!("334 {}\r\n", SCRAM[1]));
    assert_eq!(proof, format!("{}\r\n", SCRAM[2]));
    let (last, _) = answer(&mut session, &format!("334 {}\r\n", SCRAM[3]));
    assert_eq!(last, "\r\n");
    assert_eq!(answer(&mut session, "235 welcome\r\n").1, [Event::LoggedIn]);
}

#[test]
fn a_server_that_lets_us_in_without_its_proof_is_not_believed() {
    let mut session = introduced("250-mail\r\n250 AUTH SCRAM-SHA-256\r\n");
    session.start(scram()).unwrap();
    drain(&mut session);
    let (_, events) = answer(&mut session, "235 welcome\r\n");
    assert_eq!(events, [Event::Failed(SessionError::Unverified)]);
}

#[test]
fn a_server_that_can_not_prove_itself_is_told_no_more() {
    for unproven in UNPROVEN {
        let mut session = introduced("250-mail\r\n250 AUTH SCRAM-SHA-256\r\n");
        session.start(scram()).unwrap();
        drain(&mut session);
        let (proof, _) = answer(&mut session, &format!("334 {}\r\n", SCRAM[1]));
        assert_eq!(proof, format!("{}\r\n", SCRAM[2]));
        let (said, events) = answer(&mut session, &format!("334 {unproven}\r\n"));
        let expected = ("", &[Event::Failed(SessionError::Unverified)][..]);
        assert_eq!((&*said, &*events), expected, "{unproven}");
    }
}
