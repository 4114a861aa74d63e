//! Who is told the password, and when.

use super::*;

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

#[test]
fn where_scram_is_refused_another_way_is_tried_once_unless_others_could_listen() {
    let greeting =
        "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN AUTH=SCRAM-SHA-1] hi\r\n";
    let scram = "AUTHENTICATE SCRAM-SHA-1 biwsbj1hbm4scj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    let plain = "AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=";
    let wrong = || "{tag} NO [AUTHENTICATIONFAILED] Wrong, Ann.\r\n".to_owned();
    let log_in = |security, script| connect(&ScriptedHost::default(), security, greeting, script);

    let taken = ok("* CAPABILITY IMAP4rev1\r\n");
    assert!(log_in(Security::Tls, vec![(scram, wrong()), (plain, taken)]).is_ok());
    let failed = MailError::Login("Wrong, Ann.".into());
    // One that hangs up instead of an answer has given one before.
    for again in [wrong(), "* BYE Enough.\r\n".into()] {
        let refused = log_in(Security::Tls, vec![(scram, wrong()), (plain, again)]);
        assert_eq!(refused.err(), Some(failed.clone()));
    }
    assert_eq!(log_in(Security::Plain, vec![(scram, wrong())]).err(), Some(failed));
    let busy = "{tag} NO [UNAVAILABLE] Later.\r\n".to_owned();
    let unavailable = log_in(Security::Tls, vec![(scram, busy)]).err();
    assert_eq!(unavailable, Some(MailError::Unavailable("Later.".into())));
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
