//! RFC 9051, RFC 3501, RFC 5530, RFC 2971, RFC 2342, RFC 4978.

use postern_imap::{
    Response,
    response::{BodyStructure, Code, Content, Flag, StatusKind},
};

use crate::{code, ended, fetch, found, response, set, understood};

#[test]
fn what_a_server_can_do_is_read() {
    let Response::Capability(capabilities) =
        response("* CAPABILITY STARTTLS AUTH=GSSAPI IMAP4rev2 LOGINDISABLED")
    else {
        panic!("no capabilities");
    };
    assert!(capabilities.has("IMAP4rev2") && capabilities.has("LOGINDISABLED"));
    assert_eq!(capabilities.mechanisms().collect::<Vec<_>>(), ["GSSAPI"]);
}

#[test]
fn a_mailbox_is_selected() {
    let responses = understood(&[
        "* 172 EXISTS",
        "* OK [UNSEEN 12] Message 12 is first unseen",
        "* OK [UIDVALIDITY 3857529045] UIDs valid",
        "* OK [UIDNEXT 4392] Predicted next UID",
        r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
        r"* OK [PERMANENTFLAGS (\Deleted \Seen \*)] Limited",
        r#"* LIST () "/" INBOX"#,
    ]);
    assert_eq!(responses[0], Response::Exists(172));
    let codes = responses.iter().filter_map(|response| match response {
        Response::Status(status) => status.code.clone(),
        _ => None,
    });
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [
            Code::Unseen(12),
            Code::UidValidity(3_857_529_045),
            Code::UidNext(4392),
            Code::PermanentFlags(vec![Flag::Deleted, Flag::Seen, Flag::Other(r"\*".into())]),
        ]
    );
    let end = ended("A142 OK [READ-WRITE] SELECT completed");
    assert_eq!((end.kind, end.code), (StatusKind::Ok, Some(Code::ReadWrite)));
}

#[test]
fn refusals_say_why() {
    let cases = [
        ("b NO [PRIVACYREQUIRED] Connection offers no privacy", Code::PrivacyRequired),
        ("b NO [AUTHENTICATIONFAILED] Authentication failed", Code::AuthenticationFailed),
        ("b NO [AUTHORIZATIONFAILED] No such authorization-ID", Code::AuthorizationFailed),
        ("a NO [UNAVAILABLE] User's backend down for maintenance", Code::Unavailable),
        ("A NO [EXPIRED] That password isn't valid any more", Code::Expired),
        ("A NO [ALREADYEXISTS] Mailbox \"that\" already exists", Code::AlreadyExists),
        ("P NO [NONEXISTENT] No such mailbox", Code::NonExistent),
        ("A NO [INUSE] Mailbox in use", Code::InUse),
        ("d OK [EXPUNGEISSUED] Some messages were expunged", Code::ExpungeIssued),
        ("A NO [CANNOT] Cannot create folder with that name", Code::Cannot),
        ("A NO [LIMIT] At most 32 flags in one mailbox supported", Code::Limit),
        ("A NO [OVERQUOTA] Sorry", Code::OverQuota),
        ("A NO [HASCHILDREN] Mailbox has children", Code::HasChildren),
        ("A006 NO [TRYCREATE] No such mailbox", Code::TryCreate),
        ("D NO [COMPRESSIONACTIVE] DEFLATE active via TLS", Code::CompressionActive),
        ("A BAD [CLIENTBUG] This is a client bug", Code::ClientBug),
    ];
    for (line, code) in cases {
        assert_eq!(ended(line).code, Some(code), "{line}");
    }
    assert_eq!(code("* OK [ALERT] System shutdown in 10 minutes"), Some(Code::Alert));
    assert_eq!(code("* BYE Autologout; idle for too long"), None);
}

#[test]
fn the_message_of_the_sample_session_is_read() {
    let message = fetch(
        "* 12 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286 \
         ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and \
         minutes\" ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \
         \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
         (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
         \"<B27397-0100000@cac.washington.edu>\") BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \
         \"US-ASCII\") NIL NIL \"7BIT\" 3028 92))",
    );
    let envelope = message.envelope.unwrap();
    assert_eq!(envelope.subject, b"IMAP4rev1 WG mtg summary and minutes");
    assert_eq!((envelope.addresses.cc().len(), envelope.addresses.bcc().len()), (2, 0));
    assert_eq!((message.size, message.internal_date), (Some(4286), Some(837_596_665)));
    let Some(BodyStructure::Part(part)) = message.body_structure else { panic!() };
    assert_eq!((&*part.media_type, part.size, part.lines), ("text/plain", 3028, Some(92)));
}

#[test]
fn the_structures_of_the_examples_are_read() {
    let structure = fetch(
        "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" \
         1152 23)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \
         \"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73) \
         \"MIXED\"))",
    )
    .body_structure
    .unwrap();
    let leaves = structure.leaves();
    assert_eq!(leaves[1].0, "2");
    assert_eq!(leaves[1].1.description, b"Compiler diff");
    assert_eq!(leaves[1].1.file_name(), Some(&b"cc.diff"[..]));
}

#[test]
fn a_header_comes_as_a_literal() {
    let header =
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.wa>\r\n\r\n";
    let line = format!("* 12 FETCH (BODY[HEADER] {{{}}}\r\n{header})", header.len());
    let message = fetch(&line);
    assert_eq!(message.sections[0].section, b"HEADER");
    assert_eq!(message.sections[0].content, Content::Held(header.into()));
}

#[test]
fn searches_answer_in_both_forms() {
    let cases = [
        ("* SEARCH 2 84 882", Some("2,84,882"), Some(3)),
        ("* SEARCH", None, Some(0)),
        ("* ESEARCH (TAG \"A282\") MIN 2 COUNT 3", None, Some(3)),
        ("* ESEARCH UID COUNT 17 ALL 4:18,21,28", Some("4:18,21,28"), Some(17)),
        ("* ESEARCH (TAG \"a567\") UID COUNT 17 ALL 4:18,21,28", Some("4:18,21,28"), Some(17)),
        ("* ESEARCH COUNT 18 ALL 1:17,21", Some("1:17,21"), Some(18)),
    ];
    for (line, all, count) in cases {
        let result = found(line);
        assert_eq!((result.all, result.count), (all.map(set), count), "{line}");
    }
}

#[test]
fn a_server_says_who_it_is() {
    let Response::Id(fields) = response(
        "* ID (\"name\" \"Cyrus\" \"version\" \"1.5\" \"os\" \"sunos\" \"os-version\" \"5.5\" \
         \"support-url\" \"mailto:cyrus-bugs+@andrew.cmu.edu\")",
    ) else {
        panic!("no ID");
    };
    assert_eq!(fields[0], ("name".into(), Some("Cyrus".into())));
    assert_eq!(fields.len(), 5);
}

#[test]
fn namespaces_of_every_kind_are_read() {
    let cases = [
        (r#"* NAMESPACE (("" "/")) NIL NIL"#, (1, 0, 0)),
        (r#"* NAMESPACE NIL NIL (("" "."))"#, (0, 0, 1)),
        (r##"* NAMESPACE (("" "/")) NIL (("Public Folders/" "/"))"##, (1, 0, 1)),
        (
            r##"* NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/")("#public/" "/")("#ftp/" "/")("#news." "."))"##,
            (1, 1, 4),
        ),
        (r##"* NAMESPACE (("" "/")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) NIL NIL"##, (2, 0, 0)),
    ];
    for (line, counts) in cases {
        let Response::Namespaces(own) = response(line) else { panic!("{line}") };
        assert_eq!((own.personal.len(), own.others.len(), own.shared.len()), counts, "{line}");
    }
}
