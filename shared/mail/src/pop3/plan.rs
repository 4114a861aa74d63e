//! What to fetch: a function of listing, ledger and settings.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::Extent;

use super::{
    ledger::Ledger,
    limits::MAX_MESSAGE,
    listing::{Listed, Listing},
    row::LedgerRow,
    trouble::Troubles,
    unnamed::AllCame,
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
    /// Whether it is fetched as a whole for no other reason than that the account takes messages of its
    /// size so.
    pub(super) by_extent: bool,
}

/// What a download is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What to fetch: first what the person waits for, then in the server's order, and at last what
    /// broke the connection before.
    pub(super) wanted: Vec<Wanted>,
    /// Messages that broke the connection too often: they are left for now.
    pub(super) held: Vec<Listed>,
    /// Whether messages without a unique id are left, since they are taken for those that are here.
    pub(super) believes: bool,
}

/// What is to be fetched at `now`. `all_came` is when messages without a unique id last did.
///
/// The listing alone tells of a message that it is stored if its unique id and its size are known,
/// and it was not thought to be gone: the server may have given its id to another message then, and
/// only the content can tell. So an id that a server gives again while the first message is thought
/// to be there, against RFC 1939 section 7, to a message of the very same size, is noticed only
/// before a deletion, which compares more, or where another id was given again (`namesakes`). Where ids
/// are the messages' numbers, so that each deletion gives ids again, it is noticed as well if what is
/// here comes under another id, and the first and the last of what is listed as it was are compared once
/// a day. A server without TOP can't be asked.
pub(super) fn plan(
    listing: &Listing,
    ledger: &Ledger,
    extent: Extent,
    troubles: &Troubles,
    all_came: Option<&AllCame>,
    now: i64,
) -> Plan {
    let whole_sizes = sizes_of_unnamed(listing, ledger);
    let believes = all_came.is_some_and(|own| own.holds(listing, ledger, extent, now));
    let mut plan = Plan { believes, ..Plan::default() };
    let (mut rest, mut last) = (Vec::new(), Vec::new());
    for listed in &listing.messages {
        let fits = extent.takes(listed.size) && listed.size <= MAX_MESSAGE;
        let allowed = if fits { Part::Whole } else { Part::Header };
        let task = |part, is_new| Wanted {
            listed: listed.clone(),
            part,
            by_extent: is_new && allowed == Part::Whole,
        };
        let (wanted, is_urgent) = match &listed.uidl {
            // Known by its content alone, so that it has to come each time.
            None if whole_sizes.contains(&listed.size) => (Some(task(Part::Whole, false)), false),
            None if believes => (None, false),
            None => (Some(task(allowed, true)), false),
            Some(uidl) if ledger.is_unreadable(uidl) => (None, false),
            Some(uidl) => {
                let row = ledger.by_uidl(uidl);
                let part = row.map_or(Some(allowed), |row| part_of(row, listed, allowed));
                let is_urgent = row.is_some_and(|row| row.wanted);
                let is_new = !is_urgent && row.is_none_or(|row| row.partial);
                (part.map(|part| task(part, is_new)), is_urgent)
            }
        };
        let Some(wanted) = wanted else { continue };
        if troubles.holds(listed, now) {
            plan.held.push(wanted.listed);
        } else if troubles.tries(listed) > 0 {
            last.push(wanted);
        } else if is_urgent {
            plan.wanted.push(wanted);
        } else {
            rest.push(wanted);
        }
    }
    // Which of two it is nothing may tell but their sizes, which are the same: each comes first in turn.
    if last.first().is_some_and(|first| troubles.tries(&first.listed) % 2 == 1) {
        last.reverse();
    }
    plan.wanted.append(&mut rest);
    plan.wanted.append(&mut last);
    plan
}

/// What is fetched of a message with a row under its unique id; `allowed` is what the account takes of
/// a new one.
fn part_of(row: &LedgerRow, listed: &Listed, allowed: Part) -> Option<Part> {
    // What is here as a whole can only be compared as a whole, and brought again.
    let wanted = row.wanted && listed.size <= MAX_MESSAGE;
    let part = if !row.partial || wanted { Part::Whole } else { allowed };
    if !is_as_listed(row, listed) {
        return Some(part);
    }
    let lacks = row.deleted_here.is_none() && row.partial && part == Part::Whole;
    (lacks || row.is_damaged()).then_some(part)
}

/// The sizes of messages to be fetched whole though they may have no unique id: those of which the
/// person wants the rest, and those that are damaged here.
fn sizes_of_unnamed(listing: &Listing, ledger: &Ledger) -> BTreeSet<u64> {
    let lacks = |row: &&LedgerRow| {
        !listing.tells(&row.uidl)
            && row.deleted_here.is_none()
            && if row.partial { row.wanted } else { row.is_damaged() }
    };
    ledger.rows().filter(lacks).map(|row| row.listed_size).collect()
}

/// Whether the listing alone tells that a row's message is still this one.
pub(super) fn is_as_listed(row: &LedgerRow, listed: &Listed) -> bool {
    row.listed_size == listed.size && row.is_on_server()
}

/// Of messages that did not come, those that no row is about. Where there are no unique ids, nothing
/// but its size is known of one: as many are new as more are listed of that size than have rows.
pub(super) fn without_row(
    messages: Vec<Listed>,
    listing: &Listing,
    ledger: &Ledger,
) -> Vec<Listed> {
    let mut new: BTreeMap<u64, usize> = BTreeMap::new();
    for listed in listing.messages.iter().filter(|listed| listed.uidl.is_none()) {
        *new.entry(listed.size).or_default() += 1;
    }
    for row in ledger.rows().filter(|row| row.uidl.is_empty()) {
        new.entry(row.listed_size).and_modify(|left| *left = left.saturating_sub(1));
    }
    let mut is_new = |listed: &Listed| match &listed.uidl {
        Some(uidl) => ledger.by_uidl(uidl).is_none() && !ledger.is_unreadable(uidl),
        None => match new.get_mut(&listed.size).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                listed.size > 0
            }
            None => false,
        },
    };
    messages.into_iter().filter(|listed| is_new(listed)).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            listing::tests::{listed, listing},
            row::tests::row,
        },
        *,
    };

    fn planned(row: LedgerRow, size: u64, extent: Extent) -> Option<Part> {
        let listing = listing(&[listed(1, size, "a")]);
        let ledger = [row].into_iter().collect();
        let plan = plan(&listing, &ledger, extent, &Troubles::default(), None, 0);
        plan.wanted.first().map(|wanted| wanted.part)
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
            // What is damaged here is brought again.
            (LedgerRow { verified: None, ..known() }, 1, Headers, Some(Part::Whole)),
            (LedgerRow { verified: None, ..partial() }, 1, Headers, Some(Part::Header)),
            // What could not be stored is not fetched.
            (row("other"), MAX_MESSAGE, Whole, Some(Part::Whole)),
            (row("other"), MAX_MESSAGE + 1, Whole, Some(Part::Header)),
        ];
        for (at, (row, size, extent, expected)) in cases.into_iter().enumerate() {
            assert_eq!(planned(row, size, extent), expected, "case {at}");
        }
    }

    #[test]
    fn what_is_fetched_whole_for_its_size_alone_is_told_apart() {
        let listing = listing(&[listed(1, 1, "a"), listed(2, 1, "new"), listed(3, 9, "")]);
        let partial = || LedgerRow { partial: true, ..row("a") };
        let cases = [
            (partial(), Extent::Whole, [true; 3]),
            (partial(), Extent::UpTo { kibibytes: 1 }, [true; 3]),
            (LedgerRow { wanted: true, ..partial() }, Extent::Whole, [false, true, true]),
            (LedgerRow { wanted: true, ..partial() }, Extent::Headers, [false; 3]),
            (LedgerRow { verified: None, ..row("a") }, Extent::Whole, [false, true, true]),
        ];
        for (at, (row, extent, expected)) in cases.into_iter().enumerate() {
            let ledger = [row].into_iter().collect();
            let plan = plan(&listing, &ledger, extent, &Troubles::default(), None, 0);
            let mut told: Vec<_> =
                plan.wanted.iter().map(|own| (own.listed.number, own.by_extent)).collect();
            told.sort_unstable();
            let told: Vec<_> = told.into_iter().map(|(_, by_extent)| by_extent).collect();
            assert_eq!(told, expected, "case {at}");
        }
    }

    #[test]
    fn what_the_person_waits_for_comes_first() {
        let listing = listing(&[listed(1, 1, "new"), listed(2, 1, "a"), listed(3, 9, "")]);
        let wanted = LedgerRow { partial: true, wanted: true, ..row("a") };
        let ledger = [wanted].into_iter().collect();
        let mut troubles = Troubles::default();
        let planned = |troubles: &Troubles| -> Vec<_> {
            let plan = plan(&listing, &ledger, Extent::Headers, troubles, None, 0);
            plan.wanted.iter().map(|wanted| (wanted.listed.number, wanted.part)).collect()
        };
        let expected = [(2, Part::Whole), (1, Part::Header), (3, Part::Header)];
        assert_eq!(planned(&troubles), expected);
        // What broke the connection comes last, whoever waits for it.
        troubles.note(&listing.messages[1], 0);
        let expected = [(1, Part::Header), (3, Part::Header), (2, Part::Whole)];
        assert_eq!(planned(&troubles), expected);
    }
}
