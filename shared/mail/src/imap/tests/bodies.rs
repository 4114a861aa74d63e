//! Messages and their parts, fetched.

use super::*;
use crate::store::Write;

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

/// What is stored of part 2 of message 5, decoded.
fn part_content(host: &ScriptedHost) -> Option<Vec<u8>> {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let mut content = Vec::new();
    let mut take = |offset: u64, piece: Vec<u8>| {
        assert_eq!(offset, content.len() as u64);
        content.extend(piece);
    };
    let size = now(read_part(&host.store, id, "2", &mut take)).unwrap()?;
    assert_eq!(size, content.len() as u64);
    Some(content)
}

#[test]
fn an_attachment_is_fetched_and_decoded() {
    let host = host_with_messages();
    let answer = "* 1 FETCH (UID 5 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)\
                  (\"image\" \"png\" NIL NIL NIL \"base64\" 8) \"mixed\") BODY[2]<0> \"aGVsbG8=\")\r\n";
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(answer)),
    ];
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let mut client = ready(&host, script);
    let fetched = now(client.fetch_piece(&host, id, "2", None)).unwrap();
    assert_eq!((fetched.stored, fetched.size, fetched.is_whole), (8, 8, true));
    assert_eq!(part_content(&host).unwrap(), b"hello");
    // It is stored: nobody is asked.
    now(client.fetch_part(&host, id, "2")).unwrap();
    assert!(now(record::body(&host.store, id)).unwrap().is_empty(), "it is no part of the body");
}

#[test]
fn a_large_attachment_comes_in_windows_and_goes_on_where_it_broke_off() {
    let host = host_with_messages();
    let (first, last) = ("QUJD".repeat(limits::PART_WINDOW as usize / 4), "REVG");
    let structure = format!(
        "BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)(\"image\" \"png\" NIL NIL \
         NIL \"base64\" {}) \"mixed\")",
        first.len() + last.len()
    );
    let answer =
        format!("* 1 FETCH (UID 5 {structure} BODY[2]<0> {{{}}}\r\n{first})\r\n", first.len());
    let rest = format!("* 1 FETCH (UID 5 {structure} BODY[2]<1048576> \"{last}\")\r\n");
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(&answer)),
        ("UID FETCH 5 (UID BODY.PEEK[2]<1048576.1048576>)", String::new()),
    ];
    let mut client = ready(&host, script);
    assert!(now(client.fetch_part(&host, id, "2")).is_err());
    assert_eq!(part_content(&host), None);

    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<1048576.1048576>)", ok(&rest)),
    ];
    now(ready(&host, script).fetch_part(&host, id, "2")).unwrap();
    let content = part_content(&host).unwrap();
    assert_eq!(content.len(), (first.len() + last.len()) / 4 * 3);
    assert!(content.starts_with(b"ABC") && content.ends_with(b"CDEF"));
}

#[test]
fn a_server_that_gives_less_than_it_was_asked_for_is_asked_for_the_rest() {
    let host = host_with_messages();
    let answer = "* 1 FETCH (UID 5 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)\
                  (\"image\" \"png\" NIL NIL NIL \"base64\" 12) \"mixed\") BODY[2]<0> \"QUJD\")\r\n";
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(answer)),
        (
            "UID FETCH 5 (UID BODY.PEEK[2]<4.1048576>)",
            ok("* 1 FETCH (UID 5 BODY[2]<4> \"REVG\")\r\n"),
        ),
        // It said 12 bytes, and has no more than 8.
        ("UID FETCH 5 (UID BODY.PEEK[2]<8.1048576>)", ok("* 1 FETCH (UID 5 BODY[2]<8> NIL)\r\n")),
    ];
    let id = MessageId { mailbox: INBOX, uid: 5 };
    now(ready(&host, script).fetch_part(&host, id, "2")).unwrap();
    assert_eq!(part_content(&host).unwrap(), b"ABCDEF");
}

#[test]
fn a_part_that_comes_in_crumbs_is_left_after_a_while() {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let crumb = |number| Write::Put {
        table: Table::Bodies,
        key: record::part_key(id, "2").u32(number),
        value: vec![b'A'],
    };
    let crumbs = (0..limits::PART_WINDOWS).map(crumb).collect();
    now(host.store.apply(crumbs, Durability::Relaxed)).unwrap();
    let left = now(ready(&host, vec![]).fetch_piece(&host, id, "2", None));
    assert!(matches!(left, Err(MailError::Protocol(_))), "{left:?}");
}

#[test]
fn a_part_that_is_larger_than_any_may_be_is_given_up_and_takes_no_room() {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let windows = |size: u64| {
        let key = record::part_key(id, "2").u32(0);
        let value = vec![0; usize::try_from(size).unwrap()];
        let put = Write::Put { table: Table::Bodies, key: key.clone(), value };
        now(host.store.apply(vec![put], Durability::Relaxed)).unwrap();
        key
    };
    windows(limits::PART - 1);
    let end = ok("* 1 FETCH (UID 5 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)\
                  (\"image\" \"png\" NIL NIL NIL \"base64\" 9) \"mixed\") \
                  BODY[2]<167772159> NIL)\r\n");
    let asked = "UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<167772159.1048576>)";
    let mut client = ready(&host, vec![select(3, 9, 7), (asked, end)]);
    assert!(now(client.fetch_piece(&host, id, "2", None)).unwrap().is_whole);

    let gone = Write::Delete { table: Table::Bodies, key: record::part_key(id, "2").u32(u32::MAX) };
    now(host.store.apply(vec![gone], Durability::Relaxed)).unwrap();
    let first = windows(limits::PART);
    let mut client = ready(&host, vec![select(3, 9, 7)]);
    let given_up = now(client.fetch_piece(&host, id, "2", None));
    assert!(matches!(given_up, Err(MailError::Input(_))), "{given_up:?}");
    assert_eq!(now(host.store.get(Table::Bodies, &first)).unwrap(), None);
}

#[test]
fn a_message_whose_mailbox_was_made_anew_is_gone() {
    let host = host_with_messages();
    let mut client = ready(&host, vec![select(3, 10, 7)]);
    let id = MessageId { mailbox: INBOX, uid: 5 };
    assert_eq!(now(client.fetch_body(&host, id)), Err(MailError::Gone("message")));
}

#[test]
fn a_large_quoted_printable_part_is_decoded_window_by_window() {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let text = "Gr=C3=BC=C3=9Fe =\r\nand =3D \r\n=zz ".repeat(1_000);
    let windows: Vec<&[u8]> = text.as_bytes().chunks(1_001).collect();
    let put = |number, value| Write::Put {
        table: Table::Bodies,
        key: record::part_key(id, "2").u32(number),
        value,
    };
    let end = record::PartEnd { encoding: "quoted-printable".into(), size: text.len() as u64 };
    let mut writes = vec![put(u32::MAX, record::encode(&end))];
    writes.extend((0..).zip(&windows).map(|(number, own)| put(number, own.to_vec())));
    now(host.store.apply(writes, Durability::Relaxed)).unwrap();
    let mut sizes = Vec::new();
    let mut take = |_, piece: Vec<u8>| sizes.push(piece.len());
    now(read_part(&host.store, id, "2", &mut take)).unwrap().unwrap();
    assert!(sizes.len() >= windows.len() && sizes.iter().all(|size| *size < 1_010), "{sizes:?}");
    let whole = format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{text}");
    let whole = postern_mime::part(whole.as_bytes(), "1").unwrap().content;
    assert_eq!(part_content(&host).unwrap(), whole);
}

#[test]
fn a_part_of_which_a_window_got_lost_is_removed_to_be_fetched_again() {
    let host = host_with_messages();
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let put = |number: u32, value: Vec<u8>| {
        let key = record::part_key(id, "2").u32(number);
        Write::Put { table: Table::Bodies, key, value }
    };
    let end = record::PartEnd { encoding: "7bit".into(), size: 4 };
    let whole =
        vec![put(0, b"ab".to_vec()), put(1, b"cd".to_vec()), put(u32::MAX, record::encode(&end))];
    now(host.store.apply(whole, Durability::Relaxed)).unwrap();
    assert_eq!(part_content(&host).unwrap(), b"abcd");
    let key = record::part_key(id, "2").u32(1);
    let lost = vec![Write::Delete { table: Table::Bodies, key }];
    now(host.store.apply(lost, Durability::Relaxed)).unwrap();
    let mut pieces = Vec::new();
    let mut take = |_, piece| pieces.push(piece);
    assert_eq!(now(read_part(&host.store, id, "2", &mut take)), Ok(None));
    let range = KeyRange::prefix(record::part_key(id, "2"));
    assert!(now(host.store.keys(Table::Bodies, &range)).unwrap().is_empty());
}

/// A host with a message of which the server can't give the parts, and the message's bytes.
fn host_with_unplanned(size: usize) -> (ScriptedHost, String) {
    let host = host_with_messages();
    let message = Message { size: size as u64, ..stored(&host)[1].clone() };
    now(host.store.apply(vec![message.put()], Durability::Relaxed)).unwrap();
    let lines = (0..size / 16).map(|number| format!("line{number:010}\r\n"));
    let raw = std::iter::once("Subject: it\r\n\r\n\r\n".to_owned()).chain(lines);
    (host, raw.collect::<String>()[..size].to_owned())
}

/// The mailbox is opened, and the server says nothing of the message's parts.
fn unplanned() -> Script {
    let structure = ok("* 1 FETCH (UID 5 BODYSTRUCTURE NIL)\r\n");
    vec![select(3, 9, 7), ("UID FETCH 5 (UID BODYSTRUCTURE)", structure)]
}

/// These bytes of a message, as a server tells them.
fn window(raw: &str, range: std::ops::Range<usize>) -> String {
    let (origin, bytes) = (range.start, &raw[range]);
    ok(&format!("* 1 FETCH (UID 5 BODY[]<{origin}> {{{}}}\r\n{bytes})\r\n", bytes.len()))
}

const WINDOWS: [&str; 4] = [
    "UID FETCH 5 (UID BODY.PEEK[]<0.1048576>)",
    "UID FETCH 5 (UID BODY.PEEK[]<1048576.1048576>)",
    "UID FETCH 5 (UID BODY.PEEK[]<2097152.1048576>)",
    "UID FETCH 5 (UID BODY.PEEK[]<3145728.1048576>)",
];

#[test]
fn a_large_message_without_parts_comes_in_windows_and_goes_on_where_it_broke_off() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let (host, raw) = host_with_unplanned(3_500_000);
    let whole = |at: usize| window(&raw, at << 20..raw.len().min((at + 1) << 20));
    // The connection is lost in the middle of the third window.
    let cut = whole(2)[..500_000].to_owned();
    let mut script = unplanned();
    script.extend([(WINDOWS[0], whole(0)), (WINDOWS[1], whole(1)), (WINDOWS[2], cut)]);
    let broken = now(ready(&host, script).fetch_body(&host, id));
    assert!(matches!(broken, Err(MailError::Transport(_))), "{broken:?}");
    assert_eq!(stored(&host)[1].body, Body::Absent);

    let mut script = unplanned();
    script.extend([(WINDOWS[2], whole(2)), (WINDOWS[3], whole(3))]);
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert!(host.wire.borrow().script.is_empty());
    let message = stored(&host)[1].clone();
    assert_eq!(message.body, Body::Whole { size: raw.len() as u64 });
    assert!(message.preview.starts_with("line0000000000"), "{}", message.preview);
    assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());
    let windows = KeyRange::prefix(record::part_key(id, ""));
    assert!(now(host.store.keys(Table::Bodies, &windows)).unwrap().is_empty(), "it is here once");
}

#[test]
fn windows_of_a_message_may_be_shorter_or_longer_than_asked_for_but_not_from_elsewhere() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let (host, raw) = host_with_unplanned(3_500_000);
    let mut script = unplanned();
    script.push((WINDOWS[0], window(&raw, 0..1000)));
    script.push(("UID FETCH 5 (UID BODY.PEEK[]<1000.1048576>)", window(&raw, 1000..3_000_000)));
    script.push(("UID FETCH 5 (UID BODY.PEEK[]<3000000.1048576>)", window(&raw, 1000..raw.len())));
    let elsewhere = now(ready(&host, script).fetch_body(&host, id));
    assert!(matches!(elsewhere, Err(MailError::Protocol(_))), "{elsewhere:?}");

    let mut script = unplanned();
    let last = window(&raw, 3_000_000..raw.len());
    script.push(("UID FETCH 5 (UID BODY.PEEK[]<3000000.1048576>)", last));
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());
}

#[test]
fn a_message_without_parts_that_is_too_large_is_not_asked_for() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let host = host_with_messages();
    let size = limits::MESSAGE.into();
    let message = Message { size, ..stored(&host)[1].clone() };
    now(host.store.apply(vec![message.put()], Durability::Relaxed)).unwrap();
    let refused = now(ready(&host, unplanned()).fetch_body(&host, id));
    assert!(matches!(refused, Err(MailError::Input(_))), "{refused:?}");
}

#[test]
fn a_message_that_turns_out_to_be_too_large_leaves_nothing_behind() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let host = host_with_messages();
    let message = Message { size: 300_000, ..stored(&host)[1].clone() };
    let put = |number| Write::Put {
        table: Table::Bodies,
        key: record::part_key(id, "").u32(number),
        value: vec![b'a'; limits::PART_WINDOW as usize],
    };
    // All but the last window have come.
    let mut batch: Vec<Write> = (0..63).map(put).collect();
    batch.push(message.put());
    now(host.store.apply(batch, Durability::Relaxed)).unwrap();
    let mut script = unplanned();
    let last = "a".repeat(limits::PART_WINDOW as usize);
    let last = format!("* 1 FETCH (UID 5 BODY[]<66060288> {{1048576}}\r\n{last})\r\n");
    script.push(("UID FETCH 5 (UID BODY.PEEK[]<66060288.1048576>)", ok(&last)));
    let refused = now(ready(&host, script).fetch_body(&host, id));
    assert!(matches!(refused, Err(MailError::Input(_))), "{refused:?}");
    let windows = KeyRange::prefix(record::part_key(id, ""));
    assert!(now(host.store.keys(Table::Bodies, &windows)).unwrap().is_empty());
}

#[test]
fn a_server_that_knows_of_no_windows_gives_all_of_a_large_message_at_once() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let (host, raw) = host_with_unplanned(3_500_000);
    let all = ok(&format!("* 1 FETCH (UID 5 BODY[] {{{}}}\r\n{raw})\r\n", raw.len()));
    let mut script = unplanned();
    script.push((WINDOWS[0], all.clone()));
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert_eq!(stored(&host)[1].body, Body::Whole { size: raw.len() as u64 });
    assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());

    // Behind something that has come it would be there twice.
    let (host, raw) = host_with_unplanned(3_500_000);
    let mut script = unplanned();
    script.extend([(WINDOWS[0], window(&raw, 0..1 << 20)), (WINDOWS[1], all)]);
    let twice = now(ready(&host, script).fetch_body(&host, id));
    assert!(matches!(twice, Err(MailError::Protocol(_))), "{twice:?}");
}

#[test]
fn of_a_message_that_comes_in_windows_nobody_says_that_it_is_an_attachment() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let fetched = |answer: String| {
        let (host, _) = host_with_unplanned(3_500_000);
        let mut script = unplanned();
        script.push((WINDOWS[0], answer));
        now(ready(&host, script).fetch_body(&host, id)).unwrap_err()
    };
    assert_eq!(fetched(ok("* 1 FETCH (UID 5 BODY[] NIL)\r\n")), MailError::Gone("message"));
    let refused = fetched("{tag} NO not now\r\n".into());
    assert!(matches!(refused, MailError::Refused { what: "send the message", .. }), "{refused:?}");
}

#[test]
fn what_went_while_a_message_came_is_fetched_again_from_the_beginning() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let (host, raw) = host_with_unplanned(3_500_000);
    let first = window(&raw, 0..1 << 20);
    let with_size = first.replace("BODY[]", "RFC822.SIZE 3500000 BODY[]");
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID RFC822.SIZE BODY.PEEK[]<0.1048576>)", with_size),
        (WINDOWS[0], first),
    ];
    let mut client = ready(&host, script);
    let fetched = now(client.fetch_piece(&host, id, "", None)).unwrap();
    assert_eq!((fetched.stored, fetched.size), (1 << 20, 3_500_000));
    // Somebody has opened it meanwhile, and its windows have become its own bytes.
    let range = KeyRange::prefix(record::part_key(id, ""));
    let gone = Write::DeleteRange { table: Table::Bodies, range };
    now(host.store.apply(vec![gone], Durability::Relaxed)).unwrap();
    let fetched = now(client.fetch_piece(&host, id, "", Some(fetched))).unwrap();
    assert_eq!((fetched.stored, fetched.is_whole), (1 << 20, false));
}
