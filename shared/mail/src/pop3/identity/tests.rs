//! What is known by its id, its size, its header or its bytes.

use sha2::{Digest, Sha256};

use super::{
    super::{
        listing::tests::{listed, listing},
        row::tests::row,
    },
    *,
};

const BYTES: [u8; 32] = [1; 32];
const HEADER: Option<[u8; 32]> = Some([2; 32]);
const TEXT: Option<u64> = Some(5);

fn whole(uidl: &str) -> LedgerRow {
    LedgerRow { sha256: BYTES, header: HEADER, text_size: TEXT, ..row(uidl) }
}

fn partial(uidl: &str) -> LedgerRow {
    LedgerRow { sha256: [3; 32], partial: true, ..whole(uidl) }
}

fn placeholder(uidl: &str, listed_size: u64) -> LedgerRow {
    let sha256 = Sha256::digest([]).into();
    LedgerRow { sha256, header: None, text_size: None, size: 0, listed_size, ..partial(uidl) }
}

enum Expected {
    New,
    Known(&'static str),
    Completes,
}

/// How what has come differs from the row's message.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Differs {
    Not,
    /// In what servers change in a header.
    InMarks,
    InText,
    /// In its text, but not in the text's size.
    InWords,
    Wholly,
}

/// What a message is taken for that comes under `uidl` beside one listed as "there".
fn check(row: LedgerRow, uidl: &str, part: Part, differs: Differs, expected: &Expected) {
    let own = listed(1, 7, uidl);
    let listing = listing(&[own.clone(), listed(2, 1, "there")]);
    let header = if differs == Differs::Wholly { Some([9; 32]) } else { HEADER };
    let sha256 = match (differs, part) {
        (Differs::Wholly, _) => [8; 32],
        (_, Part::Header) => [3; 32],
        (Differs::Not, _) => BYTES,
        _ => [7; 32],
    };
    let text_size = if differs == Differs::InText { Some(6) } else { TEXT };
    let remarked = if differs == Differs::InMarks && row.deleted_here.is_none() {
        [row.name()].into()
    } else {
        BTreeSet::new()
    };
    let facts = Facts {
        listed: &own,
        part,
        sha256,
        header,
        text_size,
        text: None,
        is_unique: false,
        remarked: &remarked,
    };
    let identity = identify(facts, &listing, &[row.clone()].into_iter().collect());
    match (expected, identity) {
        (Expected::New, Identity::New) => {}
        (Expected::Known(now), Identity::Known(change)) => {
            assert_eq!(change.before, row);
            assert_eq!(change.now.uidl, now.as_bytes());
            let is_compared = part == Part::Whole || row.partial;
            let size = if is_compared { 7 } else { row.listed_size };
            let is_cleared = change.now.is_on_server() && change.now.listed_size == size;
            let is_left = uidl.is_empty() && (part == Part::Header || !row.uidl.is_empty());
            assert!(is_cleared || is_left);
        }
        (Expected::Completes, Identity::Completes(before)) => assert_eq!(*before, row),
        (_, other) => panic!("{row:?} under {uidl:?} by {part:?}: {other:?}"),
    }
}

#[test]
fn a_message_is_known_by_its_id_and_what_is_in_it() {
    use Differs::{InMarks, InText, InWords, Not, Wholly};
    use Expected::{Completes, Known, New};
    let gone = || LedgerRow { delete_confirmed: Some(1), ..whole("a") };
    let deleted = || LedgerRow { deleted_here: Some(1), ..whole("a") };
    let earlier = || LedgerRow { header: None, text_size: None, ..whole("a") };
    let damaged = |uidl| LedgerRow { verified: None, ..whole(uidl) };
    let cases = [
        // Under its id.
        (whole("a"), "a", Part::Whole, Not, Known("a")),
        (whole("a"), "a", Part::Header, Not, Known("a")),
        (gone(), "a", Part::Whole, Not, Known("a")),
        (partial("a"), "a", Part::Header, Not, Known("a")),
        (partial("a"), "a", Part::Whole, Not, Completes),
        (whole("a"), "a", Part::Whole, InMarks, Known("a")),
        (deleted(), "a", Part::Whole, InMarks, Known("a")),
        // An id that was used again, even with the same header.
        (whole("a"), "a", Part::Whole, Wholly, New),
        (whole("a"), "a", Part::Header, Wholly, New),
        (partial("a"), "a", Part::Whole, Wholly, New),
        (whole("a"), "a", Part::Whole, InText, New),
        (whole("a"), "a", Part::Whole, InWords, New),
        (deleted(), "a", Part::Whole, InText, New),
        // An id of before the digest of the header was kept.
        (earlier(), "a", Part::Whole, Not, Known("a")),
        (earlier(), "a", Part::Header, Not, New),
        // New ids for all.
        (whole("a"), "b", Part::Whole, Not, Known("b")),
        (whole("a"), "b", Part::Whole, InMarks, Known("b")),
        (whole("a"), "b", Part::Whole, InWords, New),
        (deleted(), "b", Part::Whole, InMarks, New),
        (whole("a"), "b", Part::Header, Not, Known("b")),
        (partial("a"), "b", Part::Whole, Not, Completes),
        (whole(""), "b", Part::Whole, Not, Known("b")),
        // The same bytes twice on the server are two messages.
        (whole("there"), "b", Part::Whole, Not, New),
        (partial("there"), "b", Part::Header, Not, New),
        // Ids that were given in turn: what is listed under the old one is another by now.
        (LedgerRow { listed_size: 2, ..whole("there") }, "b", Part::Whole, Not, Known("b")),
        // No id: by content, whatever else has it.
        (whole("there"), "", Part::Whole, Not, Known("there")),
        (whole(""), "", Part::Whole, Not, Known("")),
        (whole(""), "", Part::Whole, InMarks, Known("")),
        (whole(""), "", Part::Whole, InWords, New),
        (whole(""), "", Part::Header, Not, Known("")),
        (partial(""), "", Part::Header, Not, Known("")),
        (partial(""), "", Part::Whole, Not, Completes),
        (partial("gone"), "", Part::Whole, Not, Completes),
        (whole(""), "", Part::Whole, Wholly, New),
        // What is damaged here is brought again.
        (damaged("a"), "a", Part::Whole, Not, Completes),
        (damaged("a"), "a", Part::Whole, InMarks, Completes),
        (damaged("a"), "a", Part::Whole, Wholly, New),
        (damaged("a"), "b", Part::Whole, Not, Completes),
        (damaged(""), "", Part::Whole, Not, Completes),
        // Of this one nothing is here: its id, or else its size, is all that is known.
        (placeholder("a", 7), "a", Part::Whole, Wholly, Completes),
        (placeholder("a", 8), "a", Part::Header, Wholly, Completes),
        (placeholder("a", 7), "b", Part::Whole, Wholly, Completes),
        (placeholder("a", 8), "b", Part::Whole, Wholly, New),
        (placeholder("", 7), "", Part::Whole, Wholly, Completes),
        (placeholder("", 8), "", Part::Whole, Wholly, New),
    ];
    for (row, uidl, part, differs, expected) in cases {
        check(row, uidl, part, differs, &expected);
    }
}

#[test]
fn what_was_deleted_here_is_known_by_a_header_that_no_other_message_has() {
    let own = listed(1, 7, "b");
    let deleted: Ledger = [LedgerRow { deleted_here: Some(1), ..whole("a") }].into_iter().collect();
    let remarked = BTreeSet::new();
    for (uidl, is_unique, text_size) in [
        (Some("b"), true, TEXT),
        (None, true, TEXT),
        (Some("b"), false, TEXT),
        (None, true, Some(6)),
    ] {
        let own = Listed { uidl: uidl.map(Into::into), ..own.clone() };
        let facts = Facts {
            listed: &own,
            part: Part::Whole,
            sha256: [7; 32],
            header: HEADER,
            text_size,
            text: None,
            is_unique,
            remarked: &remarked,
        };
        let identity = identify(facts, &listing(std::slice::from_ref(&own)), &deleted);
        let is_known = matches!(identity, Identity::Known(_));
        assert_eq!(is_known, is_unique && text_size == TEXT, "{uidl:?}");
    }
}

#[test]
fn what_was_deleted_here_is_known_among_so_many_with_its_header_and_no_more() {
    for (others, is_known) in [(MAX_ALIKE - 1, true), (MAX_ALIKE, false)] {
        let there = (0..others).map(|at| whole(&format!("{at:06}")));
        let deleted = LedgerRow { deleted_here: Some(1), ..whole("deleted") };
        let ledger: Ledger = there.chain([deleted]).collect();
        let own = listed(1, 7, "other");
        let facts = Facts {
            listed: &own,
            part: Part::Whole,
            sha256: [7; 32],
            header: HEADER,
            text_size: TEXT,
            text: None,
            is_unique: true,
            remarked: &BTreeSet::new(),
        };
        let identity = identify(facts, &listing(std::slice::from_ref(&own)), &ledger);
        assert_eq!(matches!(identity, Identity::Known(_)), is_known, "{others}");
    }
}

#[test]
fn a_digest_of_other_fields_of_the_header_is_made_anew() {
    for (row, part) in [(whole("a"), Part::Whole), (partial("a"), Part::Header)] {
        let own = listed(1, 7, "a");
        let row = LedgerRow { header: Some([5; 32]), ..row };
        let facts = Facts {
            listed: &own,
            part,
            sha256: row.sha256,
            header: HEADER,
            text_size: TEXT,
            text: None,
            is_unique: false,
            remarked: &BTreeSet::new(),
        };
        let ledger = [row].into_iter().collect();
        let identity = identify(facts, &listing(std::slice::from_ref(&own)), &ledger);
        let Identity::Known(change) = identity else { panic!("{identity:?}") };
        assert_eq!(change.now.header, HEADER);
    }
}

#[test]
fn what_the_person_has_deleted_is_not_completed() {
    let deleted = LedgerRow { deleted_here: Some(1), ..partial("a") };
    check(deleted, "a", Part::Whole, Differs::Not, &Expected::Known("a"));
}
