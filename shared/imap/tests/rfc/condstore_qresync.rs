//! RFC 7162.

use postern_imap::{
    Command, Response,
    command::{
        FetchItem, FetchOptions, KnownState, Resync, SearchKey, SearchReturn, StatusItem,
        StoreMode, StoreOptions,
    },
    response::{Code, Flag, Vanished},
};

use crate::{code, ended, fetch, found, response, said, set};

#[test]
fn a_mailbox_tells_its_mod_sequence_or_that_it_has_none() {
    assert_eq!(
        code("* OK [HIGHESTMODSEQ 715194045007]"),
        Some(Code::HighestModSeq(715_194_045_007))
    );
    let none = "* OK [NOMODSEQ] Sorry, this mailbox format doesn't support modsequences";
    assert_eq!(code(none), Some(Code::NoModSeq));
    assert_eq!(code("* OK [CLOSED] Previous mailbox is now closed"), Some(Code::Closed));
    let end = ended("A202 OK [HIGHESTMODSEQ 20010715194045319] expunged");
    assert_eq!(end.code, Some(Code::HighestModSeq(20_010_715_194_045_319)));
}

#[test]
fn a_conditional_store_is_asked_for_and_its_failure_understood() {
    let options = StoreOptions { unchanged_since: Some(320_162_338), tell: false };
    let store =
        Command::uid_store_with(&set("6,4,8"), StoreMode::Add, &[Flag::Deleted], options).unwrap();
    assert_eq!(said(store), r"UID STORE 4,6,8 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\Deleted)");
    let end = ended("d105 OK [MODIFIED 7,9] Conditional STORE failed");
    assert_eq!(end.code, Some(Code::Modified(set("7,9"))));
    let end = ended("B001 NO [MODIFIED 2] Some of the messages no longer exist.");
    assert_eq!(end.code, Some(Code::Modified(set("2"))));
    let told = fetch("* 1 FETCH (UID 4 MODSEQ (12121231000))");
    assert_eq!((told.uid, told.mod_seq), (Some(4), Some(12_121_231_000)));
    let told = fetch(r"* 50 FETCH (MODSEQ (12111230048))");
    assert_eq!((told.uid, told.mod_seq), (None, Some(12_111_230_048)));
}

#[test]
fn changes_since_a_mod_sequence_are_asked_for() {
    let options = FetchOptions { changed_since: Some(12345), ..FetchOptions::default() };
    let all = Command::uid_fetch_with(&set("1:4294967295"), &[FetchItem::Flags], &options).unwrap();
    assert_eq!(said(all), "UID FETCH 1:4294967295 (UID FLAGS) (CHANGEDSINCE 12345)");
    let options = FetchOptions { vanished: true, ..options };
    let also = Command::uid_fetch_with(&set("300:500"), &[FetchItem::Flags], &options).unwrap();
    assert_eq!(said(also), "UID FETCH 300:500 (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)");
    let gone = Vanished { earlier: true, uids: set("300:310,405,411") };
    assert_eq!(response("* VANISHED (EARLIER) 300:310,405,411"), Response::Vanished(gone));
    let told = fetch(r"* 1 FETCH (UID 404 MODSEQ (65402) FLAGS (\Seen))");
    assert_eq!((told.uid, told.mod_seq), (Some(404), Some(65402)));
}

#[test]
fn searches_know_mod_sequences() {
    let search =
        Command::uid_search(&[SearchKey::ModSeq(620_162_338)], SearchReturn::Plain).unwrap();
    assert_eq!(said(search), "UID SEARCH MODSEQ 620162338");
    let result = found("* SEARCH 2 5 6 7 11 12 18 19 20 23 (MODSEQ 917162500)");
    assert_eq!((result.count, result.mod_seq), (Some(10), Some(917_162_500)));
    let result = found("* ESEARCH (TAG \"a\") ALL 1:3,5 MODSEQ 1236");
    assert_eq!((result.all, result.mod_seq), (Some(set("1:3,5")), Some(1236)));
    let Response::Sort(result) = response("* SORT 2 3 4 5 1 11 18 7 19 20 23 (MODSEQ 21)") else {
        panic!("not sorted");
    };
    assert_eq!((result.numbers[4], result.mod_seq), (1, Some(21)));
}

#[test]
fn counts_come_with_a_mod_sequence() {
    let items = [StatusItem::UidNext, StatusItem::Messages, StatusItem::HighestModSeq];
    let status = Command::status_of(b"blurdybloop", &items).unwrap();
    assert_eq!(said(status), r#"STATUS "blurdybloop" (UIDNEXT MESSAGES HIGHESTMODSEQ)"#);
    let Response::MailboxStatus(status) =
        response("* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 HIGHESTMODSEQ 7011231777)")
    else {
        panic!("no status");
    };
    assert_eq!(status.highest_mod_seq, Some(7_011_231_777));
}

#[test]
fn a_mailbox_is_brought_up_to_date_as_it_is_selected() {
    let known = KnownState {
        uid_validity: 67_890_007,
        mod_seq: 20_050_715_194_045_000,
        uids: Some(set("41,43:211,214:541")),
        places: None,
    };
    let select = Command::select_with(b"INBOX", &Resync::Since(known)).unwrap();
    let expected = r#"SELECT "INBOX" (QRESYNC (67890007 20050715194045000 41,43:211,214:541))"#;
    assert_eq!(said(select), expected);
    let gone = Vanished { earlier: true, uids: set("41,43:116,118,120:211,214:540") };
    let line = "* VANISHED (EARLIER) 41,43:116,118,120:211,214:540";
    assert_eq!(response(line), Response::Vanished(gone));
    let told = fetch(r"* 49 FETCH (UID 117 FLAGS (\Seen \Answered) MODSEQ (90060115194045001))");
    assert_eq!(told.flags, Some(vec![Flag::Seen, Flag::Answered]));
    let told = fetch(r"* 51 FETCH (UID 541 FLAGS (\Seen $Forwarded) MODSEQ (90060115194045308))");
    assert_eq!(told.mod_seq, Some(90_060_115_194_045_308));
}

#[test]
fn the_places_that_are_known_go_along() {
    let known = KnownState {
        uid_validity: 67_890_007,
        mod_seq: 90_060_115_194_045_000,
        uids: Some(set("1:29997")),
        places: Some((set("5000,7500,9000,9990:9999"), set("15000,22500,27000,29970,29973"))),
    };
    let select = Command::select_with(b"INBOX", &Resync::Since(known)).unwrap();
    assert_eq!(
        said(select),
        "SELECT \"INBOX\" (QRESYNC (67890007 90060115194045000 1:29997 \
         (5000,7500,9000,9990:9999 15000,22500,27000,29970,29973)))"
    );
}

#[test]
fn messages_vanish_while_one_looks() {
    for (line, uids) in [
        ("* VANISHED 405,407,410,425", "405,407,410,425"),
        ("* VANISHED 505,507,510,625", "505,507,510,625"),
    ] {
        let gone = Vanished { earlier: false, uids: set(uids) };
        assert_eq!(response(line), Response::Vanished(gone));
    }
}
