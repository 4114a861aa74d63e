//! What the queue says about a mailbox while the server says something else.
//!
//! A sync asks the server, and then writes what it was told. Whatever is queued, or was done since
//! it asked, counts more than the answer: see [`Pending::of`].

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{Flags, MailboxId, Mark};

use super::{
    entry::{Entry, Item, State, Task, entries},
    limits::PROVISIONAL,
};
use crate::{
    MailError, Store,
    record::{self, Mailbox},
};

/// Whether a UID is one that the server has not told: the message is on its way into its mailbox.
pub fn is_provisional(uid: u32) -> bool {
    uid >= PROVISIONAL
}

/// Whether the server knows a message in this mailbox by the UID that it has here.
fn is_of(item: &Item, mailbox: &Mailbox) -> bool {
    item.uid != 0 && !is_provisional(item.uid) && item.uid_validity == mailbox.uid_validity
}

/// What the queue says about one mailbox.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pending {
    departed: BTreeSet<u32>,
    open_departures: u32,
    marks: BTreeMap<u32, Vec<(Mark, bool)>>,
    total: i64,
    unread: i64,
    /// What `unread` has of each message that the server knows.
    unsettled: BTreeMap<u32, i64>,
    /// What is to go, if the mailbox is to be emptied.
    emptied: Option<Emptied>,
}

/// What of a mailbox is to go that is to be emptied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Emptied {
    /// All messages with smaller UIDs.
    until: u32,
    /// At most so many others have come since, by the UIDs that were given out.
    since: u32,
}

impl Emptied {
    /// What an "Empty" that is bounded by UIDVALIDITY and UID means; `None` if the mailbox was made anew
    /// since.
    fn of(mailbox: &Mailbox, until: Option<(u32, u32)>) -> Option<Self> {
        // Nothing was known of the mailbox.
        let Some((uid_validity, until)) = until else {
            return Some(Self { until: u32::MAX, since: 0 });
        };
        if mailbox.uid_validity != 0 && mailbox.uid_validity != uid_validity {
            return None;
        }
        let told = [Some((mailbox.uid_validity, mailbox.uid_next)), mailbox.synced.counted];
        let told = told.into_iter().flatten().filter(|(validity, _)| *validity == uid_validity);
        let next = told.map(|(_, next)| next).max().unwrap_or_default();
        Some(Self { until, since: next.saturating_sub(until) })
    }
}

/// When the server counted a mailbox's messages, in milliseconds since 1970 (UTC).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counted {
    /// All of them.
    pub total: i64,
    /// The unread ones.
    pub unread: i64,
    /// UIDs of messages that came since then and are counted.
    pub came: BTreeSet<u32>,
}

impl Counted {
    /// Both at a moment.
    pub fn at(now: i64) -> Self {
        Self { total: now, unread: now, came: BTreeSet::new() }
    }
}

impl Pending {
    /// What is queued about a mailbox, or was done since `asked` (milliseconds since 1970, UTC),
    /// when the server was asked for what is about to be written.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be read.
    pub async fn of(store: &impl Store, mailbox: MailboxId, asked: i64) -> Result<Self, MailError> {
        let mailbox = record::mailbox(store, mailbox).await?;
        let entries = entries(store, mailbox.account).await?;
        Ok(Self::from_entries(&entries, &mailbox, asked))
    }

    /// The same from entries that were read.
    pub fn from_entries(entries: &[Entry], mailbox: &Mailbox, asked: i64) -> Self {
        let mut pending = Self::default();
        for entry in entries {
            pending.take(entry, mailbox, asked);
        }
        pending
    }

    /// Whether a message that the server has is to be treated as if it had gone.
    pub fn has_departed(&self, uid: u32) -> bool {
        self.departed.contains(&uid)
    }

    /// Whether a message that the server has may have other marks here.
    pub fn is_marked(&self, uid: u32) -> bool {
        self.marks.contains_key(&uid)
    }

    /// Whether a message that the server has is to go with all that was there when the mailbox was to be
    /// emptied.
    pub fn is_emptied_of(&self, uid: u32) -> bool {
        self.emptied.is_some_and(|emptied| uid < emptied.until)
    }

    /// How many messages the server still has that are gone here.
    pub fn departures(&self) -> u32 {
        self.open_departures
    }

    /// Puts the marks that count onto those that the server told.
    pub fn mark(&self, uid: u32, flags: &mut Flags, keywords: &mut Vec<String>) {
        for (mark, set) in self.marks.get(&uid).into_iter().flatten() {
            set_mark(flags, keywords, mark, *set);
        }
    }

    /// How many messages are there, when the server has so many.
    pub fn total(&self, on_server: u32) -> u32 {
        self.staying(on_server).saturating_add_signed(i32::try_from(self.total).unwrap_or(0))
    }

    /// How many unread messages are there, when the server has so many.
    pub fn unread(&self, on_server: u32) -> u32 {
        self.staying(on_server).saturating_add_signed(i32::try_from(self.unread).unwrap_or(0))
    }

    /// Of so many messages those that do not go with an emptied mailbox.
    fn staying(&self, on_server: u32) -> u32 {
        self.emptied.map_or(on_server, |emptied| on_server.min(emptied.since))
    }

    /// The messages that are queued to become read or unread, or to go: by UID, and by how much each
    /// changes the number of unread messages. Whether the server has heard of it is not known.
    pub fn unsettled(&self) -> &BTreeMap<u32, i64> {
        &self.unsettled
    }

    /// Adds what was done since the server counted: it is not queued any more, and not in those counts.
    pub fn add_done_since(&mut self, entries: &[Entry], mailbox: &Mailbox, counted: &Counted) {
        for entry in entries {
            let State::Done(at) = entry.state else { continue };
            let since = [counted.total, counted.unread].map(|counted| i64::from(at > counted));
            let here = |item: &&Item| is_of(item, mailbox);
            // Of one whose UID is not known the mailbox is asked.
            let has_come = |item: &&Item| item.to != 0 && !counted.came.contains(&item.to);
            match &entry.task {
                Task::Mark { mailbox: of, items, mark: Mark::Seen, set } if *of == mailbox.id => {
                    let count = items.iter().filter(here).count() as i64;
                    self.unread += since[1] * if *set { -count } else { count };
                }
                Task::Transfer { from, to, items, copy, .. } => {
                    if *from == mailbox.id && !copy {
                        items.iter().filter(here).for_each(|item| self.count(item, since, -1));
                    }
                    if *to == mailbox.id {
                        items.iter().filter(has_come).for_each(|item| self.count(item, since, 1));
                    }
                }
                Task::Expunge { mailbox: of, items } | Task::Empty { mailbox: of, items, .. }
                    if *of == mailbox.id =>
                {
                    items.iter().filter(here).for_each(|item| self.count(item, since, -1));
                }
                Task::Append { mailbox: of, item, .. } if *of == mailbox.id && has_come(&item) => {
                    self.count(item, since, 1);
                }
                _ => {}
            }
        }
    }

    /// Counts a message that came or went, in all messages and in the unread ones as often as is given.
    fn count(&mut self, item: &Item, [total, unread]: [i64; 2], by: i64) {
        self.total += total * by;
        self.unread += unread * by * i64::from(!item.seen);
    }

    fn take(&mut self, entry: &Entry, mailbox: &Mailbox, asked: i64) {
        let open = entry.is_open();
        let recent = matches!(entry.state, State::Done(at) if at >= asked);
        let here = |item: &&Item| is_of(item, mailbox);
        // What is on its way into the mailbox is counted there as it came, and changes again.
        let coming = |item: &&Item| open && is_provisional(item.uid);
        match &entry.task {
            Task::Mark { mailbox: of, items, mark, set } if *of == mailbox.id => {
                if !(open || recent) {
                    return;
                }
                if *mark == Mark::Seen {
                    let count = items.iter().filter(coming).count() as i64;
                    self.unread += if *set { -count } else { count };
                }
                for item in items.iter().filter(here) {
                    self.marks.entry(item.uid).or_default().push((mark.clone(), *set));
                    if open && *mark == Mark::Seen {
                        self.unsettle(item.uid, if *set { -1 } else { 1 });
                    }
                }
            }
            Task::Transfer { from, to, items, copy, .. } => {
                if *from == mailbox.id && !copy {
                    // A UID is never given out again: what left with a done entry stays away.
                    items.iter().filter(here).for_each(|item| self.depart(item, open));
                    items.iter().filter(coming).for_each(|item| self.count(item, [1, 1], -1));
                }
                if *to == mailbox.id && open {
                    items.iter().for_each(|item| self.count(item, [1, 1], 1));
                }
            }
            Task::Expunge { mailbox: of, items } if *of == mailbox.id => {
                items.iter().filter(here).for_each(|item| self.depart(item, open));
                items.iter().filter(coming).for_each(|item| self.count(item, [1, 1], -1));
            }
            Task::Empty { mailbox: of, until, items } if *of == mailbox.id => {
                items.iter().filter(here).for_each(|item| self.depart(item, open));
                let Some(emptied) = Emptied::of(mailbox, *until).filter(|_| open) else { return };
                // What was counted until then goes with the rest.
                (self.emptied, self.total, self.unread) = (Some(emptied), 0, 0);
                self.unsettled.clear();
            }
            Task::Append { mailbox: of, item, .. } if *of == mailbox.id && open => {
                self.count(item, [1, 1], 1);
            }
            _ => {}
        }
    }

    fn depart(&mut self, item: &Item, open: bool) {
        self.departed.insert(item.uid);
        if open {
            self.open_departures += 1;
            self.total -= 1;
            self.unsettle(item.uid, -i64::from(!item.seen));
        }
    }

    fn unsettle(&mut self, uid: u32, change: i64) {
        self.unread += change;
        *self.unsettled.entry(uid).or_default() += change;
    }
}

/// Gives a mark or takes it.
pub(super) fn set_mark(flags: &mut Flags, keywords: &mut Vec<String>, mark: &Mark, set: bool) {
    match mark {
        Mark::Seen => flags.seen = set,
        Mark::Answered => flags.answered = set,
        Mark::Flagged => flags.flagged = set,
        Mark::Keyword(name) => {
            keywords.retain(|own| !own.eq_ignore_ascii_case(name));
            if set {
                keywords.push(name.clone());
                keywords.sort_unstable();
            }
        }
    }
}

/// Whether a message has a mark.
pub(super) fn has_mark(flags: Flags, keywords: &[String], mark: &Mark) -> bool {
    match mark {
        Mark::Seen => flags.seen,
        Mark::Answered => flags.answered,
        Mark::Flagged => flags.flagged,
        Mark::Keyword(name) => keywords.iter().any(|own| own.eq_ignore_ascii_case(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::tests::{mailbox, queued};

    #[test]
    fn what_was_done_after_the_server_counted_is_not_in_its_count() {
        let inbox = Mailbox { uid_validity: 7, ..mailbox(1) };
        let mark = |mailbox, set, done| {
            let items = vec![Item { uid: 4, uid_validity: 7, ..Item::default() }];
            let (mailbox, mark) = (MailboxId(mailbox), Mark::Seen);
            let task = Task::Mark { mailbox, items, mark, set };
            Entry { state: State::Done(done), ..queued(1, task) }
        };
        for (entry, unread) in [
            (mark(1, true, 11), 4),
            (mark(1, false, 11), 6),
            (mark(1, true, 10), 5),
            (mark(2, true, 11), 5),
        ] {
            let entries = [entry];
            let mut pending = Pending::from_entries(&entries, &inbox, 5);
            pending.add_done_since(&entries, &inbox, &Counted::at(10));
            assert_eq!(pending.unread(5), unread, "{entries:?}");
        }
    }

    #[test]
    fn what_came_or_went_after_the_server_counted_is_counted_once() {
        let inbox = Mailbox { uid_validity: 7, ..mailbox(1) };
        let item = |seen| Item { uid: 4, uid_validity: 7, to: 9, seen, ..Item::default() };
        let transfer = |from, to, copy, seen| Task::Transfer {
            from: MailboxId(from),
            to: MailboxId(to),
            items: vec![item(seen)],
            copy,
            step: Default::default(),
        };
        let (own, append) =
            (inbox.id, Task::Append { mailbox: inbox.id, item: item(true), since: None });
        for (task, counts) in [
            (transfer(1, 2, false, false), (4, 2)),
            (transfer(1, 2, false, true), (4, 3)),
            (transfer(1, 2, true, false), (5, 3)),
            (transfer(2, 1, true, false), (6, 4)),
            (transfer(2, 3, false, false), (5, 3)),
            (Task::Expunge { mailbox: own, items: vec![item(false)] }, (4, 2)),
            (append, (6, 3)),
        ] {
            let counted = |at, came: &[u32]| {
                let entries = [Entry { state: State::Done(at), ..queued(1, task.clone()) }];
                let counted = Counted { came: came.iter().copied().collect(), ..Counted::at(10) };
                let mut pending = Pending::from_entries(&entries, &inbox, 5);
                pending.add_done_since(&entries, &inbox, &counted);
                (pending.total(5), pending.unread(3))
            };
            assert_eq!(counted(11, &[]), counts, "{task:?}");
            assert_eq!(counted(10, &[]), (5, 3), "{task:?}");
            // One that was fetched since it came was counted then.
            assert_eq!(counted(11, &[9]), (counts.0.min(5), counts.1.min(3)), "{task:?}");
        }
    }

    #[test]
    fn what_came_since_a_mailbox_was_to_be_emptied_stays_and_is_counted() {
        let inbox = Mailbox { uid_validity: 7, uid_next: 12, ..mailbox(1) };
        let pending = |until, mailbox: &Mailbox| {
            let entry = queued(1, Task::Empty { mailbox: MailboxId(1), until, items: vec![] });
            Pending::from_entries(&[entry], mailbox, 5)
        };
        let two_came = pending(Some((7, 10)), &inbox);
        assert_eq!((two_came.total(30), two_came.unread(1)), (2, 1));
        assert_eq!([9, 10].map(|uid| two_came.is_emptied_of(uid)), [true, false]);

        let counted = record::SyncPoint { counted: Some((7, 15)), ..inbox.synced };
        let only_counted = pending(Some((7, 10)), &Mailbox { synced: counted, ..inbox.clone() });
        assert_eq!((only_counted.total(30), only_counted.total(3)), (5, 3));
        let unknown = pending(None, &inbox);
        assert_eq!((unknown.total(30), unknown.is_emptied_of(99)), (0, true));
        let made_anew = pending(Some((6, 10)), &inbox);
        assert_eq!((made_anew.total(30), made_anew.is_emptied_of(9)), (30, false));
    }
}
