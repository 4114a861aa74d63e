//! Parts of messages, fetched.

use super::*;
use crate::store::Write;

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
