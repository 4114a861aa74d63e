//! The rows that the person has picked from the list, to do something with all that they stand for.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, MessageId, Row, Selection};

/// Picked rows of the list, by their keys.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Picked {
    what: What,
    /// Where a range begins that is drawn up to another row.
    anchor: Option<Place>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum What {
    /// None.
    #[default]
    Nothing,
    /// These.
    Rows(BTreeSet<MessageId>),
    /// All between two places, both included; with how many they are. Some of them are not known.
    Between(Place, Place, u32),
    /// All of a mailbox but these.
    AllBut(MailboxId, BTreeSet<MessageId>),
}

/// What the rows of a list are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The messages of a mailbox.
    Messages,
    /// The conversations of a mailbox.
    Conversations,
    /// What the search of this number has found.
    Found(u32),
}

impl Kind {
    /// What these rows stand for.
    pub(crate) fn named(self, rows: Vec<MessageId>) -> Selection {
        match self {
            Self::Conversations => Selection::Conversations(rows),
            Self::Messages | Self::Found(_) => Selection::Messages(rows),
        }
    }
}

/// A row's place in the order of its list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    key: MessageId,
    date: i64,
    message: MessageId,
    index: u32,
}

impl Place {
    /// The place of a row that the list shows under a number.
    pub(crate) fn of(row: &Row, index: u32) -> Self {
        Self { key: row.key, date: row.date, message: row.id, index }
    }

    fn order(&self) -> (i64, MessageId) {
        (self.date, self.message)
    }
}

impl Picked {
    /// Whether nothing is picked.
    pub(crate) fn is_empty(&self) -> bool {
        self.what == What::Nothing
    }

    /// How many messages are picked, of a list of `total`.
    pub(crate) fn count(&self, total: u32) -> u32 {
        match &self.what {
            What::Nothing => 0,
            What::Rows(rows) => number(rows.len()),
            What::Between(_, _, count) => *count,
            What::AllBut(_, except) => total.saturating_sub(number(except.len())),
        }
    }

    /// Whether a row is picked.
    pub(crate) fn contains(&self, row: &Row) -> bool {
        match &self.what {
            What::Nothing => false,
            What::Rows(rows) => rows.contains(&row.key),
            What::Between(one, other, _) => {
                let (first, last) = ordered(one, other);
                let is_end = [one.key, other.key].contains(&row.key);
                is_end || (first..=last).contains(&(row.date, row.id))
            }
            What::AllBut(_, except) => !except.contains(&row.key),
        }
    }

    /// Whether the rows are picked one by one, so that all of them are known.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.what, What::Rows(_))
    }

    /// What the engine is told, of the list of a mailbox, whose rows may be conversations, or of what
    /// a search has found; `None` if nothing is picked.
    pub(crate) fn selection(&self, list: Kind) -> Option<Selection> {
        Some(match &self.what {
            What::Nothing => return None,
            What::Rows(rows) => list.named(rows.iter().copied().collect()),
            What::Between(one, other, _) => {
                let (one, other) = (one.message, other.message);
                match list {
                    Kind::Messages => Selection::Between(one, other),
                    Kind::Conversations => Selection::ConversationsBetween(one, other),
                    Kind::Found(search) => Selection::FoundBetween { search, one, other },
                }
            }
            What::AllBut(mailbox, except) => {
                let (mailbox, except) = (*mailbox, except.iter().copied().collect());
                match list {
                    Kind::Messages => Selection::AllBut { mailbox, except },
                    Kind::Conversations => Selection::ConversationsBut { mailbox, except },
                    Kind::Found(search) => Selection::FoundBut { search, mailbox, except },
                }
            }
        })
    }

    /// Picks nothing.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Picks one row alone.
    pub(crate) fn only(&mut self, place: Place) {
        self.what = What::Rows([place.key].into());
        self.anchor = Some(place);
    }

    /// Picks all of a mailbox.
    pub(crate) fn all(&mut self, mailbox: MailboxId) {
        self.what = What::AllBut(mailbox, BTreeSet::new());
        self.anchor = None;
    }

    /// Picks a row, or no longer. A range becomes the rows of it that `known` are.
    pub(crate) fn toggle<'a>(&mut self, place: Place, known: impl Iterator<Item = &'a Row>) {
        self.anchor = Some(place);
        if let What::Between(..) = self.what {
            let picked = known.filter(|row| self.contains(row)).map(|row| row.key).collect();
            self.what = What::Rows(picked);
        }
        match &mut self.what {
            What::Rows(rows) => {
                if !rows.remove(&place.key) {
                    rows.insert(place.key);
                }
                if rows.is_empty() {
                    self.clear();
                }
            }
            What::AllBut(_, except) => {
                if !except.remove(&place.key) {
                    except.insert(place.key);
                }
            }
            What::Nothing | What::Between(..) => self.what = What::Rows([place.key].into()),
        }
    }

    /// Picks all from where the last pick was, or else from `cursor`, to a place. If all of them are
    /// `known`, they are picked by their keys, whatever comes between them or moves away later.
    pub(crate) fn extend_to<'a>(
        &mut self,
        place: Place,
        cursor: Option<Place>,
        known: impl Iterator<Item = &'a Row>,
    ) {
        let anchor = *self.anchor.get_or_insert(cursor.unwrap_or(place));
        if anchor.key == place.key {
            self.what = What::Rows([place.key].into());
            return;
        }
        let count = anchor.index.abs_diff(place.index).saturating_add(1);
        self.what = What::Between(anchor, place, count);
        let keys: BTreeSet<MessageId> =
            known.filter(|row| self.contains(row)).map(|row| row.key).collect();
        if number(keys.len()) == count {
            self.what = What::Rows(keys);
        }
    }

    /// Takes over that a message has another place or number.
    pub(crate) fn moved(&mut self, from: MessageId, to: MessageId) {
        if from.mailbox == to.mailbox {
            for place in self.places() {
                if place.message == from {
                    place.message = to;
                }
            }
            self.rekeyed(from, to);
            return;
        }
        self.anchor = self.anchor.filter(|anchor| anchor.key != from);
        if let What::Rows(rows) | What::AllBut(_, rows) = &mut self.what {
            rows.remove(&from);
        }
        if matches!(&self.what, What::Rows(rows) if rows.is_empty()) {
            self.clear();
        }
    }

    /// Takes over that a row goes by another key.
    pub(crate) fn rekeyed(&mut self, from: MessageId, to: MessageId) {
        for place in self.places() {
            if place.key == from {
                place.key = to;
            }
        }
        if let What::Rows(rows) | What::AllBut(_, rows) = &mut self.what
            && rows.remove(&from)
        {
            rows.insert(to);
        }
    }

    /// The places that are remembered.
    fn places(&mut self) -> impl Iterator<Item = &mut Place> {
        let ends = match &mut self.what {
            What::Between(one, other, _) => vec![one, other],
            What::Nothing | What::Rows(_) | What::AllBut(..) => vec![],
        };
        ends.into_iter().chain(&mut self.anchor)
    }
}

fn ordered(one: &Place, other: &Place) -> ((i64, MessageId), (i64, MessageId)) {
    let (one, other) = (one.order(), other.order());
    (one.min(other), one.max(other))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::list::tests::{self, MAILBOX};

    fn row(uid: u32) -> Row {
        Row { date: i64::from(uid) * 1000, ..tests::row(uid) }
    }

    /// The place of a row in a list of ten, newest first.
    fn place(uid: u32) -> Place {
        Place::of(&row(uid), 10 - uid)
    }

    fn uids(picked: &Picked) -> Vec<u32> {
        (1..=10).filter(|uid| picked.contains(&row(*uid))).collect()
    }

    #[test]
    fn a_message_is_picked_and_let_go() {
        let mut picked = Picked::default();
        picked.toggle(place(3), [].iter());
        picked.toggle(place(5), [].iter());
        assert_eq!((uids(&picked), picked.count(10)), (vec![3, 5], 2));
        picked.toggle(place(3), [].iter());
        picked.toggle(place(5), [].iter());
        assert!(picked.is_empty() && picked.selection(Kind::Messages).is_none());
    }

    #[test]
    fn a_range_goes_in_either_direction_from_the_last_pick() {
        let mut picked = Picked::default();
        picked.toggle(place(5), [].iter());
        picked.extend_to(place(2), None, [].iter());
        assert_eq!((uids(&picked), picked.count(10)), (vec![2, 3, 4, 5], 4));
        picked.extend_to(place(7), None, [].iter());
        assert_eq!((uids(&picked), picked.count(10)), (vec![5, 6, 7], 3));
        let ends = (place(5).message, place(7).message);
        assert_eq!(picked.selection(Kind::Messages), Some(Selection::Between(ends.0, ends.1)));
        let found = Selection::FoundBetween { search: 3, one: ends.0, other: ends.1 };
        assert_eq!(picked.selection(Kind::Found(3)), Some(found));
        let whole = Selection::ConversationsBetween(ends.0, ends.1);
        assert_eq!(picked.selection(Kind::Conversations), Some(whole));
        picked.extend_to(place(5), None, [].iter());
        assert_eq!(uids(&picked), [5]);
    }

    #[test]
    fn a_range_without_an_earlier_pick_begins_at_the_cursor() {
        let mut picked = Picked::default();
        picked.extend_to(place(4), Some(place(6)), [].iter());
        assert_eq!(uids(&picked), [4, 5, 6]);
    }

    #[test]
    fn one_row_is_taken_out_of_a_range() {
        let mut picked = Picked::default();
        picked.extend_to(place(4), Some(place(6)), [].iter());
        let known: Vec<Row> = (1..=10).map(row).collect();
        picked.toggle(place(5), known.iter());
        assert_eq!((uids(&picked), picked.count(10)), (vec![4, 6], 2));
    }

    #[test]
    fn all_are_picked_but_those_let_go() {
        let mut picked = Picked::default();
        picked.all(MAILBOX);
        assert_eq!(picked.count(10), 10);
        picked.toggle(place(2), [].iter());
        assert_eq!((uids(&picked).len(), picked.count(10)), (9, 9));
        picked.toggle(place(2), [].iter());
        assert_eq!(picked.count(10), 10);
    }

    #[test]
    fn a_message_with_a_new_number_stays_picked_and_one_that_left_does_not() {
        let mut picked = Picked::default();
        picked.toggle(place(3), [].iter());
        picked.moved(place(3).message, place(9).message);
        assert_eq!(uids(&picked), [9]);
        let elsewhere = MessageId { mailbox: MailboxId(2), uid: 1 };
        picked.moved(place(9).message, elsewhere);
        assert!(picked.is_empty());
    }

    #[test]
    fn what_is_picked_stays_so_when_answers_come_and_a_known_range_is_picked_by_its_rows() {
        let mut known: Vec<Row> = (1..=10).map(row).collect();
        let mut picked = Picked::default();
        picked.extend_to(place(3), Some(place(5)), known.iter());
        let ids = |uids: &[u32]| uids.iter().map(|uid| row(*uid).id).collect::<Vec<_>>();
        let selection = picked.selection(Kind::Conversations);
        assert_eq!(selection, Some(Selection::Conversations(ids(&[3, 4, 5]))));
        // An answer comes to the conversation in the middle, and another conversation gets its place.
        known[3].id.uid = 11;
        known[3].date = 11_000;
        known[8].date = 4_000;
        let now = |picked: &Picked| {
            let rows = known.iter().filter(|row| picked.contains(row));
            rows.map(|row| row.key.uid).collect::<Vec<_>>()
        };
        assert_eq!((now(&picked), picked.count(10)), (vec![3, 4, 5], 3));
        // An end that has moved away is picked as well where not all rows are known.
        let mut picked = Picked::default();
        picked.extend_to(place(4), Some(place(6)), [].iter());
        assert!(now(&picked).contains(&4));
        picked.rekeyed(row(4).key, row(2).key);
        assert!(now(&picked).contains(&2));
    }

    #[test]
    fn a_row_that_goes_by_another_key_stays_picked() {
        let mut picked = Picked::default();
        picked.toggle(place(3), [].iter());
        picked.toggle(place(4), [].iter());
        picked.rekeyed(place(3).key, place(4).key);
        assert_eq!((uids(&picked), picked.count(10)), (vec![4], 1));
        picked.all(MAILBOX);
        picked.toggle(place(3), [].iter());
        picked.rekeyed(place(3).key, place(7).key);
        assert!(uids(&picked).contains(&3) && !uids(&picked).contains(&7));
    }
}
