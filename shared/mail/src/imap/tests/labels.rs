//! Labels of a server that has such, kept as tags.

use super::*;

const GMAIL: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH CONDSTORE X-GM-EXT-1] hi\r\n";

const ITEMS: &str = "UID FETCH 2,5 (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE ENVELOPE \
                     BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192> X-GM-THRID X-GM-MSGID \
                     X-GM-LABELS)";

/// What is asked for where the mod-sequence was 40.
const CHANGED: &str = "UID FETCH 1:5 (UID FLAGS X-GM-LABELS) (CHANGEDSINCE 40)";

fn opened(mod_seq: u32) -> (&'static str, String) {
    let answer = format!(
        "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 6] x\r\n\
         * OK [HIGHESTMODSEQ {mod_seq}] x\r\n"
    );
    (r#"SELECT "INBOX" (CONDSTORE)"#, ok(&answer))
}

fn client(host: &ScriptedHost, script: Script) -> ImapClient<Scripted> {
    connect(host, Security::Tls, GMAIL, script).unwrap()
}

/// The tags of the messages 2 and 5.
fn tags(host: &ScriptedHost) -> [Vec<String>; 2] {
    let tags: Vec<_> = stored(host).into_iter().map(|own| own.keywords).collect();
    tags.try_into().unwrap()
}

/// A host whose inbox holds the messages 2 and 5, of which the first has labels.
fn host_with_labels() -> ScriptedHost {
    let host = host_with_inbox();
    let line = |uid: u32, labels: &str| {
        format!(
            "* {uid} FETCH (UID {uid} FLAGS ($Forwarded) RFC822.SIZE 9 ENVELOPE (NIL \"x\" NIL NIL \
             NIL NIL NIL NIL NIL NIL) X-GM-LABELS ({labels}))\r\n"
        )
    };
    let labels = r#""\\Inbox" \Important "Muy Importante" &AOQ- Work Work"#;
    let answer = line(2, labels) + &line(5, "");
    let script = vec![opened(40), unread(0), all("2,5"), (ITEMS, ok(&answer))];
    sync(&mut client(&host, script), &host);
    assert_eq!(tags(&host)[0], ["$Forwarded", "Muy Importante", "Work", "ä"]);
    assert_eq!(tags(&host)[1], ["$Forwarded"]);
    host
}

/// Changes what is stored of the inbox itself.
fn update(host: &ScriptedHost, change: impl FnOnce(&mut record::SyncPoint)) {
    let mut mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    change(&mut mailbox.synced);
    now(host.store.apply(vec![mailbox.put()], Durability::Relaxed)).unwrap();
}

#[test]
fn labels_that_were_given_and_taken_elsewhere_are_told_with_the_flags_that_changed() {
    let host = host_with_labels();
    let answer = "* 1 FETCH (UID 2 FLAGS (\\Seen) X-GM-LABELS (Work) MODSEQ (44))\r\n\
                  * 2 FETCH (UID 5 FLAGS ($Forwarded) X-GM-LABELS (\"a b\") MODSEQ (45))\r\n";
    let script = vec![opened(46), unread(0), (CHANGED, ok(answer))];
    sync(&mut client(&host, script), &host);
    assert_eq!(tags(&host), [vec!["Work"], vec!["$Forwarded", "a b"]]);

    let script = vec![opened(46), unread(0)];
    assert_eq!(sync(&mut client(&host, script), &host), [], "nothing changed, nothing is asked");
}

#[test]
fn flags_that_are_told_without_labels_leave_the_tags_as_they_are() {
    let host = host_with_labels();
    let news = ("NOOP", ok("* 1 FETCH (FLAGS (\\Seen))\r\n"));
    let mut client = client(&host, vec![opened(40), unread(0), news, unread(0)]);
    let mut changed = |_| ControlFlow::Continue(());
    assert!(now(client.sync_messages(&host, INBOX, &mut changed)).unwrap().is_continue());
    now(client.noop(&host)).unwrap();
    assert!(now(client.catch_up(&host, INBOX, &mut changed)).unwrap().is_continue());
    assert!(stored(&host)[0].flags.seen);
    assert_eq!(tags(&host)[0], ["$Forwarded", "Muy Importante", "Work", "ä"]);
}

#[test]
fn labels_that_an_earlier_version_did_not_ask_for_are_asked_for_once() {
    let host = host_with_labels();
    update(&host, |synced| synced.labelled = false);
    let answer = "* 2 FETCH (UID 5 FLAGS () X-GM-LABELS (b))\r\n";
    let all = ("UID FETCH 2,5 (UID FLAGS X-GM-LABELS)", ok(answer));
    sync(&mut client(&host, vec![opened(40), unread(0), all]), &host);
    assert_eq!(tags(&host)[1], ["b"]);
    assert_eq!(sync(&mut client(&host, vec![opened(40), unread(0)]), &host), []);
}

#[test]
fn asking_for_labels_is_broken_off_for_something_more_urgent_and_goes_on_below() {
    let host = host_with_labels();
    update(&host, |synced| synced.labelled = false);
    let answer = "* 1 FETCH (UID 2 FLAGS () X-GM-LABELS (a))\r\n\
                  * 2 FETCH (UID 5 FLAGS () X-GM-LABELS (b))\r\n";
    let all = ("UID FETCH 2,5 (UID FLAGS X-GM-LABELS)", ok(answer));
    let mut own = client(&host, vec![opened(44), unread(0), all]);
    assert!(now(own.sync_messages(&host, INBOX, &mut break_off)).unwrap().is_break());
    assert_eq!(tags(&host), [["a"], ["b"]]);
    let synced = || now(record::mailbox(&host.store, INBOX)).unwrap().synced;
    assert_eq!((synced().labelled, synced().labelled_from, synced().mod_seq), (false, 2, 40));

    // Of the fifth they are known but for what has changed since, and the second is left.
    update(&host, |synced| synced.labelled_from = 5);
    let second = ("UID FETCH 2 (UID FLAGS X-GM-LABELS)", ok(""));
    let answer = "* 2 FETCH (UID 5 FLAGS () X-GM-LABELS (c) MODSEQ (44))\r\n";
    let script = vec![opened(44), unread(0), second, (CHANGED, ok(answer))];
    sync(&mut client(&host, script), &host);
    assert_eq!(tags(&host), [["a"], ["c"]]);
    assert_eq!((synced().labelled, synced().labelled_from), (true, 0));
}

#[test]
fn labels_that_can_not_be_read_are_no_reason_to_ask_for_all_of_them_each_time() {
    let host = host_with_labels();
    update(&host, |synced| synced.labelled = false);
    let answer = "* 1 FETCH (UID 2 FLAGS () X-GM-LABELS\r\n\
                  * 2 FETCH (UID 5 FLAGS () X-GM-LABELS (b))\r\n";
    let all = ("UID FETCH 2,5 (UID FLAGS X-GM-LABELS)", ok(answer));
    let changed = || (CHANGED, ok(""));
    sync(&mut client(&host, vec![opened(46), unread(0), all, changed()]), &host);
    let synced = || now(record::mailbox(&host.store, INBOX)).unwrap().synced;
    assert_eq!((synced().labelled, synced().mod_seq, synced().stale), (true, 40, true));
    sync(&mut client(&host, vec![opened(46), unread(0), changed()]), &host);
    assert_eq!((synced().mod_seq, synced().stale), (46, false));
    assert_eq!(tags(&host)[1], ["b"]);
}

#[test]
fn of_tags_that_differ_only_in_how_they_are_written_one_is_kept() {
    let host = host_with_labels();
    let answer = "* 1 FETCH (UID 2 FLAGS (work) X-GM-LABELS (Work alpha WORK))\r\n";
    sync(&mut client(&host, vec![opened(46), unread(0), (CHANGED, ok(answer))]), &host);
    assert_eq!(tags(&host)[0], ["WORK", "alpha"]);
}

#[test]
fn labels_that_can_not_be_read_leave_the_tags_as_they_are() {
    let host = host_with_labels();
    let answer = "* 1 FETCH (UID 2 FLAGS (\\Seen) X-GM-LABELS NIL)\r\n";
    sync(&mut client(&host, vec![opened(46), unread(0), (CHANGED, ok(answer))]), &host);
    assert!(stored(&host)[0].flags.seen);
    assert_eq!(tags(&host)[0], ["$Forwarded", "Muy Importante", "Work", "ä"]);
}

#[test]
fn after_utf_8_was_agreed_on_labels_are_spelled_in_it() {
    let host = host_with_labels();
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH CONDSTORE ENABLE UTF8=ACCEPT \
                    X-GM-EXT-1] hi\r\n";
    let answer = "* 1 FETCH (UID 2 FLAGS () X-GM-LABELS (\"größe\" &AOQ-))\r\n";
    let script = vec![
        ("ENABLE UTF8=ACCEPT", ok("* ENABLED UTF8=ACCEPT\r\n")),
        opened(46),
        unread(0),
        (CHANGED, ok(answer)),
    ];
    sync(&mut connect(&host, Security::Tls, greeting, script).unwrap(), &host);
    assert_eq!(tags(&host)[0], ["&AOQ-", "größe"]);
}

#[test]
fn labels_up_to_the_limit_are_kept_and_more_are_left_out() {
    let host = host_with_labels();
    let mut kept = |count: usize| {
        update(&host, |synced| synced.mod_seq = 40);
        let labels: Vec<_> = (0..count).map(|number| format!("l{number}")).collect();
        let labels = labels.join(" ");
        let answer = format!("* 1 FETCH (UID 2 FLAGS () X-GM-LABELS ({labels}))\r\n");
        let script = vec![opened(46), unread(0), (CHANGED, ok(&answer))];
        sync(&mut client(&host, script), &host);
        tags(&host)[0].len()
    };
    let limit = limits::KEYWORDS;
    assert_eq!([limit - 1, limit, limit + 1].map(&mut kept), [limit - 1, limit, limit]);
}
