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
