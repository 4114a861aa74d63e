//! What well-known servers send that no standard has, or that breaks one. Each line must be
//! understood without a defect.

use postern_imap::{
    Event, Limits, Response, Session,
    response::{BodyStructure, Code, Content, Flag, StatusKind},
    session::Output,
};

use crate::{code, ended, fetch, found, listed, response, set};

/// The capabilities that a greeting tells.
fn greeted(line: &str) -> Vec<String> {
    let mut session = Session::new(Limits::default());
    session.handle_input(format!("{line}\r\n").as_bytes());
    let greeting = session.poll_output();
    assert!(matches!(greeting, Some(Output::Event(Event::Greeting(_)))), "{line}: {greeting:?}");
    assert!(session.poll_output().is_none(), "{line}");
    let names = session.capabilities().into_iter().flat_map(|own| own.names().map(str::to_owned));
    names.collect()
}

fn structure(line: &str) -> BodyStructure {
    fetch(line).body_structure.unwrap()
}

fn other(name: &str, payload: &str) -> Code {
    Code::Other { name: name.into(), payload: payload.into() }
}

#[test]
fn greetings_of_all_kinds_are_heard() {
    assert!(greeted("* OK Gimap ready for requests from 192.0.2.1 a1mb12345678abc").is_empty());
    assert!(
        greeted("* OK The Microsoft Exchange IMAP4 service is ready. [TABPADEAUABSADIAMA==]")
            .is_empty()
    );
    let icloud = greeted(
        "* OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PLAIN \
         AUTH=XOAUTH2] (2218B21-4be9) pv50p00im-ztbu10",
    );
    assert!(icloud.contains(&"SASL-IR".into()));
    let yahoo = greeted(
        "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE \
         NAMESPACE XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT UNSELECT OBJECTID] \
         IMAP4rev1 imapgate-0.7.65 imap.mail.yahoo.com",
    );
    assert!(yahoo.contains(&"OBJECTID".into()));
}

#[test]
fn gmail_is_understood() {
    let all = listed(r#"* LIST (\All \HasNoChildren) "/" "[Gmail]/All Mail""#);
    assert_eq!(all.path(), ["[Gmail]", "All Mail"]);
    assert!(listed(r#"* LIST (\HasChildren \Noselect) "/" "[Gmail]""#).has(r"\NoSelect"));
    let old = listed(r#"* XLIST (\HasNoChildren \Inbox) "/" "Posteingang""#);
    assert!(old.has(r"\Inbox"));
    let told = fetch(
        "* 1 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 1278455344230334865 X-GM-LABELS \
         (\"\\\\Important\" \"\\\\Sent\" \"[a] b\" {5}\r\nc(\"d\") UID 4 MODSEQ (1234) FLAGS \
         (\\Seen $NotPhishing))",
    );
    assert_eq!((told.uid, told.mod_seq), (Some(4), Some(1234)));
    assert_eq!(told.gmail.labels.unwrap()[2..], [b"[a] b".to_vec(), b"c(\"d\"".to_vec()]);
    let end = ended(
        "A NO [ALERT] Application-specific password required: https://support.google.com/x (Failure)",
    );
    assert_eq!(end.code, Some(Code::Alert));
    let end = ended("A NO [WEBALERT https://accounts.google.com/s?x=1&y=2] Web login required.");
    assert_eq!(end.code, Some(Code::WebAlert("https://accounts.google.com/s?x=1&y=2".into())));
    let end = ended("A NO [THROTTLED] Too many simultaneous connections. (Failure)");
    assert_eq!(end.code, Some(Code::Throttled));
    assert_eq!(code("* BYE [UNAVAILABLE] Temporary System Error"), Some(Code::Unavailable));
}

#[test]
fn an_attached_message_without_its_structure_is_a_part() {
    let structure = structure(
        "* 1 FETCH (UID 9 BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"UTF-8\") NIL NIL \
         \"7BIT\" 2 1 NIL NIL NIL)(\"MESSAGE\" \"RFC822\" (\"NAME\" \"a.eml\") NIL NIL \"7BIT\" 94 \
         NIL (\"ATTACHMENT\" (\"FILENAME\" \"a.eml\")) NIL) \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL))",
    );
    let leaves = structure.leaves();
    assert_eq!((&*leaves[1].0, leaves[1].1.file_name()), ("2", Some(&b"a.eml"[..])));
    assert!(leaves[1].1.message.is_none());
}

#[test]
fn a_multipart_without_parts_has_none() {
    for line in [
        r#"* 1 FETCH (BODYSTRUCTURE ("mixed" ("boundary" "x") NIL NIL))"#,
        r#"* 1 FETCH (BODYSTRUCTURE ("mixed" NIL NIL NIL))"#,
        r#"* 1 FETCH (BODYSTRUCTURE ("mixed"))"#,
    ] {
        let BodyStructure::Multipart(multipart) = structure(line) else { panic!("{line}") };
        assert_eq!((&*multipart.subtype, multipart.parts.len()), ("mixed", 0), "{line}");
    }
}

#[test]
fn exchange_is_understood() {
    let end = ended("A BAD User is authenticated but not connected.");
    assert_eq!((end.kind, end.code), (StatusKind::Bad, None));
    assert_eq!(ended("A NO LOGIN failed.").text, "LOGIN failed.");
    assert_eq!(code("* BYE Connection is closed. 13"), None);
    assert_eq!(ended("A OK").text, "");
    // It leaves the quotes of numbers and the lines of texts to chance.
    let BodyStructure::Part(part) = structure(
        r#"* 1 FETCH (BODYSTRUCTURE ("text" "html" ("charset" "iso-8859-1") NIL NIL "quoted-printable" "1024" NIL NIL NIL NIL NIL))"#,
    ) else {
        panic!("no part");
    };
    assert_eq!((part.size, part.lines), (1024, None));
    let told =
        fetch(r#"* 5 FETCH (BODY[HEADER] NIL FLAGS () INTERNALDATE " 3-Mar-2024 05:06:07 +0000")"#);
    assert_eq!(told.sections[0].content, Content::Missing);
    assert_eq!((told.flags, told.internal_date), (Some(vec![]), Some(1_709_442_367)));
    // The group's name of undisclosed recipients.
    let told = fetch(
        r#"* 5 FETCH (ENVELOPE (NIL "x" ((NIL NIL "a" "b.c")) NIL NIL ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL))"#,
    );
    assert!(told.envelope.unwrap().addresses.to().is_empty());
}

#[test]
fn yahoo_is_understood() {
    let end = ended("A NO [AUTHENTICATIONFAILED] (#AUTH013) Account temporarily restricted");
    assert_eq!(end.code, Some(Code::AuthenticationFailed));
    let end = ended("A NO [LIMIT] Server Rate limit");
    assert_eq!(end.code, Some(Code::Limit));
    let end = ended("A OK [XYMHIGHESTMODSEQ 17] NOOP completed");
    assert_eq!(end.code, Some(other("XYMHIGHESTMODSEQ", "17")));
    assert_eq!(code("* OK [XYMHIGHESTMODSEQ 12] OK"), Some(other("XYMHIGHESTMODSEQ", "12")));
    let entry = listed(r#"* LIST (\Junk \HasNoChildren) "/" "Bulk Mail""#);
    assert!(entry.has(r"\Junk"));
    let told = fetch(
        r#"* 1 FETCH (UID 7 EMAILID (AGx) THREADID (T1) X-MSG-ID "7" FLAGS ($NotJunk NotJunk \Seen))"#,
    );
    assert_eq!(told.email_id.as_deref(), Some("AGx"));
    assert_eq!(told.flags.unwrap()[2], Flag::Seen);
}

#[test]
fn icloud_is_understood() {
    assert_eq!(found("* SEARCH ").count, Some(0));
    assert_eq!(found("* SEARCH 3 ").all, Some(set("3")));
    assert_eq!(
        code("* OK [XAPPLEPUSHSERVICE aps-version] ok"),
        Some(other("XAPPLEPUSHSERVICE", "aps-version"))
    );
    let told = fetch(r"* 3 FETCH (UID 8 RFC822.SIZE 12 MODSEQ 44 FLAGS (\Seen $MailFlagBit0 ))");
    assert_eq!((told.mod_seq, told.flags.unwrap().len()), (Some(44), 2));
}

#[test]
fn spaces_where_none_belong_do_no_harm() {
    let Response::MailboxStatus(status) = response("* STATUS  INBOX  (MESSAGES  3  UNSEEN 1 ) ")
    else {
        panic!("no status");
    };
    assert_eq!((status.messages, status.unseen), (Some(3), Some(1)));
    assert_eq!(response("* 3 EXISTS "), Response::Exists(3));
    assert_eq!(
        response(r"* FLAGS ( \Seen  \Draft )"),
        Response::Flags(vec![Flag::Seen, Flag::Draft])
    );
    let told = fetch(
        r#"* 1 FETCH ( UID 2 ENVELOPE ( NIL "x" ( ("A" NIL "a" "b") ("B" NIL "b" "c") ) NIL NIL NIL NIL NIL NIL NIL ) )"#,
    );
    assert_eq!(told.envelope.unwrap().addresses.from().len(), 2);
}

#[test]
fn text_in_other_charsets_is_taken() {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK Gr\xfc\xdfe\r\n* LIST () \"/\" \"Entw\xfcrfe\"\r\n");
    session.handle_input(
        b"* 1 FETCH (ENVELOPE (NIL \"\xe4\xff\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n",
    );
    let events: Vec<_> = std::iter::from_fn(|| session.poll_output()).collect();
    let Output::Event(Event::Response(Response::List(entry))) = &events[1] else { panic!() };
    assert_eq!(entry.name, b"Entw\xfcrfe");
    let Output::Event(Event::Response(Response::Fetch(told))) = &events[2] else { panic!() };
    assert_eq!(told.envelope.as_ref().unwrap().subject, b"\xe4\xff");
}
