//! Messages, fetched to be shown.

use super::*;

#[test]
fn a_small_message_is_stored_whole_with_its_preview() {
    let host = host_with_messages();
    let raw = "Subject: x\r\n\r\nHello there\r\n";
    let answer = format!("* 1 FETCH (UID 5 BODY[]<0> {{{}}}\r\n{raw})\r\n", raw.len());
    let script = vec![select(3, 9, 7), ("UID FETCH 5 (UID BODY.PEEK[]<0.67108864>)", ok(&answer))];
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let mut client = ready(&host, script);
    now(client.fetch_body(&host, id)).unwrap();
    let message = stored(&host)[1].clone();
    assert_eq!(message.body, Body::Whole { size: raw.len() as u64 });
    assert_eq!(message.preview, "Hello there");
    assert_eq!(now(record::body(&host.store, id)).unwrap(), raw.as_bytes());
}

/// A server's answers for a message of this size that is fetched in parts, its header and its text as
/// given; what is stored of it then.
fn fetched_in_parts(size: u64, sections: [&str; 2], more: Vec<(&'static str, String)>) -> Message {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let large = Message { size, ..stored(&host)[1].clone() };
    now(host.store.apply(vec![large.put()], Durability::Relaxed)).unwrap();
    let structure = "* 1 FETCH (UID 5 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 2 1) \
                     \"mixed\" (\"boundary\" \"b\")))\r\n";
    let [header, text] = sections;
    let sections = format!(
        "* 1 FETCH (UID 5 BODY[HEADER] {header} BODY[1.MIME] \"Content-Type: text/plain\" \
         BODY[1] {text})\r\n"
    );
    let mut script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE)", ok(structure)),
        ("UID FETCH 5 (UID BODY.PEEK[HEADER] BODY.PEEK[1.MIME] BODY.PEEK[1])", ok(&sections)),
    ];
    script.extend(more);
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    stored(&host)[1].clone()
}

#[test]
fn a_message_that_is_not_small_any_more_is_fetched_in_parts() {
    let message = fetched_in_parts(limits::WHOLE_MESSAGE + 1, [HEADER, "\"hi\""], vec![]);
    assert!(matches!(message.body, Body::Partial { .. }), "{:?}", message.body);

    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let small = Message { size: limits::WHOLE_MESSAGE, ..stored(&host)[1].clone() };
    now(host.store.apply(vec![small.put()], Durability::Relaxed)).unwrap();
    let whole = ok("* 1 FETCH (UID 5 BODY[]<0> \"all of it\")\r\n");
    let script = vec![select(3, 9, 7), ("UID FETCH 5 (UID BODY.PEEK[]<0.67108864>)", whole)];
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert_eq!(stored(&host)[1].body, Body::Whole { size: 9 });
}

#[test]
fn a_message_is_held_whole_up_to_the_limit() {
    let fetched = |size: usize| {
        let host = host_with_messages();
        let raw = "x".repeat(size);
        let answer = format!("* 1 FETCH (UID 5 BODY[]<0> {{{size}}}\r\n{raw})\r\n");
        let asked = "UID FETCH 5 (UID BODY.PEEK[]<0.67108864>)";
        let script = vec![select(3, 9, 7), (asked, ok(&answer))];
        let id = MessageId { mailbox: INBOX, uid: 5 };
        now(ready(&host, script).fetch_raw(&host, id)).map(|raw| raw.len())
    };
    let most = limits::MESSAGE as usize;
    assert_eq!(fetched(most - 1), Ok(most - 1));
    // All that was asked for has come, and there may be more.
    assert!(matches!(fetched(most), Err(MailError::Input(_))));
    assert!(matches!(fetched(limits::CONTENT + 1), Err(MailError::Protocol(_))));
}

const HEADER: &str = "\"Content-Type: multipart/mixed; boundary=b\"";

#[test]
fn what_is_put_together_from_parts_never_counts_as_the_message_as_it_came() {
    let message = fetched_in_parts(300_000, [HEADER, "\"hi\""], vec![]);
    assert!(matches!(message.body, Body::Partial { absent, .. } if absent.is_empty()));
    assert_eq!(message.preview, "hi");
    // A text that the server does not give with a very large message can be asked for.
    let message = fetched_in_parts(30_000_000, [HEADER, "NIL"], vec![]);
    let Body::Partial { absent, .. } = message.body else { panic!("{:?}", message.body) };
    assert_eq!((&*absent[0].section, absent[0].begun), ("1", true));
}

#[test]
fn a_message_of_which_the_server_gives_no_part_is_fetched_whole() {
    let raw = "Subject: x\r\n\r\nall of it";
    let whole = format!("* 1 FETCH (UID 5 BODY[]<0> {{{}}}\r\n{raw})\r\n", raw.len());
    for (size, sections) in [(300_000, [HEADER, "NIL"]), (30_000_000, ["NIL", "\"hi\""])] {
        let again = ("UID FETCH 5 (UID BODY.PEEK[]<0.1048576>)", ok(&whole));
        // It is shorter than it was said to be.
        let nothing = "* 1 FETCH (UID 5 BODY[]<23> NIL)\r\n";
        let end = ("UID FETCH 5 (UID BODY.PEEK[]<23.1048576>)", ok(nothing));
        let message = fetched_in_parts(size, sections, vec![again, end]);
        assert_eq!(message.body, Body::Whole { size: raw.len() as u64 });
        assert_eq!(message.preview, "all of it");
    }
}

/// What is stored of a large message that is no multipart, when the server describes it so and answers so
/// to what it is asked for next.
fn single(size: u64, structure: &str, asked: &'static str, answer: &str) -> (Message, Vec<u8>) {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let large = Message { size, ..stored(&host)[1].clone() };
    now(host.store.apply(vec![large.put()], Durability::Relaxed)).unwrap();
    let structure = format!("* 1 FETCH (UID 5 BODYSTRUCTURE ({structure}))\r\n");
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE)", ok(&structure)),
        (asked, ok(&format!("* 1 FETCH (UID 5 {answer})\r\n"))),
    ];
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    (stored(&host)[1].clone(), now(record::body(&host.store, id)).unwrap())
}

#[test]
fn a_large_message_that_is_a_file_is_stored_without_it() {
    let structure = r#""application" "pdf" ("name" "a.pdf") NIL NIL "base64" 39000000"#;
    let header = "Content-Type: application/pdf; name=a.pdf";
    let (message, raw) = single(
        40_000_000,
        structure,
        "UID FETCH 5 (UID BODY.PEEK[HEADER])",
        &format!("BODY[HEADER] \"{header}\""),
    );
    assert_eq!(raw, format!("{header}\r\n\r\n").as_bytes());
    let Body::Partial { absent, .. } = message.body else { panic!("{:?}", message.body) };
    let absent: Vec<_> =
        absent.iter().map(|part| (&*part.section, part.size, part.begun)).collect();
    assert_eq!((absent, message.has_attachments), (vec![("1", 28_500_000, false)], true));
}

#[test]
fn of_a_large_message_that_is_a_text_the_beginning_is_stored() {
    let (message, raw) = single(
        40_000_000,
        r#""text" "plain" NIL NIL NIL "7bit" 39000000 500000"#,
        "UID FETCH 5 (UID BODY.PEEK[HEADER] BODY.PEEK[1]<0.1048576>)",
        "BODY[HEADER] \"Subject: x\" BODY[1]<0> \"how it begins\"",
    );
    assert_eq!(raw, b"Subject: x\r\n\r\nhow it begins");
    let Body::Partial { absent, .. } = message.body else { panic!("{:?}", message.body) };
    let absent: Vec<_> = absent.iter().map(|part| (&*part.section, part.begun)).collect();
    assert_eq!((absent, &*message.preview), (vec![("1", true)], "how it begins"));
}

#[test]
fn a_text_that_is_shown_whole_is_stored_as_it_came() {
    let raw = [&b"Subject: x\r\n\r\nall of it"[..], &[b'.'; 900_000]].concat();
    let raw = String::from_utf8(raw).unwrap();
    let (message, stored) = single(
        raw.len() as u64,
        r#""text" "plain" NIL NIL NIL "7bit" 900000 5000"#,
        "UID FETCH 5 (UID BODY.PEEK[]<0.1048576>)",
        &format!("BODY[]<0> {{{}}}\r\n{raw}", raw.len()),
    );
    let body = Body::Whole { size: raw.len() as u64 };
    assert_eq!((message.body, stored == raw.as_bytes()), (body, true));
}

#[test]
fn a_message_whose_mailbox_was_made_anew_is_gone() {
    let host = host_with_messages();
    let mut client = ready(&host, vec![select(3, 10, 7)]);
    let id = MessageId { mailbox: INBOX, uid: 5 };
    assert_eq!(now(client.fetch_body(&host, id)), Err(MailError::Gone("message")));
}
