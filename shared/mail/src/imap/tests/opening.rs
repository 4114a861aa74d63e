//! When a mailbox that is open must be asked for what has come, so that the server finds it.

use postern_imap::response::Flag;

use super::*;

/// How often the server was asked until it finds messages up to these UIDs, one after the other, in a
/// mailbox that it opened with this answer.
fn asked(select: (&'static str, String), uids: &[Option<u32>]) -> Vec<usize> {
    let host = host_with_inbox();
    let mut script = vec![select];
    script.extend(vec![("NOOP", ok("")); uids.len()]);
    let mut client = ready(&host, script);
    let opened = now(client.select(&host, &inbox())).unwrap();
    let mut ask = |newest: &Option<u32>| {
        let before = host.wire.borrow().script.len();
        let again = now(client.open(&host, &inbox(), *newest)).unwrap();
        assert_eq!(again.uid_validity, opened.uid_validity);
        before - host.wire.borrow().script.len()
    };
    uids.iter().map(&mut ask).collect()
}

#[test]
fn what_was_there_when_it_was_opened_is_found_and_what_came_since_is_asked_for_once() {
    let uids = [Some(6), Some(7), Some(7), Some(6), Some(8), Some(8), Some(7)];
    assert_eq!(asked(select(3, 9, 7), &uids), [0, 1, 0, 0, 1, 0, 0]);
}

#[test]
fn where_no_message_or_no_next_uid_is_known_it_is_asked_for() {
    assert_eq!(asked(select(3, 9, 7), &[None, None, Some(6)]), [1, 1, 0]);
    let untold = (r#"SELECT "INBOX""#, ok("* 3 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n"));
    assert_eq!(asked(untold, &[Some(0), Some(5), Some(5), Some(6)]), [1, 1, 0, 1]);
}

#[test]
fn which_marks_a_mailbox_keeps_is_learnt_when_it_is_opened_and_when_that_changes() {
    let host = host_with_inbox();
    let told = |flags: &str| format!("* OK [PERMANENTFLAGS ({flags})] x\r\n");
    let (asked, opened) = select(3, 9, 7);
    let opened = told(r"\Seen") + &opened;
    let script = vec![(asked, opened), ("NOOP", ok(&told(r"\Seen \*"))), select(3, 9, 7)];
    let mut client = ready(&host, script);
    let keeps = |client: &ImapClient<Scripted>| {
        let selected = client.selected.as_ref().unwrap();
        [Flag::Seen, Flag::Flagged, Flag::Other("Work".into())]
            .map(|own| selected.permanent.has(&own))
    };
    now(client.select(&host, &inbox())).unwrap();
    assert_eq!(keeps(&client), [true, false, false]);
    now(client.noop(&host)).unwrap();
    assert_eq!(keeps(&client), [true, false, true]);
    now(client.select(&host, &inbox())).unwrap();
    assert_eq!(keeps(&client), [true; 3]);
}

#[test]
fn what_may_be_done_in_a_mailbox_is_learnt_when_it_is_opened() {
    let host = host_with_inbox();
    let empty = "* 0 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 1] x\r\n";
    let open = |more: &str, code: &str| {
        let script = vec![
            (r#"SELECT "INBOX""#, format!("{empty}{more}{{tag}} OK [{code}] done\r\n")),
            unread(0),
        ];
        sync(&mut ready(&host, script), &host);
        let own = now(record::mailbox(&host.store, INBOX)).unwrap();
        [own.may_mark(&Mark::Seen), own.may_mark(&Mark::Answered), own.may_remove(), own.read_only]
    };
    assert_eq!(open("", "READ-ONLY"), [true; 4]);
    assert_eq!(open("", "READ-WRITE"), [true, true, true, false]);
    // As Courier tells it.
    let rights = |letters| format!("* OK [MYRIGHTS \"{letters}\"] ACL\r\n");
    assert_eq!(open(&rights("lrwi"), "READ-WRITE"), [false, true, false, false]);
    // What is not told is as it was.
    assert_eq!(open("", "READ-WRITE"), [false, true, false, false]);
    assert_eq!(open(&rights("lrsted"), "READ-WRITE"), [true, false, true, false]);
    assert_eq!(open(&rights("acdilrsw"), "READ-WRITE"), [true, true, true, false]);
}

#[test]
fn what_is_said_of_the_mailbox_before_is_no_news_of_the_one_that_is_opened() {
    let host = host_with_messages();
    let told = ok("* 1 FETCH (UID 5 FLAGS (\\Flagged))\r\n");
    let mut client = ready(&host, vec![("NOOP", told), select(3, 9, 7)]);
    host.wire.borrow_mut().now += 61_000;
    let mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    now(client.select_watched(&host, &mailbox, None)).unwrap();
    assert!(client.news.as_ref().is_some_and(|news| news.is_empty()));
}
