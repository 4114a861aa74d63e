//! Who gets in, and what is known from then on.

use postern_sasl::Nonce;

use super::*;

#[test]
fn authenticate_sends_its_response_at_once_only_where_the_server_takes_it() {
    let mut with = session("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n");
    with.start(plain());
    assert_eq!(sent(&mut with), "A1 AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=\r\n");
    let mut without = ready();
    without.start(plain());
    assert_eq!(sent(&mut without), "A1 AUTHENTICATE PLAIN\r\n");
    without.handle_input(b"+ \r\n");
    assert_eq!(sent(&mut without), "AGFubgBzZWNyZXQ=\r\n");
}

#[test]
fn a_challenge_without_an_answer_cancels_the_exchange() {
    for challenge in ["+ bm9uY2U=\r\n", "+ not base64\r\n"] {
        let mut session = ready();
        session.start(plain());
        session.start(Command::noop());
        sent(&mut session);
        session.handle_input(challenge.as_bytes());
        assert_eq!(sent(&mut session), "*\r\n");
        session.handle_input(b"A1 BAD cancelled\r\n");
        assert_eq!(sent(&mut session), "A2 NOOP\r\n");
    }
}

#[test]
fn nothing_is_pipelined_behind_a_log_in() {
    let mut session = ready();
    session.start(Command::noop());
    session.start(Command::login(&Credentials::new("a", "b")).unwrap());
    session.start(Command::capability());
    assert_eq!(sent(&mut session), "A1 NOOP\r\n");
    session.handle_input(b"A1 OK\r\n");
    assert_eq!(sent(&mut session), "A2 LOGIN \"a\" \"b\"\r\n");
    session.handle_input(b"A2 OK\r\n");
    assert_eq!(sent(&mut session), "A3 CAPABILITY\r\n");
}

#[test]
fn a_log_in_forgets_capabilities_unless_they_are_told_anew() {
    let cases = [
        ("A1 OK in\r\n", None),
        ("A1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n", Some(true)),
        ("* CAPABILITY IMAP4rev1 IDLE\r\nA1 OK in\r\n", Some(true)),
        ("A1 NO wrong\r\n", Some(false)),
    ];
    for (answer, idle) in cases {
        let mut session = session("* OK [CAPABILITY IMAP4rev1] hi\r\n");
        session.start(Command::login(&Credentials::new("a", "b")).unwrap());
        session.handle_input(answer.as_bytes());
        drain(&mut session);
        assert_eq!(session.capabilities().map(|all| all.has("IDLE")), idle, "{answer}");
    }
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
    Command::authenticate(Mechanism::scram_sha_256(credentials, Nonce::new([7; Nonce::BYTES])))
}

#[test]
fn a_server_that_lets_us_in_without_its_proof_is_not_believed() {
    let mut session = session("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n");
    session.start(scram());
    let first = sent(&mut session);
    assert_eq!(first, format!("A1 AUTHENTICATE SCRAM-SHA-256 {}\r\n", SCRAM[0]));
    session.handle_input(b"A1 OK welcome\r\n");
    assert_eq!(drain(&mut session).1, [Event::Fatal(FatalError::Unverified)]);
}

#[test]
fn a_server_that_can_not_prove_itself_is_told_no_more() {
    for unproven in UNPROVEN {
        let mut session = session("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n");
        session.start(scram());
        session.handle_input(format!("+ {}\r\n", SCRAM[1]).as_bytes());
        assert!(sent(&mut session).ends_with(&format!("{}\r\n", SCRAM[2])));
        session.handle_input(format!("+ {unproven}\r\n").as_bytes());
        let (said, events) = drain(&mut session);
        let expected = ("", &[Event::Fatal(FatalError::Unverified)][..]);
        assert_eq!((&*said, &*events), expected, "{unproven}");
    }
}

#[test]
fn a_server_that_proves_itself_lets_us_in() {
    for sasl_ir in [true, false] {
        let offered = if sasl_ir { "SASL-IR" } else { "IDLE" };
        let mut session = session(&format!("* OK [CAPABILITY IMAP4rev1 {offered}] ready\r\n"));
        session.start(scram());
        if !sasl_ir {
            assert_eq!(sent(&mut session), "A1 AUTHENTICATE SCRAM-SHA-256\r\n");
            session.handle_input(b"+ \r\n");
        }
        assert!(sent(&mut session).ends_with(&format!("{}\r\n", SCRAM[0])));
        session.handle_input(format!("+ {}\r\n", SCRAM[1]).as_bytes());
        assert_eq!(sent(&mut session), format!("{}\r\n", SCRAM[2]));
        session.handle_input(format!("+ {}\r\n", SCRAM[3]).as_bytes());
        assert_eq!(sent(&mut session), "\r\n");
        session.handle_input(b"A1 OK welcome\r\n");
        let (_, events) = drain(&mut session);
        assert!(matches!(&events[..], [Event::Completed { .. }]), "{events:?}");
    }
}

#[test]
fn a_refusal_of_the_proof_is_a_refusal() {
    let mut session = session("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n");
    session.start(scram());
    session.handle_input(b"A1 NO [AUTHENTICATIONFAILED] wrong\r\n");
    let (_, events) = drain(&mut session);
    assert!(
        matches!(&events[..], [Event::Completed { status, .. }] if status.kind == StatusKind::No)
    );
}
