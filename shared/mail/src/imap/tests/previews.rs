//! How messages begin, as the server tells it.

use super::*;

const PREVIEW: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH PREVIEW] hi\r\n";

/// The question, and the answer to it.
fn asked(answer: String) -> (&'static str, String) {
    ("UID FETCH 2,5:6 (UID PREVIEW)", answer)
}

/// The question for the flags of what was here before.
fn flags() -> (&'static str, String) {
    ("UID FETCH 2,5:6 (UID FLAGS)", ok(""))
}

/// A first sync in which the server answers so to the question how the messages begin, and the client.
fn synced(answer: String) -> (ScriptedHost, ImapClient<Scripted>) {
    let host = host_with_inbox();
    let script = vec![
        select(3, 9, 7),
        unread(3),
        all("2,5:6"),
        (items!("2,5:6"), ok(&listed([2, 5, 6]))),
        asked(answer),
    ];
    let mut client = connect(&host, Security::Tls, PREVIEW, script).unwrap();
    sync(&mut client, &host);
    (host, client)
}

fn previews(host: &ScriptedHost) -> Vec<String> {
    stored(host).into_iter().map(|message| message.preview).collect()
}

#[test]
fn how_messages_begin_is_asked_once_they_are_listed() {
    let told = "* 1 FETCH (UID 2 PREVIEW \"  Dear\tall \")\r\n* 2 FETCH (UID 5 PREVIEW NIL)\r\n\
                * 9 FETCH (UID 77 PREVIEW \"of another\")\r\n";
    let (host, mut client) = synced(ok(told));
    assert_eq!(previews(&host), ["Dear all", "", ""]);
    host.wire.borrow_mut().script.extend([select(3, 9, 7), unread(3), flags()]);
    sync(&mut client, &host);
    assert_eq!(previews(&host), ["Dear all", "", ""], "nothing was asked twice");
}

#[test]
fn of_a_long_list_those_that_are_shown_first_are_asked_for_before_the_others_are_listed() {
    let host = host_with_inbox();
    let script = vec![
        select(60, 9, 61),
        unread(60),
        all("1:60"),
        (items!("11:60"), ok(&listed(11..=60))),
        ("UID FETCH 11:60 (UID PREVIEW)", ok("* 60 FETCH (UID 60 PREVIEW \"Dear all\")\r\n")),
        (items!("1:10"), ok(&listed(1..=10))),
    ];
    sync(&mut connect(&host, Security::Tls, PREVIEW, script).unwrap(), &host);
    assert_eq!(uids(&host), (1..=60).collect::<Vec<u32>>());
    assert_eq!(stored(&host)[59].preview, "Dear all");
}

#[test]
fn what_comes_with_flags_is_not_lost() {
    let told = "* 1 FETCH (UID 2 FLAGS (\\Seen) PREVIEW \"Dear all\")\r\n";
    let (host, _) = synced(ok(told));
    assert_eq!(previews(&host), ["Dear all", "", ""]);
}

#[test]
fn a_server_that_does_not_tell_is_left_alone() {
    for refusal in ["NO not now", "NO [UNAVAILABLE] x", "NO [INUSE] x", "BAD what?"] {
        let (host, _) = synced(format!("{{tag}} {refusal}\r\n"));
        assert_eq!(previews(&host), ["", "", ""], "{refusal}");
        assert_eq!(uids(&host), [2, 5, 6], "{refusal}");
    }
}

#[test]
fn only_messages_of_which_nothing_is_here_are_asked_for() {
    let host = host_with_messages();
    let mut all = stored(&host);
    all[0].body = Body::Whole { size: 7 };
    all[1].preview = "told before".into();
    now(host.store.apply(all.iter().map(Record::put).collect(), Durability::Relaxed)).unwrap();
    let told = "* 1 FETCH (UID 2 PREVIEW \"x\")\r\n* 2 FETCH (UID 5 PREVIEW \"x\")\r\n\
                * 3 FETCH (UID 6 PREVIEW \"last\")\r\n";
    let script = vec![select(3, 9, 7), unread(3), flags(), ("UID FETCH 6 (UID PREVIEW)", ok(told))];
    sync(&mut connect(&host, Security::Tls, PREVIEW, script).unwrap(), &host);
    assert_eq!(previews(&host), ["", "told before", "last"]);
}

#[test]
fn whoever_waits_for_something_else_comes_first() {
    let host = host_with_inbox();
    let script =
        vec![select(3, 9, 7), unread(3), all("2,5:6"), (items!("2,5:6"), ok(&listed([2, 5, 6])))];
    let mut client = connect(&host, Security::Tls, PREVIEW, script).unwrap();
    let mut changed = |step: SyncStep| match (&step.change, step.stored) {
        (None, _) | (_, 0) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    assert!(now(client.sync_messages(&host, INBOX, &mut changed)).unwrap().is_break());
    let rest = [select(3, 9, 7), unread(3), all("2,5:6"), flags(), asked(ok(""))];
    host.wire.borrow_mut().script.extend(rest);
    sync(&mut client, &host);
}

/// A host whose inbox has large messages, of which nothing else is here.
fn host_with_large_messages() -> ScriptedHost {
    let host = host_with_messages();
    let sizes = [limits::PREVIEWED, limits::PREVIEWED - 1, 1];
    let large = stored(&host).into_iter().zip(sizes);
    let large = large.map(|(message, size)| Message { size, ..message }.put()).collect();
    now(host.store.apply(large, Durability::Relaxed)).unwrap();
    host
}

const NEWEST: &str = "UID FETCH 5:6 (UID PREVIEW)";
const OLDEST: &str = "UID FETCH 2 (UID PREVIEW)";

#[test]
fn one_question_is_about_no_more_than_the_server_can_read_in_a_moment() {
    let host = host_with_large_messages();
    let told = "* 3 FETCH (UID 6 PREVIEW \"newest\")\r\n";
    let oldest = "* 1 FETCH (UID 2 PREVIEW \"oldest\")\r\n";
    let script =
        vec![select(3, 9, 7), unread(3), flags(), (NEWEST, ok(told)), (OLDEST, ok(oldest))];
    sync(&mut connect(&host, Security::Tls, PREVIEW, script).unwrap(), &host);
    assert_eq!(previews(&host), ["oldest", "", "newest"]);
}

#[test]
fn between_two_questions_something_else_may_come_first() {
    let host = host_with_large_messages();
    let told = ok("* 3 FETCH (UID 6 PREVIEW \"newest\")\r\n");
    let script = vec![select(3, 9, 7), unread(3), flags(), (NEWEST, told)];
    let mut client = connect(&host, Security::Tls, PREVIEW, script).unwrap();
    now(client.sync_messages(&host, INBOX, &mut break_off)).map(drop).unwrap();
    assert_eq!(previews(&host), ["", "", "newest"]);
    let rest = [select(3, 9, 7), unread(3), flags(), (OLDEST, ok(""))];
    host.wire.borrow_mut().script.extend(rest);
    sync(&mut client, &host);
}
