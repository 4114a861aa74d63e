//! Who is told the password, and when.

use postern_bridge::Proof;

use super::{scripted::connect_with, *};
use crate::Secret;

#[test]
fn after_starttls_everything_is_asked_anew_and_only_then_comes_the_password() {
    let host = ScriptedHost::default();
    let script = vec![
        ("STARTTLS", ok("")),
        ("CAPABILITY", ok("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n")),
        ("AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=", ok("* CAPABILITY IMAP4rev1\r\n")),
    ];
    let greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n";
    assert!(connect(&host, Security::StartTls, greeting, script).is_ok());
    assert!(host.wire.borrow().tls);
}

#[test]
fn what_was_said_before_tls_is_neither_told_to_a_person_nor_counted() {
    let host = ScriptedHost::default();
    let bad = "* OK [ALERT] Ring eve\r\n* 1 EXISTS x (\r\n* OK [NOTIFICATIONOVERFLOW] x\r\n";
    let script = vec![
        ("CAPABILITY", ok(&format!("{bad}* CAPABILITY IMAP4rev1 STARTTLS\r\n"))),
        ("STARTTLS", "{tag} OK [ALERT] Pay eve\r\n".into()),
        (
            "CAPABILITY",
            ok("* OK [ALERT] Down at noon\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n"),
        ),
        ("AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=", ok("* CAPABILITY IMAP4rev1\r\n")),
    ];
    let greeting = "* OK [ALERT] Send your password to eve\r\n";
    let mut client = connect(&host, Security::StartTls, greeting, script).unwrap();
    assert_eq!(client.take_alerts(), ["Down at noon"]);
    assert!(client.take_defects().is_empty());
    assert_eq!((client.overflows, client.told_of_others), (0, false));
}

#[test]
fn where_starttls_can_not_be_had_the_password_is_not_sent() {
    let injected = "{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n";
    let cases: Vec<(&str, Script)> = vec![
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", vec![]),
        ("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", vec![]),
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
            vec![("STARTTLS", "{tag} NO not now\r\n".into())],
        ),
        ("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", vec![("STARTTLS", injected.into())]),
    ];
    for (greeting, script) in cases {
        let host = ScriptedHost::default();
        assert!(connect(&host, Security::StartTls, greeting, script).is_err(), "{greeting}");
        assert!(!host.wire.borrow().tls);
        assert!(!host.wire.borrow().said.contains("AUTHENTICATE"));
    }
}

const WITH_SCRAM: &str =
    "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-1] hi\r\n";
const SCRAM: &str = "AUTHENTICATE SCRAM-SHA-1 biwsbj1hbm4scj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
const PLAIN: &str = "AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=";

fn wrong() -> String {
    "{tag} NO [AUTHENTICATIONFAILED] Wrong, Ann.\r\n".into()
}

fn taken() -> String {
    ok("* CAPABILITY IMAP4rev1\r\n")
}

#[test]
fn where_scram_is_refused_another_way_is_tried_once_unless_others_could_listen() {
    let log_in = |security, script| connect(&ScriptedHost::default(), security, WITH_SCRAM, script);

    assert!(log_in(Security::Tls, vec![(SCRAM, wrong()), (PLAIN, taken())]).is_ok());
    let failed = MailError::Login("Wrong, Ann.".into());
    // One that hangs up instead of an answer has given one before.
    for again in [wrong(), "* BYE Enough.\r\n".into()] {
        let refused = log_in(Security::Tls, vec![(SCRAM, wrong()), (PLAIN, again)]);
        assert_eq!(refused.err(), Some(failed.clone()));
    }
    assert_eq!(log_in(Security::Plain, vec![(SCRAM, wrong())]).err(), Some(failed));
    let busy = "{tag} NO [UNAVAILABLE] Later.\r\n".to_owned();
    let unavailable = log_in(Security::Tls, vec![(SCRAM, busy)]).err();
    assert_eq!(unavailable, Some(MailError::Unavailable("Later.".into())));
}

#[test]
fn what_the_second_way_meets_that_says_nothing_of_the_password_is_told() {
    let many = || MailError::TooManyConnections("Too many connections.".into());
    for (answer, expected) in [
        ("{tag} NO Too many connections.\r\n", many()),
        ("* BYE Too many connections.\r\n", many()),
        ("{tag} NO [UNAVAILABLE] Later.\r\n", MailError::Unavailable("Later.".into())),
        ("* OK I am at work.\r\n", MailError::TimedOut("log in")),
    ] {
        let host = ScriptedHost::default();
        if matches!(expected, MailError::TimedOut(_)) {
            host.wire.borrow_mut().drip = answer.into();
        }
        let script = vec![(SCRAM, wrong()), (PLAIN, answer.to_owned())];
        let refused = connect(&host, Security::Tls, WITH_SCRAM, script);
        assert_eq!(refused.err(), Some(expected));
    }
}

#[test]
fn where_scram_was_refused_the_next_connection_goes_the_way_that_was_taken_until_that_is_refused() {
    let host = ScriptedHost::default();
    let log_in = |security, password, script| {
        let client = connect_with(&host, security, WITH_SCRAM, script, &Secret::new(password));
        let tries = host.wire.borrow().said.matches("AUTHENTICATE").count();
        (client.is_ok(), tries)
    };
    let both = |answer| vec![(SCRAM, wrong()), (PLAIN, answer)];
    assert_eq!(log_in(Security::Tls, "secret", both(taken())), (true, 2));
    for _ in 0..2 {
        assert_eq!(log_in(Security::Tls, "secret", vec![(PLAIN, taken())]), (true, 1));
    }
    // Another password, and another way to the server, on which others could listen.
    let other = ("AUTHENTICATE PLAIN AGFubgBvdGhlcg==", wrong());
    assert_eq!(log_in(Security::Tls, "other", vec![(SCRAM, wrong()), other]), (false, 2));
    assert_eq!(log_in(Security::Plain, "secret", vec![(SCRAM, wrong())]), (false, 1));
    assert_eq!(log_in(Security::Tls, "secret", vec![(PLAIN, wrong())]), (false, 1));
    assert_eq!(log_in(Security::Tls, "secret", both(wrong())), (false, 2));
    assert_eq!(log_in(Security::Tls, "secret", both(taken())), (true, 2));
}

#[test]
fn a_server_that_fails_to_prove_that_it_knows_the_password_is_told_it_neither_now_nor_later() {
    // The nonces, "saltsalt" and 4096; our proof; "v=!!!".
    let challenge = "+ cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFzcnYscz1jMkZzZEhOaGJIUT0saT00MDk2\r\n";
    let proof = "Yz1iaXdzLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBc3J2LHA9SzBudkFTSzlIMlhzdVpqQUFDWU04RmRzK20wPQ==";
    let host = ScriptedHost::default();
    for _ in 0..2 {
        let script =
            vec![(SCRAM, challenge.into()), (proof, "+ dj0hISE=\r\n{tag} NO x\r\n".into())];
        let refused = connect(&host, Security::Tls, WITH_SCRAM, script).err();
        assert!(matches!(refused, Some(MailError::Protocol(_))), "{refused:?}");
    }
}

#[test]
fn log_in_is_used_where_no_mechanism_is_offered_and_a_refusal_is_told_in_the_servers_words() {
    let script = || vec![(r#"LOGIN "ann" "secret""#, "{tag} NO [X] Wrong, Ann.\r\n".to_owned())];
    let greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hi\r\n";
    let host = ScriptedHost::default();
    let error = connect(&host, Security::Tls, greeting, script()).err().unwrap();
    assert_eq!(error, MailError::Login("Wrong, Ann.".into()));
    let disabled = "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n";
    let error = connect(&host, Security::Tls, disabled, vec![]).err().unwrap();
    assert!(matches!(error, MailError::Unsupported(_)));
}

/// What a client says that logs in with a token.
struct Bearer {
    /// The command, with the message and without, and the message.
    at_once: &'static str,
    asked: &'static str,
    message: &'static str,
    /// Its answer to the reason for which a server refuses.
    resigns: &'static str,
}

const BEARERS: [Bearer; 2] = [
    // "n,a=ann,^Aauth=Bearer ya29.t^A^A", then "^A" (RFC 7628 sections 3.1 and 3.2.3).
    Bearer {
        at_once: "AUTHENTICATE OAUTHBEARER bixhPWFubiwBYXV0aD1CZWFyZXIgeWEyOS50AQE=",
        asked: "AUTHENTICATE OAUTHBEARER",
        message: "bixhPWFubiwBYXV0aD1CZWFyZXIgeWEyOS50AQE=",
        resigns: "AQ==",
    },
    // "user=ann^Aauth=Bearer ya29.t^A^A", then nothing.
    Bearer {
        at_once: "AUTHENTICATE XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgeWEyOS50AQE=",
        asked: "AUTHENTICATE XOAUTH2",
        message: "dXNlcj1hbm4BYXV0aD1CZWFyZXIgeWEyOS50AQE=",
        resigns: "",
    },
];

impl Bearer {
    /// What becomes of a log-in whose message is answered so, at a server that takes it at once,
    /// and at one that has to ask for it.
    fn log_in(&self, answer: &str, more: &[(&'static str, String)]) -> [Result<(), MailError>; 2] {
        let mechanism = self.asked.replace("AUTHENTICATE ", "AUTH=");
        let at_once = vec![(self.at_once, answer.to_owned())];
        let asked = vec![(self.asked, "+ \r\n".into()), (self.message, answer.to_owned())];
        [("SASL-IR", at_once), ("IDLE", asked)].map(|(offered, mut script)| {
            let host = ScriptedHost::default();
            script.extend_from_slice(more);
            let greeting = format!("* OK [CAPABILITY IMAP4rev1 {offered} {mechanism}] hi\r\n");
            let token = Secret::new("ya29.t").proving_by(Proof::Token);
            let client = connect_with(&host, Security::Tls, &greeting, script, &token);
            assert!(host.wire.borrow().script.is_empty());
            client.map(drop)
        })
    }
}

#[test]
fn a_token_logs_in_with_the_message_at_once_or_when_it_is_asked_for() {
    for bearer in BEARERS {
        let taken = bearer.log_in("A1 OK [CAPABILITY IMAP4rev1] in\r\n", &[]);
        assert_eq!(taken, [Ok(()), Ok(())], "{}", bearer.asked);
    }
}

#[test]
fn the_reason_for_which_a_token_is_refused_is_heard_to_its_end() {
    // {"status":"invalid_token"}
    let reason = "+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n";
    for bearer in BEARERS {
        for refusal in ["NO [AUTHENTICATIONFAILED] It has expired.", "BAD It has expired."] {
            let refused = [(bearer.resigns, format!("A1 {refusal}\r\n"))];
            let expected = || Err(MailError::Token("It has expired.".into()));
            let told = bearer.log_in(reason, &refused);
            assert_eq!(told, [expected(), expected()], "{} {refusal}", bearer.asked);
        }
        // Some give no reason.
        let told = bearer.log_in("A1 NO It has expired.\r\n", &[]);
        assert!(told.iter().all(|own| matches!(own, Err(MailError::Token(_)))), "{told:?}");
    }
}

#[test]
fn a_token_is_told_to_no_server_that_takes_passwords_alone() {
    for offered in ["AUTH=PLAIN AUTH=LOGIN SASL-IR", "IDLE"] {
        let host = ScriptedHost::default();
        let greeting = format!("* OK [CAPABILITY IMAP4rev1 {offered}] hi\r\n");
        let token = Secret::new("ya29.t").proving_by(Proof::Token);
        let client = connect_with(&host, Security::Tls, &greeting, vec![], &token);
        assert!(matches!(client.map(drop), Err(MailError::Unsupported(_))), "{offered}");
        assert_eq!(host.wire.borrow().said, "");
    }
}
