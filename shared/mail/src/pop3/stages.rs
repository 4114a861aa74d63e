//! The states of a download that may delete on the server: pure, so that what leads to QUIT can be
//! read here, and tried in all its ways, without a server or a store.
//!
//! Each stage is a value, made from the one before and from what the world has answered. QUIT, which
//! alone makes a server delete (RFC 1939 section 6), takes a [`Noted`] or finds nothing marked, and
//! the only way to a [`Noted`] leads through all the others:
//!
//! [`Fetched`] → [`Due`] → [`Compared`] → [`Intact`] → [`Marked`] → [`Noted`] → confirmed
//!
//! What the driver ([`download`](super::download), [`deletion`](super::deletion)) does at each step, and
//! what the next download does if this one ends there:
//!
//! 1. *Connect, log in, list.* What the list settles is noted, row by row, each true by itself: which
//!    deletions came about, and which messages are gone. The next list tells the same.
//! 2. *Receive messages.* Small ones are in memory only. Bytes of a large one are in the store
//!    under a reserved UID without a record, and a marker names them: they are removed.
//! 3. *Store*: where the server has given a unique id again, it is noted first that others are in doubt;
//!    if that alone is kept, they are compared in 5 all the same. What has another unique id now is noted
//!    next, in a batch of its own; if no more is kept, messages are known by their content. Then one
//!    strict batch makes record, bytes, ledger row and counts visible. Before it the message is only on
//!    the server and comes again; after it the ledger knows it. Where the bytes of a large one have to go
//!    to another mailbox first, their copy has a marker of its own as well.
//! 4. *Read back and verify.* An unverified row is verified first of all, even before 1. If it does not
//!    match, nothing is removed: the message is fetched again in 2, and 3 puts it into the place of what
//!    is damaged. If the server's list does not have it any more, what is left of it stays, without a
//!    row. While there is an unverified row, nothing is deleted on the server, but for the others of one
//!    that the server does not hand out again, which 7 reads back in any case.
//! 5. *Compare what is in doubt* by its header, if anything is; how often that is still tried is noted
//!    before. What is another message loses its unique id in the ledger, and comes the next time. Then
//!    it is noted that the doubt of 3 is over; before, the next download compares.
//!    Where ids are the messages' numbers, what came in 2 with the content of a message that is listed
//!    under another id is held back in memory, no more than a batch, until that one was compared; then
//!    it is stored as in 3, as that message or as a copy of it. Before, it is in no row, and comes
//!    again. That something is held back is noted first: after some downloads in a row that ended so,
//!    what comes is stored as a copy at once, until one comes to its end. There, it is also noted that
//!    two headers are looked at, and then they are: if that breaks off, they are looked at the next day.
//! 6. *[`Fetched`]: decide*, with the account as the person has it by now, what may be deleted.
//!    Nothing is written but what the server has told of itself.
//! 7. *[`Due`], [`Compared`], [`Intact`]: compare and read back.* What an earlier session stored is
//!    compared with the server's (its header, or all of it) and read back once more. What is another one
//!    loses its unique id in the ledger, and what is damaged counts as unverified: each is true by
//!    itself, and comes again.
//! 8. *[`Marked`]: DELE.* The server deletes nothing before QUIT; the message is still listed and due
//!    again.
//! 9. *[`Noted`]: a last look*, and in one strict write with it the note that the deletions are asked
//!    for: if the browser has dropped the database, or another tab leads, the session ends without QUIT;
//!    if the person has decided otherwise, the deletions are taken back. After the write the message is
//!    still listed and due again.
//! 10. *QUIT.* If its answer is lost, the next list tells: gone means deleted, listed means due
//!     again. At a server that deletes by itself what it has handed out, what was handed out gets the
//!     same looks, and there is no QUIT where nothing may be deleted.
//! 11. *Note the confirmed deletion.* As in 10.
//!
//! So at any moment each message is on the server or verified here, and none is here twice, unless ids
//! are numbers, and more than is held back has moved on to other ones, or 5 broke off each time.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{DeletionHold, MailboxId, Retention};

use super::{
    LedgerRow, due, elapsed::Elapsed, fetch::Known, ledger::Ledger, listing::Listing,
    plan::is_as_listed,
};
use crate::record::Account;

#[cfg(test)]
mod tests;

/// Rows by their messages' numbers in this session.
type Numbered = BTreeMap<u32, LedgerRow>;

/// The names of rows.
type Names = BTreeSet<Vec<u8>>;

/// What was wanted has come, or does not come: what may be deleted?
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetched<'a> {
    /// The account as it was when the download began.
    pub(super) begun: &'a Account,
    /// The account as the person has it now.
    pub(super) present: &'a Account,
    /// Why this browser should not hold the only copy.
    pub(super) hold: Option<DeletionHold>,
    /// Whether QUIT has the server delete what it has handed out in this session.
    pub(super) deletes_by_itself: bool,
}

impl Fetched<'_> {
    /// Why nothing is deleted, where the account's settings or the server's own rules say that
    /// something should.
    pub(super) fn told_hold(&self) -> Option<DeletionHold> {
        let present = self.present.retention;
        let by_itself = self.deletes_by_itself && present != Retention::Secondary;
        self.hold.filter(|_| present.deletes() || by_itself)
    }

    /// The policy by which messages are deleted now; `None` if the session has to end without QUIT,
    /// since the server would delete what it must not.
    pub(super) fn policy(&self) -> Option<Retention> {
        let policy = self.present.retention;
        let same_server = self.present.incoming == self.begun.incoming;
        let deletes = self.hold.is_none() && same_server;
        if self.deletes_by_itself && (!deletes || policy == Retention::Secondary) {
            return None;
        }
        Some(if deletes { policy } else { Retention::Keep })
    }
}

/// By what messages are due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<'a> {
    pub(super) policy: Retention,
    /// Where messages were stored first.
    pub(super) inbox: MailboxId,
    pub(super) elapsed: &'a Elapsed,
}

impl Rule<'_> {
    /// Of these rows, those of messages that are due at `now`.
    fn due<'row>(
        &self,
        rows: impl IntoIterator<Item = &'row LedgerRow>,
        now: i64,
    ) -> Vec<&'row LedgerRow> {
        due(self.policy, rows, self.inbox, now, self.elapsed)
    }
}

/// What comparing told of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The server's message is the one that is stored.
    Same,
    /// It is another one: the server gives unique ids again, against RFC 1939 section 7.
    Other,
    /// The server does not hand it out.
    Withheld,
}

impl Verdict {
    pub(super) fn of(is_same: bool) -> Self {
        if is_same { Self::Same } else { Self::Other }
    }
}

/// What is due, and listed as it was.
#[derive(Debug)]
pub(super) struct Due<'a> {
    rows: Numbered,
    known: &'a Known,
    deletes_by_itself: bool,
}

impl<'a> Due<'a> {
    /// What is due at `now`; `known` is what this session has found out.
    pub(super) fn new(
        rule: Rule<'_>,
        ledger: &Ledger,
        listing: &Listing,
        known: &'a Known,
        deletes_by_itself: bool,
        now: i64,
    ) -> Self {
        let due = rule.due(ledger.rows(), now).into_iter();
        let due: BTreeMap<&[u8], &LedgerRow> = due.map(|row| (row.uidl.as_slice(), row)).collect();
        let listed = listing.messages.iter().filter_map(|listed| {
            let row = *due.get(listed.uidl.as_deref()?)?;
            is_as_listed(row, listed).then(|| (listed.number, row.clone()))
        });
        Self { rows: listed.collect(), known, deletes_by_itself }
    }

    /// Those that an earlier session has stored, and this one has not seen: the server could have
    /// given the unique id to another message of the same size since.
    pub(super) fn doubtful(&self) -> impl Iterator<Item = (u32, &LedgerRow)> {
        let doubtful = |(_, row): &(&u32, &LedgerRow)| !self.known.compared.contains(&row.name());
        self.rows.iter().filter(doubtful).map(|(number, row)| (*number, row))
    }

    /// The doubtful ones were compared; one of which nothing was told is left. `handed_out` are those
    /// that the server has handed out whole for it. Returns the rows of what are other messages, too.
    pub(super) fn compared(
        mut self,
        verdicts: &BTreeMap<u32, Verdict>,
        handed_out: &BTreeSet<u32>,
    ) -> (Compared<'a>, Vec<LedgerRow>) {
        let doubtful: Vec<u32> = self.doubtful().map(|(number, _)| number).collect();
        // What the server has handed out goes with QUIT, due or not.
        let mut going =
            if self.deletes_by_itself { self.known.compared.clone() } else { Names::new() };
        let (mut others, mut strays) = (Vec::new(), false);
        for number in doubtful {
            let is_going = self.deletes_by_itself && handed_out.contains(&number);
            match verdicts.get(&number) {
                Some(Verdict::Same) if is_going => {
                    going.extend(self.rows.get(&number).map(LedgerRow::name));
                }
                Some(Verdict::Same) => {}
                verdict => {
                    let row = self.rows.remove(&number);
                    strays |= is_going;
                    others.extend(row.filter(|_| verdict == Some(&Verdict::Other)));
                }
            }
        }
        let Self { rows, known, deletes_by_itself } = self;
        (Compared { rows, known, going, strays, deletes_by_itself }, others)
    }
}

/// What is due, and is what is stored here.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    rows: Numbered,
    known: &'a Known,
    /// What goes with QUIT by the server's own rule.
    going: Names,
    /// Whether something goes with QUIT that is not here.
    strays: bool,
    deletes_by_itself: bool,
}

impl Compared<'_> {
    /// The names of what has to be read back: what is due or goes anyway, and was not read back in this
    /// session.
    pub(super) fn unread(&self) -> Names {
        let due = self.rows.values().map(LedgerRow::name);
        let all = due.chain(self.going.iter().cloned());
        all.filter(|name| !self.known.stored.contains(name)).collect()
    }

    /// It was read back, and these were as they should be; the others are left. `None` if the session
    /// has to end without QUIT, since something would go with it that is not safe here, or might: who
    /// knows what a server that deletes by itself takes for handed out?
    pub(super) fn read_back(mut self, intact: &Names) -> Option<Intact> {
        if self.strays || (self.deletes_by_itself && !self.unread().is_subset(intact)) {
            return None;
        }
        let is_safe = |name: &Vec<u8>| self.known.stored.contains(name) || intact.contains(name);
        self.rows.retain(|_, row| is_safe(&row.name()));
        Some(Intact { rows: self.rows, going: self.going })
    }
}

/// What is due, and can be read here as it came.
#[derive(Debug)]
pub(super) struct Intact {
    rows: Numbered,
    going: Names,
}

impl Intact {
    /// The numbers of what the server is to be asked to delete.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.rows.keys().copied()
    }

    /// The server has marked these as deleted.
    pub(super) fn marked(self, numbers: &BTreeSet<u32>) -> Marked {
        let marked = self.rows.iter().filter(|(number, _)| numbers.contains(number));
        Marked { names: marked.map(|(_, row)| row.name()).collect(), going: self.going }
    }
}

/// What QUIT deletes.
#[derive(Debug)]
pub(super) struct Marked {
    names: Names,
    going: Names,
}

/// What the last look has found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    /// The account, as in [`Fetched`].
    pub(super) begun: &'a Account,
    pub(super) present: &'a Account,
    /// Why this browser should not hold the only copy.
    pub(super) hold: Option<DeletionHold>,
    /// The rows of what QUIT deletes, as they are stored now.
    pub(super) rows: &'a [LedgerRow],
    pub(super) inbox: MailboxId,
    pub(super) elapsed: &'a Elapsed,
    pub(super) now: i64,
}

impl Marked {
    /// Whether QUIT deletes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.going.is_empty()
    }

    /// The names of the rows of all that QUIT deletes.
    pub(super) fn names(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.names.union(&self.going)
    }

    /// The last look. The browser may no longer promise to keep what is stored; the person may have
    /// changed the account, moved a message back, or said that this is a public computer. `None` if
    /// something is not to be deleted any more.
    pub(super) fn looked(self, look: Look<'_>) -> Option<Noted> {
        let policy = look.present.retention;
        let rows = look.rows.iter().filter(|row| self.names.contains(&row.name()));
        let mut rows: Vec<LedgerRow> = rows.cloned().collect();
        let seen: Names = look.rows.iter().map(LedgerRow::name).collect();
        let rule = Rule { policy, inbox: look.inbox, elapsed: look.elapsed };
        if look.hold.is_some()
            || look.present.incoming != look.begun.incoming
            || policy == Retention::Secondary
            || !self.names().all(|name| seen.contains(name))
            || rule.due(&rows, look.now).len() < self.names.len()
        {
            return None;
        }
        rows.iter_mut().for_each(|row| row.delete_asked = Some(look.now));
        Some(Noted { rows })
    }
}

/// Deletions that nothing speaks against: once [`Noted::rows`] are stored, QUIT may follow.
#[derive(Debug)]
pub(super) struct Noted {
    rows: Vec<LedgerRow>,
}

impl Noted {
    /// The rows with the note that the server is asked to delete their messages.
    pub(super) fn rows(&self) -> &[LedgerRow] {
        &self.rows
    }

    /// The server has answered QUIT at `now`: the rows with that note.
    pub(super) fn confirmed(self, now: i64) -> Vec<LedgerRow> {
        let confirmed = |row| LedgerRow { delete_confirmed: Some(now), ..row };
        self.rows.into_iter().map(confirmed).collect()
    }
}
