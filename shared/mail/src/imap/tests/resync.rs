//! What is asked of servers that can tell what has changed.

use super::*;

const CONDSTORE: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH CONDSTORE] hi\r\n";
const QRESYNC: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH ENABLE CONDSTORE QRESYNC] hi\r\n";

fn opened(command: &'static str, (exists, next, mod_seq): (u32, u32, u64), more: &str) -> Said {
    let mod_seq = match mod_seq {
        0 => "NOMODSEQ".to_owned(),
        mod_seq => format!("HIGHESTMODSEQ {mod_seq}"),
    };
    let answer = format!(
        "* {exists} EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT {next}] x\r\n\
         * OK [{mod_seq}] x\r\n{more}"
    );
    (command, ok(&answer))
}

type Said = (&'static str, String);

fn hello() -> Vec<Said> {
    vec![("ENABLE QRESYNC", ok("* ENABLED QRESYNC\r\n"))]
}

/// A host whose inbox holds the messages 2, 5 and 6 as of the mod-sequence 40.
fn host_with_mod_seq() -> ScriptedHost {
    let host = host_with_inbox();
    let script = vec![
        opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 40), ""),
        unread(3),
        all("2,5:6"),
        (items!("2,5:6"), ok(&listed([2, 5, 6]))),
    ];
    let mut client = connect(&host, Security::Tls, CONDSTORE, script).unwrap();
    sync(&mut client, &host);
    let synced = now(record::mailbox(&host.store, INBOX)).unwrap().synced;
    let expected = record::SyncPoint {
        mod_seq: 40,
        exists: 3,
        unseen: 3,
        stale: false,
        linked: true,
        linked_from: 0,
        labelled: false,
        labelled_from: 0,
        flagged_from: 0,
        counted: None,
    };
    assert_eq!(synced, expected);
    host
}

fn mod_seq(host: &ScriptedHost) -> u64 {
    now(record::mailbox(&host.store, INBOX)).unwrap().synced.mod_seq
}

#[test]
fn with_qresync_one_command_tells_what_went_and_what_changed() {
    let host = host_with_mod_seq();
    let changes = "* VANISHED (EARLIER) 1,3,5\r\n* 2 FETCH (UID 6 FLAGS (\\Seen) MODSEQ (45))\r\n";
    let mut script = hello();
    script.extend([
        opened(r#"SELECT "INBOX" (QRESYNC (9 40 1:6 (2:3 5:6)))"#, (3, 9, 46), changes),
        unread(2),
        (items!("7:8"), ok(&listed([8]))),
    ]);
    let mut client = connect(&host, Security::Tls, QRESYNC, script).unwrap();
    sync(&mut client, &host);
    let told: Vec<_> = stored(&host).iter().map(|own| (own.id.uid, own.flags.seen)).collect();
    assert_eq!(told, [(2, false), (6, true), (8, false)]);
    assert_eq!(mod_seq(&host), 46);
}

#[test]
fn with_condstore_only_flags_that_changed_are_asked_for() {
    let host = host_with_mod_seq();
    let script = vec![
        opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 46), ""),
        unread(2),
        (
            "UID FETCH 1:6 (UID FLAGS) (CHANGEDSINCE 40)",
            ok("* 2 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (45))\r\n"),
        ),
    ];
    let mut client = connect(&host, Security::Tls, CONDSTORE, script).unwrap();
    sync(&mut client, &host);
    assert!(stored(&host)[1].flags.seen);
    assert_eq!(mod_seq(&host), 46);

    let script = vec![opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 46), ""), unread(2)];
    let mut client = connect(&host, Security::Tls, CONDSTORE, script).unwrap();
    assert_eq!(sync(&mut client, &host), [], "nothing changed, nothing is asked or written");
}

#[test]
fn a_mailbox_that_has_no_mod_sequences_any_more_is_looked_at_as_a_whole() {
    let host = host_with_mod_seq();
    let script = vec![
        opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 0), ""),
        unread(3),
        ("UID FETCH 2,5:6 (UID FLAGS)", ok("")),
    ];
    let mut client = connect(&host, Security::Tls, CONDSTORE, script).unwrap();
    sync(&mut client, &host);
    assert_eq!(mod_seq(&host), 0);
}

#[test]
fn the_mod_sequence_stays_behind_when_flags_could_not_be_fetched() {
    let host = host_with_mod_seq();
    let script = vec![
        opened(r#"SELECT "INBOX" (CONDSTORE)"#, (4, 8, 46), ""),
        unread(2),
        (items!("7"), ok(&listed([7]))),
        ("UID FETCH 1:6 (UID FLAGS) (CHANGEDSINCE 40)", "{tag} NO later\r\n".into()),
    ];
    let mut client = connect(&host, Security::Tls, CONDSTORE, script).unwrap();
    assert!(now(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(()))).is_err());
    assert_eq!((uids(&host), mod_seq(&host)), (vec![2, 5, 6, 7], 40));
}

/// Whether each message is read, the mod-sequence and whether the mailbox is stale after a sync
/// that goes on like this, where messages 5 and 6 were read and the server has come to the
/// mod-sequence 46.
fn told(host: &ScriptedHost, greeting: &str, script: Vec<Said>) -> (Vec<bool>, u64, bool) {
    let mut client = connect(host, Security::Tls, greeting, script).unwrap();
    sync(&mut client, host);
    let synced = now(record::mailbox(&host.store, INBOX)).unwrap().synced;
    (stored(host).iter().map(|own| own.flags.seen).collect(), synced.mod_seq, synced.stale)
}

const READ: &str = "* 2 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (45))\r\n";
const ALSO_READ: &str = "* 3 FETCH (UID 6 FLAGS (\\Seen) MODSEQ (46))\r\n";
const DAMAGED: &str = "* 2 FETCH (UID 5 FLAGS\r\n";

#[test]
fn flags_that_could_not_be_read_are_told_again_where_they_are_asked_for() {
    let host = host_with_mod_seq();
    let script = |answer: &str| {
        let opened = opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 46), "");
        let asked = "UID FETCH 1:6 (UID FLAGS) (CHANGEDSINCE 40)";
        vec![opened, unread(1), (asked, ok(&format!("{answer}{ALSO_READ}")))]
    };
    let damaged = told(&host, CONDSTORE, script(DAMAGED));
    assert_eq!(damaged, (vec![false, false, true], 40, true));
    assert_eq!(told(&host, CONDSTORE, script(READ)), (vec![false, true, true], 46, false));
}

#[test]
fn flags_that_could_not_be_read_are_told_again_where_they_are_told_with_the_mailbox() {
    let script = |answer: &str, asked: Option<Said>| {
        let select = r#"SELECT "INBOX" (QRESYNC (9 40 1:6 (2:3 5:6)))"#;
        let opened = opened(select, (3, 7, 46), &format!("{answer}{ALSO_READ}"));
        hello().into_iter().chain([opened, unread(1)]).chain(asked).collect()
    };
    let whole = (vec![false, true, true], 46, false);
    let all = Some(("UID FETCH 2,5:6 (UID FLAGS)", ok(READ)));
    assert_eq!(told(&host_with_mod_seq(), QRESYNC, script(DAMAGED, all)), whole);
    // What makes no sense and tells no flags is no reason to ask for them.
    let odd = format!("* FLAGS nonsense\r\n{READ}");
    assert_eq!(told(&host_with_mod_seq(), QRESYNC, script(&odd, None)), whole);
}

#[test]
fn flags_that_could_not_be_read_where_all_are_looked_at_leave_the_mailbox_stale() {
    let host = host_with_messages();
    let script = |answer: &str| {
        vec![select(3, 9, 7), unread(1), ("UID FETCH 2,5:6 (UID FLAGS)", ok(answer))]
    };
    assert_eq!(told(&host, LOGGED_IN, script(DAMAGED)), (vec![false; 3], 0, true));
    assert_eq!(told(&host, LOGGED_IN, script(READ)), (vec![false, true, false], 0, false));
}

#[test]
fn a_server_that_stops_at_its_limit_is_asked_for_the_rest_of_the_flags() {
    let stopped = |answer: &str, at: &str| format!("{answer}{{tag}} OK [MESSAGELIMIT 1{at}] x\r\n");
    let since = |rest: Vec<Said>| {
        let opened = opened(r#"SELECT "INBOX" (CONDSTORE)"#, (3, 7, 46), "");
        let asked = "UID FETCH 1:6 (UID FLAGS) (CHANGEDSINCE 40)";
        let mut script = vec![opened, unread(1), (asked, stopped(ALSO_READ, " 6"))];
        script.extend(rest);
        script
    };
    let next = "UID FETCH 1:5 (UID FLAGS) (CHANGEDSINCE 40)";
    let last = ("UID FETCH 1:4 (UID FLAGS) (CHANGEDSINCE 40)", ok(""));
    let host = host_with_mod_seq();
    let whole = told(&host, CONDSTORE, since(vec![(next, stopped(READ, " 5")), last]));
    assert_eq!(whole, (vec![false, true, true], 46, false));
    // It does not tell where it stopped, or goes nowhere.
    for at in ["", " 6", " 99"] {
        let host = host_with_mod_seq();
        let partial = told(&host, CONDSTORE, since(vec![(next, stopped(READ, at))]));
        assert_eq!(partial, (vec![false, true, true], 40, true), "{at}");
    }
    // Where all are looked at it goes on as well.
    let host = host_with_messages();
    let script = vec![
        select(3, 9, 7),
        unread(1),
        ("UID FETCH 2,5:6 (UID FLAGS)", stopped(ALSO_READ, " 6")),
        ("UID FETCH 2,5 (UID FLAGS)", ok(READ)),
    ];
    assert_eq!(told(&host, LOGGED_IN, script), (vec![false, true, true], 0, false));
}

#[test]
fn a_list_or_a_search_that_stops_at_a_limit_is_not_all_there_is() {
    let host = host_with_inbox();
    let search = |answer: String| ("UID SEARCH RETURN (ALL) ALL", answer);
    let limit = "{tag} OK [MESSAGELIMIT 2 5] x\r\n";
    let listing = vec![
        select(3, 9, 7),
        unread(3),
        all("2,5:6"),
        (items!("2,5:6"), format!("{}{limit}", listed([5, 6]))),
    ];
    assert_eq!(told(&host, LOGGED_IN, listing), (vec![false; 2], 0, true));
    let rest = vec![
        select(3, 9, 7),
        unread(3),
        all("2,5:6"),
        (items!("2"), ok(&listed([2]))),
        ("UID FETCH 5:6 (UID FLAGS)", ok("")),
    ];
    assert_eq!(told(&host, LOGGED_IN, rest), (vec![false; 3], 0, false));
    let answer = format!("* ESEARCH (TAG \"{{tag}}\") UID ALL 5:6\r\n{limit}");
    let flags = ("UID FETCH 2,5:6 (UID FLAGS)", ok(""));
    let searched = vec![select(2, 9, 7), unread(3), search(answer), flags];
    assert_eq!(told(&host, LOGGED_IN, searched), (vec![false; 3], 0, true));
}
