//! Notes of which number is given next. Where one is lost, or lower than what is in use, the next folder,
//! account, change or outgoing message would come in place of another one.

use std::collections::BTreeMap;

use postern_bridge::{MailboxId, MessageId};

use super::{GAP, Known, aside, number_at};
use crate::{
    Store,
    changes::{is_provisional, limits::PROVISIONAL},
    record::{self, Series, keyed_message, mailbox_key},
    store::{Key, KeyRange, Order, StoreError, Table, Write},
};

/// Tables whose keys begin with numbers of a series, and whose last key is soon found.
const NUMBERED: [(Series, Table); 6] = [
    (Series::Account, Table::Accounts),
    (Series::Account, Table::Ledger),
    (Series::Account, Table::Changes),
    (Series::Mailbox, Table::Mailboxes),
    (Series::Mailbox, Table::Messages),
    (Series::Outbox, Table::Outbox),
];

/// The last number that can have been given. A higher one comes from damage: if it counted, no number would
/// be left soon.
const LAST: u32 = u32::MAX / 2;

/// The same of provisional UIDs, which begin again where no more are left: a higher one may also be a stray
/// UID of a server.
const LAST_PROVISIONAL: u32 = (u32::MAX - PROVISIONAL) / 2;

/// The last number of a series that can have been given.
fn last_of(series: Series) -> u32 {
    match series {
        Series::Provisional => LAST_PROVISIONAL,
        Series::Account | Series::Mailbox | Series::Change | Series::Outbox => LAST,
    }
}

/// What is noted of each series, and what is in use.
pub(super) struct Numbers(BTreeMap<Series, State>);

/// What is noted as the next number.
#[derive(Default)]
enum Note {
    /// Nothing: with accounts each series is noted from the next start on, so that this tells of a loss.
    #[default]
    Missing,
    Unreadable,
    Next(u32),
}

#[derive(Default)]
struct State {
    note: Note,
    /// The highest number in use, as far as is known; 0 if none is.
    used: u32,
    /// Whether the note is another one than what is stored.
    is_taken_from: bool,
}

impl State {
    fn is_wrong(&self) -> bool {
        match self.note {
            Note::Missing => self.used > 0,
            Note::Unreadable => true,
            Note::Next(next) => next <= self.used,
        }
    }

    fn is_to_be_written(&self) -> bool {
        self.is_wrong() || self.is_taken_from || matches!(self.note, Note::Missing)
    }

    fn next(&self) -> u32 {
        match self.note {
            Note::Next(next) if next > self.used => next,
            _ if self.used == 0 => 1,
            _ => self.used + 1 + GAP,
        }
    }
}

impl Numbers {
    /// What each start can look at: the notes, the last keys, and the queue of changes, of which entries
    /// with the keys in `damaged` can't be read. What only a list, stored bytes, a ledger's row or a message
    /// without a UID of the server's has a number in is not seen: see [`look_closer`](Self::look_closer).
    pub(super) async fn at_a_glance(
        store: &impl Store,
        known: &Known,
        damaged: &[Key],
    ) -> Result<Self, StoreError> {
        let mut numbers = Self(Series::ALL.map(|own| (own, State::default())).into());
        for (series, table) in NUMBERED {
            numbers.note(series, last(store, table).await?);
        }
        numbers.note(Series::Account, aside::accounts(store).await?);
        numbers.note(Series::Change, damaged.iter().filter_map(|key| number_at(key, 4)));
        for own in &known.changes {
            numbers.note(Series::Change, [own.number]);
            numbers.note(Series::Mailbox, own.task.mailboxes().into_iter().map(|id| id.0));
            let uids = own.task.named().iter().flat_map(|item| [item.uid, item.to]);
            numbers.note_uids(uids);
        }
        let is_new = numbers.of(Series::Account).used == 0;
        let notes = store.get_many(Table::Meta, &Series::ALL.map(Series::key)).await?;
        for (series, note) in Series::ALL.into_iter().zip(notes) {
            numbers.of(series).note = match note.map(|note| record::decode(&note)) {
                Some(Ok(next)) if next <= last_of(series) => Note::Next(next),
                Some(_) => Note::Unreadable,
                None if is_new => Note::Next(1),
                None => Note::Missing,
            };
        }
        Ok(numbers)
    }

    /// Looks at what takes longer: what the ledgers name, and messages that nothing else names.
    pub(super) async fn look_closer(
        &mut self,
        store: &impl Store,
        known: &Known,
        lost: impl Iterator<Item = MailboxId>,
    ) -> Result<(), StoreError> {
        self.note(Series::Mailbox, known.ledger.keys().map(|id| id.0));
        self.note(Series::Account, known.mailboxes.iter().map(|own| own.account.0));
        for table in [Table::Arrival, Table::Bodies] {
            self.note(Series::Mailbox, last(store, table).await?);
        }
        for id in known.mailboxes.iter().map(|own| own.id).chain(lost) {
            let stray = MessageId { mailbox: id, uid: PROVISIONAL + LAST_PROVISIONAL + 1 };
            let given = KeyRange { start: mailbox_key(id), end: Some(record::message_key(stray)) };
            let last = store.scan(Table::Messages, &given, Order::Descending, 1).await?;
            self.note_uids(last.iter().filter_map(|(key, _)| Some(keyed_message(key)?.uid)));
        }
        Ok(())
    }

    fn note(&mut self, series: Series, used: impl IntoIterator<Item = u32>) {
        let state = self.of(series);
        let given = used.into_iter().filter(|number| *number <= last_of(series));
        state.used = given.fold(state.used, u32::max);
    }

    /// UIDs that messages have, or had: some may be provisional.
    fn note_uids(&mut self, uids: impl IntoIterator<Item = u32>) {
        let provisional = uids.into_iter().filter(|uid| is_provisional(*uid));
        self.note(Series::Provisional, provisional.map(|uid| uid - PROVISIONAL));
    }

    fn of(&mut self, series: Series) -> &mut State {
        self.0.get_mut(&series).expect("every series is noted")
    }

    /// Whether numbers could be given twice, or none could be given.
    pub(super) fn are_wrong(&self) -> bool {
        self.0.values().any(State::is_wrong)
    }

    /// Whether something is to be written.
    pub(super) fn differ(&self) -> bool {
        self.0.values().any(State::is_to_be_written)
    }

    /// Takes so many numbers, of which the first is returned.
    pub(super) fn take(&mut self, series: Series, count: u32) -> u32 {
        let state = self.of(series);
        let first = state.next();
        (state.note, state.is_taken_from) = (Note::Next(first.saturating_add(count)), true);
        first
    }

    /// The writes that note what is to be given next, where that is not noted already.
    pub(super) fn writes(&self) -> impl Iterator<Item = Write> {
        let differ = self.0.iter().filter(|(_, state)| state.is_to_be_written());
        differ.map(|(series, state)| series.put(state.next()))
    }
}

/// The number that a table's last key begins with; without numbers that can't have been given.
async fn last(store: &impl Store, table: Table) -> Result<Option<u32>, StoreError> {
    let given = KeyRange { end: Some(Key::new().u32(LAST + 1)), ..KeyRange::all() };
    let last = store.scan(table, &given, Order::Descending, 1).await?;
    Ok(last.first().and_then(|(key, _)| number_at(key, 0)))
}
