//! Fetching what is new. While one batch is stored and read back, the next one comes.

use std::collections::{BTreeSet, VecDeque};

use postern_bridge::{MailboxId, MessageId};
use postern_pop3::{Command, Event, Request};

use super::{
    DownloadReport, DownloadStep,
    commit::{Committed, commit},
    count,
    intake::{Incoming, Place},
    ledger::Ledger,
    limits::{BATCH_BYTES, BATCH_MESSAGES},
    listing::{Listed, Listing},
    notes::ServerNotes,
    plan::{Part, Plan, Wanted, without_row},
    received::{Arrived, Bytes, Received},
    row::{LedgerRow, RowChange, want, write},
    server::{Server, unexpected},
    storing::{Batch, Content, Storing},
    trouble::Troubles,
};
use crate::{Host, MailError, store::Durability};

/// What this session has found out, by the rows' names.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Messages that the server has handed out, so that what their rows say of it is certain.
    pub(super) compared: BTreeSet<Vec<u8>>,
    /// Those of them that were stored in this session, and read back.
    pub(super) stored: BTreeSet<Vec<u8>>,
    /// Whether the unique id of a message that was thought to be there has turned out to be another
    /// one's by now.
    pub(super) gives_ids_again: bool,
    /// The rows of what something seems to be a copy of that is held back.
    pub(super) alike: BTreeSet<Vec<u8>>,
    /// Whether what is listed as it was counts as what it was, so that nothing is held back.
    pub(super) takes_as_listed: bool,
}

/// Fetching, with what waits to be stored.
pub(super) struct Fetch<'a, H> {
    pub(super) host: &'a H,
    pub(super) place: Place,
    pub(super) listing: &'a Listing,
    pub(super) ledger: &'a mut Ledger,
    pub(super) report: &'a mut DownloadReport,
    /// When the server was asked.
    pub(super) seen: i64,
    pub(super) known: &'a mut Known,
    /// What has come since it was last found out which messages those are.
    pub(super) arrived: Vec<Arrived>,
    /// What waits to be stored.
    pub(super) pending: Vec<Received>,
    /// What seems to be a copy of a message that is listed as it was: it is stored once that one was
    /// compared. No more than a batch.
    pub(super) held_back: Vec<Received>,
    /// What is being stored.
    pub(super) batch: Batch,
    /// Messages fetched so far, and messages to fetch.
    done: u32,
    total: u32,
    /// Rows that change because of what has come.
    pub(super) changes: Vec<RowChange>,
    /// Messages that did not come.
    pub(super) missing: Vec<Listed>,
    /// Messages that two rows are about: neither may replace what the other has.
    pub(super) shared: BTreeSet<MessageId>,
}

/// What came of storing a batch.
type Stored<'a> = Storing<'a, Result<Committed, MailError>>;

impl<'a, H: Host> Fetch<'a, H> {
    pub(super) fn new(
        host: &'a H,
        place: Place,
        listing: &'a Listing,
        ledger: &'a mut Ledger,
        report: &'a mut DownloadReport,
        known: &'a mut Known,
        seen: i64,
    ) -> Self {
        Self {
            host,
            place,
            listing,
            shared: shared(ledger),
            ledger,
            report,
            seen,
            known,
            arrived: Vec::new(),
            pending: Vec::new(),
            held_back: Vec::new(),
            batch: Batch::default(),
            done: 0,
            total: 0,
            changes: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Fetches what is planned. What can't be had gets a row that stands for it.
    pub(super) async fn run(
        &mut self,
        server: &mut Server<'_, H>,
        plan: Plan,
        troubles: &Troubles,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        let Plan { mut wanted, held, .. } = plan;
        self.missing = held;
        let header = wanted.iter().find(|wanted| wanted.part == Part::Header);
        if let Some(header) = header
            && !server.can_top(header.listed.number).await?
        {
            let left = wanted.iter().filter(|wanted| wanted.part == Part::Header);
            self.missing.extend(left.map(|wanted| wanted.listed.clone()));
            wanted.retain(|wanted| wanted.part == Part::Whole);
        }
        self.total = count(&wanted);
        progress(DownloadStep::Found { new: self.total });
        for wanted in &wanted {
            server.start(match wanted.part {
                Part::Whole => Command::Retr(wanted.listed.number),
                Part::Header => Command::Top { message: wanted.listed.number, lines: 0 },
            })?;
        }
        let mut wanted = VecDeque::from(wanted);
        let mut storing = Storing::nothing();
        while let Some(next) = wanted.pop_front() {
            match storing.beside(self.receive(server, &next)).await {
                Ok(Some(arrived)) => self.arrived.push(arrived),
                Ok(None) => {
                    self.report.withheld += 1;
                    self.missing.push(next.listed.clone());
                }
                Err(error @ MailError::Store(_)) => {
                    self.end(&mut storing, progress).await?;
                    return Err(error);
                }
                Err(error @ MailError::NoRoom { .. }) => {
                    self.end(&mut storing, progress).await?;
                    self.make_room(&next.listed).await?;
                    self.take_arrived(troubles).await?;
                    self.flush(&mut storing, progress).await?;
                    self.end(&mut storing, progress).await?;
                    return Err(error);
                }
                Err(error) => {
                    // What did arrive need not be fetched again.
                    storing.beside(self.take_arrived(troubles)).await?;
                    self.flush(&mut storing, progress).await?;
                    self.end(&mut storing, progress).await?;
                    self.broke_off(&next.listed).await?;
                    return Err(error);
                }
            }
            self.done += 1;
            let is_last = wanted.is_empty();
            if is_last || self.is_full() || self.must_take(wanted.front()) {
                storing.beside(self.take_arrived(troubles)).await?;
            }
            let spilled = self.pending.last().filter(|own| own.spilled_to().is_some());
            let no_room = spilled.map(|own| own.no_room(next.by_extent));
            if is_last || self.is_full() || no_room.is_some() {
                self.flush(&mut storing, progress).await?;
            }
            if let Some(no_room) = no_room
                && let Err(error) = self.end(&mut storing, progress).await
            {
                if !error.is_full() {
                    return Err(error);
                }
                self.make_room(&next.listed).await?;
                return Err(no_room);
            }
        }
        self.end(&mut storing, progress).await?;
        self.stand_in(&mut storing, progress).await
    }

    /// Whether as much has come as is stored at a time, or about as much: each of what has arrived may
    /// change rows as well.
    fn is_full(&self) -> bool {
        let arrived = self.arrived.iter().map(Arrived::weight).sum::<usize>();
        let pending = self.pending.iter().map(Received::weight).sum::<usize>();
        let many = self.arrived.len() + self.pending.len() + self.changes.len() >= BATCH_MESSAGES;
        many || arrived + pending >= BATCH_BYTES
    }

    /// Whether it has to be known which messages have come before the next one comes. There is one marker
    /// for a large one that is not stored as a whole; and where the next one goes may change.
    fn must_take(&self, next: Option<&Wanted>) -> bool {
        let is_spilled = |own: &Arrived| matches!(own.bytes, Bytes::Spilled(..));
        self.arrived.last().is_some_and(is_spilled)
            || next.is_some_and(|next| self.target(next) != self.place.inbox)
    }

    /// Stores what was held back, now that what it seems to be a copy of was compared.
    pub(super) async fn take_held_back(
        &mut self,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        self.known.takes_as_listed = true;
        for received in std::mem::take(&mut self.held_back) {
            self.take(received).await?;
        }
        let mut storing = Storing::nothing();
        self.flush(&mut storing, progress).await?;
        self.end(&mut storing, progress).await
    }

    /// Stores rows that stand for messages of which nothing has come, so that the person sees that
    /// they are there, and may ask for them.
    async fn stand_in(
        &mut self,
        storing: &mut Stored<'a>,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        let missing = std::mem::take(&mut self.missing);
        self.note_refused(&missing);
        for listed in without_row(missing, self.listing, self.ledger) {
            let mut nothing = Received::nothing(listed);
            nothing.copy = self.free_copy(&nothing);
            self.pending.push(nothing);
            if self.pending.len() == BATCH_MESSAGES {
                self.flush(storing, progress).await?;
            }
        }
        if !self.pending.is_empty() || !self.changes.is_empty() {
            self.flush(storing, progress).await?;
        }
        self.end(storing, progress).await
    }

    /// Of messages that are damaged here and did not come again, notes that they did not. Where there are
    /// no unique ids, nothing but its size tells which one it is.
    fn note_refused(&mut self, missing: &[Listed]) {
        let is_missing = |row: &LedgerRow| {
            missing.iter().any(|listed| match &listed.uidl {
                Some(uidl) => *uidl == row.uidl,
                None => !self.listing.tells(&row.uidl) && listed.size == row.listed_size,
            })
        };
        let damaged = self.ledger.rows().filter(|row| row.is_damaged() && row.refused.is_none());
        let refused: Vec<LedgerRow> = damaged.filter(|row| is_missing(row)).cloned().collect();
        for before in refused {
            let now = LedgerRow { refused: Some(self.seen), ..before.clone() };
            self.change(RowChange { before, now });
        }
    }

    /// Whether something tells a message from all others that are listed.
    pub(super) fn is_told_apart(&self, listed: &Listed) -> bool {
        let alike = |own: &&Listed| own.uidl.is_none() && own.size == listed.size;
        listed.uidl.is_some() || self.listing.messages.iter().filter(alike).count() == 1
    }

    /// The connection broke while this message came. Once it is left for a while, nobody waits for it.
    async fn broke_off(&self, listed: &Listed) -> Result<(), MailError> {
        let now = self.host.now();
        let mut is_held = false;
        let note = |troubles: &mut Troubles| {
            troubles.note(listed, now);
            is_held = troubles.holds(listed, now);
        };
        self.trouble(note).await?;
        let row = listed.uidl.as_ref().and_then(|uidl| self.ledger.by_uidl(uidl));
        if let Some(row) = row.filter(|row| is_held && row.wanted) {
            want(self.host.store(), row, false).await?;
        }
        Ok(())
    }

    /// There is no room left for a large message. What came of it goes at once, so that others find room,
    /// and they come first the next time.
    async fn make_room(&self, large: &Listed) -> Result<(), MailError> {
        self.place.discard_partial(self.host.store()).await?;
        self.broke_off(large).await
    }

    pub(super) async fn trouble(&self, edit: impl FnOnce(&mut Troubles)) -> Result<(), MailError> {
        let edit = |notes: &mut ServerNotes| edit(&mut notes.troubles);
        ServerNotes::edit(self.host.store(), self.place.account, edit).await?;
        Ok(())
    }

    /// Receives one message, or its header; `None` if the server does not hand it out.
    async fn receive(
        &self,
        server: &mut Server<'_, H>,
        wanted: &Wanted,
    ) -> Result<Option<Arrived>, MailError> {
        let store = self.host.store();
        let mut incoming = Incoming::new(self.place, wanted.clone(), self.target(wanted));
        loop {
            match server.next("a message").await? {
                Event::Content { bytes, .. } => incoming.push(store, &bytes).await?,
                Event::ContentEnd { .. } => {
                    return Ok(Some(incoming.finish(store, self.host).await?));
                }
                Event::Refused { request: Request::Retr(_) | Request::Top(_), .. } => {
                    return Ok(None);
                }
                other => return Err(unexpected(&other, "hand out a message")),
            }
        }
    }

    /// Where a message is stored: the inbox, unless its header is elsewhere by now.
    fn target(&self, wanted: &Wanted) -> MailboxId {
        let row = wanted.listed.uidl.as_ref().and_then(|uidl| self.ledger.by_uidl(uidl));
        let lacks = |row: &&LedgerRow| row.partial || row.is_damaged();
        let row = row.filter(lacks).filter(|_| wanted.part == Part::Whole);
        row.map_or(self.place.inbox, |row| row.message.mailbox)
    }

    /// Begins to store and verify what has arrived, once that is done with what arrived before.
    async fn flush(
        &mut self,
        storing: &mut Stored<'a>,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        self.end(storing, progress).await?;
        let contents = self.pending.iter().map(Content::of).collect();
        self.batch = Batch { contents, done: self.done };
        let changes = std::mem::take(&mut self.changes);
        let received = std::mem::take(&mut self.pending);
        let (store, place, seen) = (self.host.store(), self.place, self.seen);
        let now = self.host.now();
        let doubts_ids = self.known.gives_ids_again;
        storing.start(async move {
            if doubts_ids {
                // Once the changes that show it are stored, the next download would not see it.
                ServerNotes::edit(store, place.account, ServerNotes::doubt_ids).await?;
            }
            write(store, changes, seen, Durability::Relaxed).await?;
            commit(store, place, received, seen, now).await
        });
        Ok(())
    }

    /// Waits until what is being stored is stored and verified, if anything is.
    async fn end(
        &mut self,
        storing: &mut Stored<'a>,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        let Some(committed) = storing.end().await else { return Ok(()) };
        let committed = committed?;
        let Batch { done, .. } = std::mem::take(&mut self.batch);
        self.report.downloaded += u32::try_from(committed.new).unwrap_or(u32::MAX);
        for row in committed.rows {
            self.known.compared.insert(row.name());
            self.known.stored.insert(row.name());
            self.ledger.insert(row);
        }
        if !committed.completed.is_empty() {
            progress(DownloadStep::Completed { moved: committed.completed });
        }
        progress(DownloadStep::Stored { done, new: self.total });
        Ok(())
    }
}

/// Messages that two rows or more are about, if one of the rows is damaged.
fn shared(ledger: &Ledger) -> BTreeSet<MessageId> {
    let mut shared = BTreeSet::new();
    if ledger.rows().any(LedgerRow::is_damaged) {
        let mut seen = BTreeSet::new();
        let here = ledger.rows().filter(|row| row.deleted_here.is_none());
        shared.extend(here.map(|row| row.message).filter(|message| !seen.insert(*message)));
    }
    shared
}
