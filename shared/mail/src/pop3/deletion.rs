//! Deleting on the server what is safe here.
//!
//! Before anything is deleted, three looks are taken. Whether the server's message is the one that is
//! stored: an earlier session may have seen another one under its unique id ([`keep_doubtful`]).
//! Whether the stored one can still be read as it came ([`keep_damaged`]). And, after DELE and
//! before QUIT, whether everything is still there and still to be deleted ([`last_look`]).

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::Retention;
use postern_pop3::{Command, Event, Request};

use super::{
    DownloadStep, Job, LedgerRow, Safety,
    compare::Compared,
    count, due,
    elapsed::Elapsed,
    fetch::Known,
    ledger::Ledger,
    limits::{BATCH_MESSAGES, READ_BACK, SILENCE},
    listing::Listing,
    plan::is_as_listed,
    read_back::AtHand,
    row::{RowChange, write},
    server::{Server, unexpected},
    verify::verify,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Message, Record, account_key, message_key},
    store::{Durability, Key, StoreError, Table},
};

/// What the server is asked to delete, by its number in this session.
type Asked = BTreeMap<u32, LedgerRow>;

/// What tells what is due.
#[derive(Clone, Copy)]
pub(super) struct Due<'a> {
    pub(super) listing: &'a Listing,
    /// What this session has found out.
    pub(super) known: &'a Known,
    pub(super) elapsed: &'a Elapsed,
}

/// Asks the server to delete what is due, and ends the session; how many it deleted.
///
/// If the person decides otherwise in the meantime, nothing is deleted.
pub(super) async fn delete_due<H: Host>(
    host: &H,
    job: &Job<'_>,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    due: Due<'_>,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<u32, MailError> {
    let Due { listing, known, elapsed } = due;
    let by_itself = server.deletes_by_itself();
    let mut asked = listed_due(host.now(), job, ledger, listing, elapsed);
    let compared = keep_doubtful(host, server, ledger, &mut asked, known).await?;
    // What it has handed out goes with QUIT, due or not.
    let mut handed_out = if by_itself { known.compared.clone() } else { BTreeSet::new() };
    let is_whole = keep_damaged(host, server, ledger, &mut asked, known, &handed_out).await?;
    if by_itself && (!is_whole || compared.iter().any(|number| !asked.contains_key(number))) {
        return Ok(0);
    }
    if by_itself {
        handed_out.extend(compared.iter().filter_map(|number| Some(asked.get(number)?.name())));
    }
    if !asked.is_empty() {
        progress(DownloadStep::Deleting { count: count(asked.values()) });
    }
    for number in asked.keys() {
        server.start(Command::Dele(*number))?;
    }
    let mut marked = Vec::new();
    for _ in 0..asked.len() {
        match server.next("a deletion").await? {
            Event::MarkedDeleted { message } => marked.extend(asked.remove(&message)),
            Event::Refused { request: Request::Dele(_), .. } => {}
            other => return Err(unexpected(&other, "delete messages")),
        }
    }
    if marked.is_empty() && handed_out.is_empty() {
        // Nothing depends on a polite end.
        let _ = server.ask(Command::Quit, "the end of the session").await;
        return Ok(0);
    }
    let Some(mut marked) = last_look(host, job, marked, &handed_out, elapsed).await? else {
        // Without QUIT it deletes nothing, whatever it answers to this: which is for a server that takes
        // the end of the connection for a QUIT.
        let _ = server.ask(Command::Rset, "the end of the deletions").await;
        return Ok(0);
    };
    match server.ask(Command::Quit, "the end of the session").await? {
        Event::Bye => {}
        other => return Err(unexpected(&other, "delete messages")),
    }
    marked.iter_mut().for_each(|row| row.delete_confirmed = Some(host.now()));
    let deleted = count(&marked);
    ledger.update(host.store(), marked, Durability::Strict).await?;
    Ok(deleted)
}

/// A last look before it is too late: without QUIT the server deletes nothing (RFC 1939 section 6).
/// The browser may have dropped the database since the messages were verified, be unable to read a
/// record, or no longer promise to keep them; the person may have changed the account, moved a message
/// back, or said that this is a public computer. With the look the deletion is noted, in a strict write:
/// one that another tab has fenced off deletes nothing either.
///
/// Returns the rows as they are noted; `None` if one of them is not to be deleted any more.
async fn last_look<H: Host>(
    host: &H,
    job: &Job<'_>,
    marked: Vec<LedgerRow>,
    handed_out: &BTreeSet<Vec<u8>>,
    elapsed: &Elapsed,
) -> Result<Option<Vec<LedgerRow>>, MailError> {
    let store = host.store();
    // So that the person moves nothing between the two looks.
    let _editing = store.editing().lock().await;
    let names: BTreeSet<Vec<u8>> = marked.iter().map(LedgerRow::name).collect();
    let rows = stored_rows(store, job, names.union(handed_out)).await?;
    let present = rows.iter().filter(|row| row.deleted_here.is_none());
    let places: Vec<Key> = present.map(|row| message_key(row.message)).collect();
    let messages: Vec<Option<Message>> = record::get_many_readable(store, &places).await?;
    if messages.contains(&None) {
        return Err(vanished().into());
    }
    let mut marked = rows;
    marked.retain(|row| names.contains(&row.name()));
    let account: Option<Account> = record::get(store, &account_key(job.account.id)).await?;
    let account = account.as_ref().unwrap_or(job.account);
    let now = host.now();
    if Safety::of(host).await.hold(0).is_some()
        || account.incoming != job.account.incoming
        || account.retention == Retention::Secondary
        || due(account.retention, &marked, job.inbox, now, elapsed).len() < marked.len()
    {
        return Ok(None);
    }
    marked.iter_mut().for_each(|row| row.delete_asked = Some(now));
    let batch = marked.iter().map(Record::put).collect();
    store.apply(batch, Durability::Strict).await?;
    Ok(Some(marked))
}

/// The rows of these names, all of which have to be there.
async fn stored_rows(
    store: &impl Store,
    job: &Job<'_>,
    names: impl Iterator<Item = &Vec<u8>>,
) -> Result<Vec<LedgerRow>, StoreError> {
    let key = |name: &Vec<u8>| account_key(job.account.id).bytes(name);
    let keys: Vec<Key> = names.map(key).collect();
    let rows = store.get_many(Table::Ledger, &keys).await?;
    rows.into_iter().map(|row| record::decode(&row.ok_or_else(vanished)?)).collect()
}

fn vanished() -> StoreError {
    StoreError::Damaged("stored messages have vanished".into())
}

/// What is due, by its number in this session.
fn listed_due(
    now: i64,
    job: &Job<'_>,
    ledger: &Ledger,
    listing: &Listing,
    elapsed: &Elapsed,
) -> Asked {
    let due = due(job.account.retention, ledger.rows(), job.inbox, now, elapsed);
    let due: BTreeMap<&[u8], &LedgerRow> =
        due.into_iter().map(|row| (row.uidl.as_slice(), row)).collect();
    let listed = listing.messages.iter().filter_map(|listed| {
        let row = *due.get(listed.uidl.as_deref()?)?;
        is_as_listed(row, listed).then(|| (listed.number, row.clone()))
    });
    listed.collect()
}

/// Takes messages off that may be others than those stored here: a server that gives unique ids
/// again, against RFC 1939 section 7, could have given one to a message of the same size that was
/// never downloaded. Their headers tell; where the server can't give them alone, or the message has
/// none, all of it does. Another message is left, and downloaded next time. Returns which ones were
/// handed out whole.
async fn keep_doubtful<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    asked: &mut Asked,
    known: &Known,
) -> Result<BTreeSet<u32>, MailError> {
    let is_doubtful = |(_, row): &(&u32, &LedgerRow)| !known.compared.contains(&row.name());
    let to_check: Vec<u32> = asked.iter().filter(is_doubtful).map(|(number, _)| *number).collect();
    let Some(first) = to_check.first() else { return Ok(BTreeSet::new()) };
    let by_header = server.can_top(*first).await?;
    let has_header = |number: &u32| asked.get(number).is_some_and(|row| row.header.is_some());
    let (by_header, mut by_all): (Vec<u32>, Vec<u32>) =
        to_check.into_iter().partition(|number| by_header && has_header(number));
    let mut others = Vec::new();
    for number in &by_header {
        server.start(Command::Top { message: *number, lines: 0 })?;
    }
    for number in by_header {
        let mut came = Compared::default();
        if !server.content("a header to compare", |bytes| came.take(bytes)).await? {
            // One that it does not give alone, whatever it offers.
            by_all.push(number);
        } else if !asked.get(&number).is_some_and(|row| came.has_header_of(row)) {
            others.extend(asked.remove(&number));
        }
    }
    for number in &by_all {
        server.start(Command::Retr(*number))?;
    }
    let mut handed_out = BTreeSet::new();
    for number in by_all {
        let mut came = Compared::default();
        if !server.content("a message to compare", |bytes| came.take(bytes)).await? {
            // One that the server does not hand out is kept, but not thought to be another.
            asked.remove(&number);
            continue;
        }
        handed_out.insert(number);
        let Some(row) = asked.get(&number) else { continue };
        if !came.matches_message_of(host.store(), row).await? {
            others.extend(asked.remove(&number));
        }
    }
    let now = host.now();
    let mut changes = Vec::new();
    for row in others {
        let retired = ledger.without_uidl(row.clone(), now);
        changes.extend(ledger.note(RowChange { before: row, now: retired }, now));
    }
    write(host.store(), changes, now, Durability::Relaxed).await?;
    Ok(handed_out)
}

/// Reads back what was not stored in this very session, and takes off what is damaged, which is
/// downloaded again next time. False if anything is damaged, among `others` as well.
///
/// That may take long, and the server hears a word now and then.
async fn keep_damaged<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &Ledger,
    asked: &mut Asked,
    known: &Known,
    others: &BTreeSet<Vec<u8>>,
) -> Result<bool, MailError> {
    let to_check = asked.values().map(LedgerRow::name).chain(others.iter().cloned());
    let rows: BTreeMap<Key, &LedgerRow> = to_check
        .filter(|name| !known.stored.contains(name))
        .filter_map(|name| ledger.named(&name).map(|row| (row.key(), row)))
        .collect();
    let mut intact = BTreeSet::new();
    let mut damaged = 0;
    let mut spoken = host.now();
    let mut step = (Vec::new(), 0);
    let mut rest = rows.values().peekable();
    while let Some(row) = rest.next() {
        step.0.push(LedgerRow::clone(row));
        step.1 += row.size;
        if rest.peek().is_some() && step.1 < READ_BACK && step.0.len() < BATCH_MESSAGES {
            continue;
        }
        let (rows, _) = std::mem::take(&mut step);
        let verified = verify(host.store(), rows, &AtHand::new(), host.now()).await?;
        intact.extend(verified.rows.iter().map(Record::key));
        damaged += verified.damaged;
        if host.now().abs_diff(spoken) >= SILENCE {
            // Whether it knows the question does not matter.
            server.ask(Command::Noop, "a sign of life").await?;
            spoken = host.now();
        }
    }
    asked.retain(|_, row| !rows.contains_key(&row.key()) || intact.contains(&row.key()));
    Ok(damaged == 0)
}
