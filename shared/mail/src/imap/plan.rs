//! Which messages to fetch, drop and look at again, and in which windows. Pure.

use postern_imap::SequenceSet;

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

/// Whether a mailbox that was once stored as a whole can only differ in flags: no UID was given out
/// since, and as many messages are there.
pub(super) fn is_complete(stored: usize, exists: u32, uid_next: Option<u32>, before: u32) -> bool {
    before != 0 && uid_next == Some(before) && u32::try_from(stored) == Ok(exists)
}

/// How many messages the windows hold in which new ones are fetched: the first is small so that
/// something can be shown soon.
const NEW_WINDOWS: [usize; 3] = [50, 200, 500];

/// How many messages the windows hold in which flags are looked at.
const FLAG_WINDOWS: [usize; 1] = [2_000];

/// Windows in which to fetch new messages, newest first.
pub(super) fn new_windows(ascending: &[u32]) -> Vec<SequenceSet> {
    windows(ascending, &NEW_WINDOWS)
}

/// Windows in which to look at flags, newest first.
pub(super) fn flag_windows(ascending: &[u32]) -> Vec<SequenceSet> {
    windows(ascending, &FLAG_WINDOWS)
}

/// Cuts from the end; the last size is that of all further windows.
fn windows(mut ascending: &[u32], sizes: &[usize]) -> Vec<SequenceSet> {
    let mut windows = Vec::new();
    let mut sizes = sizes.iter();
    let mut size = 1;
    while !ascending.is_empty() {
        size = sizes.next().copied().unwrap_or(size);
        let (older, window) = ascending.split_at(ascending.len().saturating_sub(size));
        windows.extend(SequenceSet::from_numbers(window.iter().copied()));
        ascending = older;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_told_apart() {
        let tell = |server: &[u32], stored: &[u32]| {
            let difference = difference(server.iter().copied(), stored.iter().copied());
            [difference.missing, difference.vanished, difference.known]
        };
        assert_eq!(tell(&[], &[]), [vec![], vec![], vec![]]);
        assert_eq!(tell(&[1, 2], &[]), [vec![1, 2], vec![], vec![]]);
        assert_eq!(tell(&[], &[1, 2]), [vec![], vec![1, 2], vec![]]);
        let expected = [vec![4, 9], vec![1, 5, 10], vec![2, 6]];
        assert_eq!(tell(&[2, 4, 6, 9], &[1, 2, 5, 6, 10]), expected);
    }

    #[test]
    fn only_a_mailbox_that_was_stored_as_a_whole_needs_no_comparison() {
        assert!(is_complete(5, 5, Some(9), 9));
        assert!(is_complete(0, 0, Some(1), 1));
        assert!(!is_complete(5, 5, Some(10), 9), "a message came and one went");
        assert!(!is_complete(5, 4, Some(9), 9), "one went");
        assert!(!is_complete(5, 5, None, 9), "the server does not tell");
        assert!(!is_complete(0, 0, Some(1), 0), "never stored as a whole");
    }

    #[test]
    fn windows_go_from_the_newest_to_the_oldest() {
        let show = |uids: &[u32]| {
            windows(uids, &[2, 3]).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(show(&[]), [""; 0]);
        assert_eq!(show(&[7]), ["7"]);
        assert_eq!(show(&[1, 3, 4, 5, 6, 8, 9]), ["8:9", "4:6", "1,3"]);
        let all: Vec<u32> = (1..=1000).collect();
        let counts: Vec<_> = new_windows(&all).iter().map(SequenceSet::count).collect();
        assert_eq!(counts, [50, 200, 500, 250]);
    }
}
