//! What to fetch, and which message it is that has come: functions of listing, ledger and settings.

use std::collections::BTreeSet;

use postern_bridge::Extent;

use super::{
    ledger::{Ledger, LedgerRow, RowChange},
    listing::{Listed, Listing},
};

/// What of a message is fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// Everything, by RETR.
    Whole,
    /// The header, by TOP.
    Header,
}

/// A message to fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Wanted {
    pub(super) listed: Listed,
    pub(super) part: Part,
}

/// What is to be fetched: first what the person waits for, then in the server's order.
///
/// The listing alone tells of a message that it is stored if its unique id and its size are known,
/// and it was not thought to be gone: the server may have given its id to another message then, and
/// only the content can tell. So an id that a server gives again while the first message is thought
/// to be there, against RFC 1939 section 7, to a message of the very same size, is noticed only
/// before a deletion, which compares more; an account that deletes nothing does not notice it.
pub(super) fn plan(listing: &Listing, ledger: &Ledger, extent: Extent) -> Vec<Wanted> {
    let asked: BTreeSet<u64> = ledger
        .rows()
        .filter(|row| row.uidl.is_empty() && row.wanted && row.partial)
        .map(|row| row.listed_size)
        .collect();
    let mut wanted = Vec::new();
    let mut first = Vec::new();
    for listed in &listing.messages {
        let whole = if extent.takes(listed.size) { Part::Whole } else { Part::Header };
        let Some(uidl) = &listed.uidl else {
            // Known by its content alone, so that it has to come each time.
            let part = if asked.contains(&listed.size) { Part::Whole } else { whole };
            wanted.push(Wanted { listed: listed.clone(), part });
            continue;
        };
        match ledger.by_uidl(uidl) {
            Some(row) if is_as_listed(row, listed) => {
                let lacks = row.partial && row.deleted_here.is_none();
                let task = Wanted { listed: listed.clone(), part: Part::Whole };
                if lacks && row.wanted {
                    first.push(task);
                } else if lacks && whole == Part::Whole {
                    wanted.push(task);
                }
            }
            Some(row) if row.wanted => {
                first.push(Wanted { listed: listed.clone(), part: Part::Whole });
            }
            // What is here as a whole can only be compared as a whole.
            Some(row) if !row.partial => {
                wanted.push(Wanted { listed: listed.clone(), part: Part::Whole });
            }
            _ => wanted.push(Wanted { listed: listed.clone(), part: whole }),
        }
    }
    first.append(&mut wanted);
    first
}

/// Whether the listing alone tells that a row's message is still this one.
pub(super) fn is_as_listed(row: &LedgerRow, listed: &Listed) -> bool {
    row.listed_size == listed.size && row.is_on_server()
}

/// What is known of something that has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) listed: &'a Listed,
    pub(super) part: Part,
    pub(super) sha256: [u8; 32],
    pub(super) header: Option<[u8; 32]>,
    pub(super) text_size: Option<u64>,
    /// The names of rows whose messages differ from it in nothing but what servers change in a
    /// header; found by comparing the two.
    pub(super) remarked: &'a BTreeSet<Vec<u8>>,
}

/// Which message it is that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Identity {
    /// One that was never stored. If a row has its unique id, the server has given it to another
    /// message.
    New,
    /// One that is stored, though listed with another size, id or fate; how its row changes.
    Known(Box<RowChange>),
    /// The rest of one whose header is stored; its row as it was.
    Completes(Box<LedgerRow>),
}

/// Finds out which message it is that has come.
///
/// It is the same as a stored one if every byte is the same but for what servers change in a header;
/// where only a header is there, or has come, if the header is the same. Under its unique id that is
/// all. Without one, or under a new one, the stored one must not be listed as it was: servers that
/// are moved give new ids to all messages, and some give them in turn.
pub(super) fn identify(facts: Facts<'_>, listing: &Listing, ledger: &Ledger) -> Identity {
    let Some(uidl) = &facts.listed.uidl else {
        let candidate = alike(facts, ledger).max_by_key(|row| !row.partial);
        return candidate.map_or(Identity::New, |row| {
            // A row with a unique id is about a message that is listed by that.
            if lacks(row, facts) && row.uidl.is_empty() {
                Identity::Completes(Box::new(row.clone()))
            } else {
                let row = row.clone();
                Identity::Known(Box::new(RowChange { before: row.clone(), now: row }))
            }
        });
    };
    if let Some(row) = ledger.by_uidl(uidl).filter(|row| is_same(row, facts)) {
        return known(row, facts);
    }
    let candidate = alike(facts, ledger).find(|row| !listing.has(row));
    candidate.map_or(Identity::New, |row| known(row, facts))
}

/// Whether what has come under a row's unique id is the row's message.
fn is_same(row: &LedgerRow, facts: Facts<'_>) -> bool {
    if has_same_bytes(row, facts) {
        return true;
    }
    let same_header = row.header.is_some() && row.header == facts.header;
    if row.partial || facts.part == Part::Header {
        return same_header;
    }
    // Of what was deleted here nothing is left to compare.
    let same_outline = same_header && row.text_size.is_some() && row.text_size == facts.text_size;
    facts.remarked.contains(&row.name()) || (row.deleted_here.is_some() && same_outline)
}

/// Whether what has come is just what was stored.
fn has_same_bytes(row: &LedgerRow, facts: Facts<'_>) -> bool {
    row.partial == (facts.part == Part::Header) && row.sha256 == facts.sha256
}

/// The rows of messages that can't be told from this one.
fn alike<'a>(facts: Facts<'a>, ledger: &'a Ledger) -> impl Iterator<Item = &'a LedgerRow> {
    let bytes = ledger.with_content(facts.sha256).filter(move |_| facts.part == Part::Whole);
    let remarked = facts.remarked.iter().filter_map(|name| ledger.named(name));
    let header = facts.header.into_iter().flat_map(|header| ledger.with_header(header));
    let header = header.filter(move |row| row.partial || facts.part == Part::Header);
    bytes.chain(remarked).chain(header)
}

/// Whether this is what a row's message lacks.
fn lacks(row: &LedgerRow, facts: Facts<'_>) -> bool {
    row.partial && facts.part == Part::Whole && row.deleted_here.is_none()
}

fn known(row: &LedgerRow, facts: Facts<'_>) -> Identity {
    if lacks(row, facts) {
        return Identity::Completes(Box::new(row.clone()));
    }
    // A header says nothing of the text: with another size all of it has to be compared once more.
    let is_certain = facts.part == Part::Whole || row.partial;
    let now = LedgerRow {
        uidl: facts.listed.uidl.clone().unwrap_or_default(),
        listed_size: if is_certain { facts.listed.size } else { row.listed_size },
        // An earlier version may have left other fields out of the digest.
        header: if has_same_bytes(row, facts) { facts.header } else { row.header },
        // The server has not deleted it after all.
        delete_asked: None,
        delete_confirmed: None,
        gone: None,
        ..row.clone()
    };
    Identity::Known(Box::new(RowChange { before: row.clone(), now }))
}

#[cfg(test)]
mod tests {
    use super::{super::ledger::tests::row, *};

    fn listed(number: u32, size: u64, uidl: &str) -> Listed {
        Listed { number, size, uidl: (!uidl.is_empty()).then(|| uidl.into()) }
    }

    fn listing(messages: &[Listed]) -> Listing {
        let named = messages
            .iter()
            .filter_map(|listed| Some((listed.uidl.clone()?, Some(listed.size))))
            .collect();
        Listing { messages: messages.into(), named, is_complete: true }
    }

    fn planned(row: LedgerRow, size: u64, extent: Extent) -> Option<Part> {
        let listing = listing(&[listed(1, size, "a")]);
        plan(&listing, &[row].into_iter().collect(), extent).first().map(|wanted| wanted.part)
    }

    #[test]
    fn what_is_fetched_follows_from_row_size_and_setting() {
        use Extent::{Headers, UpTo, Whole};
        let known = || row("a");
        let partial = || LedgerRow { partial: true, ..row("a") };
        let wanted = || LedgerRow { wanted: true, ..partial() };
        let limit = UpTo { kibibytes: 1 };
        let cases = [
            (row("other"), 1, Whole, Some(Part::Whole)),
            (row("other"), 1, Headers, Some(Part::Header)),
            (row("other"), 1024, limit, Some(Part::Whole)),
            (row("other"), 1025, limit, Some(Part::Header)),
            (known(), 1, Whole, None),
            (known(), 2, Whole, Some(Part::Whole)),
            (known(), 2, Headers, Some(Part::Whole)),
            (partial(), 2, Headers, Some(Part::Header)),
            (LedgerRow { delete_confirmed: Some(1), ..known() }, 1, Whole, Some(Part::Whole)),
            (LedgerRow { gone: Some(1), ..known() }, 1, Whole, Some(Part::Whole)),
            (LedgerRow { deleted_here: Some(1), ..known() }, 1, Whole, None),
            // A header alone is completed when the setting allows it or the person asks.
            (partial(), 1, Headers, None),
            (partial(), 1, Whole, Some(Part::Whole)),
            (partial(), 1, limit, Some(Part::Whole)),
            (wanted(), 1, Headers, Some(Part::Whole)),
            (wanted(), 2, Headers, Some(Part::Whole)),
            (LedgerRow { deleted_here: Some(1), ..wanted() }, 1, Whole, None),
        ];
        for (at, (row, size, extent, expected)) in cases.into_iter().enumerate() {
            assert_eq!(planned(row, size, extent), expected, "case {at}");
        }
    }

    #[test]
    fn what_the_person_waits_for_comes_first() {
        let listing = listing(&[listed(1, 1, "new"), listed(2, 1, "a"), listed(3, 9, "")]);
        let wanted = LedgerRow { partial: true, wanted: true, ..row("a") };
        let plan = plan(&listing, &[wanted].into_iter().collect(), Extent::Headers);
        let plan: Vec<_> = plan.iter().map(|wanted| (wanted.listed.number, wanted.part)).collect();
        assert_eq!(plan, [(2, Part::Whole), (1, Part::Header), (3, Part::Header)]);
    }

    const BYTES: [u8; 32] = [1; 32];
    const HEADER: Option<[u8; 32]> = Some([2; 32]);
    const TEXT: Option<u64> = Some(5);

    fn whole(uidl: &str) -> LedgerRow {
        LedgerRow { sha256: BYTES, header: HEADER, text_size: TEXT, ..row(uidl) }
    }

    fn partial(uidl: &str) -> LedgerRow {
        LedgerRow { sha256: [3; 32], partial: true, ..whole(uidl) }
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
        let facts = Facts { listed: &own, part, sha256, header, text_size, remarked: &remarked };
        let identity = identify(facts, &listing, &[row.clone()].into_iter().collect());
        match (expected, identity) {
            (Expected::New, Identity::New) => {}
            (Expected::Known(now), Identity::Known(change)) => {
                assert_eq!(change.before, row);
                assert_eq!(change.now.uidl, now.as_bytes());
                let is_compared = part == Part::Whole || row.partial;
                let size = if is_compared { 7 } else { row.listed_size };
                let is_cleared = change.now.is_on_server() && change.now.listed_size == size;
                assert!(is_cleared || uidl.is_empty());
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
            (whole(""), "", Part::Whole, Wholly, New),
        ];
        for (row, uidl, part, differs, expected) in cases {
            check(row, uidl, part, differs, &expected);
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
}
