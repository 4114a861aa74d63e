//! What the server is asked to find.

use super::*;
use crate::{
    imap::{Found, Reach},
    search::{Query, limits},
};

/// Servers that keep results and tell of them in windows.
const WINDOWS: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH SEARCHRES PARTIAL] hi\r\n";

fn opens(exists: u32, validity: u32) -> (&'static str, String) {
    let answer = format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n");
    (r#"SELECT "INBOX""#, ok(&answer))
}

fn finds(set: &str) -> String {
    ok(&format!("* ESEARCH (TAG \"{{tag}}\") UID ALL {set}\r\n"))
}

/// What is found, and how it ended.
fn find(
    host: &ScriptedHost,
    greeting: &str,
    script: Script,
    typed: &str,
) -> (Vec<Found>, Result<Reach, MailError>) {
    let mut client = connect(host, Security::Tls, greeting, script).unwrap();
    let mut all = Vec::new();
    let mut found = |found| {
        all.push(found);
        ControlFlow::Continue(())
    };
    let query = Query::parse(typed);
    let result = now(client.find(host, INBOX, &query, &|| true, &mut found));
    assert!(host.wire.borrow().script.is_empty());
    (all, result)
}

fn places(found: &[Found]) -> Vec<u32> {
    found.iter().flat_map(|found| &found.places).map(|place| place.uid).collect()
}

#[test]
fn what_is_stored_is_shown_at_once_and_what_has_just_come_is_left_to_the_sync() {
    let host = host_with_messages();
    let script = vec![opens(4, 9), (r#"UID SEARCH RETURN (ALL) TEXT "beans""#, finds("1,5:6,9"))];
    let (found, result) = find(&host, LOGGED_IN, script, "beans");
    assert_eq!((places(&found), result), (vec![5, 6], Ok(Reach::Whole)));
    assert_eq!(found[0].awaited, [9]);
    assert_eq!(uids(&host), [2, 5, 6]);
}

#[test]
fn in_a_mailbox_that_was_never_opened_what_is_found_is_fetched_and_a_sync_completes_it() {
    let host = host_with_inbox();
    let script = vec![
        opens(3, 9),
        (r#"UID SEARCH RETURN (ALL) SUBJECT "letter" LARGER 9"#, finds("2,6")),
        (items!("2,6"), ok(&listed([2, 6]))),
    ];
    let (found, result) = find(&host, LOGGED_IN, script, "subject:Letter larger:9");
    assert_eq!((places(&found), result), (vec![2, 6], Ok(Reach::Whole)));
    assert_eq!(found[1].listed.len(), 2);
    assert_eq!(uids(&host), [2, 6]);

    let script = vec![
        select(3, 9, 7),
        unread(3),
        all("2,5:6"),
        (items!("5"), ok(&listed([5]))),
        ("UID FETCH 2,6 (UID FLAGS)", ok("* 1 FETCH (UID 2 FLAGS (\\Seen))\r\n")),
    ];
    sync(&mut ready(&host, script), &host);
    assert_eq!(uids(&host), [2, 5, 6]);
    assert!(stored(&host)[0].flags.seen);
}

#[test]
fn where_other_letters_can_not_be_searched_for_the_rest_is_and_they_are_judged_here() {
    let host = host_with_messages();
    let script = vec![
        opens(3, 9),
        ("UID SEARCH RETURN (ALL) CHARSET UTF-8 SUBJECT {4}", "+ go\r\n".to_owned()),
        // The literal, and what follows it: each is taken for a line with a tag.
        ("x", String::new()),
        (r#"TEXT "letter""#, "A2 NO [BADCHARSET (US-ASCII)] x\r\n".to_owned()),
        (r#"UID SEARCH RETURN (ALL) TEXT "letter""#, finds("2,5")),
    ];
    let (found, result) = find(&host, LOGGED_IN, script, "subject:\"ü x\" letter");
    assert_eq!((places(&found), result), (vec![], Ok(Reach::Whole)));
}

#[test]
fn a_server_that_knows_only_the_plain_form_is_asked_in_it() {
    let host = host_with_messages();
    let script =
        vec![opens(3, 9), (r#"UID SEARCH TEXT "letter" FROM "ada""#, ok("* SEARCH 5 2\r\n"))];
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n";
    let (found, result) = find(&host, greeting, script, "letter from:ada");
    assert_eq!((places(&found), result), (vec![2, 5], Ok(Reach::Whole)));
}

#[test]
fn keys_that_a_server_refuses_are_left_out_and_judged_here() {
    let host = host_with_messages();
    let script = vec![
        opens(3, 9),
        (
            r#"UID SEARCH RETURN (ALL) TEXT "x" LARGER 99"#,
            "{tag} BAD what is LARGER\r\n".to_owned(),
        ),
        (r#"UID SEARCH RETURN (ALL) TEXT "x""#, finds("2,5")),
    ];
    let (found, result) = find(&host, LOGGED_IN, script, "x larger:99");
    assert_eq!((places(&found), result), (vec![2, 5], Ok(Reach::Whole)));
    let script = vec![
        opens(3, 9),
        (
            r#"UID SEARCH RETURN (ALL) TEXT "x" LARGER 100"#,
            "{tag} BAD what is LARGER\r\n".to_owned(),
        ),
        (r#"UID SEARCH RETURN (ALL) TEXT "x""#, finds("2,5")),
    ];
    let (found, _) = find(&host, LOGGED_IN, script, "x larger:100");
    assert_eq!(places(&found), [0; 0]);
}

#[test]
fn a_server_that_refuses_everything_is_told_in_its_words() {
    let host = host_with_messages();
    let script = vec![
        opens(3, 9),
        (r#"UID SEARCH RETURN (ALL) TEXT "x""#, "{tag} NO Not today.\r\n".to_owned()),
    ];
    let (found, result) = find(&host, LOGGED_IN, script, "x");
    assert_eq!(found, []);
    let refused = MailError::Refused { what: "search the mailbox", text: "Not today.".into() };
    assert_eq!(result, Err(refused));
}

#[test]
fn numbers_of_a_mailbox_that_was_made_anew_mean_nothing() {
    let host = host_with_messages();
    let (found, result) = find(&host, LOGGED_IN, vec![opens(3, 10)], "x");
    assert_eq!((found, result), (vec![], Err(MailError::Gone("mailbox"))));
}

#[test]
fn nothing_more_is_fetched_when_nobody_wants_it() {
    let host = host_with_inbox();
    let script = vec![opens(3, 9), (r#"UID SEARCH RETURN (ALL) TEXT "x""#, finds("2,6"))];
    let mut client = connect(&host, Security::Tls, LOGGED_IN, script).unwrap();
    let mut found = |_| ControlFlow::Break(());
    now(client.find(&host, INBOX, &Query::parse("x"), &|| true, &mut found)).unwrap();
    assert_eq!(uids(&host), [0; 0]);
}

/// So many UIDs from the end.
fn window(first: u32, last: u32, found: &str) -> String {
    format!("* ESEARCH (TAG \"{{tag}}\") UID PARTIAL (-{first}:-{last} {found})\r\n")
}

/// How a search begins where results come in windows.
const FIRST: &str = r#"UID SEARCH RETURN (COUNT SAVE PARTIAL -1:-5000) TEXT "x""#;

fn counted(count: u32, found: &str) -> String {
    let count = format!("* ESEARCH (TAG \"{{tag}}\") UID COUNT {count}\r\n");
    ok(&(count + &window(1, 5_000, found)))
}

#[test]
fn a_large_result_comes_in_windows_the_newest_first() {
    let host = host_with_messages();
    let older = ok(&window(5_001, 10_000, "2,5"));
    let script = vec![
        opens(3, 9),
        (FIRST, counted(5_002, "6:5005")),
        ("UID SEARCH RETURN (PARTIAL -5001:-10000) $", older),
    ];
    let (found, result) = find(&host, WINDOWS, script, "x");
    assert_eq!(result, Ok(Reach::Whole));
    assert_eq!(places(&found[..1]), [6]);
    assert_eq!(places(&found[1..]), [2, 5]);
    let script = vec![opens(3, 9), (FIRST, counted(2, "5:6"))];
    let (found, result) = find(&host, WINDOWS, script, "x");
    assert_eq!((places(&found), result), (vec![5, 6], Ok(Reach::Whole)));
}

#[test]
fn where_windows_hold_less_than_was_counted_all_is_asked_for() {
    let all = (r#"UID SEARCH RETURN (ALL) TEXT "x""#, finds("2,5:6"));
    let next = "UID SEARCH RETURN (PARTIAL -5001:-10000) $";
    let first = || (FIRST, counted(5_002, "6:5005"));
    let scripts = [
        // The server keeps the first window and no more.
        vec![opens(3, 9), first(), (next, ok(&window(5_001, 10_000, "NIL"))), all.clone()],
        vec![opens(3, 9), first(), (next, "{tag} NO [NOTSAVED] What?\r\n".into()), all.clone()],
        // It counts, and does not say what.
        vec![opens(3, 9), (FIRST, ok("* ESEARCH UID COUNT 3\r\n")), all.clone()],
        // It does not know what it says that it knows.
        vec![opens(3, 9), (FIRST, "{tag} BAD What?\r\n".into()), all],
    ];
    for script in scripts {
        let (found, result) = find(&host_with_messages(), WINDOWS, script, "x");
        assert_eq!(result, Ok(Reach::Whole));
        assert_eq!(places(&found[found.len() - 1..]), [2, 5, 6]);
    }
}

#[test]
fn of_a_mailbox_that_was_never_opened_only_the_newest_are_fetched() {
    let host = host_with_inbox();
    let count = u32::try_from(limits::FETCHED).unwrap();
    let windows = (1..=count + 1).collect::<Vec<_>>();
    let mut script = vec![opens(count + 1, 9), (FIRST, counted(count + 1, "1:2001"))];
    let newest = &windows[1..];
    for window in newest.rchunks(limits::WINDOW) {
        let (first, last) = (window[0], window[window.len() - 1]);
        let items = items!("").trim_start_matches("UID FETCH").trim();
        let command = format!("UID FETCH {first}:{last} {items}");
        script.push((command.leak(), ok(&listed(window.iter().copied()))));
    }
    let (found, result) = find(&host, WINDOWS, script, "x");
    assert_eq!((places(&found).len(), result), (limits::FETCHED, Ok(Reach::Newest)));
}

#[test]
fn what_was_done_here_counts_more_than_what_the_server_has_found() {
    let host = host_with_messages();
    let archive = MailboxId(5);
    let item = |uid, to| Item { uid, uid_validity: 9, to, ..Item::default() };
    let moved = MessageId { mailbox: archive, uid: crate::changes::limits::PROVISIONAL };
    let transfer = Task::Transfer {
        from: INBOX,
        to: archive,
        items: vec![item(5, moved.uid)],
        copy: false,
        step: Default::default(),
    };
    let (mailbox, mark, set) = (INBOX, Mark::Seen, true);
    let read = Task::Mark { mailbox, items: vec![item(2, 0)], mark, set };
    let messages = stored(&host);
    let flags = Flags { seen: true, ..Flags::default() };
    let mut writes = vec![
        Mailbox { id: archive, role: None, ..inbox() }.put(),
        queued(1, transfer).put(),
        queued(2, read).put(),
        Message { flags, ..messages[0].clone() }.put(),
    ];
    writes.extend(messages[1].delete_whole());
    writes.extend(Message { id: moved, ..messages[1].clone() }.put_listed());
    now(host.store.apply(writes, Durability::Strict)).unwrap();

    let asked = r#"UID SEARCH RETURN (ALL) TEXT "beans" UNSEEN"#;
    let script = || vec![opens(4, 9), (asked, finds("2,5:6,9"))];
    let (found, result) = find(&host, LOGGED_IN, script(), "beans is:unread");
    assert_eq!((places(&found), result), (vec![6], Ok(Reach::Whole)), "2 is read here");
    let elsewhere: Vec<_> = found[0].moved.iter().map(|(own, place)| (*own, place.uid)).collect();
    assert_eq!(elsewhere, [(archive, moved.uid)]);
    assert_eq!(found[0].awaited, [9]);

    let gone = Task::Expunge { mailbox: archive, items: vec![item(moved.uid, 0)] };
    let mut writes = vec![queued(3, gone).put()];
    writes.extend(Message { id: moved, ..messages[1].clone() }.delete_whole());
    now(host.store.apply(writes, Durability::Strict)).unwrap();
    let (found, _) = find(&host, LOGGED_IN, script(), "beans is:unread");
    assert_eq!((places(&found), found[0].moved.len()), (vec![6], 0));
    assert_eq!(found[0].awaited, [9]);
}

#[test]
fn what_came_since_the_mailbox_was_to_be_emptied_is_found() {
    let host = host_with_messages();
    let entry = queued(1, Task::Empty { mailbox: INBOX, until: Some((9, 7)), items: vec![] });
    let mut writes: Vec<_> = stored(&host).iter().map(Record::delete).collect();
    writes.push(entry.put());
    now(host.store.apply(writes, Durability::Strict)).unwrap();
    let script = vec![opens(4, 9), (r#"UID SEARCH RETURN (ALL) TEXT "beans""#, finds("5:6,8"))];
    let (found, result) = find(&host, LOGGED_IN, script, "beans");
    assert_eq!((places(&found), result), (vec![], Ok(Reach::Whole)));
    assert_eq!(found[0].awaited, [8]);
}
