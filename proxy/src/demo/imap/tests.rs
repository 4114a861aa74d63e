//! Sessions with the IMAP server, over TLS.

mod hostile;

use crate::demo::{
    Content, Demo, Options, Security, start,
    testing::{Client, encrypt},
};

async fn demo(content: Content) -> Demo {
    start(Options { content, ..Options::default() }).await.unwrap()
}

/// A client that has logged in.
async fn logged_in(demo: &Demo) -> Client {
    let mut client = Client::connect(demo, demo.imap).await;
    assert!(client.line().await.starts_with("* OK [CAPABILITY IMAP4rev1"));
    let login = format!("l LOGIN {} {}", demo.address, demo.password);
    let answer = client.ask(&login, "l ").await;
    assert!(answer.starts_with("l OK [CAPABILITY"), "{answer}");
    client
}

/// Sends a command with the tag `a` and returns all of the answer.
async fn command(client: &mut Client, command: &str) -> String {
    client.ask(&format!("a {command}"), "a ").await
}

#[track_caller]
fn assert_holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_a_right_one_still_welcome() {
    let demo = demo(Content::Empty).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    let wrong = command(&mut client, "LOGIN robin wrong").await;
    assert_holds(&wrong, &["a NO [AUTHENTICATIONFAILED]"]);
    // "\0robin\0garden-gate"
    let right = command(&mut client, "AUTHENTICATE PLAIN AHJvYmluAGdhcmRlbi1nYXRl").await;
    assert_holds(&right, &["a OK [CAPABILITY"]);
}

#[tokio::test]
async fn mailboxes_are_listed_with_special_uses_and_counts() {
    let demo = demo(Content::Believable).await;
    let mut client = logged_in(&demo).await;
    let all = command(&mut client, "LIST \"\" * RETURN (SPECIAL-USE STATUS (MESSAGES))").await;
    assert_holds(
        &all,
        &[
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"",
            "* LIST (\\HasChildren) \"/\" \"Projects\"",
            "* LIST (\\HasNoChildren) \"/\" \"Projects/Garden\"",
            "\"Familie &- K&APw-che\"",
            "* STATUS \"INBOX\" (MESSAGES ",
        ],
    );
    let top = command(&mut client, "LIST \"\" %").await;
    assert!(!top.contains("Projects/Garden"), "{top}");
    assert_holds(&command(&mut client, "ENABLE IMAP4rev2").await, &["* ENABLED IMAP4rev2"]);
    assert_holds(&command(&mut client, "LSUB \"\" F*").await, &["\"Familie & Küche\""]);
    assert_holds(&command(&mut client, "LIST \"\" \"\"").await, &["(\\Noselect) \"/\" \"\""]);
}

#[tokio::test]
async fn every_believable_message_can_be_fetched_whole_and_in_pieces() {
    let demo = demo(Content::Believable).await;
    let mut client = logged_in(&demo).await;
    for mailbox in demo.store().mailboxes() {
        let messages = demo.store().messages(&mailbox);
        if messages.is_empty() || !mailbox.is_ascii() {
            continue;
        }
        command(&mut client, &format!("EXAMINE \"{mailbox}\"")).await;
        let items = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)";
        let rows = command(&mut client, &format!("UID FETCH 1:* {items}")).await;
        assert_eq!(rows.matches(" BODYSTRUCTURE (").count(), messages.len(), "{mailbox}");
        for message in messages {
            client.send(format!("a UID FETCH {} BODY.PEEK[]\r\n", message.uid)).await;
            client.line().await;
            let mut whole = String::new();
            while whole.len() < message.raw.len() {
                whole.push_str(&client.line().await);
            }
            // Charsets that are not UTF-8 read lossily, and longer.
            if message.raw.is_ascii() {
                assert_eq!(whole.as_bytes(), &message.raw[..]);
            }
            client.until("a ").await;
        }
    }
}

/// The example of RFC 9051 section 6.4.5, shortened.
const NESTED: &str = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
    preamble\r\n\
    --a\r\n\r\none\r\n\
    --a\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\ndHdv\r\n\
    --a\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: inner\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
    --b\r\n\r\nthree one\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>three two</p>\r\n--b--\r\n\
    --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: plain\r\n\r\nfour one\r\n\
    --a--\r\n";

#[tokio::test]
async fn sections_are_counted_as_the_rfc_says() {
    let demo = demo(Content::Empty).await;
    demo.store().deliver(NESTED);
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    for (section, expected) in [
        ("1", Some("one")),
        ("2", Some("dHdv")),
        (
            "2.MIME",
            Some(
                "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            ),
        ),
        ("3.HEADER.FIELDS (Subject)", Some("Subject: inner\r\n\r\n")),
        ("3.1", Some("three one")),
        ("3.2", Some("<p>three two</p>")),
        ("3.2.MIME", Some("Content-Type: text/html\r\n\r\n")),
        ("4.HEADER", Some("Subject: plain\r\n\r\n")),
        ("4.TEXT", Some("four one")),
        ("4.1", Some("four one")),
        ("4", Some("Subject: plain\r\n\r\nfour one")),
        ("HEADER.FIELDS.NOT (Content-Type)", Some("Subject: outer\r\n\r\n")),
        ("5", None),
        ("1.1", None),
        ("1.HEADER", None),
        ("4.2", None),
    ] {
        let answer = command(&mut client, &format!("FETCH 1 BODY.PEEK[{section}]")).await;
        let expected = match expected {
            Some(text) => format!("BODY[{section}] {{{}}}\r\n{text})\r\n", text.len()),
            None => format!("BODY[{section}] NIL)\r\n"),
        };
        assert!(answer.contains(&expected), "{section}: {expected:?} is not in {answer:?}");
    }
    let part =
        command(&mut client, "FETCH 1 (BODY.PEEK[1]<1.9> BINARY.PEEK[2] BINARY.SIZE[2])").await;
    assert_holds(&part, &["BODY[1]<1> {2}\r\nne", "BINARY[2] {3}\r\ntwo", "BINARY.SIZE[2] 3"]);
}

#[tokio::test]
async fn a_structure_tells_nested_parts() {
    let demo = demo(Content::Empty).await;
    demo.store().deliver(NESTED);
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    let answer = command(&mut client, "FETCH 1 BODY").await;
    let text = "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\"";
    assert_holds(
        &answer,
        &[
            &format!(
                "BODY ({text} 3 0)(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 4)"
            ),
            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" ",
            "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL)",
            &format!("({text} 9 0)(\"text\" \"html\""),
            " \"alternative\")",
            " \"mixed\"))",
        ],
    );
}

#[tokio::test]
async fn an_envelope_has_ten_fields() {
    let demo = demo(Content::Empty).await;
    demo.store().deliver(
        "Date: Sat, 7 Feb 2026 10:00:00 +0000\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
         From: \"Holt, Mina\" <mina@example.org>\r\nTo: a@example.org,\r\n b@example.org\r\n\
         Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n\r\n",
    );
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    let answer = command(&mut client, "FETCH 1 ENVELOPE").await;
    let from = "((\"=?utf-8?B?SG9sdCwgTWluYQ==?=\" NIL \"mina\" \"example.org\"))";
    assert_holds(
        &answer,
        &[&format!(
            "ENVELOPE (\"Sat, 7 Feb 2026 10:00:00 +0000\" \"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\" {from} {from} \
             {from} ((NIL NIL \"a\" \"example.org\")(NIL NIL \"b\" \"example.org\")) NIL NIL \
             \"<0@x>\" \"<1@x>\")"
        )],
    );
}

#[tokio::test]
async fn reading_marks_as_seen_and_peeking_does_not() {
    let demo = demo(Content::Generated(2)).await;
    demo.store().set_flags("INBOX", 1, &[]);
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    command(&mut client, "FETCH 1 BODY.PEEK[TEXT]").await;
    assert!(!demo.store().messages("INBOX")[0].has_flag("\\Seen"));
    let read = command(&mut client, "FETCH 1 BODY[TEXT]").await;
    assert_holds(&read, &["FLAGS (\\Seen)"]);
    assert!(demo.store().messages("INBOX")[0].has_flag("\\Seen"));
}

#[tokio::test]
async fn flags_are_stored_and_told_unless_silence_is_asked_for() {
    let demo = demo(Content::Generated(3)).await;
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    let told = command(&mut client, "STORE 2 FLAGS (\\flagged $Later)").await;
    assert_holds(&told, &["* 2 FETCH (UID 2 FLAGS ($Later \\Flagged))"]);
    let silent = command(&mut client, "UID STORE 2 -FLAGS.SILENT (\\Flagged)").await;
    assert!(!silent.contains("FETCH"), "{silent}");
    assert!(!demo.store().messages("INBOX")[1].has_flag("\\Flagged"));
    command(&mut client, "EXAMINE INBOX").await;
    assert_holds(&command(&mut client, "STORE 1 +FLAGS \\Seen").await, &["a NO [READ-ONLY]"]);
}

#[tokio::test]
async fn messages_are_found_by_what_they_are() {
    let demo = demo(Content::Generated(8)).await;
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    for (keys, expected) in [
        ("ALL", "1 2 3 4 5 6 7 8"),
        ("UNSEEN", "1 5"),
        ("SUBJECT bench", "2"),
        ("FROM \"aisha noor\"", "3"),
        ("NOT 2:7", "1 8"),
        ("OR SUBJECT minutes 1", "1 5"),
        ("(UNSEEN 2:*) UID 1:6", "5"),
        ("BODY \"message 4.\"", "4"),
        ("TEXT kettle LARGER 700 7:8", "7 8"),
        ("SINCE 1-Jan-2000 BEFORE 1-Jan-2001", ""),
        ("CHARSET UTF-8 HEADER Message-ID generated-6@", "6"),
        ("KEYWORD nothing", ""),
    ] {
        let answer = command(&mut client, &format!("SEARCH {keys}")).await;
        let line = format!("* SEARCH {expected}").trim_end().to_owned() + "\r\n";
        assert!(answer.contains(&line), "{keys}: {answer}");
    }
    let extended = command(&mut client, "UID SEARCH RETURN (MIN MAX COUNT ALL SAVE) 2:4").await;
    assert_holds(&extended, &["* ESEARCH (TAG \"a\") UID MIN 2 MAX 4 COUNT 3 ALL 2:4\r\n"]);
    assert_eq!(command(&mut client, "FETCH $ UID").await.matches("FETCH (UID").count(), 3);
}

#[tokio::test]
async fn messages_move_copy_and_go() {
    let demo = demo(Content::Generated(5)).await;
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    let copied = command(&mut client, "COPY 1:2 Archive").await;
    assert_holds(&copied, &["a OK [COPYUID ", " 1:2 1:2]"]);
    let moved = command(&mut client, "UID MOVE 2,4 Archive").await;
    assert_holds(&moved, &[" 2,4 3:4]", "* 2 EXPUNGE\r\n* 3 EXPUNGE\r\n"]);
    assert_holds(&command(&mut client, "MOVE 1 Nowhere").await, &["a NO [TRYCREATE]"]);
    command(&mut client, "STORE 1:2 +FLAGS.SILENT (\\Deleted)").await;
    assert_holds(&command(&mut client, "UID EXPUNGE 3").await, &["* 2 EXPUNGE\r\na OK"]);
    command(&mut client, "CLOSE").await;
    let left: Vec<u32> = demo.store().messages("INBOX").iter().map(|m| m.uid).collect();
    assert_eq!(left, [5]);
    assert_eq!(demo.store().messages("Archive").len(), 4);
}

#[tokio::test]
async fn a_message_is_appended_with_either_kind_of_literal() {
    let demo = demo(Content::Empty).await;
    let mut client = logged_in(&demo).await;
    client.send("a APPEND Drafts (\\Draft) \"07-Feb-2026 10:00:00 +0000\" {15}\r\n").await;
    assert_eq!(client.line().await, "+ go on\r\n");
    assert_holds(&client.ask("Subject: x\r\n\r\ny", "a ").await, &["a OK [APPENDUID "]);
    let second = client.ask("a APPEND Drafts {15+}\r\nSubject: x\r\n\r\nz", "a ").await;
    assert_holds(&second, &["a OK [APPENDUID ", " 2]"]);
    let drafts = demo.store().messages("Drafts");
    assert!(drafts[0].has_flag("\\Draft") && drafts[0].internal_date == 1_770_458_400);
    assert_eq!(&drafts[1].raw[..], b"Subject: x\r\n\r\nz");
}

#[tokio::test]
async fn mailboxes_are_made_renamed_with_what_is_below_and_deleted() {
    let demo = demo(Content::Empty).await;
    let mut client = logged_in(&demo).await;
    for name in ["A", "A/B", "A/B/C"] {
        assert_holds(&command(&mut client, &format!("CREATE {name}")).await, &["a OK"]);
    }
    assert_holds(&command(&mut client, "DELETE A").await, &["a NO [HASCHILDREN]"]);
    assert_holds(&command(&mut client, "RENAME A A/B/D").await, &["a NO"]);
    assert_holds(&command(&mut client, "RENAME A/B Sent").await, &["a NO [ALREADYEXISTS]"]);
    command(&mut client, "RENAME A/B X").await;
    command(&mut client, "DELETE A").await;
    assert!(demo.store().mailboxes().ends_with(&["X".to_owned(), "X/C".to_owned()]));
    assert_holds(&command(&mut client, "DELETE INBOX").await, &["a NO [CANNOT]"]);
}

#[tokio::test]
async fn idle_tells_what_others_do() {
    let demo = demo(Content::Generated(2)).await;
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    assert_eq!(client.ask("a IDLE", "+").await, "+ idling\r\n");
    demo.store().deliver("Subject: new\r\n\r\n");
    assert_eq!(client.line().await, "* 3 EXISTS\r\n");
    demo.store().set_flags("INBOX", 2, &["\\Seen", "\\Flagged"]);
    assert_eq!(client.line().await, "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Seen))\r\n");
    demo.store().remove("INBOX", 1);
    assert_eq!(client.line().await, "* 1 EXPUNGE\r\n");
    assert_eq!(client.ask("DONE", "a ").await, "a OK done\r\n");
}

#[tokio::test]
async fn positions_do_not_shift_while_a_client_counts_on_them() {
    let demo = demo(Content::Generated(3)).await;
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    demo.store().remove("INBOX", 1);
    let fetched = command(&mut client, "FETCH 1:3 UID").await;
    assert_eq!(fetched, "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\na OK done\r\n");
    assert_eq!(command(&mut client, "NOOP").await, "* 1 EXPUNGE\r\na OK done\r\n");
}

#[tokio::test]
async fn starttls_comes_before_any_password() {
    let options = Options { security: Security::StartTls, ..Options::default() };
    let demo = start(options).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(demo.imap).await.unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 4096];
    let mut exchange = async |text: &str| {
        stream.write_all(text.as_bytes()).await.unwrap();
        let count = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    assert_holds(&exchange("").await, &["STARTTLS LOGINDISABLED"]);
    assert_holds(&exchange("a LOGIN robin garden-gate\r\n").await, &["a NO [PRIVACYREQUIRED]"]);
    assert_holds(&exchange("a STARTTLS\r\n").await, &["a OK"]);
    let mut client = Client::over(encrypt(&demo, stream).await.unwrap());
    assert_holds(&command(&mut client, "LOGIN robin garden-gate").await, &["a OK"]);
}
