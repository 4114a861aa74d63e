//! Which messages to fetch, drop and look at again, and in which windows. Pure.

use postern_imap::{SequenceSet, command::KnownState, response::MailboxStatus};

use super::{limits, select::Selected};
use crate::{
    changes::is_provisional,
    record::{Mailbox, SyncPoint},
};

/// How the server's messages differ from the stored ones.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Difference {
    /// On the server only, ascending.
    pub(super) missing: Vec<u32>,
    /// Stored only, ascending.
    pub(super) vanished: Vec<u32>,
    /// In both, ascending.
    pub(super) known: Vec<u32>,
}

/// Compares two ascending lists of UIDs.
pub(super) fn difference(
    server: impl IntoIterator<Item = u32>,
    stored: impl IntoIterator<Item = u32>,
) -> Difference {
    let mut difference = Difference::default();
    let mut stored = stored.into_iter().peekable();
    for uid in server {
        while let Some(gone) = stored.next_if(|own| *own < uid) {
            difference.vanished.push(gone);
        }
        match stored.next_if_eq(&uid) {
            Some(_) => difference.known.push(uid),
            None => difference.missing.push(uid),
        }
    }
    difference.vanished.extend(stored);
    difference
}

/// What can be told to a server so that it tells what has changed; `None` if nothing is known, or
/// not up to which mod-sequence.
pub(super) fn known(mailbox: &Mailbox, stored: &[u32]) -> Option<KnownState> {
    let SyncPoint { mod_seq, exists, .. } = mailbox.synced;
    let uids = SequenceSet::from_ranges([1..=*stored.last()?])?;
    if mailbox.uid_validity == 0 || mod_seq == 0 {
        return None;
    }
    let is_whole = mailbox.uid_next != 0 && u32::try_from(stored.len()) == Ok(exists);
    let places = if is_whole { places(stored) } else { None };
    Some(KnownState { uid_validity: mailbox.uid_validity, mod_seq, uids: Some(uids), places })
}

/// Numbers and UIDs of some messages, more of them towards the end, where most changes are.
fn places(stored: &[u32]) -> Option<(SequenceSet, SequenceSet)> {
    let distances = (0..20).map(|power| (1_usize << power) - 1);
    let (numbers, uids): (Vec<u32>, Vec<u32>) = distances
        .map_while(|distance| stored.len().checked_sub(1 + distance))
        .filter_map(|at| Some((u32::try_from(at + 1).ok()?, stored[at])))
        .unzip();
    SequenceSet::from_numbers(numbers).zip(SequenceSet::from_numbers(uids))
}

/// Whether a mailbox may have changed on the server since it was stored as a whole, as far as its
/// counts tell; without them it may.
pub(super) fn is_stale(mailbox: &Mailbox, status: Option<&MailboxStatus>) -> bool {
    let SyncPoint { mod_seq, exists, unseen, .. } = mailbox.synced;
    let Some(status) = status else { return true };
    let differs = |told: Option<u32>, known: u32| told.is_some_and(|told| told != known);
    status.highest_mod_seq.is_some_and(|told| told != mod_seq)
        || differs(status.uid_validity, mailbox.uid_validity)
        || differs(status.uid_next, mailbox.uid_next)
        || differs(status.messages, exists)
        || differs(status.unseen, unseen)
}

/// Where to learn the present flags of stored messages from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FlagsFrom {
    /// They are known: they were told, nothing changed, or there are none.
    Nowhere,
    /// The server tells those that changed since this mod-sequence.
    Since(u64),
    /// All of them must be looked at.
    Server,
}

/// Decides where to learn flags from; `told` is whether the SELECT was to tell what has changed.
pub(super) fn flags_from(
    before: &Mailbox,
    selected: &Selected,
    told: bool,
    is_empty: bool,
) -> FlagsFrom {
    let (since, now) = (before.synced.mod_seq, selected.mod_seq);
    match (since, now) {
        _ if is_empty => FlagsFrom::Nowhere,
        // One that goes back has forgotten something.
        (0, _) | (_, 0) => FlagsFrom::Server,
        _ if now < since => FlagsFrom::Server,
        _ if told || now == since => FlagsFrom::Nowhere,
        _ => FlagsFrom::Since(since),
    }
}

/// The UIDs that new messages may have, if only those can be missing and they are few; there need
/// not be a message for each, and one that would look like a message on its way is not shown.
pub(super) fn new_uids(before: u32, uid_next: Option<u32>, stored: &[u32]) -> Option<Vec<u32>> {
    let uid_next = uid_next.filter(|uid_next| before != 0 && *uid_next >= before)?;
    let few = uid_next - before <= FIRST_WINDOW;
    let is_new = |uid: &u32| !is_provisional(*uid) && stored.binary_search(uid).is_err();
    few.then(|| (before..uid_next).filter(is_new).collect())
}

/// How many messages the first window holds: few, so that something can be shown soon.
pub(super) const FIRST_WINDOW: u32 = 50;

/// How many messages the windows hold in which new ones are fetched, at most.
const NEW_WINDOWS: [usize; 3] = [FIRST_WINDOW as usize, 200, 1_000];

/// How many milliseconds such a window may take: whoever wants something else waits for it.
const LONG: u64 = 1_000;

/// In how many milliseconds such a window comes if it comes quickly.
pub(super) const QUICK: i64 = 300;

/// How many messages the windows hold in which flags are looked at, at most.
const FLAG_WINDOW: usize = 2_000;

/// Windows in which to fetch new messages, newest first: few at first, and over a slow link no more
/// than come in about a second.
pub(super) struct NewWindows<'a> {
    /// Those that are in no window yet, ascending, and those whose turn is when they all are.
    left: &'a [u32],
    later: &'a [u32],
    sizes: std::slice::Iter<'static, usize>,
    /// How many the next windows may hold: the size that they have come to, and what the link carries.
    most: (usize, usize),
}

impl<'a> NewWindows<'a> {
    /// Windows for `first`, and then for `later`; both ascending.
    pub(super) fn of(first: &'a [u32], later: &'a [u32]) -> Self {
        Self { left: first, later, sizes: NEW_WINDOWS.iter(), most: (1, usize::MAX) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.later.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<SequenceSet> {
        if self.left.is_empty() {
            self.left = std::mem::take(&mut self.later);
        }
        self.most.0 = self.sizes.next().copied().unwrap_or(self.most.0);
        cut(&mut self.left, self.most.0.min(self.most.1))
    }

    /// A window of so many messages took so many milliseconds.
    pub(super) fn took(&mut self, messages: u64, milliseconds: i64) {
        let milliseconds = u64::try_from(milliseconds).unwrap_or_default().max(1);
        let carried = usize::try_from(messages * LONG / milliseconds).unwrap_or(usize::MAX);
        self.most.1 = carried.max(FIRST_WINDOW as usize);
    }
}

/// Windows in which to look at flags, newest first.
pub(super) fn flag_windows(mut ascending: &[u32]) -> Vec<SequenceSet> {
    std::iter::from_fn(|| cut(&mut ascending, FLAG_WINDOW)).collect()
}

/// Those of a set that are smaller than a UID.
pub(super) fn below(uids: &SequenceSet, uid: u32) -> Option<SequenceSet> {
    let last = uid.checked_sub(1)?;
    let ranges = uids.ranges().iter();
    SequenceSet::from_ranges(ranges.map(|range| *range.start()..=last.min(*range.end())))
}

/// Cuts a window of at most so many from the end. Where its numbers are so scattered that they make
/// a long line, it has fewer.
fn cut(ascending: &mut &[u32], most: usize) -> Option<SequenceSet> {
    if ascending.is_empty() {
        return None;
    }
    let (older, window) = ascending.split_at(ascending.len() - fitting(ascending, most));
    *ascending = older;
    SequenceSet::from_numbers(window.iter().copied())
}

/// How many of the last numbers, at most `most`, fit into the set of one command; at least one.
fn fitting(ascending: &[u32], most: usize) -> usize {
    let mut octets = 0;
    // The number before, and whether it is the start of a range.
    let mut before = (0, false);
    let fits = |uid: &&u32| {
        let continues = uid.checked_add(1) == Some(before.0);
        // The start of a range that grows gives way to a smaller one.
        if !(continues && before.1) {
            octets += uid.checked_ilog10().unwrap_or_default() as usize + 2;
        }
        before = (**uid, continues);
        octets <= limits::SET
    };
    ascending.iter().rev().take(most).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use postern_bridge::{AccountId, MailboxId};

    use super::*;
    use crate::changes::limits::PROVISIONAL;

    #[test]
    fn uids_are_told_apart() {
        let tell = |server: &[u32], stored: &[u32]| {
            let difference = difference(server.iter().copied(), stored.iter().copied());
            [difference.missing, difference.vanished, difference.known]
        };
        assert_eq!(tell(&[], &[]), [Vec::<u32>::new(), vec![], vec![]]);
        assert_eq!(tell(&[1, 2], &[]), [vec![1, 2], vec![], vec![]]);
        assert_eq!(tell(&[], &[1, 2]), [vec![], vec![1, 2], vec![]]);
        let expected = [vec![4, 9], vec![1, 5, 10], vec![2, 6]];
        assert_eq!(tell(&[2, 4, 6, 9], &[1, 2, 5, 6, 10]), expected);
    }

    fn mailbox(uid_next: u32, synced: SyncPoint) -> Mailbox {
        Mailbox { uid_validity: 7, uid_next, synced, ..Mailbox::new(MailboxId(1), AccountId(1)) }
    }

    #[test]
    fn what_is_known_is_told_with_places_only_of_a_whole_mailbox() {
        let told = |uid_next, mod_seq, exists, stored: &[u32]| {
            let synced = SyncPoint { mod_seq, exists, ..SyncPoint::default() };
            let known = known(&mailbox(uid_next, synced), stored)?;
            let places = known.places.map(|(numbers, uids)| format!("{numbers} {uids}"));
            Some((known.uids?.to_string(), places.unwrap_or_default()))
        };
        assert_eq!(told(10, 5, 4, &[2, 4, 5, 9]), Some(("1:9".into(), "1,3:4 2,5,9".into())));
        assert_eq!(told(10, 5, 5, &[2, 4, 5, 9]), Some(("1:9".into(), String::new())));
        assert_eq!(told(0, 5, 4, &[2, 4, 5, 9]), Some(("1:9".into(), String::new())));
        assert_eq!(told(10, 0, 4, &[2, 4, 5, 9]), None, "without a mod-sequence");
        assert_eq!(told(10, 5, 0, &[]), None, "nothing is stored");
        let unsynced = Mailbox { uid_validity: 0, ..mailbox(1, SyncPoint::default()) };
        assert_eq!(known(&unsynced, &[1]), None);
    }

    #[test]
    fn the_counts_tell_whether_a_mailbox_has_changed() {
        let synced = SyncPoint { mod_seq: 40, exists: 3, unseen: 1, ..SyncPoint::default() };
        let stored = mailbox(9, synced);
        let same = MailboxStatus {
            messages: Some(3),
            unseen: Some(1),
            uid_next: Some(9),
            uid_validity: Some(7),
            highest_mod_seq: Some(40),
            ..MailboxStatus::default()
        };
        assert!(!is_stale(&stored, Some(&same)));
        let without = MailboxStatus { highest_mod_seq: None, ..same.clone() };
        assert!(!is_stale(&stored, Some(&without)));
        assert!(is_stale(&stored, None), "the server told nothing");
        let changes: [fn(&mut MailboxStatus); 5] = [
            |own| own.messages = Some(4),
            |own| own.unseen = Some(0),
            |own| own.uid_next = Some(10),
            |own| own.uid_validity = Some(8),
            |own| own.highest_mod_seq = Some(41),
        ];
        for change in changes {
            let mut status = same.clone();
            change(&mut status);
            assert!(is_stale(&stored, Some(&status)), "{status:?}");
        }
    }

    #[test]
    fn flags_are_looked_at_no_more_than_need_be() {
        let from = |since, now, told, is_empty| {
            let before = mailbox(1, SyncPoint { mod_seq: since, ..SyncPoint::default() });
            let selected =
                Selected { uid_validity: 7, mod_seq: now, ..Selected::new(MailboxId(1)) };
            flags_from(&before, &selected, told, is_empty)
        };
        use FlagsFrom::{Nowhere, Server, Since};
        assert_eq!(from(0, 0, false, true), Nowhere, "nothing is stored");
        assert_eq!(from(0, 0, false, false), Server, "no mod-sequences");
        assert_eq!(from(0, 9, false, false), Server, "none is stored");
        assert_eq!(from(5, 0, true, false), Server, "the mailbox has none any more");
        assert_eq!(from(5, 9, false, false), Since(5));
        assert_eq!(from(9, 9, false, false), Nowhere, "nothing changed");
        assert_eq!(from(5, 9, true, false), Nowhere, "the SELECT told");
        assert_eq!(from(9, 5, true, false), Server, "the server was put back");
    }

    #[test]
    fn few_new_messages_are_guessed_from_the_next_uid() {
        assert_eq!(new_uids(9, Some(9), &[1]), Some(vec![]));
        assert_eq!(new_uids(9, Some(12), &[1, 10]), Some(vec![9, 11]));
        assert_eq!(new_uids(0, Some(12), &[]), None, "never stored as a whole");
        assert_eq!(new_uids(9, None, &[1]), None, "the server does not tell");
        assert_eq!(new_uids(9, Some(8), &[1]), None, "the server was put back");
        let on_its_way = new_uids(PROVISIONAL - 1, Some(PROVISIONAL + 1), &[]);
        assert_eq!(on_its_way, Some(vec![PROVISIONAL - 1]));
        let many = |count| new_uids(9, Some(9 + count), &[]).map(|uids| uids.len());
        assert_eq!((many(FIRST_WINDOW), many(FIRST_WINDOW + 1)), (Some(50), None));
    }

    #[test]
    fn windows_go_from_the_newest_to_the_oldest() {
        let show = |mut uids: &[u32]| {
            let windows = std::iter::from_fn(|| cut(&mut uids, 3));
            windows.map(|window| window.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(show(&[]), [""; 0]);
        assert_eq!(show(&[7]), ["7"]);
        assert_eq!(show(&[1, 3, 4, 5, 6, 8, 9]), ["6,8:9", "3:5", "1"]);
        let all: Vec<u32> = (1..=2000).collect();
        let mut windows = NewWindows::of(&all, &[]);
        let counts = std::iter::from_fn(|| windows.next()).map(|window| window.count());
        assert_eq!(counts.collect::<Vec<_>>(), [50, 200, 1000, 750]);
        let mut windows = NewWindows::of(&[5, 6], &[1, 9]);
        let shown = std::iter::from_fn(|| windows.next()).map(|window| window.to_string());
        assert_eq!(shown.collect::<Vec<_>>(), ["5:6", "1,9"]);
    }

    #[test]
    fn windows_hold_what_a_slow_link_carries_in_a_second() {
        let all: Vec<u32> = (1..=9000).collect();
        let mut windows = NewWindows::of(&all, &[]);
        let mut next = |milliseconds| {
            let count = windows.next().map_or(0, |window| window.count());
            windows.took(count, milliseconds);
            count
        };
        let took = [500, 1_000, 4_000, 500, 0, 9_000, i64::MAX, -1, 1_000];
        assert_eq!(took.map(&mut next), [50, 100, 100, 50, 100, 1000, 111, 50, 1000]);
    }

    #[test]
    fn windows_of_scattered_messages_make_no_long_lines() {
        let last = u32::MAX / 2;
        let gaps: [fn(&u32) -> bool; 4] =
            [|_| true, |uid| uid % 2 == 0, |uid| uid % 3 != 0, |uid| uid % 7 > 2];
        for is_there in gaps {
            let uids: Vec<u32> = (last - 9_999..=last).filter(is_there).collect();
            let windows = flag_windows(&uids);
            let longest = windows.iter().map(|window| window.to_string().len()).max().unwrap();
            assert!(longest <= limits::SET, "{longest}");
            let mut cut: Vec<u32> = windows.iter().flat_map(SequenceSet::numbers).collect();
            cut.sort_unstable();
            assert_eq!(cut, uids);
            // Not much shorter than they may be, but for the last one.
            let short = windows.iter().rev().skip(1).filter(|window| {
                window.count() < 2_000 && window.to_string().len() < limits::SET - 30
            });
            assert_eq!(short.count(), 0);
        }
    }
}
