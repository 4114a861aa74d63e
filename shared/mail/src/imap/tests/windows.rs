//! Large messages without parts, fetched in windows.

use super::*;
use crate::{record::encode, store::Write};

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

    // It takes the place of what has come.
    let (host, raw) = host_with_unplanned(3_500_000);
    let mut script = unplanned();
    script.extend([(WINDOWS[0], window(&raw, 0..1 << 20)), (WINDOWS[1], all)]);
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());
}

#[test]
fn a_server_that_knows_of_no_windows_and_has_told_too_large_a_size_gives_a_message_once() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let again = "UID FETCH 5 (UID BODY.PEEK[]<700000.1048576>)";
    // One of exactly a window's size has to be asked for more as well.
    for (told, size, again) in [(3_500_000, 700_000, again), (1 << 20, 1 << 20, WINDOWS[1])] {
        let (host, raw) = host_with_unplanned(told);
        let raw = &raw[..size];
        let all = ok(&format!("* 1 FETCH (UID 5 BODY[] {{{size}}}\r\n{raw})\r\n"));
        let mut script = unplanned();
        script.extend([(WINDOWS[0], all.clone()), (again, all)]);
        now(ready(&host, script).fetch_body(&host, id)).unwrap();
        assert_eq!(stored(&host)[1].body, Body::Whole { size: size as u64 });
        assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());
    }
}

#[test]
fn a_message_of_which_windows_went_while_it_was_put_together_comes_once_more() {
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let (host, raw) = host_with_unplanned(1_500_000);
    let put = |number, value| Write::Put {
        table: Table::Bodies,
        key: record::part_key(id, "").u32(number),
        value,
    };
    let end = record::PartEnd { encoding: String::new(), size: raw.len() as u64 };
    let left = vec![put(0, raw.as_bytes()[..1 << 20].to_vec()), put(u32::MAX, encode(&end))];
    now(host.store.apply(left, Durability::Relaxed)).unwrap();
    let mut script = unplanned();
    script.push((WINDOWS[0], window(&raw, 0..1 << 20)));
    script.push((WINDOWS[1], window(&raw, 1 << 20..raw.len())));
    now(ready(&host, script).fetch_body(&host, id)).unwrap();
    assert!(now(record::body(&host.store, id)).unwrap() == raw.as_bytes());
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
