//! The download: from the server's list to its answer to QUIT.
//!
//! What an interruption at each step leads to is written in [`stages`](super::stages). Decisions are
//! functions of data: what to fetch is in `plan`, which message has come in `identity`, what is due in
//! `retention`, and what leads to a deletion in `stages`.
//!
//! An account that has another server or user now is noticed before the server is asked: in one batch
//! the ledger's rows give up their unique ids, which belong to the other mailbox; before it the ledger
//! is the old one, after it messages are known by their content.
//!
//! A message at which the connection breaks while it is received is noted, and comes last the next time;
//! after some tries it is left for some hours. Of what can't be had at all, a row and an empty message are
//! stored that stand for it; they become the message as a header does. A row that can't be read stays as
//! it is: its message is neither fetched nor deleted.
//!
//! Where the whole of a message comes after its header, one batch replaces the one by the other:
//! before it the header is here and the message is still wanted, after it the message is here.

use std::rc::Rc;

use postern_bridge::{DeletionHold, MailboxId, Moved, Retention, TlsSession};

use super::{
    DAY, LedgerRow, Safety, ServerNotes,
    deletion::delete_due,
    elapsed::Elapsed,
    fetch::{Fetch, Known},
    intake::Place,
    ledger::Ledger,
    limits::BATCH_MESSAGES,
    listing::{Listing, listing},
    namesakes::{have_moved_on, retire_namesakes},
    plan::plan,
    retention::is_held_by_clock,
    server::Server,
    stages::{Due, Fetched, Rule},
    unnamed::AllCame,
    verify::{give_up, verify_rest},
};
use crate::{
    Host, MailError, Secret,
    error::Closed,
    record::{self, Account, Message, account_key, message_key},
    store::{Durability, Key, Store, StoreError, Table},
};

/// How far a download is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DownloadStep {
    /// The log-in worked.
    LoggedIn {
        /// What protects the connection.
        session: Option<TlsSession>,
    },
    /// The server was asked: so many messages will be fetched.
    Found {
        /// Messages to fetch.
        new: u32,
    },
    /// More messages were fetched; the new ones among them are stored and may be shown.
    Stored {
        /// Messages fetched so far.
        done: u32,
        /// Messages to fetch.
        new: u32,
    },
    /// Messages of which only the header was here are here as a whole now.
    Completed {
        /// Where each was and where it is; the two may be the same.
        moved: Vec<Moved>,
    },
    /// The server is being asked to delete so many messages.
    Deleting {
        /// Messages to delete.
        count: u32,
    },
}

/// What a download did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DownloadReport {
    /// Messages on the server when it was asked.
    pub on_server: u32,
    /// Messages that are stored here now and were not before.
    pub downloaded: u32,
    /// Messages that the server did not hand out.
    pub withheld: u32,
    /// Messages on the server of which nothing is here, not even the header, or that are damaged here
    /// and not handed out again.
    pub left_out: u32,
    /// Rows of the ledger that can't be read: their messages are neither fetched nor deleted.
    pub unreadable: u32,
    /// Lines of the server's list that can't be read.
    pub defects: u32,
    /// Messages that the server has deleted.
    pub deleted: u32,
    /// Messages without a usable unique id: fetched to be recognised, as a rule each time, and never
    /// deleted.
    pub unidentified: u32,
    /// Messages that vanished from the server, neither deleted from here nor, as far as it has told,
    /// by itself. Not counted on a secondary computer.
    pub vanished: u32,
    /// Why nothing was deleted, though the account's settings or the server's own rules say so.
    pub hold: Option<DeletionHold>,
}

/// What to download, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The account.
    pub account: &'a Account,
    /// Its password.
    pub password: &'a Secret,
    /// Where new messages go.
    pub inbox: MailboxId,
    /// Whether this browser may come to hold the only copy.
    pub safety: Safety,
}

/// Downloads what is new into the inbox, then deletes on the server what the account's policy says.
///
/// See the module's text for what happens if it ends early. Must not run twice at a time for one
/// account.
///
/// # Errors
///
/// Whatever ended it; what was stored before stays. With a full store ([`MailError::is_full`]) nothing
/// more is fetched and nothing is deleted. [`Closed::TooSoon`] if the server wants more time between two
/// log-ins; then it was not even asked.
pub async fn download<H: Host>(
    host: &H,
    job: Job<'_>,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<DownloadReport, MailError> {
    let store = host.store();
    let account = job.account;
    let place = Place { account: account.id, inbox: job.inbox };
    place.discard_partial(store).await?;
    let mut ledger = Ledger::load(store, account.id).await?;
    let verified = verify_rest(store, account.id, &ledger, host.now()).await?;
    let adopted = ServerNotes::adopt(store, account, host.now()).await?;
    if verified || adopted {
        ledger = Ledger::load(store, account.id).await?;
    }
    ServerNotes::load(store, account.id).await?.check(host.now())?;

    let mut server = match Server::open(host, &account.incoming, job.password).await {
        Ok(server) => server,
        Err(error) => {
            if let MailError::Closed(Closed::TooSoon { delay: Some(delay), .. }) = error {
                let note = |notes: &mut ServerNotes| notes.told_too_soon(delay, host.now());
                ServerNotes::edit(store, account.id, note).await?;
            }
            return Err(error);
        }
    };
    progress(DownloadStep::LoggedIn { session: server.tls() });
    let outcome = run(host, &job, place, &mut server, &mut ledger, progress).await;
    server.close().await;
    outcome
}

/// A download from the list on.
async fn run<H: Host>(
    host: &H,
    job: &Job<'_>,
    place: Place,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<DownloadReport, MailError> {
    let (store, id) = (host.store(), job.account.id);
    let logged_in = host.now();
    let learn = |notes: &mut ServerNotes| notes.logged_in(&server.offers, logged_in);
    ServerNotes::edit(store, id, learn).await?;
    let listing = Rc::new(listing(server).await?);
    let seen = host.now();
    ledger.compare(Rc::clone(&listing));
    ledger.settle_deletions(store, &listing, seen).await?;
    let mut report = DownloadReport {
        on_server: count(&listing.messages),
        unidentified: count(listing.messages.iter().filter(|listed| listed.uidl.is_none())),
        unreadable: count(0..ledger.unreadable()),
        defects: count(0..listing.defects),
        ..DownloadReport::default()
    };
    let notes = ServerNotes::load(store, id).await?;
    let (extent, troubles) = (job.account.extent, &notes.troubles);
    let plan = plan(&listing, ledger, extent, troubles, notes.all_came.as_ref(), seen);
    let (is_held, believes) = (!plan.held.is_empty(), plan.believes);
    let takes_as_listed = !listing.is_numbered() || !notes.may_hold_back();
    let mut known = Known { takes_as_listed, ..Known::default() };
    let mut fetch = Fetch::new(host, place, &listing, ledger, &mut report, &mut known, seen);
    fetch.run(server, plan, troubles, progress).await?;
    let is_new = fetch.known.gives_ids_again;
    if is_new
        || notes.doubts_ids > 0
        || have_moved_on(host, id, server, fetch.ledger, &listing, fetch.known).await?
    {
        ServerNotes::edit(store, id, |own| own.compare_ids(&notes, is_new)).await?;
        retire_namesakes(host, server, fetch.ledger, &listing, fetch.known).await?;
    }
    fetch.take_held_back(progress).await?;
    ServerNotes::edit(store, id, ServerNotes::is_compared).await?;
    let left_out = ledger.placeholders().chain(ledger.refused());
    report.left_out = count(left_out.filter(|row| is_left(row)));
    let all_came = report.withheld == 0 && report.left_out == 0 && !is_held && !believes;
    give_up(store, ledger, &listing, all_came).await?;
    let missing = note_missing(host, server, ledger, &listing, &notes, seen).await?;
    let sent = newest_since(store, ledger, &notes.elapsed, host.now()).await?;

    // As the person has it now: it may have been changed since the download began.
    let present: Option<Account> = record::get(store, &account_key(id)).await?;
    let present = present.as_ref().unwrap_or(job.account);
    let secondary = present.retention == Retention::Secondary;
    report.vanished = if secondary { 0 } else { missing };
    let hold = job.safety.hold(ledger.holding());
    let deletes_by_itself = server.deletes_by_itself();
    let fetched = Fetched { begun: job.account, present, hold, deletes_by_itself };
    report.hold = fetched.told_hold();
    let removed = ledger.removed_elsewhere().filter(|_| !secondary);
    let now = host.now();
    let note = |notes: &mut ServerNotes| {
        notes.elapsed.observe(now, sent);
        let elapsed = &notes.elapsed;
        if is_held_by_clock(present.retention, ledger.rows(), job.inbox, now, elapsed) {
            report.hold = report.hold.or(Some(DeletionHold::Clock));
        }
        notes.downloaded(&report, removed);
        if listing.is_complete {
            notes.compared = Some(now);
        }
        if !believes {
            let came = all_came && report.unidentified > 0;
            notes.all_came = came.then(|| AllCame::new(&listing, extent, seen));
        }
    };
    let notes = ServerNotes::edit(store, id, note).await?;
    let Some(policy) = fetched.policy() else { return Ok(report) };
    // The rows as the person has left them meanwhile.
    *ledger = Ledger::load(store, id).await?;
    let rule = Rule { policy, inbox: job.inbox, elapsed: &notes.elapsed };
    let due = Due::new(rule, ledger, &listing, &known, deletes_by_itself, host.now());
    report.deleted = delete_due(host, job, server, ledger, due, &notes.elapsed, progress).await?;
    Ok(report)
}

/// Notes what is missing on the server; how many messages were removed by somebody else, and neither
/// from here nor, as far as it has told, by the server itself.
async fn note_missing<H: Host>(
    host: &H,
    server: &Server<'_, H>,
    ledger: &mut Ledger,
    listing: &Listing,
    notes: &ServerNotes,
    now: i64,
) -> Result<u32, MailError> {
    let store = host.store();
    let mut rows = ledger.absent(listing);
    rows.retain(|row| row.delete_asked.is_none());
    let keys: Vec<Key> = match server.expires() {
        Some(_) => rows.iter().map(|row| message_key(row.message)).collect(),
        None => Vec::new(),
    };
    let mut messages = store.get_many(Table::Messages, &keys).await?.into_iter();
    for row in &mut rows {
        let message = messages.next().flatten();
        let message = message.and_then(|value| record::decode::<Message>(&value).ok());
        let arrived = message.filter(|_| row.deleted_here.is_none()).map(|own| own.arrived);
        let since = row.first_seen.min(arrived.unwrap_or(row.first_seen));
        // What came from a backup may have been deleted from here since it was made.
        let was_compared =
            row.verified.is_some_and(|at| notes.compared.is_some_and(|own| at <= own));
        if !was_compared || server.expires().is_some_and(|days| has_expired(days, since, now)) {
            row.delete_confirmed = Some(now);
        } else {
            row.gone = Some(now);
        }
    }
    let rows = ledger.update(store, rows, Durability::Relaxed).await?;
    Ok(count(rows.iter().filter(|row| row.gone.is_some())))
}

/// Whether a row stands for a message that the server has.
fn is_left(row: &LedgerRow) -> bool {
    row.is_on_server() && row.deleted_here.is_none()
}

/// When the newest message was sent that was stored since the clock was looked at; asked only where
/// the clock has made a step that needs an explanation.
async fn newest_since(
    store: &impl Store,
    ledger: &Ledger,
    elapsed: &Elapsed,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let Some(since) = elapsed.unexplained_since(now) else { return Ok(None) };
    let new = ledger.rows().filter(|row| row.stored > since && row.deleted_here.is_none());
    let keys: Vec<Key> = new.map(|row| message_key(row.message)).collect();
    let mut newest = None;
    for keys in keys.chunks(BATCH_MESSAGES) {
        let messages = store.get_many(Table::Messages, keys).await?;
        let messages = messages.iter().flatten();
        let sent = messages.filter_map(|value| record::decode::<Message>(value).ok()?.sent);
        newest = newest.max(sent.max());
    }
    Ok(newest)
}

/// Whether a server that deletes messages after so many days may have deleted one by `now` that was
/// there at `since`. It counts as it likes: from the message's arrival or from its download, and in
/// whole days.
fn has_expired(days: u32, since: i64, now: i64) -> bool {
    now.saturating_sub(since) >= (i64::from(days) - 1) * DAY
}

pub(super) fn count(items: impl IntoIterator) -> u32 {
    u32::try_from(items.into_iter().count()).unwrap_or(u32::MAX)
}
