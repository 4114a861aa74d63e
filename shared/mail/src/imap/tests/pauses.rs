//! A sync that is broken off because a person waits for something else.

use super::*;

/// Something more urgent comes up with the last answer of the script.
fn sync_until_the_last(client: &mut ImapClient<Scripted>, host: &ScriptedHost) -> bool {
    let mut changed = |_: SyncStep| match host.wire.borrow().script.is_empty() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    now(client.sync_messages(host, INBOX, &mut changed)).unwrap().is_break()
}

#[test]
fn whoever_waits_for_something_else_waits_for_one_answer() {
    let script = || {
        vec![select(3, 9, 7), unread(3), all("2,5:6"), (items!("2,5:6"), ok(&listed([2, 5, 6])))]
    };
    for answers in 1..=3 {
        let host = host_with_inbox();
        let begun = script().into_iter().take(answers).collect();
        assert!(sync_until_the_last(&mut ready(&host, begun), &host), "{answers}");
        assert!(uids(&host).is_empty());
        sync(&mut ready(&host, script()), &host);
        assert_eq!(uids(&host), [2, 5, 6]);
    }
}

/// More messages than one window of flags holds.
const MANY: u32 = 2_500;

/// A host whose inbox holds that many, all unread.
fn host_with_many() -> ScriptedHost {
    let host = host_with_inbox();
    let script = vec![
        select(MANY, 9, MANY + 1),
        unread(MANY),
        all("1:2500"),
        (items!("2451:2500"), ok(&listed(2_451..=MANY))),
        (items!("2251:2450"), ok(&listed(2_251..=2_450))),
        (items!("1251:2250"), ok(&listed(1_251..=2_250))),
        (items!("251:1250"), ok(&listed(251..=1_250))),
        (items!("1:250"), ok(&listed(1..=250))),
    ];
    sync(&mut ready(&host, script), &host);
    host
}

fn synced(host: &ScriptedHost) -> SyncPoint {
    now(record::mailbox(&host.store, INBOX)).unwrap().synced
}

fn flags(asked: &'static str, told: &str) -> (&'static str, String) {
    (asked, ok(told))
}

#[test]
fn looking_at_all_flags_is_broken_off_and_goes_on_below_and_is_done_once_more() {
    let host = host_with_many();
    let opened = || [select(MANY, 9, MANY + 1), unread(MANY)];
    let newer = || flags("UID FETCH 501:2500 (UID FLAGS)", "* 2500 FETCH (UID 2500 FLAGS (a))\r\n");
    let older = || flags("UID FETCH 1:500 (UID FLAGS)", "* 1 FETCH (UID 1 FLAGS (b))\r\n");
    let begun = opened().into_iter().chain([newer()]).collect();
    assert!(sync_until_the_last(&mut ready(&host, begun), &host));
    assert_eq!((synced(&host).flagged_from, synced(&host).stale), (501, false));

    let rest = opened().into_iter().chain([older()]).collect();
    sync(&mut ready(&host, rest), &host);
    let messages = stored(&host);
    assert_eq!([&messages[0].keywords, &messages[2_499].keywords], [&["b"], &["a"]]);
    // What changed above meanwhile was not seen.
    assert_eq!((synced(&host).flagged_from, synced(&host).stale), (0, true));

    let whole = opened().into_iter().chain([newer(), older()]).collect();
    sync(&mut ready(&host, whole), &host);
    assert!(!synced(&host).stale);
}

#[test]
fn flags_that_a_mod_sequence_will_stand_for_are_looked_at_in_one_go() {
    let host = host_with_many();
    let opened = format!(
        "* {MANY} EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT {}] x\r\n\
         * OK [HIGHESTMODSEQ 40] x\r\n",
        MANY + 1
    );
    let script = vec![
        (r#"SELECT "INBOX" (CONDSTORE)"#, ok(&opened)),
        unread(MANY),
        flags("UID FETCH 501:2500 (UID FLAGS)", "* 2500 FETCH (UID 2500 FLAGS (a))\r\n"),
        flags("UID FETCH 1:500 (UID FLAGS)", ""),
    ];
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH CONDSTORE] hi\r\n";
    let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
    assert!(now(client.sync_messages(&host, INBOX, &mut break_off)).unwrap().is_continue());
    assert_eq!(synced(&host).mod_seq, 40);
}
