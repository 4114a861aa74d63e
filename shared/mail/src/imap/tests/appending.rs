//! Messages put into a mailbox.

use super::*;
use crate::{pieces::Pieces, record::put_body};

const HEADER: &str = "Subject: Gr\u{fc}\u{df}e";

/// Files a message at a server that offers so much besides; `asked` is what is said around the message.
fn file(offers: &str, mut script: Script, asked: [(&'static str, &str); 2]) {
    let host = host_with_inbox();
    let here = MessageId { mailbox: MailboxId(5), uid: 1 };
    let raw = format!("{HEADER}\r\n\r\nHello\r\n");
    now(host.store.apply(put_body(here, raw.as_bytes()), Durability::Relaxed)).unwrap();
    let none = ok("* ESEARCH (TAG \"{tag}\") UID COUNT 0\r\n");
    let search = (r#"UID SEARCH RETURN (COUNT) HEADER "Message-ID" "a@b""#, none);
    script.extend([select(0, 9, 1), search]);
    let [before, behind] = asked.map(|(said, answer)| (said, answer.to_owned()));
    // Of a line the first word is taken for a tag.
    let lines = ["Gr\u{fc}\u{df}e", "", "Hello"].map(|line| (line, String::new()));
    script.push(before);
    script.extend(lines);
    script.push(behind);
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH LITERAL+ {offers}] hi\r\n");
    let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
    let content = Pieces::of_message(here, raw.len() as u64);
    now(client.append_once(&host, &inbox(), "a@b", Flags::default(), &content)).unwrap();
    assert!(host.wire.borrow().script.is_empty());
}

#[test]
fn utf_8_in_a_header_is_sent_as_such_where_the_server_speaks_it() {
    let enable = vec![("ENABLE UTF8=ACCEPT", ok("* ENABLED UTF8=ACCEPT\r\n"))];
    let utf8 = [(r#"APPEND "INBOX" () UTF8 (~{27+}"#, ""), (")", "A4 OK done\r\n")];
    file("ENABLE UTF8=ACCEPT", enable, utf8);
    // It offers it, and does not enable it.
    let refused = vec![("ENABLE UTF8=ACCEPT", ok(""))];
    let plain = [(r#"APPEND "INBOX" {27+}"#, ""), ("", "A4 OK done\r\n")];
    file("ENABLE UTF8=ACCEPT", refused, plain);
    let plain = [(r#"APPEND "INBOX" {27+}"#, ""), ("", "A3 OK done\r\n")];
    file("", vec![], plain);
}
